//! The unit of everything: what a run knew, at one point in time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::cluster::ClusterFacts;
use super::name::NodeName;
use super::node::NodeFacts;
use super::text::Text;

/// Facts of a cluster and its nodes. Live runs, replay, demo, tests and diff all use it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Rises only when a meaning changes; see [`Snapshot::SCHEMA`].
    pub schema: u32,
    pub taken: Timestamp,
    /// Who took it and how, for the header.
    #[serde(default)]
    pub taken_by: Text,
    pub cluster: Arc<ClusterFacts>,
    pub nodes: BTreeMap<NodeName, Arc<NodeFacts>>,
}

impl Snapshot {
    pub const SCHEMA: u32 = 1;

    /// Nothing known at all.
    pub fn empty(taken: Timestamp) -> Self {
        Self {
            schema: Self::SCHEMA,
            taken,
            taken_by: Text::default(),
            cluster: Arc::default(),
            nodes: BTreeMap::new(),
        }
    }
}
