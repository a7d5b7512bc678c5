//! Findings of one node, of the cluster, or of one check over all nodes.

mod about;
mod draw;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::filter::{Fields, Filter};
use super::fleet::on_node;
use super::list::List;
use super::{Address, Pane, trust};
use crate::model::name::{CheckId, NodeName};
use crate::tui::app::{Clip, Effect};
use crate::tui::keys::{Action, Binding, quiet, shown};
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::{Strip, line};
use crate::tui::widget::words::count;
use crate::tui::world::{Finding, Identity, Scope, Summary, World};
use about::written;
pub(super) use about::{letter, message, ssh_command, subject};

pub const KEYS: &[Binding] = &[
    shown("Enter Right", Action::Open, "open", "open the finding"),
    shown(
        "Tab",
        Action::NextView,
        "views",
        "static pods, kubelet, certificates, paths",
    ),
    shown("/", Action::Filter, "filter", "filter findings"),
    shown("!", Action::Problems, "problems", "problems only"),
    shown("v", Action::Pivot, "pivot", "the check over all nodes"),
    shown("l", Action::Log, "log", "log of the node"),
    shown("s", Action::Ssh, "ssh", "copy its ssh command"),
    shown("c", Action::Copy, "copy", "copy the finding as one line"),
    shown("r", Action::Recollect, "re-read", "collect this node again"),
    quiet("C", Action::CopyAll, "copy all findings that are shown"),
    quiet(
        "a",
        Action::Accept,
        "accept the risk: a waiver in the policy file",
    ),
    quiet("S-Tab", Action::PreviousView, "the same the other way"),
    quiet("o", Action::NodeOf, "the node of the finding"),
    quiet("e", Action::Raw, "raw evidence"),
    quiet("N", Action::SortName, "sort by check"),
    quiet("S", Action::SortSeverity, "sort by severity"),
    quiet("O", Action::SortNext, "sort by sources"),
    quiet("T", Action::Trust, "trust its host key"),
];

/// Rows above and below the list.
const ABOVE: u16 = 4;
const BELOW: u16 = 3;

/// Whose findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    Scope(Scope),
    Check(CheckId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Severity,
    Name,
    Sources,
}

/// A list of findings.
pub struct Node {
    of: Of,
    rows: Vec<Finding>,
    list: List<Identity>,
    filter: Filter,
    problems: bool,
    sort: Sort,
}

impl Node {
    pub fn new(of: Of) -> Self {
        Self {
            of,
            rows: Vec::new(),
            list: List::default(),
            filter: Filter::default(),
            problems: false,
            sort: Sort::Severity,
        }
    }

    fn current(&self) -> Option<&Finding> {
        self.rows.get(self.list.at())
    }

    fn shows(&self, world: &World, finding: &Finding) -> bool {
        if self.problems && !finding.standing.is_problem() {
            return false;
        }
        if self.filter.is_empty() {
            return true;
        }
        let subject = subject(finding);
        let message = message(world, finding);
        let (badge, _) = world.badge(finding);
        let scope = finding.id.scope.as_str();
        self.filter.holds(&Fields {
            text: &[
                finding.check.id.0,
                finding.check.title,
                &subject,
                &message,
                badge,
                scope,
            ],
            severity: finding.standing.severity(),
            role: world.summary(&finding.id.scope).map_or("", Summary::role),
            state: badge,
            source: finding.sources.word(),
            check: finding.check.id.0,
        })
    }

    fn sorted(&mut self) {
        match self.sort {
            Sort::Severity => self.rows.sort_by_key(|finding| finding.standing),
            Sort::Name => self.rows.sort_by(|a, b| a.id.cmp(&b.id)),
            Sort::Sources => {
                self.rows
                    .sort_by_key(|finding| (finding.sources, finding.standing));
            }
        }
    }
}

impl Pane for Node {
    fn address(&self) -> Address {
        match &self.of {
            Of::Scope(scope) => Address::Node(scope.clone()),
            Of::Check(id) => Address::Check(*id),
        }
    }

    fn crumb(&self) -> String {
        match &self.of {
            Of::Scope(scope) => scope.to_string(),
            Of::Check(id) => id.to_string(),
        }
    }

    fn position(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        format!("finding {}/{}", self.list.at() + 1, self.rows.len())
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn node(&self) -> Option<NodeName> {
        match &self.of {
            Of::Scope(scope) => scope.node().cloned(),
            Of::Check(_) => self.current()?.id.scope.node().cloned(),
        }
    }

    fn filter(&self) -> &str {
        self.filter.text()
    }

    fn set_filter(&mut self, text: &str) -> bool {
        self.filter = Filter::parse(text);
        true
    }

    fn sync(&mut self, world: &World) {
        let all = match &self.of {
            Of::Scope(scope) => world.findings(scope),
            Of::Check(id) => world.findings_of(*id),
        };
        self.rows = all
            .into_iter()
            .filter(|finding| self.shows(world, finding))
            .collect();
        self.sorted();
        self.list
            .set(self.rows.iter().map(|finding| finding.id.clone()).collect());
    }

    fn update(&mut self, action: Action, world: &World) -> Vec<Effect> {
        let page = usize::from(world.screen.height.saturating_sub(4 + ABOVE + BELOW));
        if self.list.moved(action, page) {
            return Vec::new();
        }
        let current = self.current();
        match action {
            Action::Problems => self.problems = !self.problems,
            Action::SortName => self.sort = Sort::Name,
            Action::SortSeverity => self.sort = Sort::Severity,
            Action::SortNext => self.sort = Sort::Sources,
            Action::Accept => {
                let id = current.map(|finding| finding.id.clone());
                return id.map(Effect::Accept).into_iter().collect();
            }
            Action::NextView | Action::PreviousView => {
                let Of::Scope(Scope::Node(node)) = &self.of else {
                    return vec![Effect::warn("this view is not of one node")];
                };
                let forward = action == Action::NextView;
                return vec![super::table::beside(None, node, forward)];
            }
            Action::Open => return open(current, Address::Finding),
            Action::Raw => return open(current, Address::Raw),
            Action::Pivot => {
                return current
                    .filter(|_| matches!(self.of, Of::Scope(_)))
                    .map(|finding| Effect::Open(Address::Check(finding.check.id)))
                    .into_iter()
                    .collect();
            }
            Action::Copy => {
                return current
                    .map(|finding| clip("finding", &[written(world, finding)]))
                    .into_iter()
                    .collect();
            }
            Action::CopyAll => {
                let lines: Vec<_> = self
                    .rows
                    .iter()
                    .map(|finding| written(world, finding))
                    .collect();
                return vec![clip(&count(lines.len(), "finding"), &lines)];
            }
            other => {
                let scope = current.map(|finding| &finding.id.scope);
                let own = match &self.of {
                    Of::Scope(scope) => Some(scope),
                    Of::Check(_) => scope,
                };
                return match other {
                    Action::Trust => trust::asked(own, world),
                    other => on_node(other, own),
                };
            }
        }
        Vec::new()
    }

    fn view(&self, world: &World, theme: &Theme, area: Rect, buf: &mut Buffer) {
        if area.height < ABOVE + BELOW + 1 {
            return;
        }
        let border = theme.style(Token::Border);
        let width = usize::from(area.width);
        for (strip, y) in self.head(world, theme).into_iter().zip(area.y..) {
            strip.draw(buf, (area.x, y), area.width);
        }
        let rule = || Strip::new().fill(width, '-', border);
        rule().draw(buf, (area.x, area.y + 2), area.width);
        self.header(theme, width)
            .draw(buf, (area.x, area.y + 3), area.width);
        let height = usize::from(area.height - ABOVE - BELOW);
        let first = self.list.first(height);
        let rows = self.rows.iter().enumerate().skip(first).take(height);
        for ((index, finding), y) in rows.zip(area.y + ABOVE..) {
            let here = index == self.list.at();
            Strip::of(if here { "> " } else { "  " }, theme.style(Token::Text)).draw(
                buf,
                (area.x, y),
                2,
            );
            self.row(world, theme, (finding, width))
                .draw(buf, (area.x + 2, y), area.width - 2);
            if here {
                buf.set_style(line(area, y), theme.style(Token::Cursor));
            }
        }
        if self.rows.is_empty() {
            let text = if self.filter.is_empty() {
                "  no verdicts yet"
            } else {
                "  no row fits the filter"
            };
            Strip::of(text, theme.style(Token::Muted)).draw(
                buf,
                (area.x, area.y + ABOVE),
                area.width,
            );
        }
        rule().draw(buf, (area.x, area.bottom() - BELOW), area.width);
        for (strip, y) in self.foot(world, theme).into_iter().zip(area.bottom() - 2..) {
            strip.draw(buf, (area.x, y), area.width);
        }
    }
}

fn open(current: Option<&Finding>, address: fn(Identity) -> Address) -> Vec<Effect> {
    current
        .map(|finding| Effect::Open(address(finding.id.clone())))
        .into_iter()
        .collect()
}

fn clip(what: &str, lines: &[String]) -> Effect {
    Effect::Copy(Clip {
        what: what.to_owned(),
        text: lines.join("\n"),
    })
}
