//! What the checks of this family look at: the configured folder, and each loaded file.

use crate::checks::check::{Tally, not_applicable};
use crate::model::fact::{Fact, Gap, Locator};
use crate::model::node::NodeFacts;
use crate::model::pod::Manifest;
use crate::model::unix::{FileKind, Hop, Walk};
use crate::model::verdict::Verdict;

/// Without a folder there is nothing to protect.
pub fn no_folder(at: Locator) -> Verdict {
    not_applicable([at], "no static pod folder is configured")
}

/// Judges every loaded file that the kubelet would read, a gap where one is not known.
///
/// # Errors
/// The first gap, where nothing is proven.
pub fn each_file(
    node: &NodeFacts,
    mut judge: impl FnMut(&Manifest, Locator, &mut Tally),
) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    if let Some(dir) = tally.take(&node.host.manifest_dir) {
        if dir.value.is_none() {
            return Ok(no_folder(dir.at));
        }
        tally.good(dir.at);
    }
    if let Some(list) = tally.take(&node.host.manifests) {
        tally.good(list.at);
        for file in &list.value {
            // The kubelet passes over pipes, sockets and devices: they are a matter of their own.
            let seen = tally.take(file);
            if let Some(seen) = seen.filter(|seen| seen.value.kind == FileKind::Regular) {
                judge(&seen.value, seen.at, &mut tally);
            }
        }
    }
    tally.verdict()
}

/// Where the owners and modes of a walk are written down; `at` where the walk shows nothing.
pub fn way(walk: &Walk, at: Locator) -> Vec<Locator> {
    let mut found: Vec<Locator> = walk.hops.iter().filter_map(place).collect();
    found.dedup();
    if found.is_empty() {
        found.push(at);
    }
    found
}

fn place(hop: &Fact<Hop>) -> Option<Locator> {
    match hop {
        Fact::Seen(seen) => Some(seen.at),
        Fact::Gap(_) => None,
    }
}

/// The last part of a path.
pub fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
