//! Panes: one view of the world each, with a cursor and a filter of its own.

mod check;
mod filter;
mod finding;
mod fleet;
mod help;
mod list;
mod log;
mod node;
mod raw;
mod table;
mod trust;

use std::fmt;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::Effect;
use super::keys::{Action, Binding};
use super::theme::Theme;
use super::world::{Identity, Scope, World};
use crate::model::name::{CheckId, NodeName};

pub use finding::Finding;
pub use fleet::Fleet;
pub use table::{ALL, Kind};

/// Where a view is: what history, palette and documents call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Fleet,
    /// Findings of a node, or of the cluster.
    Node(Scope),
    /// Every check with its nodes counted.
    Checks,
    /// Findings of one check.
    Check(CheckId),
    Finding(Identity),
    /// Evidence of a finding at full length.
    Raw(Identity),
    /// The collection log, of one node or of all.
    Log(Option<NodeName>),
    /// Keys of the view below it.
    Help,
    /// Whether to trust the key that a node shows.
    Trust(NodeName),
    /// Rows of one node, or of all.
    Table(Kind, Option<NodeName>),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet => f.write_str("fleet"),
            Self::Node(Scope::Cluster) => f.write_str("cluster"),
            Self::Node(Scope::Node(name)) => write!(f, "node {name}"),
            Self::Checks => f.write_str("checks"),
            Self::Check(id) => write!(f, "check {id}"),
            Self::Finding(id) | Self::Raw(id) => write!(f, "finding {} {}", id.check, id.scope),
            Self::Log(None) => f.write_str("log"),
            Self::Log(Some(name)) => write!(f, "log {name}"),
            Self::Help => f.write_str("help"),
            Self::Trust(name) => write!(f, "trust {name}"),
            Self::Table(kind, None) => write!(f, "{} {ALL}", kind.word()),
            Self::Table(kind, Some(name)) => write!(f, "{} {name}", kind.word()),
        }
    }
}

/// One view. Only `update`, `sync` and `set_filter` change it; `view` draws the same for the same world.
pub trait Pane {
    fn address(&self) -> Address;
    /// What stands between the pane below and its own name in the title row.
    fn crumb(&self) -> String;
    /// Right of the title: `finding 1/10`.
    fn position(&self) -> String {
        String::new()
    }
    /// Key bar, help, documents and the conflict test read this.
    fn keys(&self) -> &'static [Binding];
    #[expect(
        clippy::unnecessary_literal_bound,
        reason = "panes with a filter return their own text"
    )]
    fn filter(&self) -> &str {
        ""
    }
    /// Whether `/` means something here; the text is the new filter.
    fn set_filter(&mut self, _text: &str) -> bool {
        false
    }
    /// The node that the view, or its cursor, is on: commands without a name mean it.
    fn node(&self) -> Option<NodeName> {
        None
    }
    /// Closes something inside the view; false where there is nothing, and the view itself is left.
    fn back(&mut self) -> bool {
        false
    }
    /// Brings rows and cursor in line with a changed world or filter.
    fn sync(&mut self, _world: &World) {}
    fn update(&mut self, action: Action, world: &World) -> Vec<Effect>;
    fn view(&self, world: &World, theme: &Theme, area: Rect, buf: &mut Buffer);
}

/// The pane of an address, on top of another: whose keys a help page explains, and whose list a finding walks.
pub fn open(address: &Address, below: Option<&dyn Pane>) -> Box<dyn Pane> {
    match address {
        Address::Fleet => Box::new(Fleet::new()),
        Address::Node(scope) => Box::new(node::Node::new(node::Of::Scope(scope.clone()))),
        Address::Check(id) => Box::new(node::Node::new(node::Of::Check(*id))),
        Address::Checks => Box::new(check::Checks::new()),
        Address::Finding(id) => {
            let of_check = below.is_some_and(|pane| matches!(pane.address(), Address::Check(_)));
            Box::new(Finding::new(id.clone(), of_check))
        }
        Address::Raw(id) => Box::new(raw::Raw::new(id.clone())),
        Address::Log(node) => Box::new(log::Log::new(node.clone())),
        Address::Help => Box::new(help::Help::new(below.map_or(&[], |pane| pane.keys()))),
        Address::Trust(node) => Box::new(trust::Trust::new(node.clone())),
        Address::Table(kind, node) => Box::new(table::Table::new(*kind, node.clone())),
    }
}

/// Every pane's keys by the pane's name: for documents and the conflict test.
pub fn keymaps() -> [(&'static str, &'static [Binding]); 9] {
    [
        ("fleet", fleet::KEYS),
        ("node", node::KEYS),
        ("checks", check::KEYS),
        ("finding", finding::KEYS),
        ("evidence", raw::KEYS),
        ("log", log::KEYS),
        ("help", help::KEYS),
        ("trust", trust::KEYS),
        ("static, kubelet, certs, paths", table::KEYS),
    ]
}
