//! Attack paths: how somebody who has a foothold becomes root of a node, or administrator of the cluster.
//!
//! Lives here: the joins of what single checks find, as edges with their evidence, and how they are drawn as text.
//! Never lives here: a judgement of its own; each path names the check that holds its deciding edge.

mod draw;
mod steps;

pub use draw::drawn;

use super::check::{Tally, View};
use crate::model::fact::{Gap, Locator};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::Severity;

/// As many paths as are told of a node; the worst come first.
pub const MOST: usize = 64;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Who or what is held before it.
    pub from: Text,
    /// What makes the step possible, as a verb.
    pub verb: Text,
    /// What is held after it.
    pub to: Text,
    /// The fact that proves it; of a step that follows from how Kubernetes works, the fact before it.
    pub at: Locator,
}

/// A way from a foothold to the end: each edge begins where the one before it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttackPath {
    /// The check whose finding breaks the path when it is mended.
    pub check: CheckId,
    pub severity: Severity,
    /// At least one; the last leads to `root on NODE` or to `cluster-admin`.
    pub edges: Vec<Edge>,
}

/// What leads to the end on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttackPaths {
    /// The worst first; at most [`MOST`].
    pub paths: Vec<AttackPath>,
    /// More were found than are told.
    pub more: usize,
    /// What is not known: there may be further paths behind it.
    pub gaps: Vec<Gap>,
}

/// The attack paths of a node.
pub fn of_node(node: &NodeFacts, view: &View<'_>) -> AttackPaths {
    let mut out = AttackPaths::default();
    steps::by_writers(node, view, &mut out);
    steps::by_proxy(node, view, &mut out);
    steps::by_sources(node, view, &mut out);
    steps::by_credentials(node, &mut out);
    out.paths.sort_by(|left, right| {
        let key = |path: &AttackPath| std::cmp::Reverse(path.severity);
        (key(left), left.check).cmp(&(key(right), right.check))
    });
    out.more = out.paths.len().saturating_sub(MOST);
    out.paths.truncate(MOST);
    out
}

impl AttackPaths {
    fn gap(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// Keeps the gaps of a tally whose offences are told as edges.
    fn gaps_of(&mut self, tally: Tally) {
        for gap in tally.into_gaps() {
            self.gap(gap);
        }
    }
}

#[cfg(test)]
mod tests;
