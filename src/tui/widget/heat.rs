//! The fleet at a glance: one letter per node, in groups, on two rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::strip::Strip;
use super::words::fit;
use crate::model::verdict::Severity;
use crate::tui::theme::{Theme, Token};
use crate::tui::world::{Group, Scope, Summary};

/// Columns of a group's name.
const NAME: usize = 8;

/// Draws on up to two rows of `area`; `cursor` is shown in reverse.
pub fn draw(
    groups: &[Group],
    cursor: Option<&Scope>,
    theme: &Theme,
    (area, buf): (Rect, &mut Buffer),
) {
    let rows = usize::from(area.height.min(2));
    let per_row = groups.len().div_ceil(rows.max(1)).max(1);
    for (row, cells) in groups.chunks(per_row).take(rows).enumerate() {
        let mut left = area.x;
        for (index, group) in cells.iter().enumerate() {
            let rest = area.right().saturating_sub(left);
            let last = index + 1 == cells.len();
            let width = if last { rest } else { share(area.width) };
            let y = area.y + u16::try_from(row).unwrap_or(0);
            let strip = cell(
                group,
                (cursor, usize::from(width) - usize::from(!last)),
                theme,
            );
            strip.draw(buf, (left, y), width);
            left += width;
            if !last {
                let bar = Strip::of("|", theme.style(Token::Border));
                bar.draw(buf, (left - 1, y), 1);
            }
        }
    }
}

/// The left cell takes less than half: the control plane stands there.
fn share(width: u16) -> u16 {
    u16::try_from(u32::from(width) * 9 / 20)
        .unwrap_or(width)
        .max(2)
}

/// A group's name and one letter per node; where they do not fit, the worst of several per letter.
fn cell(group: &Group, (cursor, width): (Option<&Scope>, usize), theme: &Theme) -> Strip {
    let count = group.spots.len();
    let room = width.saturating_sub(NAME + 1).max(1);
    let step = if count * 2 <= room { 2 } else { 1 };
    let bucket = count.div_ceil(room).max(1);
    let label = if bucket > 1 {
        format!("{} /{bucket}", fit(&group.name, NAME.saturating_sub(4)))
    } else {
        group.name.clone()
    };
    let here = cursor
        .and_then(|scope| group.place(scope))
        .map(|place| place / bucket);
    let mut strip = Strip::new()
        .cell(NAME, &label, theme.style(Token::Header))
        .gap(1);
    for (index, spots) in group.spots.chunks(bucket).enumerate() {
        let Some(worst) = Group::worst(spots) else {
            continue;
        };
        let mut style = theme.style(token(worst.letter, worst.worst));
        if here == Some(index) {
            style = style.patch(theme.style(Token::Cursor));
        }
        strip = strip.put(worst.letter.to_string(), style);
        if step == 2 {
            strip = strip.gap(1);
        }
    }
    strip
}

/// The token of a node's letter.
pub fn token(letter: char, worst: Option<Severity>) -> Token {
    match letter {
        'x' => Token::StateFailed,
        '~' => Token::StateRunning,
        'o' | '?' => Token::StateQueued,
        'U' => Token::SevUnknown,
        '.' | ' ' | 'I' => Token::StateOk,
        'u' => Token::StateStale,
        _ => worst.map_or(Token::Text, Token::severity),
    }
}

/// The token of a node's letter.
pub fn letter_token(summary: &Summary) -> Token {
    token(summary.letter(), summary.counts.worst())
}
