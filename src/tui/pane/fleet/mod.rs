//! The fleet: heat strip, one row per node, what the node under the cursor has, and what went wrong.

mod about;
mod rows;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::filter::{Fields, Filter};
use super::list::List;
use super::{Address, Pane, trust};
use crate::model::link::Order;
use crate::model::name::NodeName;
use crate::tui::app::{Clip, Effect};
use crate::tui::frame::DESIGN;
use crate::tui::keys::{Action, Binding, quiet, shown};
use crate::tui::pane::node::ssh_command;
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::heat;
use crate::tui::widget::strip::{Strip, line};
use crate::tui::widget::words::{count, middle};

use crate::tui::world::{Scope, Summary, World};

pub(super) use rows::state_token;
use rows::{header, row};

pub const KEYS: &[Binding] = &[
    shown("Enter Right", Action::Open, "open", "open the node"),
    shown("/", Action::Filter, "filter", "filter nodes"),
    shown(":", Action::Palette, "command", "command"),
    shown("!", Action::Problems, "problems", "problems only"),
    shown("v", Action::Pivot, "pivot", "by check, not by node"),
    shown("l", Action::Log, "log", "log of the node"),
    shown("s", Action::Ssh, "ssh", "copy its ssh command"),
    shown("r", Action::Recollect, "re-read", "collect this node again"),
    quiet("c", Action::Copy, "copy the node's name"),
    quiet("C", Action::CopyAll, "copy all names shown"),
    quiet("N", Action::SortName, "sort by name"),
    quiet("A", Action::SortAge, "sort by age"),
    quiet("S", Action::SortSeverity, "sort by severity"),
    quiet("O", Action::SortNext, "sort by the next column"),
    quiet("T", Action::Trust, "trust its host key"),
];

/// Rows above and below the list.
const ABOVE: u16 = 5;
const BELOW: u16 = 3;
/// Columns of the list beside a preview.
const LIST: u16 = 80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Severity,
    Name,
    Age,
    Unknown,
    Drift,
}

impl Sort {
    fn word(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Name => "name",
            Self::Age => "age",
            Self::Unknown => "unknown",
            Self::Drift => "drift",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Severity => Self::Name,
            Self::Name => Self::Age,
            Self::Age => Self::Unknown,
            Self::Unknown => Self::Drift,
            Self::Drift => Self::Severity,
        }
    }
}

/// The root view.
pub struct Fleet {
    list: List<Scope>,
    filter: Filter,
    problems: bool,
    sort: Sort,
    reversed: bool,
}

impl Fleet {
    pub fn new() -> Self {
        Self {
            list: List::default(),
            filter: Filter::default(),
            problems: false,
            sort: Sort::Severity,
            reversed: false,
        }
    }

    fn shows(&self, summary: &Summary) -> bool {
        let clean = summary.counts.failed == 0
            && summary.counts.unknown == 0
            && summary.gap().is_none()
            && summary.counts.all() > 0;
        if self.problems && clean {
            return false;
        }
        if self.filter.is_empty() {
            return true;
        }
        let collect = summary.collect();
        self.filter.holds(&Fields {
            text: &[summary.scope.as_str(), &summary.group, &collect],
            severity: summary.counts.worst(),
            role: summary.role(),
            state: &collect,
            source: if summary.counts.drift > 0 {
                "disagree"
            } else {
                ""
            },
            check: "",
        })
    }

    fn sort_by(&mut self, sort: Sort) {
        self.reversed = self.sort == sort && !self.reversed;
        self.sort = sort;
    }

    fn head(&self, world: &World, theme: &Theme, width: usize) -> Strip {
        let all = world.totals.nodes;
        let here = self
            .list
            .rows()
            .iter()
            .filter(|scope| scope.node().is_some())
            .count();
        let nodes = if here == all {
            count(all, "node")
        } else {
            format!("{here} of {}", count(all, "node"))
        };
        let filter = match (self.filter.is_empty(), self.problems) {
            (true, false) => "-",
            (true, true) => "problems",
            (false, _) => self.filter.text(),
        };
        let arrow = if self.reversed { " up" } else { "" };
        let right = format!(
            "{nodes}  filter: {filter}  sort: {}{arrow}",
            self.sort.word()
        );
        let room = width.saturating_sub(6);
        Strip::of("fleet ", theme.style(Token::Header)).right(
            room,
            &right,
            theme.style(Token::Muted),
        )
    }

    fn draw_list(&self, world: &World, theme: &Theme, (area, buf): (Rect, &mut Buffer)) {
        let height = usize::from(area.height);
        let first = self.list.first(height);
        let rows = self.list.rows().iter().enumerate().skip(first).take(height);
        for ((index, scope), y) in rows.zip(area.y..) {
            let Some(summary) = world.summary(scope) else {
                continue;
            };
            let here = index == self.list.at();
            row(summary, world, theme, here).draw(buf, (area.x, y), area.width);
            if here {
                let line = line(area, y);
                buf.set_style(line, theme.style(Token::Cursor));
            }
        }
    }

    /// One column for screens below the design size.
    fn narrow(&self, world: &World, theme: &Theme, (area, buf): (Rect, &mut Buffer)) {
        let height = usize::from(area.height.saturating_sub(1));
        self.head(world, theme, usize::from(area.width))
            .draw(buf, (area.x, area.y), area.width);
        let first = self.list.first(height);
        for ((index, scope), y) in self
            .list
            .rows()
            .iter()
            .enumerate()
            .skip(first)
            .take(height)
            .zip(area.y + 1..)
        {
            let Some(summary) = world.summary(scope) else {
                continue;
            };
            let here = index == self.list.at();
            let name = usize::from(area.width).saturating_sub(22).max(8);
            Strip::of(if here { "> " } else { "  " }, theme.style(Token::Text))
                .put(
                    summary.letter().to_string(),
                    theme.style(heat::letter_token(summary)),
                )
                .gap(1)
                .cell(
                    name,
                    &middle(scope.as_str(), name),
                    theme.style(Token::Text),
                )
                .gap(1)
                .cell(17, &summary.collect(), theme.style(state_token(summary)))
                .draw(buf, (area.x, y), area.width);
            if here {
                buf.set_style(line(area, y), theme.style(Token::Cursor));
            }
        }
    }
}

impl Pane for Fleet {
    fn address(&self) -> Address {
        Address::Fleet
    }

    fn crumb(&self) -> String {
        "fleet".to_owned()
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn node(&self) -> Option<NodeName> {
        self.list.current()?.node().cloned()
    }

    fn filter(&self) -> &str {
        self.filter.text()
    }

    fn set_filter(&mut self, text: &str) -> bool {
        self.filter = Filter::parse(text);
        true
    }

    fn sync(&mut self, world: &World) {
        let mut rows: Vec<&Summary> = world
            .summaries()
            .filter(|summary| self.shows(summary))
            .collect();
        match self.sort {
            Sort::Severity => rows.sort_by_cached_key(|summary| summary.rank()),
            Sort::Name => {}
            Sort::Age => rows.sort_by_key(|summary| summary.at),
            Sort::Unknown => {
                rows.sort_by_key(|summary| std::cmp::Reverse(summary.counts.unknown));
            }
            Sort::Drift => rows.sort_by_key(|summary| std::cmp::Reverse(summary.counts.drift)),
        }
        if self.reversed {
            rows.reverse();
        }
        let rows = rows
            .into_iter()
            .map(|summary| summary.scope.clone())
            .collect();
        self.list.set(rows);
    }

    fn update(&mut self, action: Action, world: &World) -> Vec<Effect> {
        let page = usize::from(world.screen.height.saturating_sub(4 + ABOVE + BELOW));
        if self.list.moved(action, page) {
            return Vec::new();
        }
        match action {
            Action::Problems => self.problems = !self.problems,
            Action::SortName => self.sort_by(Sort::Name),
            Action::SortAge => self.sort_by(Sort::Age),
            Action::SortSeverity => self.sort_by(Sort::Severity),
            Action::SortNext => self.sort_by(self.sort.next()),
            Action::Pivot => return vec![Effect::Open(Address::Checks)],
            Action::CopyAll => {
                let names: Vec<&str> = self.list.rows().iter().map(Scope::as_str).collect();
                return vec![Effect::Copy(Clip {
                    what: count(names.len(), "name"),
                    text: names.join("\n"),
                })];
            }
            Action::Trust => return trust::asked(self.list.current(), world),
            other => return on_node(other, self.list.current()),
        }
        Vec::new()
    }

    fn view(&self, world: &World, theme: &Theme, area: Rect, buf: &mut Buffer) {
        if world.judged().is_none() {
            waiting(world, theme, (area, buf));
            return;
        }
        if area.width < DESIGN.0 || area.height < ABOVE + BELOW + 1 {
            self.narrow(world, theme, (area, buf));
            return;
        }
        let border = theme.style(Token::Border);
        let wide = area.width >= 120;
        let left = if wide {
            Rect {
                width: LIST,
                ..area
            }
        } else {
            area
        };
        let width = usize::from(left.width);
        self.head(world, theme, width)
            .draw(buf, (left.x, left.y), left.width);
        let strip = Rect {
            y: area.y + 1,
            height: 2,
            ..area
        };
        heat::draw(&world.heat, self.list.current(), theme, (strip, buf));
        let rule = || Strip::new().fill(usize::from(area.width), '-', border);
        rule().draw(buf, (area.x, area.y + 3), area.width);
        header(theme).draw(buf, (left.x, left.y + 4), left.width);
        let list = Rect {
            y: left.y + ABOVE,
            height: left.height - ABOVE - BELOW,
            ..left
        };
        self.draw_list(world, theme, (list, buf));
        if wide {
            for y in list.y - 1..list.bottom() {
                Strip::of("|", border).draw(buf, (left.right(), y), 1);
            }
            let aside = Rect {
                x: left.right() + 2,
                y: list.y - 1,
                width: area.width - left.width - 2,
                height: list.height + 1,
            };
            about::aside(self.list.current(), world, theme, (aside, buf));
        }
        rule().draw(buf, (area.x, list.bottom()), area.width);
        about::preview(self.list.current(), world, theme).draw(
            buf,
            (area.x, list.bottom() + 1),
            area.width,
        );
        about::alert(self.list.current(), world, theme).draw(
            buf,
            (area.x, list.bottom() + 2),
            area.width,
        );
    }
}

/// What the keys of a node do, wherever a node is under the cursor.
pub(super) fn on_node(action: Action, scope: Option<&Scope>) -> Vec<Effect> {
    let Some(scope) = scope else {
        return Vec::new();
    };
    let node = scope.node();
    let effect = match (action, node) {
        (Action::Open | Action::NodeOf, _) => Effect::Open(Address::Node(scope.clone())),
        (Action::Log, _) => Effect::Open(Address::Log(node.cloned())),
        (Action::Copy, _) => Effect::Copy(Clip {
            what: "name".to_owned(),
            text: scope.to_string(),
        }),
        (Action::Ssh, Some(node)) => Effect::Copy(Clip {
            what: "ssh command".to_owned(),
            text: ssh_command(node),
        }),
        (Action::Recollect, Some(node)) => {
            return vec![
                Effect::say(format!("collecting {node} again")),
                Effect::Order(Order::Recollect(vec![node.clone()])),
            ];
        }
        (Action::Ssh | Action::Recollect, None) => Effect::warn("this row is not a node"),
        _ => return Vec::new(),
    };
    vec![effect]
}

fn waiting(world: &World, theme: &Theme, (area, buf): (Rect, &mut Buffer)) {
    let lines = [
        ("fleet", Token::Header),
        ("", Token::Text),
        (&format!("waiting for {}", world.source), Token::Text),
        ("nothing is known yet: no node, no verdict", Token::Muted),
    ];
    for ((text, token), y) in lines.into_iter().zip(area.y..area.bottom()) {
        Strip::of(text, theme.style(token)).draw(buf, (area.x, y), area.width);
    }
}
