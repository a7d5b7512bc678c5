//! A box over everything else, in the middle of the screen and in plain bytes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::strip::Strip;
use super::words::fit;
use crate::tui::theme::{Theme, Token};

/// Columns of a box where there are as many.
const WIDTH: u16 = 72;
/// Border and blank at either side.
const SIDE: u16 = 2;

/// Columns that a row inside may use on a screen.
pub fn inner_width(screen: Rect) -> usize {
    usize::from(screen.width.min(WIDTH).saturating_sub(2 * SIDE))
}

/// Rows that fit inside on a screen.
pub fn inner_height(screen: Rect) -> usize {
    usize::from(screen.height.saturating_sub(2))
}

/// Draws the box with its rows; rows that do not fit are cut.
pub fn draw(buf: &mut Buffer, theme: &Theme, title: &str, mut rows: Vec<Strip>) {
    let screen = buf.area;
    if screen.width <= 2 * SIDE || screen.height <= 2 {
        return;
    }
    rows.truncate(inner_height(screen));
    let width = screen.width.min(WIDTH);
    let height = u16::try_from(rows.len()).unwrap_or(0) + 2;
    let (x, y) = (
        screen.x + (screen.width - width) / 2,
        screen.y + (screen.height - height) / 2,
    );
    let border = theme.style(Token::BorderFocus);
    let columns = usize::from(width);
    let edge = || {
        Strip::of("+", border)
            .fill(columns - 1, '-', border)
            .put("+", border)
    };
    let title = fit(title, inner_width(screen).saturating_sub(4));
    let top = Strip::of("+-- ", border)
        .put(title, theme.style(Token::Title))
        .gap(1)
        .fill(columns - 1, '-', border)
        .put("+", border);
    clear(buf, theme, Rect::new(x, y, width, height));
    top.draw(buf, (x, y), width);
    for (row, at) in rows.into_iter().zip(y + 1..) {
        Strip::of("|", border).draw(buf, (x, at), 1);
        row.draw(buf, (x + SIDE, at), width - 2 * SIDE);
        Strip::of("|", border).draw(buf, (x + width - 1, at), 1);
    }
    edge().draw(buf, (x, y + height - 1), width);
}

/// Nothing of what is below shows through.
fn clear(buf: &mut Buffer, theme: &Theme, area: Rect) {
    for at in area.positions() {
        if let Some(cell) = buf.cell_mut(at) {
            cell.reset();
            cell.set_style(Style::reset().patch(theme.style(Token::Text)));
        }
    }
}
