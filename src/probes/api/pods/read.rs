//! The walk through the JSON of a page, object by object.

use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::model::link::ListedPod;
use crate::probes::api::list::ListMeta;

use super::PodFold;
use super::shape::{Meta, Part, Phase};

/// One pod while it is read.
#[derive(Default)]
pub(super) struct Parts<'a> {
    pub(super) raw_meta: Option<&'a RawValue>,
    pub(super) meta: Option<Meta<'a>>,
    pub(super) spec: Part<'a>,
    pub(super) status: Part<'a>,
    /// It has succeeded or failed.
    pub(super) ended: bool,
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

/// Reads one pod.
pub(super) struct PodSeed<'f>(pub(super) &'f mut PodFold);

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
                    parts.ended = (map.next_value::<Option<Phase<'_>>>()?)
                        .is_some_and(|phase| phase.is_ended());
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

/// Reads a page of a list.
pub(super) struct ListSeed<'f>(pub(super) &'f mut PodFold);

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
