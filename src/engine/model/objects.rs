//! Objects of the API server as they come: nodes one by one, everything else as whole lists.

use std::sync::Arc;

use super::Model;
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::link::ObjectDelta;
use crate::model::text::Text;

impl Model {
    pub(super) fn object(&mut self, delta: ObjectDelta) {
        match delta {
            ObjectDelta::Node(name, Some(object), at) => {
                self.nodes_gap = None;
                let api = Arc::make_mut(&mut self.node(&name).api);
                api.object = Fact::seen(*object, Locator::new(Need::NodeObject, 0));
                api.at = Some(at);
                self.drop_foreign(&name);
                self.dirty.nodes.insert(name);
                return;
            }
            ObjectDelta::Node(name, None, _) => {
                self.snapshot.nodes.remove(&name);
                self.verdicts.remove(&name);
                self.hosts.remove(&name);
                if self.shown.contains_key(&name) {
                    Arc::make_mut(&mut self.shown).remove(&name);
                }
                self.gone.remove(&name);
                self.dirty.nodes.remove(&name);
            }
            ObjectDelta::NodesListed => self.nodes_listed(),
            ObjectDelta::NodesFailed(gap) => {
                for facts in self.snapshot.nodes.values_mut() {
                    if !facts.api.object.is_seen() {
                        Arc::make_mut(&mut Arc::make_mut(facts).api).object =
                            Fact::Gap(gap.clone());
                    }
                }
                self.nodes_gap = Some(gap);
            }
            ObjectDelta::Namespaces(outcome) => {
                let cluster = Arc::make_mut(&mut self.snapshot.cluster);
                cluster.namespaces = match outcome {
                    Ok(list) => Fact::seen(list, Locator::list(Need::Namespaces)),
                    Err(gap) => Fact::Gap(gap),
                };
            }
            ObjectDelta::Cluster(facts) => {
                let cluster = Arc::make_mut(&mut self.snapshot.cluster);
                let mut before = std::mem::replace(cluster, *facts);
                cluster.namespaces = std::mem::take(&mut before.namespaces);
                cluster.objects = std::mem::take(&mut before.objects);
                cluster.heard = before.heard;
                cluster.read_namespaces = before.read_namespaces;
            }
            ObjectDelta::Objects(need, objects) => {
                let cluster = Arc::make_mut(&mut self.snapshot.cluster);
                Arc::make_mut(&mut cluster.objects).adopt(need, *objects);
                self.dirty.changed.needs.insert(need);
                return;
            }
            ObjectDelta::Fresh(need, at) => {
                self.heard.insert(need, at);
                let cluster = Arc::make_mut(&mut self.snapshot.cluster);
                cluster.heard = self.heard.values().min().copied();
                self.changed = true;
                return;
            }
        }
        self.dirty.all = true;
    }

    /// A node that a complete list does not name is known not to have a Node object.
    fn nodes_listed(&mut self) {
        for facts in self.snapshot.nodes.values_mut() {
            if !facts.api.object.is_seen() {
                let detail = Text::new("it has no Node object of this name");
                Arc::make_mut(&mut Arc::make_mut(facts).api).object =
                    Fact::Gap(Gap::Api { detail });
            }
        }
    }
}
