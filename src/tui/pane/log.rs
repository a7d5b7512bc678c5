//! The collection log: what was tried, what came of it, what to do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::filter::{Fields, Filter};
use super::fleet::on_node;
use super::list::List;
use super::{Address, Pane};
use crate::model::link::{Level, LogLine};
use crate::model::name::NodeName;
use crate::tui::app::{Clip, Effect};
use crate::tui::keys::{Action, Binding, quiet, shown};
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::{self, Strip};
use crate::tui::widget::words::{middle, precise_clock};
use crate::tui::world::{Scope, World};

pub const KEYS: &[Binding] = &[
    shown("f", Action::Follow, "follow", "follow the end"),
    shown("L", Action::Level, "level", "least level that is shown"),
    shown("/", Action::Filter, "filter", "filter lines"),
    shown("c", Action::Copy, "copy", "copy the line"),
    quiet("C", Action::CopyAll, "copy all lines that are shown"),
    shown(
        "r",
        Action::Recollect,
        "re-read",
        "collect the node of the line again",
    ),
    shown("Enter Right", Action::Open, "node", "the node of the line"),
    shown("q Esc Left", Action::Back, "back", "back"),
];

/// Rows above and below the list.
const ABOVE: u16 = 2;
const BELOW: u16 = 2;

/// Lines of one node or of all.
pub struct Log {
    node: Option<NodeName>,
    /// `(line since the start, whether it is the second row of that line)`.
    list: List<(usize, bool)>,
    level: Level,
    filter: Filter,
    follow: bool,
}

impl Log {
    pub fn new(node: Option<NodeName>) -> Self {
        Self {
            node,
            list: List::default(),
            level: Level::Info,
            filter: Filter::default(),
            follow: true,
        }
    }

    fn shows(&self, line: &LogLine) -> bool {
        let node = line.node.as_ref().map_or("api", NodeName::as_str);
        line.level >= self.level
            && (self.node.is_none() || self.node == line.node)
            && (self.filter.is_empty()
                || self.filter.holds(&Fields {
                    text: &[node, line.message.as_str(), word(line.level)],
                    state: word(line.level),
                    ..Fields::default()
                }))
    }

    fn line<'w>(&self, world: &'w World) -> Option<&'w LogLine> {
        let (number, _) = self.list.current()?;
        world.log.get(number.checked_sub(world.log_dropped)?)
    }
}

impl Pane for Log {
    fn address(&self) -> Address {
        Address::Log(self.node.clone())
    }

    fn crumb(&self) -> String {
        "log".to_owned()
    }

    fn position(&self) -> String {
        format!("follow {}", if self.follow { "on" } else { "off" })
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn node(&self) -> Option<NodeName> {
        self.node.clone()
    }

    fn filter(&self) -> &str {
        self.filter.text()
    }

    fn set_filter(&mut self, text: &str) -> bool {
        self.filter = Filter::parse(text);
        true
    }

    fn sync(&mut self, world: &World) {
        let mut rows = Vec::new();
        for (index, line) in world.log.iter().enumerate() {
            if self.shows(line) {
                let number = index + world.log_dropped;
                rows.push((number, false));
                if line.next.is_some() {
                    rows.push((number, true));
                }
            }
        }
        self.list.set(rows);
        if self.follow {
            self.list.moved(Action::Bottom, 1);
        }
    }

    fn update(&mut self, action: Action, world: &World) -> Vec<Effect> {
        let page = usize::from(world.screen.height.saturating_sub(4 + ABOVE + BELOW));
        if self.list.moved(action, page) {
            self.follow = action == Action::Bottom;
            return Vec::new();
        }
        match action {
            Action::Follow => self.follow = !self.follow,
            Action::Level => {
                self.level = match self.level {
                    Level::Debug => Level::Info,
                    Level::Info => Level::Warn,
                    Level::Warn => Level::Error,
                    Level::Error => Level::Debug,
                };
            }
            Action::Copy => {
                let line = self.line(world).map(written);
                return line.map(|text| copy("line", text)).into_iter().collect();
            }
            Action::CopyAll => {
                let lines: Vec<String> = world
                    .log
                    .iter()
                    .filter(|line| self.shows(line))
                    .map(written)
                    .collect();
                return vec![copy("log", lines.join("\n"))];
            }
            other => {
                let node = self.line(world).and_then(|line| line.node.clone());
                let scope = node.or_else(|| self.node.clone()).map(Scope::Node);
                return on_node(other, scope.as_ref());
            }
        }
        Vec::new()
    }

    fn view(&self, world: &World, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let muted = theme.style(Token::Muted);
        let width = usize::from(area.width);
        let whose = self.node.as_ref().map_or("all nodes", NodeName::as_str);
        let filter = if self.filter.is_empty() {
            "-"
        } else {
            self.filter.text()
        };
        let show = format!(
            "show: {whose}  level >= {}  filter: {filter}",
            word(self.level).trim().to_lowercase()
        );
        let lines = self
            .list
            .rows()
            .iter()
            .filter(|(_, second)| !second)
            .count();
        let of = format!("{lines} of {}", world.log.len() + world.log_dropped);
        Strip::new()
            .right(width, &of, muted)
            .draw(buf, (area.x, area.y), area.width);
        Strip::of(show, theme.style(Token::Text)).draw(buf, (area.x, area.y), area.width);
        let rule = || Strip::new().fill(width, '-', theme.style(Token::Border));
        rule().draw(buf, (area.x, area.y + 1), area.width);
        let height = usize::from(area.height.saturating_sub(ABOVE + BELOW));
        let first = self.list.first(height);
        let rows = self.list.rows().iter().enumerate().skip(first).take(height);
        for ((index, (number, second)), y) in rows.zip(area.y + ABOVE..) {
            let line = number
                .checked_sub(world.log_dropped)
                .and_then(|at| world.log.get(at));
            if let Some(line) = line {
                row(line, *second, theme).draw(buf, (area.x, y), area.width);
            }
            if index == self.list.at() {
                buf.set_style(strip::line(area, y), theme.style(Token::Cursor));
            }
        }
        if area.height > BELOW {
            rule().draw(buf, (area.x, area.bottom() - 2), area.width);
            states(world, theme).draw(buf, (area.x, area.bottom() - 1), area.width);
        }
    }
}

fn copy(what: &str, text: String) -> Effect {
    Effect::Copy(Clip {
        what: what.to_owned(),
        text,
    })
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Debug => "DEBUG",
        Level::Info => "INFO ",
        Level::Warn => "WARN ",
        Level::Error => "ERROR",
    }
}

fn written(line: &LogLine) -> String {
    let node = line.node.as_ref().map_or("api", NodeName::as_str);
    let next = line
        .next
        .as_ref()
        .map_or_else(String::new, |next| format!("  next: {next}"));
    format!(
        "{} {} {node} {}{next}",
        line.at,
        word(line.level),
        line.message
    )
}

pub(super) fn row(line: &LogLine, second: bool, theme: &Theme) -> Strip {
    let text = theme.style(Token::Text);
    let token = match line.level {
        Level::Error => Token::StateFailed,
        Level::Warn => Token::VerdictManual,
        Level::Info => Token::Text,
        Level::Debug => Token::Muted,
    };
    if second {
        let next = line.next.as_ref().map_or("", |next| next.as_str());
        return Strip::new().to(19).put(format!("next: {next}"), text);
    }
    Strip::of(precise_clock(line.at), theme.style(Token::Muted))
        .gap(1)
        .put(word(line.level), theme.style(token))
        .gap(1)
        .cell(
            15,
            &middle(line.node.as_ref().map_or("api", NodeName::as_str), 15),
            text,
        )
        .gap(1)
        .put(line.message.as_str(), text)
}

fn states(world: &World, theme: &Theme) -> Strip {
    let totals = &world.totals;
    let text = format!(
        "queued {}  connecting {}  collecting {}  ok {}  failed {}  stale {}  api-only {}",
        totals.queued,
        totals.connecting,
        totals.collecting,
        totals.ok,
        totals.failed,
        totals.stale,
        totals.api_only
    );
    Strip::of(text, theme.style(Token::Text))
}
