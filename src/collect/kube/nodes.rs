//! Nodes: each one an update as soon as it arrives, so that its collection over SSH can start.

use std::collections::BTreeSet;

use tokio::sync::watch;

use crate::collect::clock::now;
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::link::{ObjectDelta, Update};
use crate::model::name::NodeName;
use crate::probes::api::nodes;

use super::listing::{Kind, Turn};

/// The nodes of the cluster.
pub(super) struct Nodes {
    known: BTreeSet<NodeName>,
    /// What the list under way has brought so far.
    listing: BTreeSet<NodeName>,
    /// Objects of this list whose names no Node can have.
    unread: usize,
    count: watch::Sender<Fact<u32>>,
}

impl Nodes {
    /// `count`: told how many there are, once that is known.
    pub(super) fn new(count: watch::Sender<Fact<u32>>) -> Self {
        Self {
            known: BTreeSet::new(),
            listing: BTreeSet::new(),
            unread: 0,
            count,
        }
    }

    fn tell(&self) {
        let Ok(count) = u32::try_from(self.known.len() + self.unread) else {
            return;
        };
        let fact = Fact::seen(count, Locator::new(Need::NodeObject, 0));
        self.count.send_if_modified(|known| {
            let changed = *known != fact;
            *known = fact;
            changed
        });
    }
}

fn update(delta: ObjectDelta) -> Update {
    Update::Object(delta)
}

impl Kind for Nodes {
    fn resource(&self) -> &'static str {
        "nodes"
    }

    fn keeps_fresh(&self) -> Option<Need> {
        Some(Need::NodeObject)
    }

    fn path(&self) -> String {
        nodes::PATH.to_owned()
    }

    fn restart(&mut self) -> Vec<Update> {
        self.listing.clear();
        self.unread = 0;
        Vec::new()
    }

    fn page(&mut self, body: &[u8]) -> Result<Turn, Gap> {
        let page = nodes::page(body)?;
        self.unread += page.unread;
        let at = now();
        let updates = page
            .items
            .into_iter()
            .map(|(name, object)| {
                self.listing.insert(name.clone());
                update(ObjectDelta::Node(name, Some(Box::new(object)), at))
            })
            .collect();
        Ok(Turn {
            updates,
            version: page.version,
            next: page.next,
        })
    }

    fn listed(&mut self, _: Option<(Gap, usize)>) -> Vec<Update> {
        let listed = std::mem::take(&mut self.listing);
        let at = now();
        let gone = self.known.difference(&listed);
        let mut updates: Vec<Update> = gone
            .map(|name| update(ObjectDelta::Node(name.clone(), None, at)))
            .collect();
        updates.push(update(ObjectDelta::NodesListed));
        self.known = listed;
        self.tell();
        updates
    }

    fn failed(&mut self, gap: Gap) -> Vec<Update> {
        self.count.send_replace(Fact::Gap(gap.clone()));
        vec![update(ObjectDelta::NodesFailed(gap))]
    }

    fn event(&mut self, object: &str, gone: bool) -> Result<(Vec<Update>, String), Gap> {
        let (node, version) = nodes::one(object)?;
        let mut updates = Vec::new();
        if let Some((name, object)) = node {
            if gone {
                self.known.remove(&name);
            } else {
                self.known.insert(name.clone());
            }
            let object = (!gone).then(|| Box::new(object));
            updates.push(update(ObjectDelta::Node(name, object, now())));
            self.tell();
        }
        Ok((updates, version))
    }
}
