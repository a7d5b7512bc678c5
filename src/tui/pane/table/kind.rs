//! The kinds of tables: their words, their columns, and who makes their rows.

use super::sheet::{Column, Sheet};
use super::{certs, kubelet, paths, static_pods};
use crate::model::name::NodeName;
use crate::model::node::NodeFacts;
use crate::tui::app::Effect;
use crate::tui::pane::Address;
use crate::tui::world::{Scope, World};

/// What stands for every node in an address.
pub const ALL: &str = "all";

/// What the rows are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Static,
    Kubelet,
    Certs,
    Paths,
}

impl Kind {
    /// In the order of the views of a node.
    pub const ALL: [Self; 4] = [Self::Static, Self::Kubelet, Self::Certs, Self::Paths];

    /// As the palette calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Kubelet => "kubelet",
            Self::Certs => "certs",
            Self::Paths => "paths",
        }
    }

    /// From its word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether all nodes can be shown as one list.
    pub fn is_of_all(self) -> bool {
        matches!(self, Self::Certs | Self::Paths)
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Static => "static pods",
            Self::Kubelet => "kubelet settings",
            Self::Certs => "certificates",
            Self::Paths => "attack paths",
        }
    }

    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Static => "static pod",
            Self::Kubelet => "setting",
            Self::Certs => "certificate",
            Self::Paths => "path",
        }
    }

    pub(super) fn columns(self) -> &'static [Column] {
        match self {
            Self::Static => static_pods::COLUMNS,
            Self::Kubelet => kubelet::COLUMNS,
            Self::Certs => certs::COLUMNS,
            Self::Paths => paths::COLUMNS,
        }
    }

    /// The column that names a row.
    pub(super) fn name_column(self) -> usize {
        match self {
            Self::Certs => 1,
            _ => 0,
        }
    }

    pub(super) fn sheet(self, facts: &NodeFacts, world: &World) -> Sheet {
        match self {
            Self::Static => static_pods::sheet(facts, world),
            Self::Kubelet => kubelet::sheet(facts),
            Self::Certs => certs::sheet(facts, world.now),
            Self::Paths => paths::sheet(facts, world),
        }
    }
}

/// The view beside one of the same node: findings, then the kinds in their order, and around.
pub fn beside(kind: Option<Kind>, node: &NodeName, forward: bool) -> Effect {
    let all = Kind::ALL.len() + 1;
    let here = kind.map_or(0, |kind| {
        let at = Kind::ALL.iter().position(|one| *one == kind);
        at.map_or(0, |at| at + 1)
    });
    let next = if forward { here + 1 } else { here + all - 1 } % all;
    Effect::Swap(match next.checked_sub(1) {
        None => Address::Node(Scope::Node(node.clone())),
        Some(at) => Address::Table(Kind::ALL[at], Some(node.clone())),
    })
}
