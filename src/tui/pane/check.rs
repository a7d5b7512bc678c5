//! Every check with the nodes on which it fails: the fleet seen from the other side.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::filter::{Fields, Filter};
use super::list::List;
use super::{Address, Pane};
use crate::checks::check::Check;
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::verdict::{Severity, Verdict};
use crate::tui::app::{Clip, Effect};
use crate::tui::keys::{Action, Binding, quiet, shown};
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::{Strip, line};
use crate::tui::widget::words::count;
use crate::tui::world::{Scope, World};

pub const KEYS: &[Binding] = &[
    shown(
        "Enter Right",
        Action::Open,
        "open",
        "the nodes of the check",
    ),
    shown("/", Action::Filter, "filter", "filter checks"),
    shown("!", Action::Problems, "problems", "problems only"),
    shown("v", Action::Pivot, "pivot", "back to the fleet"),
    shown("c", Action::Copy, "copy", "copy the id"),
    quiet("N", Action::SortName, "sort by id"),
    quiet("S", Action::SortSeverity, "sort by severity"),
];

#[derive(Clone)]
struct Row {
    check: &'static Check,
    worst: Option<Severity>,
    failing: u32,
    unknown: u32,
    passed: u32,
    other: u32,
}

impl Row {
    fn new(check: &'static Check) -> Self {
        Self {
            check,
            worst: None,
            failing: 0,
            unknown: 0,
            passed: 0,
            other: 0,
        }
    }

    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Fail { .. } => {
                self.failing += 1;
                self.worst = self.worst.max(verdict.severity());
            }
            Verdict::Pass { .. } => self.passed += 1,
            Verdict::Unknown {
                why: Gap::Pending | Gap::NeedsHuman { .. },
            }
            | Verdict::NotApplicable { .. } => self.other += 1,
            Verdict::Unknown { .. } => self.unknown += 1,
        }
    }
}

/// The list of checks.
pub struct Checks {
    rows: Vec<Row>,
    list: List<CheckId>,
    filter: Filter,
    problems: bool,
    by_name: bool,
}

impl Checks {
    pub fn new() -> Self {
        Self {
            rows: Vec::new(),
            list: List::default(),
            filter: Filter::default(),
            problems: false,
            by_name: false,
        }
    }

    fn shows(&self, row: &Row) -> bool {
        let problem = row.failing > 0 || row.unknown > 0;
        (problem || !self.problems)
            && self.filter.holds(&Fields {
                text: &[row.check.id.0, row.check.title],
                severity: row.worst,
                check: row.check.id.0,
                ..Fields::default()
            })
    }
}

impl Pane for Checks {
    fn address(&self) -> Address {
        Address::Checks
    }

    fn crumb(&self) -> String {
        "checks".to_owned()
    }

    fn position(&self) -> String {
        count(self.rows.len(), "check")
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn filter(&self) -> &str {
        self.filter.text()
    }

    fn set_filter(&mut self, text: &str) -> bool {
        self.filter = Filter::parse(text);
        true
    }

    fn sync(&mut self, world: &World) {
        let mut node: Vec<Row> = world
            .registry
            .node
            .iter()
            .map(|check| Row::new(check))
            .collect();
        let mut cluster: Vec<Row> = world
            .registry
            .cluster
            .iter()
            .map(|check| Row::new(check))
            .collect();
        for summary in world.summaries() {
            let rows = if summary.scope == Scope::Cluster {
                &mut cluster
            } else {
                &mut node
            };
            for (row, verdict) in rows.iter_mut().zip(summary.verdicts.iter()) {
                row.add(verdict);
            }
        }
        node.append(&mut cluster);
        node.retain(|row| self.shows(row));
        if self.by_name {
            node.sort_by_key(|row| row.check.id);
        } else {
            node.sort_by_key(|row| std::cmp::Reverse((row.worst, row.failing, row.unknown)));
        }
        self.list.set(node.iter().map(|row| row.check.id).collect());
        self.rows = node;
    }

    fn update(&mut self, action: Action, world: &World) -> Vec<Effect> {
        let page = usize::from(world.screen.height.saturating_sub(7));
        if self.list.moved(action, page) {
            return Vec::new();
        }
        let current = self.list.current().copied();
        match (action, current) {
            (Action::Problems, _) => self.problems = !self.problems,
            (Action::SortName, _) => self.by_name = true,
            (Action::SortSeverity, _) => self.by_name = false,
            (Action::Open, Some(id)) => return vec![Effect::Open(Address::Check(id))],
            (Action::Pivot, _) => return vec![Effect::Back],
            (Action::Copy, Some(id)) => {
                return vec![Effect::Copy(Clip {
                    what: "id".to_owned(),
                    text: id.to_string(),
                })];
            }
            _ => {}
        }
        Vec::new()
    }

    fn view(&self, _: &World, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let header = theme.style(Token::Header);
        let text = theme.style(Token::Text);
        let title = usize::from(area.width).saturating_sub(4 + 13 + 24);
        Strip::of("  S CHECK        ", header)
            .cell(title, "WHAT IS GOOD", header)
            .right(6, "FAIL", header)
            .right(6, "U", header)
            .right(6, "PASS", header)
            .right(6, "N/A", header)
            .draw(buf, (area.x, area.y), area.width);
        let height = usize::from(area.height.saturating_sub(1));
        let first = self.list.first(height);
        let rows = self.rows.iter().enumerate().skip(first).take(height);
        for ((index, row), y) in rows.zip(area.y + 1..) {
            let here = index == self.list.at();
            let (letter, token) = match row.worst {
                Some(worst) => (worst.letter(), Token::severity(worst)),
                None if row.unknown > 0 => ('U', Token::SevUnknown),
                None => ('.', Token::VerdictPass),
            };
            let mut strip = Strip::of(if here { "> " } else { "  " }, text)
                .put(letter.to_string(), theme.style(token))
                .gap(1)
                .cell(13, row.check.id.0, text)
                .cell(title, row.check.title, text);
            for number in [row.failing, row.unknown, row.passed, row.other] {
                let shown = if number == 0 {
                    "-".to_owned()
                } else {
                    number.to_string()
                };
                strip = strip.right(6, &shown, text);
            }
            strip.draw(buf, (area.x, y), area.width);
            if here {
                buf.set_style(line(area, y), theme.style(Token::Cursor));
            }
        }
    }
}
