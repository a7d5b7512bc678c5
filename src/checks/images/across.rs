//! Which images the mirror pods of all nodes say that they run, joined by the tag that they were asked for.

use std::collections::BTreeMap;

use super::reference::Reference;
use crate::checks::merge::running_image::image_id;
use crate::model::fact::Locator;
use crate::model::node::NodeFacts;
use crate::model::pod::Mirror;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::model::tree::Branch;

/// As many nodes with one digest as are named.
const NAMED: usize = 3;

/// One tag on nodes of one architecture: how often each digest runs, and on which nodes first.
pub type Digests = BTreeMap<String, (usize, Vec<Text>)>;

/// By architecture and tag.
#[derive(Default)]
pub struct Across(BTreeMap<(String, String), Digests>);

impl Across {
    /// The digests of a tag on nodes like this one.
    pub fn of(&self, arch: &str, tag: &str) -> Option<&Digests> {
        self.0.get(&(arch.to_owned(), tag.to_owned()))
    }
}

/// A container that was asked for by a tag.
pub struct Tagged<'m> {
    pub pod: &'m Mirror,
    pub name: Text,
    /// `registry/path:tag`.
    pub tag: String,
    /// None where the runtime tells no digest of a registry.
    pub digest: Option<&'m str>,
    pub at: Locator,
}

/// The containers of a node's mirrors whose image is no digest already.
pub fn tagged<'m>(mirrors: impl Iterator<Item = (Locator, &'m Mirror)>) -> Vec<Tagged<'m>> {
    let mut out = Vec::new();
    for (at, mirror) in mirrors {
        for (kind, container) in mirror.pod.containers() {
            let image = container.get("image").and_then(Branch::as_str);
            let Some(reference) = image.and_then(Reference::parse) else {
                continue;
            };
            if reference.digest.is_some() {
                continue;
            }
            let name = container.get("name").and_then(Branch::as_str);
            let name = Text::new(name.unwrap_or_default());
            let Some(id) = image_id(mirror, kind, &name) else {
                continue;
            };
            let digest = id.rsplit_once('@').map(|(_, digest)| digest);
            let tag = reference.tag.unwrap_or("latest");
            out.push(Tagged {
                pod: mirror,
                name,
                tag: format!("{}:{tag}", reference.repository()),
                digest,
                at,
            });
        }
    }
    out
}

/// `kubernetes.io/arch` of a node; empty where it is not known.
pub fn arch(node: &NodeFacts) -> &str {
    let object = node.api.object.get().ok();
    let label = object.and_then(|object| object.value.labels.get("kubernetes.io/arch"));
    label.map_or("", Text::as_str)
}

/// Joins all nodes.
pub fn of_cluster(snapshot: &Snapshot) -> Across {
    let mut out = Across::default();
    for node in snapshot.nodes.values() {
        let Ok(list) = node.api.mirrors.get() else {
            continue;
        };
        let arch = arch(node);
        for tagged in tagged(crate::checks::merge::pairs::mirrors(list)) {
            let Some(digest) = tagged.digest else {
                continue;
            };
            let key = (arch.to_owned(), tagged.tag);
            let digests = out.0.entry(key).or_default();
            let (count, names) = digests.entry(digest.to_owned()).or_default();
            *count += 1;
            let name = Text::new(node.name.as_str());
            if names.len() < NAMED && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    out
}
