//! Pods, read as a stream: a mirror pod whole, any other reduced to its names.
//!
//! Clusters hold 150,000 pods of 5 kB and more. So no pod is ever built as a tree unless it is a mirror:
//! `metadata` comes first in what the server writes and decides how `spec` and `status` are read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::model::Timestamp;
use crate::model::fact::Gap;
use crate::model::link::ListedPod;
use crate::model::pod::{Mirror, Owner, Pod, PodId};
use crate::model::text::Text;
use crate::probes::mask::Masker;

use super::list::{ListMeta, Page, or_default};
use super::{LONGEST_NAME, field, garbled};

/// The request.
pub const PATH: &str = "/api/v1/pods";

/// The same request for one namespace, whose name must be clean.
pub fn namespaced(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}

/// Folds pods into their compact form; names of nodes and namespaces are stored once.
pub struct PodFold {
    masker: Arc<Masker>,
    names: HashSet<Arc<str>>,
    unread: usize,
}

impl PodFold {
    pub fn new(masker: Arc<Masker>) -> Self {
        Self {
            masker,
            names: HashSet::new(),
            unread: 0,
        }
    }

    /// Reads a page of a list.
    ///
    /// # Errors
    /// [`Gap::Garbled`] where it is not a list of pods.
    pub fn page(&mut self, body: &[u8]) -> Result<Page<ListedPod>, Gap> {
        self.unread = 0;
        let mut reader = serde_json::Deserializer::from_slice(body);
        let outcome = ListSeed(self)
            .deserialize(&mut reader)
            .and_then(|list| reader.end().map(|()| list));
        let (meta, items) = outcome.map_err(|error| garbled("list of pods", &error))?;
        Ok(meta.page(items, self.unread))
    }

    /// Reads one object and its version; none where it has no usable name.
    ///
    /// # Errors
    /// [`Gap::Garbled`] where it is not a pod.
    pub fn one(&mut self, object: &str) -> Result<(Option<ListedPod>, String), Gap> {
        let version: Versioned =
            serde_json::from_str(object).map_err(|error| garbled("pod", &error))?;
        let mut reader = serde_json::Deserializer::from_str(object);
        let pod = PodSeed(self)
            .deserialize(&mut reader)
            .map_err(|error| garbled("pod", &error))?;
        Ok((pod, version.metadata.version))
    }

    /// Forgets names that no list brings any more.
    pub fn restart(&mut self) {
        self.names.clear();
    }

    fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        self.names.insert(Arc::clone(&new));
        new
    }

    fn fold(&mut self, parts: Parts<'_>) -> Result<Option<ListedPod>, serde_json::Error> {
        let Some(meta) = parts.meta else {
            self.unread += 1;
            return Ok(None);
        };
        let named = |name: &str| !name.is_empty() && name.len() <= LONGEST_NAME;
        if !(named(&meta.name) && named(&meta.namespace) && named(&meta.uid)) {
            self.unread += 1;
            return Ok(None);
        }
        let spec = parts.spec.settle(meta.is_mirror())?;
        let status = parts.status.settle(meta.is_mirror())?;
        let node = clean(spec.node()).into_owned();
        let mirror = match parts.raw_meta {
            Some(raw) if meta.is_mirror() => {
                Some(Box::new(self.mirror(&meta, raw, (spec, status))?))
            }
            _ => None,
        };
        Ok(Some(ListedPod {
            node: self.intern(&node),
            id: PodId {
                namespace: self.intern(&clean(&meta.namespace)),
                name: clean(&meta.name).into(),
                uid: clean(&meta.uid).into(),
                hash: meta
                    .annotations
                    .hash
                    .as_deref()
                    .filter(|_| meta.is_mirror())
                    .map(|hash| field(hash).as_str().into()),
            },
            mirror,
        }))
    }

    fn mirror(
        &self,
        meta: &Meta<'_>,
        raw: &RawValue,
        (spec, status): (Part<'_>, Part<'_>),
    ) -> Result<Mirror, serde_json::Error> {
        let extra: MirrorMeta = serde_json::from_str(raw.get())?;
        let mut metadata: Map<String, Value> = serde_json::from_str(raw.get())?;
        // What a check reads of it is in `managers`; the field sets are most of the object.
        metadata.remove("managedFields");
        let (spec, status) = (spec.whole(), status.whole());
        let phase = status.get("phase").and_then(Value::as_str).unwrap_or("");
        let phase = field(phase);
        let mut object = Value::Object(Map::from_iter([
            ("metadata".to_owned(), Value::Object(metadata)),
            ("spec".to_owned(), spec),
            ("status".to_owned(), status),
        ]));
        self.masker.mask_pod(&mut object);
        let annotation = |value: &Option<Cow<'_, str>>| value.as_deref().map(field);
        Ok(Mirror {
            pod: Pod {
                namespace: field(&meta.namespace),
                name: field(&meta.name),
                raw: Arc::new(object),
            },
            uid: field(&meta.uid),
            mirror_hash: annotation(&meta.annotations.mirror).unwrap_or_default(),
            hash: annotation(&meta.annotations.hash),
            source: annotation(&meta.annotations.source),
            owners: extra.owners.iter().map(owner).collect(),
            phase,
            managers: extra.managers(),
            resource_version: field(&extra.version),
            created: extra
                .created
                .parse::<Timestamp>()
                .ok()
                .map(Timestamp::as_second),
        })
    }
}

/// Cleaned as [`Text`] does, without a copy where there is nothing to clean.
fn clean(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        Cow::Borrowed(raw)
    } else {
        Cow::Owned(Text::new(raw).as_str().to_owned())
    }
}

fn owner(read: &OwnerItem) -> Owner {
    Owner {
        kind: field(&read.kind),
        name: field(&read.name),
        uid: field(&read.uid),
        controller: read.controller,
    }
}

/// `metadata` as far as any pod needs it.
#[derive(Debug, Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Cow<'a, str>,
    #[serde(borrow, default)]
    uid: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    annotations: Annotations<'a>,
}

/// The annotations by which a mirror is known (model/known.rs).
#[derive(Debug, Default, Deserialize)]
struct Annotations<'a> {
    #[serde(borrow, default, rename = "kubernetes.io/config.mirror")]
    mirror: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "kubernetes.io/config.hash")]
    hash: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "kubernetes.io/config.source")]
    source: Option<Cow<'a, str>>,
}

impl Meta<'_> {
    /// As the kubelet decides it: the annotation exists, whatever its value (pkg/kubelet/types/pod_update.go).
    fn is_mirror(&self) -> bool {
        self.annotations.mirror.is_some()
    }
}

/// `metadata` as far as only a mirror needs it.
#[derive(Debug, Deserialize)]
struct MirrorMeta {
    #[serde(default, rename = "ownerReferences", deserialize_with = "or_default")]
    owners: Vec<OwnerItem>,
    #[serde(default, rename = "managedFields", deserialize_with = "or_default")]
    managed: Vec<Managed>,
    #[serde(default, rename = "resourceVersion")]
    version: String,
    #[serde(default, rename = "creationTimestamp", deserialize_with = "or_default")]
    created: String,
}

#[derive(Debug, Deserialize)]
struct OwnerItem {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    uid: String,
    #[serde(default, deserialize_with = "or_default")]
    controller: bool,
}

#[derive(Debug, Deserialize)]
struct Managed {
    #[serde(default)]
    manager: String,
    #[serde(default)]
    subresource: String,
}

impl MirrorMeta {
    fn managers(&self) -> Vec<Text> {
        let mut managers: Vec<_> = self
            .managed
            .iter()
            .filter(|entry| entry.subresource != "status")
            .map(|entry| field(&entry.manager))
            .collect();
        managers.sort();
        managers.dedup();
        managers
    }
}

#[derive(Debug, Deserialize)]
struct Versioned {
    metadata: VersionedMeta,
}

#[derive(Debug, Deserialize)]
struct VersionedMeta {
    #[serde(default, rename = "resourceVersion")]
    version: String,
}

/// `spec` as far as a pod that is no mirror needs it.
#[derive(Debug, Default, Deserialize)]
struct Bound<'a> {
    #[serde(borrow, default, rename = "nodeName")]
    node: Cow<'a, str>,
}

/// `spec` or `status`, read as deep as is known to be needed.
#[derive(Debug, Default)]
enum Part<'a> {
    #[default]
    Missing,
    /// It came before `metadata`: decided later.
    Raw(&'a RawValue),
    Bound(Bound<'a>),
    Whole(Value),
}

impl<'a> Part<'a> {
    fn settle(self, mirror: bool) -> Result<Self, serde_json::Error> {
        Ok(match self {
            Self::Raw(raw) if mirror => Self::Whole(serde_json::from_str(raw.get())?),
            Self::Raw(raw) => {
                Self::Bound(serde_json::from_str::<Option<_>>(raw.get())?.unwrap_or_default())
            }
            other => other,
        })
    }

    fn node(&self) -> &str {
        match self {
            Self::Bound(bound) => &bound.node,
            Self::Whole(spec) => spec.get("nodeName").and_then(Value::as_str).unwrap_or(""),
            Self::Missing | Self::Raw(_) => "",
        }
    }

    fn whole(self) -> Value {
        match self {
            Self::Whole(value) => value,
            _ => Value::Object(Map::new()),
        }
    }

    fn read<A: MapAccess<'a>>(map: &mut A, meta: Option<&Meta<'_>>) -> Result<Self, A::Error> {
        Ok(match meta {
            Some(meta) if meta.is_mirror() => Self::Whole(map.next_value()?),
            Some(_) => Self::Bound(map.next_value::<Option<_>>()?.unwrap_or_default()),
            None => Self::Raw(map.next_value()?),
        })
    }
}

/// One pod while it is read.
#[derive(Default)]
struct Parts<'a> {
    raw_meta: Option<&'a RawValue>,
    meta: Option<Meta<'a>>,
    spec: Part<'a>,
    status: Part<'a>,
}

/// Keys of a pod and of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Key {
    Metadata,
    Items,
    Spec,
    Status,
    #[serde(other)]
    Other,
}

struct PodSeed<'f>(&'f mut PodFold);

impl<'de> DeserializeSeed<'de> for PodSeed<'_> {
    type Value = Option<ListedPod>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PodSeed<'_> {
    type Value = Option<ListedPod>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pod")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut parts = Parts::default();
        while let Some(key) = map.next_key()? {
            match key {
                Key::Metadata => {
                    let raw: &RawValue = map.next_value()?;
                    parts.meta = Some(serde_json::from_str(raw.get()).map_err(A::Error::custom)?);
                    parts.raw_meta = Some(raw);
                }
                Key::Spec => parts.spec = Part::read(&mut map, parts.meta.as_ref())?,
                Key::Status if parts.meta.as_ref().is_some_and(|meta| !meta.is_mirror()) => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Status => parts.status = Part::read(&mut map, parts.meta.as_ref())?,
                Key::Items | Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.0.fold(parts).map_err(A::Error::custom)
    }
}

struct ItemsSeed<'f>(&'f mut PodFold);

impl<'de> DeserializeSeed<'de> for ItemsSeed<'_> {
    type Value = Vec<ListedPod>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemsSeed<'_> {
    type Value = Vec<ListedPod>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of pods")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut pods = Vec::new();
        while let Some(pod) = seq.next_element_seed(PodSeed(self.0))? {
            pods.extend(pod);
        }
        Ok(pods)
    }
}

struct ListSeed<'f>(&'f mut PodFold);

impl<'de> DeserializeSeed<'de> for ListSeed<'_> {
    type Value = (ListMeta, Vec<ListedPod>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_> {
    type Value = (ListMeta, Vec<ListedPod>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut meta, mut pods) = (ListMeta::default(), None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Metadata => meta = map.next_value()?,
                Key::Items => pods = Some(map.next_value_seed(ItemsSeed(self.0))?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        // A Status or any other object must not read as "no pods".
        let pods = pods.ok_or_else(|| A::Error::missing_field("items"))?;
        Ok((meta, pods))
    }
}

#[cfg(test)]
mod tests;
