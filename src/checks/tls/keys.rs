//! Which private keys lie on which nodes, by the certificates beside them.

use std::collections::BTreeMap;

use crate::model::files::{Certificate, Pki};
use crate::model::name::{Digest, NodeName};
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;

/// The keys of all nodes; those of authorities are the same on all control-plane nodes, and are not here.
#[derive(Default)]
pub struct Keys {
    /// The first two nodes with a key, each with a file: one of them is another than the one that is asked for.
    all: BTreeMap<Digest, Vec<(NodeName, Text)>>,
    /// Nodes whose certificates are not known.
    pub unknown: usize,
}

impl Keys {
    /// Joins all nodes.
    pub fn of_cluster(snapshot: &Snapshot) -> Self {
        let mut out = Self::default();
        for node in snapshot.nodes.values() {
            let Ok(pki) = node.host.pki.get() else {
                out.unknown += 1;
                continue;
            };
            for (path, leaf) in leaves(&pki.value) {
                let nodes = out.all.entry(leaf.spki.clone()).or_default();
                if nodes.len() < 2 && nodes.iter().all(|(name, _)| *name != node.name) {
                    nodes.push((node.name.clone(), path.clone()));
                }
            }
        }
        out
    }

    /// The first node beside one that has a key too, and the file of its certificate there.
    pub fn beside(&self, node: &NodeName, key: &Digest) -> Option<(&NodeName, &Text)> {
        let mut nodes = self.all.get(key)?.iter();
        let (name, path) = nodes.find(|(name, _)| name != node)?;
        Some((name, path))
    }
}

fn leaves(pki: &Pki) -> impl Iterator<Item = (&Text, &Certificate)> {
    let files = pki.certificates.iter();
    let known = files.filter_map(|file| Some((&file.path, file.content.get().ok()?)));
    known.flat_map(|(path, seen)| {
        let leaves = seen.value.iter().filter(|one| !one.ca);
        leaves.map(move |one| (path, one))
    })
}
