//! The fields of a pod that are read, and how deep.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::MapAccess;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::model::text::Text;

use super::field;
use super::or_default;

/// `metadata` as far as any pod needs it.
#[derive(Debug, Deserialize)]
pub(super) struct Meta<'a> {
    #[serde(borrow, default)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) namespace: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) uid: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) annotations: Annotations<'a>,
}

/// The annotations by which a mirror is known (model/known.rs).
#[derive(Debug, Default, Deserialize)]
pub(super) struct Annotations<'a> {
    #[serde(borrow, default, rename = "kubernetes.io/config.mirror")]
    pub(super) mirror: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "kubernetes.io/config.hash")]
    pub(super) hash: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "kubernetes.io/config.source")]
    pub(super) source: Option<Cow<'a, str>>,
}

impl Meta<'_> {
    /// As the kubelet decides it: the annotation exists, whatever its value (pkg/kubelet/types/pod_update.go).
    pub(super) fn is_mirror(&self) -> bool {
        self.annotations.mirror.is_some()
    }
}

/// `metadata` as far as only a mirror needs it.
#[derive(Debug, Deserialize)]
pub(super) struct MirrorMeta {
    #[serde(default, rename = "ownerReferences", deserialize_with = "or_default")]
    pub(super) owners: Vec<OwnerItem>,
    #[serde(default, rename = "managedFields", deserialize_with = "or_default")]
    pub(super) managed: Vec<Managed>,
    #[serde(default, rename = "resourceVersion")]
    pub(super) version: String,
    #[serde(default, rename = "creationTimestamp", deserialize_with = "or_default")]
    pub(super) created: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct OwnerItem {
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) uid: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) controller: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Managed {
    #[serde(default)]
    pub(super) manager: String,
    #[serde(default)]
    pub(super) subresource: String,
}

impl MirrorMeta {
    pub(super) fn managers(&self) -> Vec<Text> {
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
pub(super) struct Versioned {
    pub(super) metadata: VersionedMeta,
}

#[derive(Debug, Deserialize)]
pub(super) struct VersionedMeta {
    #[serde(default, rename = "resourceVersion")]
    pub(super) version: String,
}

/// `spec` as far as a pod that is no mirror needs it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Bound<'a> {
    #[serde(borrow, default, rename = "nodeName")]
    pub(super) node: Cow<'a, str>,
}

/// `spec` or `status`, read as deep as is known to be needed.
#[derive(Debug, Default)]
pub(super) enum Part<'a> {
    #[default]
    Missing,
    /// It came before `metadata`: decided later.
    Raw(&'a RawValue),
    Bound(Bound<'a>),
    Whole(Value),
}

impl<'a> Part<'a> {
    pub(super) fn settle(self, mirror: bool) -> Result<Self, serde_json::Error> {
        Ok(match self {
            Self::Raw(raw) if mirror => Self::Whole(serde_json::from_str(raw.get())?),
            Self::Raw(raw) => {
                Self::Bound(serde_json::from_str::<Option<_>>(raw.get())?.unwrap_or_default())
            }
            other => other,
        })
    }

    pub(super) fn node(&self) -> &str {
        match self {
            Self::Bound(bound) => &bound.node,
            Self::Whole(spec) => spec.get("nodeName").and_then(Value::as_str).unwrap_or(""),
            Self::Missing | Self::Raw(_) => "",
        }
    }

    pub(super) fn whole(self) -> Value {
        match self {
            Self::Whole(value) => value,
            _ => Value::Object(Map::new()),
        }
    }

    pub(super) fn read<A: MapAccess<'a>>(
        map: &mut A,
        meta: Option<&Meta<'_>>,
    ) -> Result<Self, A::Error> {
        Ok(match meta {
            Some(meta) if meta.is_mirror() => Self::Whole(map.next_value()?),
            Some(_) => Self::Bound(map.next_value::<Option<_>>()?.unwrap_or_default()),
            None => Self::Raw(map.next_value()?),
        })
    }
}
