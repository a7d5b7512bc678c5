//! The frame around a pane: title row, message row, key bar, prompt.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::app::App;
use super::pane::Address;
use super::theme::{Theme, Token};
use super::widget::strip::{Strip, line};
use super::widget::words::{age, clock, fit, middle};
use super::world::World;
use crate::model::verdict::Severity;

/// Below this there is one column and a notice.
pub const DESIGN: (u16, u16) = (80, 24);
/// Below this nothing can be shown.
const LEAST: (u16, u16) = (24, 6);

impl App {
    /// Draws everything; the buffer's area is the screen.
    pub fn view(&self, theme: &Theme, buf: &mut Buffer) {
        self.below(theme, buf);
        if let Some(form) = &self.form {
            form.view(theme, buf);
        } else if let Some(prompt) = &self.prompt {
            prompt.view(&self.world, theme, buf);
        }
        if let Some(dialog) = &self.dialog {
            dialog.view(theme, buf);
        }
    }

    fn below(&self, theme: &Theme, buf: &mut Buffer) {
        let area = buf.area;
        buf.set_style(area, theme.style(Token::Text));
        if area.width < LEAST.0 || area.height < LEAST.1 {
            let text = format!("{}x{} is too small", area.width, area.height);
            Strip::of(text, theme.style(Token::Text)).draw(buf, (area.x, area.y), area.width);
            return;
        }
        if self.zoom {
            self.pane().view(&self.world, theme, area, buf);
            self.foot(
                theme,
                Rect {
                    y: area.bottom() - 1,
                    height: 1,
                    ..area
                },
                buf,
            );
            return;
        }
        let foot = if area.height >= 16 { 3 } else { 2 };
        self.title(theme, Rect { height: 1, ..area }, buf);
        let inner = Rect {
            y: area.y + 1,
            height: area.height - 1 - foot,
            ..area
        };
        self.pane().view(&self.world, theme, inner, buf);
        let below = Rect {
            y: inner.bottom(),
            height: foot,
            ..area
        };
        self.foot(theme, below, buf);
    }

    fn title(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let world = &self.world;
        let width = usize::from(area.width);
        let title = theme.style(Token::Title);
        let time = if self.is_lively() {
            clock(world.now)
        } else {
            world.now.strftime("%H:%MZ").to_string()
        };
        let position = self.pane().position();
        let right = if position.is_empty() {
            time
        } else {
            format!("{position}  {time}")
        };
        let mut strip = Strip::new()
            .put("stakeout ", title)
            .put(middle(world.name().as_str(), 20), title)
            .put(" [RO] ", theme.style(Token::Muted));
        if self.panes.len() == 1 && self.pane().address() == Address::Fleet {
            strip = totals(world, theme, strip);
        } else {
            let crumbs: Vec<String> = self.panes.iter().map(|pane| pane.crumb()).collect();
            let room = width.saturating_sub(strip.used() + right.len() + 3);
            strip = strip
                .gap(1)
                .put(middle(&crumbs.join(" > "), room), theme.style(Token::Text));
        }
        let start = width.saturating_sub(right.len());
        let left = strip.used().min(start.saturating_sub(1));
        strip.draw(
            buf,
            (area.x, area.y),
            u16::try_from(start.saturating_sub(1)).unwrap_or(0),
        );
        debug_assert!(left <= width);
        Strip::of(right, theme.style(Token::Muted)).draw(
            buf,
            (area.x + u16::try_from(start).unwrap_or(0), area.y),
            area.width,
        );
    }

    /// Message, key bar and prompt, as far as there are rows.
    fn foot(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let width = usize::from(area.width);
        let last = area.bottom() - 1;
        if let Some(toast) = &self.toast {
            let text = fit(&toast.text, width);
            let y = area.bottom().saturating_sub(area.height.min(3));
            clear(buf, line(area, y));
            Strip::of(text, theme.style(toast.token)).draw(buf, (area.x, y), area.width);
            if area.height == 1 {
                return;
            }
        } else if area.height > 1 && (area.width < DESIGN.0 || buf.area.height < DESIGN.1) {
            let text = format!("{}x{} shows more", DESIGN.0, DESIGN.1);
            let y = area.bottom() - area.height;
            Strip::of(text, theme.style(Token::Muted)).draw(buf, (area.x, y), area.width);
        }
        if area.height >= 3 {
            self.bar(theme, width)
                .draw(buf, (area.x, last - 1), area.width);
        }
        if area.height == 1 && self.prompt.is_none() {
            return;
        }
        let key = theme.style(Token::Key);
        let prompt = match &self.prompt {
            Some(prompt) => {
                let shown = prompt.shown();
                let tail = shown
                    .chars()
                    .count()
                    .saturating_sub(width.saturating_sub(9));
                let text: String = shown.chars().skip(tail).collect();
                Strip::of(text, theme.style(Token::Prompt)).put(" ", theme.style(Token::Cursor))
            }
            None => Strip::of(":", key),
        };
        clear(buf, line(area, last));
        prompt
            .to(width.saturating_sub(6))
            .put("?", key)
            .put(" help", Style::default())
            .draw(buf, (area.x, last), area.width);
    }

    fn bar(&self, theme: &Theme, width: usize) -> Strip {
        let mut strip = Strip::new();
        for binding in self.pane().keys().iter().filter(|key| !key.bar.is_empty()) {
            let first = binding.keys.split(' ').next().unwrap_or_default();
            let lead = if strip.used() == 0 { 0 } else { 2 };
            if strip.used() + lead + first.len() + 1 + binding.bar.len() > width {
                break;
            }
            strip = strip
                .gap(lead)
                .put(first, theme.style(Token::Key))
                .put(format!(" {}", binding.bar), theme.style(Token::Text));
        }
        strip
    }
}

fn clear(buf: &mut Buffer, row: Rect) {
    for x in row.left()..row.right() {
        if let Some(cell) = buf.cell_mut((x, row.y)) {
            cell.set_symbol(" ");
        }
    }
}

/// `api ok 3s  ssh 41/46  C3 H11 M11 L4 U21`.
fn totals(world: &World, theme: &Theme, strip: Strip) -> Strip {
    let totals = &world.totals;
    let text = theme.style(Token::Text);
    let api = world.api();
    let api_style = match api {
        "ok" | "..." => text,
        _ => theme.style(Token::StateFailed),
    };
    let api_age = totals
        .api_newest
        .map_or_else(String::new, |at| format!(" {}", age(world.age(at))));
    let unread = world.unread_namespaces();
    let of = totals.nodes - totals.api_only;
    let mut strip = strip
        .put("api ", text)
        .put(api, api_style)
        .put(api_age, text);
    if let Some((unread, all)) = unread {
        let words = format!(" {unread} of {all} ns unread");
        strip = strip.put(words, theme.style(Token::StateFailed));
    }
    strip = strip.put(format!("  ssh {}/{of}  ", totals.ok), text);
    for severity in &Severity::ALL[..4] {
        let count = totals.counts.severity(*severity);
        let style = if count > 0 {
            theme.style(Token::severity(*severity))
        } else {
            text
        };
        strip = strip
            .put(format!("{}{count}", severity.letter()), style)
            .gap(1);
    }
    strip.put(format!("U{}", totals.counts.unknown), text)
}
