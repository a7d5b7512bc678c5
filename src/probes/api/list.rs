//! Lists as the API server pages them.

use serde::{Deserialize, Deserializer};

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The list's version, from which a watch goes on.
    pub version: String,
    /// The token for the page after this one.
    pub next: Option<String>,
    /// Objects that were on the page and cannot be told apart from others: no name, or one that no server gives.
    pub unread: usize,
}

/// `metadata` of a list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListMeta {
    #[serde(default, rename = "resourceVersion")]
    pub version: String,
    #[serde(default, rename = "continue")]
    next: String,
}

impl ListMeta {
    /// A page with this metadata.
    pub(super) fn page<T>(self, items: Vec<T>, unread: usize) -> Page<T> {
        Page {
            items,
            version: self.version,
            next: (!self.next.is_empty()).then_some(self.next),
            unread,
        }
    }
}

/// A list of few and small objects, read as one.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct List<T> {
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: ListMeta,
    /// Required: a Status or any other object must not read as an empty list.
    #[serde(deserialize_with = "or_default")]
    pub items: Vec<T>,
}

/// `null` as the empty value: Go writes an empty slice, map or pointer that way.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
