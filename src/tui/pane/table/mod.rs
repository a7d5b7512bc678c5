//! Tables about one node, or about all: static pods, the kubelet's settings, certificates, attack paths.
//!
//! Lives here: the list, its order, filter and cursor. Never lives here: what the rows are, see one file per kind.

mod certs;
mod draw;
mod kind;
mod kubelet;
mod paths;
mod sheet;
mod static_pods;

use std::collections::BTreeMap;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::filter::{Fields, Filter};
use super::fleet::on_node;
use super::list::List;
use super::{Address, Pane};
use crate::model::cluster::ClusterFacts;
use crate::model::name::NodeName;
use crate::model::node::NodeFacts;
use crate::model::verdict::Verdict;
use crate::tui::app::{Clip, Effect};
use crate::tui::keys::{Action, Binding, quiet, shown};
use crate::tui::theme::Theme;
use crate::tui::widget::words::count;
use crate::tui::world::{Scope, World};
pub use kind::{ALL, Kind, beside};
use sheet::{Hole, Row, Sheet};

pub const KEYS: &[Binding] = &[
    shown(
        "Enter Right",
        Action::Open,
        "detail",
        "detail at full height, and back",
    ),
    shown(
        "Tab",
        Action::NextView,
        "next view",
        "next view of the node",
    ),
    quiet("S-Tab", Action::PreviousView, "the view before"),
    shown("/", Action::Filter, "filter", "filter rows"),
    shown("!", Action::Problems, "problems", "problems and gaps only"),
    shown(
        "O",
        Action::SortNext,
        "sort",
        "sort by the next column; again after the last: the other way",
    ),
    shown(
        "c",
        Action::Copy,
        "copy",
        "copy the row; of a gap its next step",
    ),
    quiet("C", Action::CopyAll, "copy all rows that are shown"),
    shown("l", Action::Log, "log", "log of the node"),
    quiet("N", Action::SortName, "sort by name"),
    quiet("S", Action::SortSeverity, "the worst first"),
    quiet("n", Action::Next, "next row while the detail is open"),
    quiet("p", Action::Previous, "row before while the detail is open"),
    quiet("o", Action::NodeOf, "findings of the node"),
    quiet("s", Action::Ssh, "copy its ssh command"),
    shown("r", Action::Recollect, "re-read", "collect the node again"),
];

/// What a row is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// The worst first, then as the adapter has it.
    Standing,
    Column(usize),
}

/// A row, or something that is not known, with its node.
#[derive(Clone)]
struct Shown {
    node: NodeName,
    row: Arc<Row>,
    hole: Option<Arc<Hole>>,
}

impl Shown {
    fn id(&self) -> (NodeName, String) {
        (self.node.clone(), self.row.key.clone())
    }
}

/// Rows of a node, and what they were made of.
struct Made {
    facts: Arc<NodeFacts>,
    verdicts: Option<Arc<Vec<Verdict>>>,
    cluster: Option<Arc<ClusterFacts>>,
    /// Days are counted down while nothing else happens.
    day: i64,
    about: String,
    /// In the order of the sheet, with a row for everything that is not known.
    rows: Vec<Shown>,
}

impl Made {
    /// Whether all of it is still what it was.
    fn is_of(&self, other: &Self) -> bool {
        let verdicts = self.verdicts.as_ref().map(Arc::as_ptr);
        let cluster = self.cluster.as_ref().map(Arc::as_ptr);
        Arc::ptr_eq(&self.facts, &other.facts)
            && verdicts == other.verdicts.as_ref().map(Arc::as_ptr)
            && cluster == other.cluster.as_ref().map(Arc::as_ptr)
            && self.day == other.day
    }

    fn fill(&mut self, node: &NodeName, sheet: Sheet) {
        let shown = |row, hole| Shown {
            node: node.clone(),
            row: Arc::new(row),
            hole,
        };
        self.about = sheet.about;
        let rows = sheet.rows.into_iter().map(|row| shown(row, None));
        let holes = sheet.holes.into_iter().enumerate();
        let holes = holes.map(|(at, hole)| shown(hole.row(at), Some(Arc::new(hole))));
        self.rows = rows.chain(holes).collect();
    }
}

/// What a row is sorted by in a column: numbers as such, and what is not known behind all others.
fn key(shown: &Shown, column: usize) -> (bool, Option<(Option<i64>, &str)>) {
    let cell = shown.row.cells.get(column);
    let cell = cell.filter(|_| shown.hole.is_none());
    let told = cell.map(|cell| (cell.rank, cell.text.as_str()));
    (told.is_none(), told)
}

/// A table.
pub struct Table {
    kind: Kind,
    node: Option<NodeName>,
    made: BTreeMap<NodeName, Made>,
    rows: Vec<Shown>,
    list: List<(NodeName, String)>,
    about: String,
    /// Gaps among all rows, shown or not, and the first of them.
    holes: (usize, Option<Arc<Hole>>),
    filter: Filter,
    problems: bool,
    sort: Sort,
    reversed: bool,
    /// The detail takes the whole height, from this row on.
    opened: Option<usize>,
}

impl Table {
    pub fn new(kind: Kind, node: Option<NodeName>) -> Self {
        Self {
            kind,
            node,
            made: BTreeMap::new(),
            rows: Vec::new(),
            list: List::default(),
            about: String::new(),
            holes: (0, None),
            filter: Filter::default(),
            problems: false,
            sort: match kind {
                Kind::Certs => Sort::Column(0),
                _ => Sort::Standing,
            },
            reversed: false,
            opened: None,
        }
    }

    fn current(&self) -> Option<&Shown> {
        self.rows.get(self.list.at())
    }

    /// Makes the sheets of nodes of which something is new.
    fn make(&mut self, world: &World) {
        let Some(judged) = world.judged() else {
            return;
        };
        let nodes = &judged.snapshot.nodes;
        self.made.retain(|name, _| nodes.contains_key(name));
        // What else changes in the cluster every second would make thousands of nodes again.
        let cluster = self.node.is_some().then(|| &judged.snapshot.cluster);
        for (name, facts) in nodes {
            if self.node.as_ref().is_some_and(|node| node != name) {
                continue;
            }
            let mut made = Made {
                facts: Arc::clone(facts),
                verdicts: judged.nodes.get(name).cloned(),
                cluster: cluster.cloned(),
                day: world.now.as_second() / 86_400,
                about: String::new(),
                rows: Vec::new(),
            };
            if !self.made.get(name).is_some_and(|old| old.is_of(&made)) {
                made.fill(name, self.kind.sheet(facts, world));
                self.made.insert(name.clone(), made);
            }
        }
    }

    fn shows(&self, node: &NodeName, row: &Row) -> bool {
        if self.problems && !row.standing.is_problem() {
            return false;
        }
        if self.filter.is_empty() {
            return true;
        }
        let mut text: Vec<&str> = row.cells.iter().map(|cell| cell.text.as_str()).collect();
        text.extend([node.as_str(), row.state]);
        self.filter.holds(&Fields {
            text: &text,
            state: row.state,
            ..Fields::default()
        })
    }

    fn sort_by(&mut self, sort: Sort) {
        self.reversed = self.sort == sort && !self.reversed;
        self.sort = sort;
    }

    /// Column after column, then all of them the other way.
    fn sort_next(&mut self) {
        let last = self.kind.columns().len() - 1;
        self.sort = match self.sort {
            Sort::Standing => Sort::Column(0),
            Sort::Column(at) if at < last => Sort::Column(at + 1),
            Sort::Column(_) => {
                self.reversed = !self.reversed;
                Sort::Column(0)
            }
        };
    }

    fn sorted(&mut self) {
        match self.sort {
            Sort::Standing => self.rows.sort_by_key(|shown| shown.row.standing),
            Sort::Column(at) => self.rows.sort_by(|a, b| key(a, at).cmp(&key(b, at))),
        }
        if self.reversed {
            self.rows.reverse();
        }
    }

    fn line(shown: &Shown) -> String {
        let cells = shown.row.cells.iter().map(|cell| cell.text.as_str());
        let cells: Vec<&str> = cells.filter(|text| !text.is_empty()).collect();
        format!("{}  {}", shown.node, cells.join("  "))
    }

    fn copy(&self, all: bool) -> Vec<Effect> {
        let (what, text) = match (all, self.current()) {
            (true, _) => {
                let lines: Vec<String> = self.rows.iter().map(Self::line).collect();
                (count(lines.len(), "row"), lines.join("\n"))
            }
            (false, None) => return Vec::new(),
            (false, Some(shown)) => match &shown.hole {
                Some(hole) => ("next step".to_owned(), hole.next.clone()),
                None => ("row".to_owned(), Self::line(shown)),
            },
        };
        vec![Effect::Copy(Clip { what, text })]
    }

    /// Moves in the opened detail; true where the action was a move.
    fn scrolled(&mut self, action: Action, page: usize) -> bool {
        let Some(from) = &mut self.opened else {
            return false;
        };
        *from = match action {
            Action::Down => from.saturating_add(1).min(draw::LONGEST),
            Action::Up => from.saturating_sub(1),
            Action::PageDown => from.saturating_add(page).min(draw::LONGEST),
            Action::PageUp => from.saturating_sub(page),
            Action::Top => 0,
            _ => return false,
        };
        true
    }
}

impl Pane for Table {
    fn address(&self) -> Address {
        Address::Table(self.kind, self.node.clone())
    }

    fn crumb(&self) -> String {
        let node = self.node.as_ref().map_or(ALL, NodeName::as_str);
        format!("{node} {}", self.kind.title())
    }

    fn position(&self) -> String {
        let at = (self.list.at() + 1).min(self.rows.len());
        format!("{} {at}/{}", self.kind.noun(), self.rows.len())
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

    fn node(&self) -> Option<NodeName> {
        let current = || self.current().map(|shown| shown.node.clone());
        self.node.clone().or_else(current)
    }

    fn back(&mut self) -> bool {
        self.opened.take().is_some()
    }

    fn sync(&mut self, world: &World) {
        self.make(world);
        let all = || self.made.values().flat_map(|made| &made.rows);
        let mut holes = all().filter_map(|shown| shown.hole.as_ref());
        let first = holes.next().cloned();
        self.holes = (usize::from(first.is_some()) + holes.count(), first);
        let rows = all().filter(|shown| self.shows(&shown.node, &shown.row));
        let rows = rows.cloned().collect();
        self.about = match (&self.node, self.made.values().next()) {
            (Some(_), Some(made)) => made.about.clone(),
            _ => String::new(),
        };
        self.rows = rows;
        self.sorted();
        self.list.set(self.rows.iter().map(Shown::id).collect());
    }

    fn update(&mut self, action: Action, world: &World) -> Vec<Effect> {
        let page = usize::from(world.screen.height.saturating_sub(10)).max(1);
        if self.scrolled(action, page) || self.list.moved(action, page) {
            return Vec::new();
        }
        let step = match action {
            Action::Next => Some(Action::Down),
            Action::Previous => Some(Action::Up),
            _ => None,
        };
        if let Some(step) = step {
            self.list.moved(step, 1);
            self.opened = self.opened.map(|_| 0);
            return Vec::new();
        }
        match action {
            Action::Open => self.opened = if self.opened.is_none() { Some(0) } else { None },
            Action::Problems => self.problems = !self.problems,
            Action::SortNext => self.sort_next(),
            Action::SortName => self.sort_by(Sort::Column(self.kind.name_column())),
            Action::SortSeverity => self.sort_by(Sort::Standing),
            Action::Copy => return self.copy(false),
            Action::CopyAll => return self.copy(true),
            Action::NextView | Action::PreviousView => {
                let Some(node) = self.node() else {
                    return vec![Effect::warn("no node is under the cursor")];
                };
                return vec![beside(Some(self.kind), &node, action == Action::NextView)];
            }
            other => return on_node(other, self.node().map(Scope::Node).as_ref()),
        }
        Vec::new()
    }

    fn view(&self, world: &World, theme: &Theme, area: Rect, buf: &mut Buffer) {
        self.draw(world, theme, (area, buf));
    }
}
