//! Quotas, limits and priorities.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::network::labels;
use super::{IntOrString, Meta, PARTS, Shape, field, or_default, texts};
use crate::model::objects::{Labels, Limit, LimitRange, PriorityClass, ResourceQuota};

/// Quantities by resource; the API server writes them as text, an object in etcd may hold a number.
type Quantities = BTreeMap<String, IntOrString>;

fn quantities(raw: &Quantities) -> Option<Labels> {
    let written = raw.iter().map(|(name, value)| {
        let value = match value {
            IntOrString::Int(number) => number.to_string(),
            IntOrString::String(text) => text.clone(),
        };
        (name.clone(), value)
    });
    labels(&written.collect())
}

#[derive(Deserialize)]
pub(super) struct QuotaItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: QuotaSpec,
    #[serde(default, deserialize_with = "or_default")]
    status: QuotaStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct QuotaSpec {
    #[serde(deserialize_with = "or_default")]
    hard: Quantities,
    #[serde(deserialize_with = "or_default")]
    scopes: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct QuotaStatus {
    #[serde(deserialize_with = "or_default")]
    used: Quantities,
}

impl Shape for QuotaItem {
    type Kept = ResourceQuota;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<ResourceQuota> {
        Some(ResourceQuota {
            namespace: field(&self.metadata.namespace),
            name: field(&self.metadata.name),
            hard: quantities(&self.spec.hard)?,
            used: quantities(&self.status.used)?,
            scopes: texts(&self.spec.scopes),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct RangeItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: RangeSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RangeSpec {
    #[serde(deserialize_with = "or_default")]
    limits: Vec<LimitItem>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LimitItem {
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "or_default")]
    default: Quantities,
    #[serde(deserialize_with = "or_default")]
    default_request: Quantities,
    #[serde(deserialize_with = "or_default")]
    min: Quantities,
    #[serde(deserialize_with = "or_default")]
    max: Quantities,
}

impl Shape for RangeItem {
    type Kept = LimitRange;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<LimitRange> {
        let limit = |read: &LimitItem| {
            Some(Limit {
                kind: field(&read.kind),
                default: quantities(&read.default)?,
                default_request: quantities(&read.default_request)?,
                min: quantities(&read.min)?,
                max: quantities(&read.max)?,
            })
        };
        let limits: Option<_> = self.spec.limits.iter().take(PARTS).map(limit).collect();
        Some(LimitRange {
            namespace: field(&self.metadata.namespace),
            name: field(&self.metadata.name),
            limits: limits?,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PriorityItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default)]
    value: i32,
    #[serde(default)]
    global_default: bool,
}

impl Shape for PriorityItem {
    type Kept = PriorityClass;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<PriorityClass> {
        Some(PriorityClass {
            name: field(&self.metadata.name),
            value: self.value,
            global_default: self.global_default,
        })
    }
}
