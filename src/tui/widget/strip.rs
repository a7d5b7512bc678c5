//! One row of the screen, built from left to right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use super::words::fit;

/// One row of an area.
pub fn line(area: Rect, y: u16) -> Rect {
    Rect {
        y,
        height: 1,
        ..area
    }
}

/// A row under construction.
#[derive(Clone, Debug, Default)]
pub struct Strip {
    spans: Vec<Span<'static>>,
    used: usize,
}

impl Strip {
    pub fn new() -> Self {
        Self::default()
    }

    /// A row of one piece.
    pub fn of(text: impl Into<String>, style: Style) -> Self {
        Self::new().put(text, style)
    }

    /// Appends text as it is.
    #[must_use]
    pub fn put(mut self, text: impl Into<String>, style: Style) -> Self {
        let text = text.into();
        self.used += text.width();
        self.spans.push(Span::styled(text, style));
        self
    }

    /// Appends text cut or padded to `width` columns.
    #[must_use]
    pub fn cell(self, width: usize, text: &str, style: Style) -> Self {
        let text = fit(text, width);
        let pad = width.saturating_sub(text.width());
        self.put(text, style).gap(pad)
    }

    /// Appends text cut to `width` columns and moved to their right end.
    #[must_use]
    pub fn right(self, width: usize, text: &str, style: Style) -> Self {
        let text = fit(text, width);
        let pad = width.saturating_sub(text.width());
        self.gap(pad).put(text, style)
    }

    /// Appends blanks.
    #[must_use]
    pub fn gap(self, width: usize) -> Self {
        if width == 0 {
            return self;
        }
        self.put(" ".repeat(width), Style::default())
    }

    /// Pads to a column.
    #[must_use]
    pub fn to(self, column: usize) -> Self {
        let pad = column.saturating_sub(self.used);
        self.gap(pad)
    }

    /// Fills up to a column with one character.
    #[must_use]
    pub fn fill(self, column: usize, with: char, style: Style) -> Self {
        let count = column.saturating_sub(self.used);
        self.put(with.to_string().repeat(count), style)
    }

    /// Columns used so far.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Draws at `(x, y)`, cut at `width` columns; outside the buffer nothing is drawn.
    pub fn draw(self, buf: &mut Buffer, (x, y): (u16, u16), width: u16) {
        let area = buf.area;
        if y < area.bottom() && y >= area.top() && x < area.right() {
            buf.set_line(x, y, &Line::from(self.spans), width.min(area.right() - x));
        }
    }
}
