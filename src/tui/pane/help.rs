//! Keys of the view below, keys that work everywhere, and what the letters mean; all from the tables of bindings.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Address, Pane};
use crate::tui::app::Effect;
use crate::tui::keys::{Action, Binding, EVERYWHERE, shown};
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::Strip;
use crate::tui::widget::words::wrap;
use crate::tui::world::World;

pub const KEYS: &[Binding] = &[
    shown("q Esc Left ? Enter", Action::Back, "close", "close"),
    shown("/", Action::Filter, "filter", "filter keys"),
    shown("j Down", Action::Down, "down", "scroll"),
];

/// Columns of the keys, with the gap behind them.
const KEY: usize = 14;

const LEGEND: [(&str, &str); 9] = [
    ("C H M L", "critical high medium low"),
    ("lower case", "the result is stale"),
    (".", "clean, everything known"),
    ("U", "something is not known"),
    ("A", "accepted by a waiver"),
    ("~ o", "being collected, queued"),
    ("x ?", "failed, API side only"),
    ("!!", "here the sources differ"),
    ("DRIFT", "API and node disagree"),
];

/// The help page.
pub struct Help {
    below: &'static [Binding],
    filter: String,
    scroll: usize,
}

impl Help {
    pub fn new(below: &'static [Binding]) -> Self {
        Self {
            below,
            filter: String::new(),
            scroll: 0,
        }
    }

    fn fits(&self, key: &str, help: &str) -> bool {
        let wanted = self.filter.to_lowercase();
        key.to_lowercase().contains(&wanted) || help.to_lowercase().contains(&wanted)
    }

    fn column(
        &self,
        theme: &Theme,
        sections: &[(&str, Vec<(&str, &str)>)],
        width: usize,
    ) -> Vec<Strip> {
        let mut out = Vec::new();
        for (title, rows) in sections {
            let fitting: Vec<_> = rows
                .iter()
                .filter(|(key, help)| self.fits(key, help))
                .collect();
            if fitting.is_empty() {
                continue;
            }
            let border = theme.style(Token::Border);
            out.push(Strip::of(format!("-- {title} "), border).fill(width, '-', border));
            for (key, help) in fitting {
                for (line, help) in wrap(help, width.saturating_sub(KEY))
                    .into_iter()
                    .enumerate()
                {
                    let key = if line == 0 { *key } else { "" };
                    out.push(
                        Strip::new()
                            .cell(KEY - 1, key, theme.style(Token::Key))
                            .gap(1)
                            .put(help, theme.style(Token::Text)),
                    );
                }
            }
        }
        out
    }
}

impl Pane for Help {
    fn address(&self) -> Address {
        Address::Help
    }

    fn crumb(&self) -> String {
        "help".to_owned()
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn filter(&self) -> &str {
        &self.filter
    }

    fn set_filter(&mut self, text: &str) -> bool {
        text.clone_into(&mut self.filter);
        self.scroll = 0;
        true
    }

    fn update(&mut self, action: Action, _: &World) -> Vec<Effect> {
        match action {
            Action::Down => self.scroll = (self.scroll + 1).min(60),
            Action::Up => self.scroll = self.scroll.saturating_sub(1),
            _ => {}
        }
        Vec::new()
    }

    fn view(&self, _: &World, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let rows = |bindings: &[Binding]| -> Vec<(&'static str, &'static str)> {
            bindings
                .iter()
                .map(|binding| (binding.keys, binding.help))
                .collect()
        };
        let width = usize::from(area.width);
        let left_width = width.saturating_sub(3) / 2;
        let left = self.column(
            theme,
            &[("this view", rows(self.below)), ("legend", LEGEND.to_vec())],
            left_width,
        );
        let right_width = width.saturating_sub(left_width + 3);
        let right = self.column(theme, &[("everywhere", rows(EVERYWHERE))], right_width);
        let most = left
            .len()
            .max(right.len())
            .saturating_sub(usize::from(area.height));
        let from = self.scroll.min(most);
        let second = area.x + u16::try_from(left_width + 3).unwrap_or(0);
        for (strip, y) in left.into_iter().skip(from).zip(area.y..area.bottom()) {
            strip.draw(buf, (area.x, y), area.width);
        }
        for (strip, y) in right.into_iter().skip(from).zip(area.y..area.bottom()) {
            strip.draw(buf, (second, y), area.width);
        }
        for y in area.y..area.bottom() {
            Strip::of("|", theme.style(Token::Border)).draw(buf, (second - 2, y), 1);
        }
    }
}
