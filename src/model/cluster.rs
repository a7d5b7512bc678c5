//! What is known of the cluster as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::fact::{Fact, Need};
use super::objects::Objects;
use super::offset::Offset;
use super::text::Text;

/// Facts that belong to no single node; one field per need.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterFacts {
    /// The context or file that it was read through, for the title row.
    pub context: Text,
    /// Uid of the namespace kube-system: the cluster's identity.
    pub uid: Fact<Text>,
    /// `/version` `gitVersion`.
    pub version: Fact<Text>,
    pub namespaces: Fact<Vec<Namespace>>,
    /// How many Node objects the API server has; known only once a list of nodes was complete.
    pub nodes: Fact<u32>,
    /// The connection does not verify the API server's certificate.
    pub insecure: bool,
    /// In how many namespaces pods could be listed, where not in all.
    pub read_namespaces: Option<u32>,
    /// When the API server was last heard by the slowest of the watches that matter for a node, UTC.
    pub heard: Option<Timestamp>,
    /// The API server's clock against this machine's, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<Offset>,
    /// Everything else that the API server has; a list for each need.
    pub objects: Arc<Objects>,
}

impl ClusterFacts {
    /// The same cluster with one fact taken away, for the honesty tests.
    #[must_use]
    pub fn withhold(&self, need: Need) -> Self {
        let mut cluster = self.clone();
        match need {
            Need::Namespaces => cluster.namespaces = Fact::default(),
            Need::NodeObject => cluster.nodes = Fact::default(),
            need => {
                if let Some(list) = Arc::make_mut(&mut cluster.objects).list_mut(need) {
                    list.forget(super::fact::Gap::NotAsked);
                }
            }
        }
        cluster
    }

    /// A namespace by name and its index as evidence; `None` where it is known not to exist.
    ///
    /// # Errors
    /// The gap where namespaces are not known.
    pub fn namespace(&self, name: &str) -> Result<Option<(u32, &Namespace)>, super::fact::Gap> {
        let all = &self.namespaces.get()?.value;
        let found = all.iter().position(|namespace| namespace.name == name);
        Ok(found.and_then(|index| Some((u32::try_from(index).ok()?, &all[index]))))
    }
}

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    pub name: Text,
    pub uid: Text,
    /// `Active` or `Terminating`.
    pub phase: Text,
    pub labels: BTreeMap<Text, Text>,
}
