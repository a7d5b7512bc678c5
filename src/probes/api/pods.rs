//! Pods, read as a stream: a mirror pod whole, any other reduced to its names.
//!
//! Clusters hold 150,000 pods of 5 kB and more. So no pod is ever built as a tree unless it is a mirror:
//! `metadata` comes first in what the server writes and decides how `spec` and `status` are read.

mod read;
mod shape;
mod uses;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use serde::de::{DeserializeSeed as _, Error as _};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::model::Timestamp;
use crate::model::fact::Gap;
use crate::model::link::ListedPod;
use crate::model::pod::{Mirror, Owner, Pod, PodId, PodTraits};
use crate::model::text::Text;
use crate::model::tree::Tree;
use crate::model::uses::PodUse;
use crate::probes::mask::Masker;

use super::list::{Page, or_default};
use super::{LONGEST_NAME, field, garbled};

use read::{ListSeed, Parts, PodSeed};
use shape::{Meta, MirrorMeta, OwnerItem, Part, Phase, Versioned, owned};

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
    uses: HashSet<Arc<PodUse>>,
    unread: usize,
}

impl PodFold {
    pub fn new(masker: Arc<Masker>) -> Self {
        Self {
            masker,
            names: HashSet::new(),
            uses: HashSet::new(),
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
        self.uses.clear();
    }

    fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        self.names.insert(Arc::clone(&new));
        new
    }

    /// Pods of one template lead to the same places.
    fn shared(&mut self, new: PodUse) -> Arc<PodUse> {
        if let Some(known) = self.uses.get(&new) {
            return Arc::clone(known);
        }
        let new = Arc::new(new);
        self.uses.insert(Arc::clone(&new));
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
        let mut ended = parts.ended;
        if let (Part::Raw(raw), false) = (&parts.status, meta.is_mirror()) {
            let phase: Option<Phase<'_>> = serde_json::from_str(raw.get())?;
            ended = phase.is_some_and(|phase| phase.is_ended());
        }
        let spec = parts.spec.settle(meta.is_mirror())?;
        let mut traits = spec.traits().or(owned(&meta.owners));
        traits.set(PodTraits::MIRROR, meta.is_mirror());
        traits.set(PodTraits::ENDED, ended);
        let status = parts.status.settle(meta.is_mirror())?;
        let uses = spec.uses().map(|uses| self.shared(uses));
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
                traits,
                uses,
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
        let raw = Tree::try_from(object).map_err(serde_json::Error::custom)?;
        let annotation = |value: &Option<Cow<'_, str>>| value.as_deref().map(field);
        Ok(Mirror {
            pod: Pod {
                namespace: field(&meta.namespace),
                name: field(&meta.name),
                raw,
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

#[cfg(test)]
mod tests;
