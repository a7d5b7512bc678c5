//! The pods of one node: what the API server has, and what it had when the node was last read.

use crate::model::fact::{Fact, Locator, Need};
use crate::model::node::ApiFacts;
use crate::model::pod::{Mirror, PodId};

/// As many pods that are gone as a node remembers: the newest count.
const GONE: usize = 200;

/// Pods of one node.
#[derive(Default)]
pub(super) struct NodePods {
    pub(super) ids: Vec<PodId>,
    pub(super) mirrors: Vec<Mirror>,
    gone: Vec<PodId>,
}

impl NodePods {
    pub(super) fn put(&mut self, id: PodId, mirror: Option<Box<Mirror>>) {
        self.remove(&id.namespace, &id.name);
        self.gone.retain(|gone| !gone.is(&id));
        self.ids.push(id);
        self.mirrors.extend(mirror.map(|mirror| *mirror));
    }

    pub(super) fn remove(&mut self, namespace: &str, name: &str) {
        let is_it = |id: &mut PodId| &*id.name == name && &*id.namespace == namespace;
        self.gone.extend(self.ids.extract_if(.., is_it));
        self.mirrors
            .retain(|mirror| mirror.pod.name != name || mirror.pod.namespace != namespace);
    }

    /// Takes the place of an older list: what that had and this has not is gone.
    pub(super) fn replace(&mut self, before: Self) {
        let is = |id: &'_ PodId| (id.namespace.clone(), id.name.clone(), id.uid.clone());
        let here: std::collections::HashSet<_> = self.ids.iter().map(is).collect();
        let all = before.gone.into_iter().chain(before.ids);
        let gone = all.filter(|id| !here.contains(&is(id))).collect();
        self.gone = gone;
    }

    /// Moves the pods out of the facts; a gap has none.
    pub(super) fn take(api: &mut ApiFacts) -> Self {
        let ids = std::mem::take(&mut api.pods);
        let mirrors = std::mem::take(&mut api.mirrors);
        Self {
            ids: if let Fact::Seen(seen) = ids {
                seen.value
            } else {
                Vec::new()
            },
            mirrors: if let Fact::Seen(seen) = mirrors {
                seen.value
            } else {
                Vec::new()
            },
            gone: std::mem::take(&mut api.gone),
        }
    }

    /// Moves the pods into the facts.
    pub(super) fn set(mut self, api: &mut ApiFacts) {
        self.ids.shrink_to_fit();
        let excess = self.gone.len().saturating_sub(GONE);
        self.gone.drain(..excess);
        api.pods = Fact::seen(self.ids, Locator::list(Need::PodUids));
        api.mirrors = Fact::seen(self.mirrors, Locator::list(Need::MirrorPods));
        api.gone = self.gone;
    }
}

/// Forgets what was gone at the reading before this one: this one began after that was complete.
/// Gives the number that is kept, to be handed in with the next reading.
pub(super) fn forget(api: &mut ApiFacts, known_before: usize) -> usize {
    let old = known_before.min(api.gone.len());
    api.gone.drain(..old);
    api.gone.len()
}
