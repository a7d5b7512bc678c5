//! Pods from a manifest or from the API server, in one shape so that they can be compared.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::lines::Lines;
use super::name::Digest;
use super::text::Text;
pub use super::traits::PodTraits;
use super::tree::{Branch, Items, Tree};
use super::unix::{FileKind, Walk};
use super::uses::PodUse;

/// A v1 Pod as JSON with secrets masked, and its names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pod {
    /// `metadata.namespace` as written; `default` where it is empty, as the kubelet does.
    pub namespace: Text,
    /// `metadata.name` as written: without the node's name for a manifest, with it for a mirror.
    pub name: Text,
    /// The whole object: `metadata` and `spec`, and `status` for a mirror.
    pub raw: Tree,
}

/// Which of the three lists of a pod spec a container is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainerKind {
    Init,
    Main,
    Ephemeral,
}

impl ContainerKind {
    /// The field of the pod spec.
    pub fn field(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Main => "containers",
            Self::Ephemeral => "ephemeralContainers",
        }
    }
}

impl Pod {
    pub fn spec(&self) -> Branch<'_> {
        self.raw.get("spec").unwrap_or(Branch::Null)
    }

    pub fn metadata(&self) -> Branch<'_> {
        self.raw.get("metadata").unwrap_or(Branch::Null)
    }

    /// An annotation of the object.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata().get("annotations")?.get(key)?.as_str()
    }

    /// Init, main, then ephemeral containers, the order in which Pod Security visits them.
    pub fn containers(&self) -> impl Iterator<Item = (ContainerKind, Branch<'_>)> {
        [
            ContainerKind::Init,
            ContainerKind::Main,
            ContainerKind::Ephemeral,
        ]
        .into_iter()
        .flat_map(move |kind| {
            let list = self.spec().get(kind.field()).and_then(Branch::as_array);
            list.into_iter()
                .flat_map(Items::iter)
                .map(move |container| (kind, container))
        })
    }
}

/// A file that the kubelet loads from the static pod folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Absolute, as the kubelet opens it.
    pub file: Text,
    /// Kind of the entry after links are followed; only regular files have content.
    pub kind: FileKind,
    /// Who can reach and change it.
    pub walk: Walk,
    /// The bytes as the kubelet would read them, cleaned, secrets masked; empty where `pod` is a gap.
    pub text: Text,
    /// Of the raw bytes; none where the text holds masked values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// The pod, or the parser's words where the file is not one; a gap where it could not be read.
    pub pod: Fact<Parsed>,
}

/// What the kubelet makes of a manifest's bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parsed {
    Pod {
        pod: Pod,
        /// Further documents in the file, which the kubelet ignores.
        #[serde(default)]
        ignored_documents: u32,
        /// Keys that the file gives twice, as field paths; the last one counts.
        #[serde(default)]
        duplicates: Vec<Text>,
        /// Of the fields in `text`, for marking.
        #[serde(default)]
        lines: Lines,
    },
    /// Not a pod to the kubelet: the parser's message with line where it has one.
    Broken { message: Text },
}

impl Parsed {
    pub fn pod(&self) -> Option<&Pod> {
        match self {
            Self::Pod { pod, .. } => Some(pod),
            Self::Broken { .. } => None,
        }
    }
}

/// A mirror pod as the API server has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mirror {
    pub pod: Pod,
    pub uid: Text,
    /// `kubernetes.io/config.mirror`.
    pub mirror_hash: Text,
    /// `kubernetes.io/config.hash`, where set.
    pub hash: Option<Text>,
    /// `kubernetes.io/config.source`, where set.
    pub source: Option<Text>,
    pub owners: Vec<Owner>,
    /// `status.phase`.
    pub phase: Text,
    /// Managers of `managedFields` entries that are not about status.
    #[serde(default)]
    pub managers: Vec<Text>,
    pub resource_version: Text,
    /// `metadata.creationTimestamp`, seconds since the epoch by the API server's clock.
    pub created: Option<i64>,
}

/// One owner reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub kind: Text,
    pub name: Text,
    pub uid: Text,
    pub controller: bool,
}

/// A pod of the API server on a node, reduced to what identifies it there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PodId {
    pub namespace: Arc<str>,
    pub name: Box<str>,
    pub uid: Box<str>,
    /// `kubernetes.io/config.hash` of a mirror: the uid that the node knows it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Box<str>>,
    /// What of its spec is asked of every pod.
    #[serde(default, skip_serializing_if = "PodTraits::is_plain")]
    pub traits: PodTraits,
    /// Where it leads to; none of a mirror, which is judged whole, and of a pod that leads nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<Arc<PodUse>>,
}

impl PodId {
    /// Whether it is the same pod, whatever its traits are by now.
    pub fn is(&self, other: &Self) -> bool {
        (&self.namespace, &self.name, &self.uid) == (&other.namespace, &other.name, &other.uid)
    }
}
