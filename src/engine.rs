//! The one thread that owns the model: deltas in, judged views out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::link::{HostState, LogLine};
use crate::model::name::NodeName;
use crate::model::snapshot::Snapshot;
use crate::model::verdict::Verdict;

/// What the engine knew and concluded at one moment. Cheap to clone and to send.
#[derive(Clone, Debug)]
pub struct Judged {
    pub snapshot: Arc<Snapshot>,
    /// Per node, in the order of `evaluate::node_checks`.
    pub nodes: BTreeMap<NodeName, Arc<Vec<Verdict>>>,
    /// In the order of `evaluate::cluster_checks`.
    pub cluster: Arc<Vec<Verdict>>,
    pub hosts: BTreeMap<NodeName, HostState>,
    /// Log lines that came since the view before this one.
    pub log: Arc<Vec<LogLine>>,
    /// Rises with every view.
    pub generation: u64,
    /// No more updates will come.
    pub complete: bool,
}
