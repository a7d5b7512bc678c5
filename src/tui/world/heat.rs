//! The fleet in groups, one spot per node, made once per view.

use std::collections::BTreeMap;

use super::{Scope, Summary};
use crate::model::verdict::Severity;

/// Groups that stand on their own; the rest stands together in the last one.
const GROUPS: usize = 4;

/// Nodes that belong together: the control plane, or a pool.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    /// In the order of their names.
    pub spots: Vec<Spot>,
}

/// A node in the heat strip.
#[derive(Clone, Debug)]
pub struct Spot {
    pub scope: Scope,
    pub letter: char,
    pub worst: Option<Severity>,
    rank: [u32; 7],
}

impl Group {
    /// The worst of some spots.
    pub fn worst(spots: &[Spot]) -> Option<&Spot> {
        spots.iter().min_by_key(|spot| spot.rank)
    }

    /// Where a node stands.
    pub fn place(&self, scope: &Scope) -> Option<usize> {
        self.spots
            .binary_search_by(|spot| spot.scope.cmp(scope))
            .ok()
    }
}

/// The control plane first, then pools by name; what is too much goes into the last group.
pub(super) fn groups<'w>(summaries: impl Iterator<Item = &'w Summary>) -> Vec<Group> {
    let mut groups: BTreeMap<(bool, &str), Vec<Spot>> = BTreeMap::new();
    for summary in summaries.filter(|summary| summary.scope != Scope::Cluster) {
        let key = (summary.control_plane != Some(true), summary.group.as_str());
        groups.entry(key).or_default().push(Spot {
            scope: summary.scope.clone(),
            letter: summary.letter(),
            worst: summary.counts.worst(),
            rank: summary.rank(),
        });
    }
    let mut out: Vec<Group> = groups
        .into_iter()
        .map(|((_, name), spots)| Group {
            name: name.to_owned(),
            spots,
        })
        .collect();
    if out.len() > GROUPS {
        let mut spots: Vec<Spot> = out
            .drain(GROUPS - 1..)
            .flat_map(|group| group.spots)
            .collect();
        spots.sort_by(|a, b| a.scope.cmp(&b.scope));
        out.push(Group {
            name: "others".to_owned(),
            spots,
        });
    }
    out
}
