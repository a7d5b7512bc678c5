//! A table on the screen: list, what stands behind the row under the cursor, gaps, and on large screens the log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::sheet::{Column, Line, Row, Width};
use super::{Kind, Shown, Sort, Table};
use crate::model::name::NodeName;
use crate::tui::pane::log;
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::{Strip, line};
use crate::tui::widget::words::{count, fit, middle, wrap};
use crate::tui::world::World;

/// Rows of a detail that can be scrolled to.
pub const LONGEST: usize = 2000;
/// Rows above the list.
const ABOVE: u16 = 4;
/// Columns of a node's name in a list of all.
const NODE: usize = 14;
/// Columns of the word in front of a paragraph.
const LEAD: usize = 8;
/// From there on the list has its detail beside it, and the log below.
const BESIDE: u16 = 120;
const LARGE: (u16, u16) = (140, 38);
/// Rows of the log on a large screen, with the rule above.
const LOG: u16 = 6;

impl Table {
    pub(super) fn draw(&self, world: &World, theme: &Theme, (area, buf): (Rect, &mut Buffer)) {
        if area.height < ABOVE + 3 || area.width < 24 {
            return;
        }
        let width = usize::from(area.width);
        let border = theme.style(Token::Border);
        let rule = || Strip::new().fill(width, '-', border);
        for (strip, y) in self.head(theme, width).into_iter().zip(area.y..) {
            strip.draw(buf, (area.x, y), area.width);
        }
        rule().draw(buf, (area.x, area.y + 2), area.width);
        let mut body = Rect {
            y: area.y + 3,
            height: area.height - 3,
            ..area
        };
        if let Some(foot) = self.foot(theme, width) {
            body.height -= 1;
            foot.draw(buf, (area.x, body.bottom()), area.width);
        }
        if let Some(from) = self.opened {
            self.opened(from, theme, (body, buf));
            return;
        }
        if area.width >= LARGE.0 && area.height >= LARGE.1 {
            body.height -= LOG;
            let below = Rect {
                y: body.bottom(),
                height: LOG,
                ..body
            };
            self.log(world, theme, (below, buf));
        }
        if area.width >= BESIDE && self.kind != Kind::Static {
            let list = Rect {
                width: area.width * 3 / 5,
                ..body
            };
            let aside = Rect {
                x: list.right() + 2,
                width: area.width - list.width - 2,
                ..body
            };
            for y in body.y..body.bottom() {
                Strip::of("|", border).draw(buf, (list.right(), y), 1);
            }
            self.list(theme, (list, buf));
            self.detail(0, theme, (aside, buf));
        } else {
            let (list, below) = self.halves(body);
            self.list(theme, (list, buf));
            rule().draw(buf, (area.x, list.bottom()), area.width);
            self.detail(0, theme, (below, buf));
        }
    }

    /// The list gets what its rows need, at most a bit more than half; the rest is for the detail.
    fn halves(&self, body: Rect) -> (Rect, Rect) {
        let rows = u16::try_from(self.rows.len().max(2)).unwrap_or(u16::MAX);
        let most = (body.height.saturating_sub(1) * 3 / 5).max(2);
        let height = rows.saturating_add(1).min(most);
        let list = Rect { height, ..body };
        let below = Rect {
            y: list.bottom() + 1,
            height: body.height.saturating_sub(height + 1),
            ..body
        };
        (list, below)
    }

    fn head(&self, theme: &Theme, width: usize) -> [Strip; 2] {
        let filter = match (self.filter.is_empty(), self.problems) {
            (true, false) => "-",
            (true, true) => "problems",
            (false, _) => self.filter.text(),
        };
        let sort = match self.sort {
            Sort::Standing => "worst".to_owned(),
            Sort::Column(at) => self
                .kind
                .columns()
                .get(at)
                .map_or_else(String::new, |column| column.name.to_lowercase()),
        };
        let arrow = if self.reversed { " up" } else { "" };
        let right = format!(
            "{}  filter: {filter}  sort: {sort}{arrow}",
            count(self.rows.len(), "row")
        );
        let node = self.node.as_ref().map_or("all nodes", NodeName::as_str);
        let title = format!("{} of {node}", self.kind.title());
        let room = width.saturating_sub(right.len() + 2);
        let muted = theme.style(Token::Muted);
        let first = Strip::new().cell(room, &middle(&title, room), theme.style(Token::Header));
        [
            first.gap(2).put(right, muted),
            Strip::of(fit(&self.about, width), muted),
        ]
    }

    /// What is not known, with its next step: on one row, whatever the list shows.
    fn foot(&self, theme: &Theme, width: usize) -> Option<Strip> {
        let hole = self.holes.1.as_ref()?;
        let lead = format!("not known ({}): ", self.holes.0);
        let next = format!("  next: {}", hole.next);
        let room = width.saturating_sub(lead.len());
        let cause = format!("{}: {}", hole.what, hole.why);
        let least = (room / 2).max(room.saturating_sub(next.len()));
        Some(
            Strip::of(lead, theme.style(Token::SevUnknown))
                .put(fit(&cause, least), theme.style(Token::Text))
                .put(
                    fit(&next, width.saturating_sub(LEAD)),
                    theme.style(Token::Muted),
                ),
        )
    }

    fn list(&self, theme: &Theme, (area, buf): (Rect, &mut Buffer)) {
        let columns = self.columns(area.width);
        let header = theme.style(Token::Header);
        let mut strip = Strip::new().gap(2);
        if self.node.is_none() {
            strip = strip.cell(NODE, "NODE", header);
        }
        for (column, width) in &columns {
            strip = strip.cell(*width, column.name, header).gap(1);
        }
        strip.draw(buf, (area.x, area.y), area.width);
        let height = usize::from(area.height.saturating_sub(1));
        let first = self.list.first(height);
        let rows = self.rows.iter().enumerate().skip(first).take(height);
        for ((index, shown), y) in rows.zip(area.y + 1..) {
            let here = index == self.list.at();
            let mark = Strip::of(if here { "> " } else { "  " }, theme.style(Token::Text));
            self.row(mark, shown, (&columns, area.width), theme)
                .draw(buf, (area.x, y), area.width);
            if here {
                buf.set_style(line(area, y), theme.style(Token::Cursor));
            }
        }
        if self.rows.is_empty() && area.height > 1 {
            let text = if self.made.is_empty() {
                "  nothing is known yet"
            } else if self.filter.is_empty() && !self.problems {
                "  there is none"
            } else {
                "  no row fits the filter"
            };
            Strip::of(text, theme.style(Token::Muted)).draw(buf, (area.x, area.y + 1), area.width);
        }
    }

    fn row(
        &self,
        mut strip: Strip,
        shown: &Shown,
        (columns, total): (&[(Column, usize)], u16),
        theme: &Theme,
    ) -> Strip {
        let text = theme.style(Token::Text);
        if self.node.is_none() {
            strip = strip
                .cell(NODE - 1, &middle(shown.node.as_str(), NODE - 1), text)
                .gap(1);
        }
        let token = theme.style(shown.row.standing.token());
        if shown.hole.is_some() {
            let room = usize::from(total).saturating_sub(strip.used() + 2);
            let cell = shown.row.cells.first().map_or("", |cell| &cell.text);
            return strip.put("U ", token).put(fit(cell, room), text);
        }
        let all = self.kind.columns().iter();
        for (column, cell) in all.zip(&shown.row.cells) {
            let Some((_, width)) = columns.iter().find(|(it, _)| it.name == column.name) else {
                continue;
            };
            let style = if cell.text == shown.row.state || cell.text.starts_with("!!") {
                token
            } else {
                text
            };
            let cut = match column.width {
                // Of names and paths both ends tell, of words the first.
                Width::Share(_) if !cell.text.contains(' ') => middle(&cell.text, *width),
                _ => fit(&cell.text, *width),
            };
            strip = strip.cell(*width, &cut, style).gap(1);
        }
        strip
    }

    /// The columns that fit, with what they get.
    fn columns(&self, total: u16) -> Vec<(Column, usize)> {
        let shown = self.kind.columns().iter();
        let shown: Vec<Column> = shown.filter(|it| it.from <= total).copied().collect();
        let lead = if self.node.is_none() { 2 + NODE } else { 2 };
        let fixed = |column: &Column| match column.width {
            Width::Fixed(width) => (width, 0),
            Width::Share(parts) => (0, parts),
        };
        let (used, parts) = shown
            .iter()
            .map(fixed)
            .fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        let rest = usize::from(total).saturating_sub(lead + used + shown.len());
        let width = |column: &Column| match column.width {
            Width::Fixed(width) => width,
            Width::Share(own) => (rest * own / parts.max(1)).max(4),
        };
        shown.iter().map(|it| (*it, width(it))).collect()
    }

    fn detail(&self, from: usize, theme: &Theme, (area, buf): (Rect, &mut Buffer)) {
        let Some(shown) = self.current() else {
            return;
        };
        let rows = lines(&shown.row, theme, usize::from(area.width));
        let all = rows.len();
        let height = usize::from(area.height);
        let from = from.min(all.saturating_sub(height));
        let hidden = all.saturating_sub(from + height);
        for (strip, y) in rows.into_iter().skip(from).zip(area.y..area.bottom()) {
            let last = hidden > 0 && y + 1 == area.bottom();
            let strip = if last {
                let how = if self.opened.is_some() {
                    "j scrolls"
                } else {
                    "Enter shows all"
                };
                let text = format!(".. {} more, {how}", count(hidden + 1, "row"));
                Strip::of(text, theme.style(Token::Muted))
            } else {
                strip
            };
            strip.draw(buf, (area.x, y), area.width);
        }
    }

    /// The row under the cursor alone, with all that stands behind it.
    fn opened(&self, from: usize, theme: &Theme, (area, buf): (Rect, &mut Buffer)) {
        let Some(shown) = self.current() else {
            return;
        };
        let columns = self.columns(area.width);
        self.row(Strip::new(), shown, (&columns, area.width), theme)
            .draw(buf, (area.x, area.y), area.width);
        let below = Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        };
        self.detail(from, theme, (below, buf));
    }

    /// The end of the node's log.
    fn log(&self, world: &World, theme: &Theme, (area, buf): (Rect, &mut Buffer)) {
        let border = theme.style(Token::Border);
        Strip::of("-- log (l shows all) ", border)
            .fill(usize::from(area.width), '-', border)
            .draw(buf, (area.x, area.y), area.width);
        let own = |node: &Option<NodeName>| self.node.is_none() || *node == self.node;
        let last = world.log.iter().rev().filter(|line| own(&line.node));
        let mut last: Vec<_> = last.take(usize::from(LOG - 1)).collect();
        last.reverse();
        for (line, y) in last.into_iter().zip(area.y + 1..area.bottom()) {
            log::row(line, false, theme).draw(buf, (area.x, y), area.width);
        }
    }
}

/// What stands behind a row, wrapped.
fn lines(row: &Row, theme: &Theme, width: usize) -> Vec<Strip> {
    let mut out = Vec::new();
    let (text, border) = (theme.style(Token::Text), theme.style(Token::Border));
    for line in &row.detail {
        match line {
            Line::Head(head) => out.push(
                Strip::of(
                    format!("-- {} ", fit(head, width.saturating_sub(6))),
                    border,
                )
                .fill(width, '-', border),
            ),
            Line::Text(token, words) => {
                let all = wrap(words, width).into_iter();
                out.extend(all.map(|line| Strip::of(line, theme.style(*token))));
            }
            Line::Named(name, words) => {
                let all = wrap(words, width.saturating_sub(LEAD)).into_iter();
                out.extend(all.enumerate().map(|(index, line)| {
                    let name = if index == 0 { name } else { "" };
                    Strip::new()
                        .cell(LEAD, name, theme.style(Token::Header))
                        .put(line, text)
                }));
            }
            Line::Sides {
                field,
                sides,
                differs,
            } => out.extend(three((field, sides, *differs), theme, width)),
        }
        if out.len() > LONGEST {
            break;
        }
    }
    out
}

/// The field on a row of its own, then the sources side by side; on a wide screen all on one row where it fits.
fn three(
    (field, sides, differs): (&str, &[String; 3], bool),
    theme: &Theme,
    width: usize,
) -> Vec<Strip> {
    let (mark, token) = if differs {
        ("!! ", Token::SrcDisagree)
    } else {
        ("   ", Token::Muted)
    };
    let lead = if width >= usize::from(BESIDE) {
        width / 4
    } else {
        3
    };
    let each = width.saturating_sub(lead + 4) / 3;
    let style = theme.style(token);
    let mut cells: Vec<Vec<String>> = sides.iter().map(|side| wrap(side, each)).collect();
    for cell in &mut cells {
        cell.truncate(if differs { 6 } else { 1 });
    }
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let mut out = Vec::new();
    if lead == 3 {
        out.push(Strip::of(mark, style).put(middle(field, width.saturating_sub(3)), style));
    }
    for at in 0..height {
        let mut strip = if lead > 3 && at == 0 {
            Strip::of(mark, style).put(middle(field, lead - 4), style)
        } else {
            Strip::new()
        };
        strip = strip.to(lead);
        for cell in &cells {
            let text = cell.get(at).map_or("", String::as_str);
            let text_style = theme.style(if differs { Token::Text } else { Token::Muted });
            strip = strip
                .put("|", theme.style(Token::Border))
                .cell(each, text, text_style);
        }
        out.push(strip);
    }
    out
}
