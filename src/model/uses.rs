//! Where a pod of the API server leads to: paths of its node, and the service account whose token it holds.

use serde::{Deserialize, Serialize};

/// What of a pod's spec leads out of it; pods of one template share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct PodUse {
    /// The service account whose token its containers have; empty where they have none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub account: Box<str>,
    /// In the order of the spec.
    #[serde(skip_serializing_if = "<[NodeMount]>::is_empty")]
    pub mounts: Box<[NodeMount]>,
    /// It has more of them than are kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

impl PodUse {
    /// As many mounts as are kept of a pod.
    pub const MOUNTS: usize = 32;

    pub fn is_empty(&self) -> bool {
        self.account.is_empty() && self.mounts.is_empty() && !self.cut
    }
}

/// A place that may lie on the node and that a container mounts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeMount {
    pub source: MountSource,
    /// Some container mounts it without `readOnly`.
    pub writable: bool,
    /// Nothing keeps a container that mounts it so from being root of the node: neither a user nor a user namespace.
    pub root: bool,
}

/// What a volume is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountSource {
    /// A path of the node, as written, with the part below it that is mounted.
    Path(Box<str>),
    /// A PersistentVolumeClaim of the pod's namespace.
    Claim(Box<str>),
}
