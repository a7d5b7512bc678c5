//! The owned messages between collectors, engine and whoever shows the result.

use std::sync::Arc;

use super::Timestamp;
use super::ask::{Question, QuestionId};
use super::cluster::{ClusterFacts, Namespace};
use super::fact::{Gap, Need};
use super::hostkey::ShownKey;
use super::name::NodeName;
use super::node::{ApiFacts, HostFacts, NodeObject};
use super::objects::Objects;
use super::pod::{Mirror, PodId};
use super::policy::File;
use super::secret::Secret;
use super::text::Text;

/// From the collectors to the engine.
#[derive(Clone, Debug)]
pub enum Update {
    /// A node is known by name only (configuration, inventory, command line).
    Known(NodeName),
    /// Progress of a node's collection.
    Host(NodeName, HostState),
    /// A node's side, whole; replaces what was there.
    Node(NodeName, Arc<HostFacts>),
    /// The API server's side of a node, whole, from a snapshot.
    Api(NodeName, Arc<ApiFacts>),
    Pods(PodDelta),
    Object(ObjectDelta),
    Log(LogLine),
    /// The way to a node ended at a key that nothing on file names. Sent before the state that says so, and good
    /// until the node is read again.
    Shown(NodeName, Arc<ShownKey>),
    /// Something that only a person can answer.
    Ask(Question),
    /// A question is answered, or nobody needs its answer any more.
    Answered(QuestionId),
    /// The policy file has changed: everything is judged by the new one.
    Policy(Arc<File>),
}

/// Where the collection of one node stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostState {
    Queued,
    Connecting,
    /// Sections done, of how many.
    Collecting {
        done: u16,
        of: u16,
    },
    Ok,
    /// Collected before, not reachable now: results keep their age.
    Stale(Gap),
    Failed(Gap),
    /// No way in by choice or by kind of system: the API side alone.
    ApiOnly(Gap),
}

/// Pods of the API server.
#[derive(Clone, Debug)]
pub enum PodDelta {
    /// A list starts: what is not named until [`PodDelta::Listed`] is gone.
    Relist,
    /// Pods of one page or one watch event.
    Upsert(Vec<ListedPod>),
    /// `(namespace, name)`.
    Remove(Arc<str>, Box<str>),
    /// The list is complete. `missing`: what could not be listed, where only some namespaces may be read.
    Listed { at: Timestamp, missing: Option<Gap> },
    /// Pods cannot be read.
    Failed(Gap),
    /// Of so many namespaces only could the pods be listed; none: of all.
    Read(Option<u32>),
}

/// A pod with the node it is bound to.
#[derive(Clone, Debug)]
pub struct ListedPod {
    /// Empty where the pod is not bound.
    pub node: Arc<str>,
    pub id: PodId,
    /// Set for a mirror pod.
    pub mirror: Option<Box<Mirror>>,
}

/// Any other object of the API server.
#[derive(Clone, Debug)]
pub enum ObjectDelta {
    /// One node, or its removal.
    Node(NodeName, Option<Box<NodeObject>>, Timestamp),
    /// A list of nodes was complete: what it did not name has no Node object.
    NodesListed,
    /// Nodes cannot be read.
    NodesFailed(Gap),
    /// All namespaces as one.
    Namespaces(Result<Vec<Namespace>, Gap>),
    /// Identity, version and connection of the cluster; namespaces and objects inside are ignored.
    Cluster(Box<ClusterFacts>),
    /// All objects of one kind; other kinds inside are ignored.
    Objects(Need, Box<Objects>),
    /// The watch behind a need brought something, be it that nothing changed: what is known still holds.
    Fresh(Need, Timestamp),
}

/// From whoever shows to the collectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Read these nodes again.
    Recollect(Vec<NodeName>),
    Stop,
    /// A person has compared this key: keep it, and read again the nodes whose way ended there.
    Trust {
        key: Arc<ShownKey>,
        nodes: Vec<NodeName>,
    },
    /// What was typed, a line for every field; none: it will not be answered.
    Answer {
        id: QuestionId,
        answer: Option<Vec<Secret>>,
    },
    /// The policy file has changed, and this is what it says now.
    Policy(Arc<File>),
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// One line of the collection log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: Timestamp,
    pub level: Level,
    /// None: `api` or `fleet`.
    pub node: Option<NodeName>,
    pub message: Text,
    /// What to do about it.
    pub next: Option<Text>,
}
