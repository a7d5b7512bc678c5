//! Pods of an example: v1 Pods in YAML, or just their names.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::facts::NODE_UID;
use crate::model::name::NodeName;
use crate::model::pod::{Mirror, Owner, Pod, PodId, PodTraits};
use crate::model::text::Text;
use crate::model::tree::Tree;
use crate::model::uses::{MountSource, NodeMount, PodUse};

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum PodWritten {
    /// `namespace/name`.
    Names(String),
    Whole(Json),
}

/// Namespace and name of `namespace/name`.
pub(super) fn names(raw: &str) -> Result<(Text, Text), String> {
    let (namespace, name) = raw
        .split_once('/')
        .ok_or_else(|| format!("{raw}: want namespace/name"))?;
    Ok((Text::new(namespace), Text::new(name)))
}

pub(super) fn pod(written: PodWritten) -> Result<Pod, String> {
    let raw = match written {
        PodWritten::Names(both) => {
            let (namespace, name) = names(&both)?;
            json!({
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"namespace": namespace, "name": name},
                "spec": {"containers": [{"name": "main", "image": "registry.k8s.io/pause:3.10"}]},
            })
        }
        PodWritten::Whole(raw) => raw,
    };
    let known = ["apiVersion", "kind", "metadata", "spec", "status"];
    if let Some(key) = raw
        .as_object()
        .and_then(|pod| pod.keys().find(|key| !known.contains(&key.as_str())))
    {
        return Err(format!("{key} is not a key of a pod"));
    }
    let text = |key: &str| {
        let found = raw.pointer(key).and_then(Json::as_str);
        found.filter(|text| !text.is_empty()).map(Text::new)
    };
    Ok(Pod {
        namespace: text("/metadata/namespace").unwrap_or_else(|| Text::new("default")),
        name: text("/metadata/name").ok_or("a pod without metadata.name")?,
        raw: Tree::try_from(raw).map_err(|error| error.to_string())?,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MirrorWritten {
    pod: PodWritten,
    /// `none` where the annotation is missing.
    hash: Option<String>,
    mirror_hash: Option<String>,
    source: Option<String>,
    owners: Option<Vec<OwnerWritten>>,
    phase: Option<String>,
    managers: Option<Vec<Text>>,
    uid: Option<String>,
    created: Option<i64>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnerWritten {
    kind: String,
    name: String,
    uid: String,
    controller: bool,
}

impl Default for OwnerWritten {
    fn default() -> Self {
        Self {
            kind: "Node".to_owned(),
            name: super::NODE.to_owned(),
            uid: NODE_UID.to_owned(),
            controller: true,
        }
    }
}

/// Mirrors of `node`. The hash of a mirror that names none is the name of its static pod.
pub(super) fn mirrors(written: Vec<MirrorWritten>, node: &NodeName) -> Result<Vec<Mirror>, String> {
    written
        .into_iter()
        .map(|written| mirror(written, node))
        .collect()
}

fn mirror(written: MirrorWritten, node: &NodeName) -> Result<Mirror, String> {
    let pod = pod(written.pod)?;
    let own = pod
        .name
        .as_str()
        .strip_suffix(&format!("-{node}"))
        .unwrap_or(pod.name.as_str())
        .to_owned();
    let hash = written.hash.unwrap_or(own);
    let owners = match written.owners {
        Some(owners) => owners,
        None => vec![OwnerWritten {
            name: node.to_string(),
            ..OwnerWritten::default()
        }],
    };
    let owners = owners.into_iter().map(|owner| Owner {
        kind: Text::from(owner.kind),
        name: Text::from(owner.name),
        uid: Text::from(owner.uid),
        controller: owner.controller,
    });
    let source = written.source.as_deref().unwrap_or("file");
    Ok(Mirror {
        uid: Text::from(written.uid.unwrap_or_else(|| format!("{}-uid", pod.name))),
        mirror_hash: Text::from(written.mirror_hash.as_ref().unwrap_or(&hash)),
        hash: (hash != "none").then(|| Text::from(&hash)),
        source: (source != "none").then(|| Text::from(source)),
        owners: owners.collect(),
        phase: Text::from(written.phase.as_deref().unwrap_or("Running")),
        managers: written
            .managers
            .unwrap_or_else(|| vec![Text::new("kubelet")]),
        resource_version: Text::new("1"),
        created: written.created,
        pod,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UidWritten {
    pod: String,
    #[serde(default)]
    uid: Option<String>,
    hash: Option<String>,
    /// Words with blanks between them.
    #[serde(default)]
    traits: String,
    /// Service account whose token it has.
    #[serde(default)]
    account: String,
    /// Each `PATH` or `claim:NAME`, then `ro` and `user` where it is so.
    #[serde(default)]
    mounts: Vec<String>,
    #[serde(default)]
    cut: bool,
}

pub(super) fn uids(written: Vec<UidWritten>) -> Result<Vec<PodId>, String> {
    written
        .into_iter()
        .map(|written| {
            let (namespace, name) = names(&written.pod)?;
            Ok(PodId {
                namespace: namespace.as_str().into(),
                name: name.as_str().into(),
                uid: written.uid.unwrap_or_else(|| format!("{name}-uid")).into(),
                hash: written.hash.map(Into::into),
                traits: PodTraits::parse(written.traits.split_whitespace())?,
                uses: uses(&written.account, &written.mounts, written.cut)?,
            })
        })
        .collect()
}

fn uses(account: &str, mounts: &[String], cut: bool) -> Result<Option<Arc<PodUse>>, String> {
    let mounts: Result<Box<[NodeMount]>, String> = mounts
        .iter()
        .map(|mount| {
            let mut words = mount.split_whitespace();
            let place = words.next().ok_or("a mount without a place")?;
            let words: Vec<&str> = words.collect();
            if let Some(word) = words.iter().find(|word| !["ro", "user"].contains(word)) {
                return Err(format!("{word} is not a word of a mount"));
            }
            Ok(NodeMount {
                source: match place.strip_prefix("claim:") {
                    Some(claim) => MountSource::Claim(claim.into()),
                    None => MountSource::Path(place.into()),
                },
                writable: !words.contains(&"ro"),
                root: !words.contains(&"user"),
            })
        })
        .collect();
    let uses = PodUse {
        account: account.into(),
        mounts: mounts?,
        cut,
    };
    Ok((!uses.is_empty()).then(|| Arc::new(uses)))
}
