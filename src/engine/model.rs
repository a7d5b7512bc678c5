//! The model itself: facts of every node, replaced by deltas, judged where they changed.

mod judging;
mod objects;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::pods::{NodePods, forget};
use crate::evaluate::Changed;
use crate::model::Timestamp;
use crate::model::ask::Question;
use crate::model::fact::{Fact, Gap, Need};
use crate::model::hostkey::ShownKey;
use crate::model::link::{HostState, ListedPod, LogLine, ObjectDelta, PodDelta, Update};
use crate::model::name::NodeName;
use crate::model::node::{ApiFacts, HostFacts, NodeFacts};
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::model::verdict::Verdict;

/// What changed since it was judged.
struct Dirty {
    nodes: BTreeSet<NodeName>,
    /// Something that every node may depend on.
    all: bool,
    /// Lists that changed: the checks that name them judge every node again.
    changed: Changed,
    cluster: bool,
}

pub(super) struct Model {
    snapshot: Snapshot,
    verdicts: BTreeMap<NodeName, Arc<Vec<Verdict>>>,
    cluster: Arc<Vec<Verdict>>,
    hosts: BTreeMap<NodeName, HostState>,
    shown: Arc<BTreeMap<NodeName, Arc<ShownKey>>>,
    log: Vec<LogLine>,
    /// Open ones, in the order in which they were asked.
    questions: Arc<Vec<Question>>,
    dirty: Dirty,
    /// Something to show changed, judged or not.
    changed: bool,
    generation: u64,
    /// Waivers that had lapsed when it was judged.
    lapsed: usize,
    /// While a list runs: what it brought so far, by node name.
    incoming: Option<HashMap<Arc<str>, NodePods>>,
    /// Where each pod is, so that a removal finds it.
    places: HashMap<(Arc<str>, Box<str>), Arc<str>>,
    /// How many pods were gone when each node was last read.
    gone: BTreeMap<NodeName, usize>,
    /// The state of pods for nodes that are not known yet.
    pods: Result<Option<Timestamp>, Gap>,
    nodes_gap: Option<Gap>,
    /// When each of the watches that matter for a node was last heard.
    heard: BTreeMap<Need, Timestamp>,
}

impl Model {
    pub(super) fn new(start: Snapshot) -> Self {
        Self {
            dirty: Dirty {
                nodes: start.nodes.keys().cloned().collect(),
                all: true,
                changed: Changed::default(),
                cluster: true,
            },
            snapshot: start,
            verdicts: BTreeMap::new(),
            cluster: Arc::default(),
            hosts: BTreeMap::new(),
            shown: Arc::default(),
            log: Vec::new(),
            questions: Arc::default(),
            changed: true,
            generation: 0,
            lapsed: 0,
            incoming: None,
            places: HashMap::new(),
            gone: BTreeMap::new(),
            pods: Ok(None),
            nodes_gap: None,
            heard: BTreeMap::new(),
        }
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.changed || self.dirty.all || !self.dirty.nodes.is_empty()
    }

    pub(super) fn is_cluster_dirty(&self) -> bool {
        self.dirty.cluster
    }

    pub(super) fn apply(&mut self, update: Update) {
        let idle = matches!(
            update,
            Update::Host(..)
                | Update::Log(_)
                | Update::Shown(..)
                | Update::Ask(_)
                | Update::Answered(_)
                | Update::Object(ObjectDelta::Fresh(..))
        );
        self.dirty.cluster |= !idle;
        match update {
            Update::Known(name) => {
                self.node(&name);
            }
            Update::Host(name, state) => {
                self.node(&name);
                if state == HostState::Connecting && self.shown.contains_key(&name) {
                    Arc::make_mut(&mut self.shown).remove(&name);
                }
                self.hosts.insert(name, state);
                self.changed = true;
            }
            Update::Node(name, facts) => {
                let before = self.gone.get(&name).copied().unwrap_or(0);
                let node = self.node(&name);
                node.host = facts;
                let kept = forget(Arc::make_mut(&mut node.api), before);
                self.gone.insert(name.clone(), kept);
                self.drop_foreign(&name);
                self.dirty.changed.peers = true;
                self.dirty.nodes.insert(name);
            }
            Update::Api(name, facts) => {
                self.node(&name).api = facts;
                self.dirty.nodes.insert(name);
            }
            Update::Pods(delta) => self.pods(delta),
            Update::Object(delta) => self.object(delta),
            Update::Log(line) => {
                self.log.push(line);
                self.changed = true;
            }
            Update::Shown(name, key) => {
                Arc::make_mut(&mut self.shown).insert(name, key);
                self.changed = true;
            }
            Update::Ask(question) => {
                Arc::make_mut(&mut self.questions).push(question);
                self.changed = true;
            }
            Update::Answered(id) => {
                Arc::make_mut(&mut self.questions).retain(|question| question.id != id);
                self.changed = true;
            }
            Update::Policy(_) => self.dirty.all = true,
        }
    }

    /// The facts of a node to change; it is made where it is new.
    fn node(&mut self, name: &NodeName) -> &mut NodeFacts {
        if !self.snapshot.nodes.contains_key(name) {
            let facts = self.new_node(name);
            self.snapshot.nodes.insert(name.clone(), Arc::new(facts));
            self.dirty.nodes.insert(name.clone());
        }
        let entry = self.snapshot.nodes.entry(name.clone());
        Arc::make_mut(entry.or_insert_with(|| Arc::new(NodeFacts::unknown(name.clone()))))
    }

    /// Facts of another machine are dropped, not merged: whichever of the two sides came last.
    fn drop_foreign(&mut self, name: &NodeName) {
        let Some(facts) = self.snapshot.nodes.get_mut(name) else {
            return;
        };
        let (Fact::Seen(identity), Fact::Seen(object)) = (&facts.host.identity, &facts.api.object)
        else {
            return;
        };
        if let Some(detail) = identity.value.foreign(&object.value) {
            let gap = Gap::WrongMachine {
                detail: Text::from(detail),
            };
            Arc::make_mut(facts).host = Arc::new(HostFacts::gap(&gap));
            self.hosts.insert(name.clone(), HostState::Failed(gap));
        }
    }

    fn new_node(&self, name: &NodeName) -> NodeFacts {
        let mut api = ApiFacts::pending();
        if let Some(gap) = &self.nodes_gap {
            api.object = Fact::Gap(gap.clone());
        }
        match &self.pods {
            Ok(None) => {}
            Ok(Some(at)) => {
                api.at = Some(*at);
                NodePods::default().set(&mut api);
            }
            Err(gap) => {
                api.mirrors = Fact::Gap(gap.clone());
                api.pods = Fact::Gap(gap.clone());
            }
        }
        let host = Arc::new(HostFacts::gap(&Gap::Pending));
        NodeFacts {
            name: name.clone(),
            host,
            api: Arc::new(api),
        }
    }

    fn pods(&mut self, delta: PodDelta) {
        match delta {
            PodDelta::Relist => self.incoming = Some(HashMap::new()),
            PodDelta::Upsert(pods) => {
                for pod in pods {
                    self.upsert(pod);
                }
            }
            PodDelta::Remove(namespace, name) => {
                if let Some(node) = self.places.remove(&(namespace.clone(), name.clone())) {
                    self.edit_pods(&node, |pods| pods.remove(&namespace, &name));
                }
            }
            PodDelta::Listed { at, missing } => self.listed(at, missing.as_ref()),
            PodDelta::Read(namespaces) => {
                if self.snapshot.cluster.read_namespaces != namespaces {
                    let cluster = Arc::make_mut(&mut self.snapshot.cluster);
                    cluster.read_namespaces = namespaces;
                }
            }
            PodDelta::Failed(gap) => {
                self.incoming = None;
                for facts in self.snapshot.nodes.values_mut() {
                    if !facts.api.pods.is_seen() {
                        let api = Arc::make_mut(&mut Arc::make_mut(facts).api);
                        api.mirrors = Fact::Gap(gap.clone());
                        api.pods = Fact::Gap(gap.clone());
                    }
                }
                self.pods = Err(gap);
                self.dirty.all = true;
            }
        }
    }

    fn upsert(&mut self, pod: ListedPod) {
        if pod.node.is_empty() {
            return;
        }
        if let Some(incoming) = &mut self.incoming {
            incoming
                .entry(pod.node)
                .or_default()
                .put(pod.id, pod.mirror);
            return;
        }
        let key = (pod.id.namespace.clone(), pod.id.name.clone());
        let before = self.places.insert(key, pod.node.clone());
        if let Some(before) = before.filter(|before| *before != pod.node) {
            let (namespace, name) = (pod.id.namespace.clone(), pod.id.name.clone());
            self.edit_pods(&before, |pods| pods.remove(&namespace, &name));
        }
        let node = pod.node.clone();
        self.edit_pods(&node, |pods| pods.put(pod.id, pod.mirror));
    }

    /// Changes the pods of one node in place; pods that are bound to no node belong to nobody.
    fn edit_pods(&mut self, node: &str, edit: impl FnOnce(&mut NodePods)) {
        let Ok(name) = NodeName::parse(node) else {
            return;
        };
        let api = Arc::make_mut(&mut self.node(&name).api);
        let mut pods = NodePods::take(api);
        edit(&mut pods);
        pods.set(api);
        self.dirty.nodes.insert(name);
    }

    fn listed(&mut self, at: Timestamp, missing: Option<&Gap>) {
        let mut incoming = self.incoming.take().unwrap_or_default();
        self.places.clear();
        for (node, pods) in &incoming {
            for id in &pods.ids {
                self.places
                    .insert((id.namespace.clone(), id.name.clone()), node.clone());
            }
        }
        let bound: Vec<NodeName> = incoming
            .keys()
            .filter_map(|node| NodeName::parse(node).ok())
            .collect();
        for name in &bound {
            self.node(name);
        }
        self.pods = missing.map_or(Ok(Some(at)), |gap| Err(gap.clone()));
        for (name, facts) in &mut self.snapshot.nodes {
            let api = Arc::make_mut(&mut Arc::make_mut(facts).api);
            let mut pods = incoming.remove(name.as_str()).unwrap_or_default();
            pods.replace(NodePods::take(api));
            pods.set(api);
            api.at = Some(at);
            api.unread = missing.cloned();
        }
        self.dirty.all = true;
    }
}
