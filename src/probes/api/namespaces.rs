//! Namespaces: phase and labels.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::cluster::Namespace;
use crate::model::fact::Gap;
use crate::model::text::Text;

use super::list::{List, Page, or_default};
use super::{LONGEST_NAME, field, garbled};

/// The request.
pub const PATH: &str = "/api/v1/namespaces";

#[derive(Debug, Deserialize)]
struct Item {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Meta {
    #[serde(default)]
    name: String,
    #[serde(default)]
    uid: String,
    #[serde(default, rename = "resourceVersion")]
    version: String,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    phase: String,
}

/// Reads a page of a list.
///
/// # Errors
/// [`Gap::Garbled`] where it is not a list of namespaces.
pub fn page(body: &[u8]) -> Result<Page<Namespace>, Gap> {
    let list: List<Item> =
        serde_json::from_slice(body).map_err(|error| garbled("list of namespaces", &error))?;
    let total = list.items.len();
    let items: Vec<_> = list.items.into_iter().filter_map(item).collect();
    let unread = total - items.len();
    Ok(list.metadata.page(items, unread))
}

/// Reads one object and its version; none where it has no usable name.
///
/// # Errors
/// [`Gap::Garbled`] where it is not a namespace.
pub fn one(object: &str) -> Result<(Option<Namespace>, String), Gap> {
    let mut read: Item =
        serde_json::from_str(object).map_err(|error| garbled("namespace", &error))?;
    let version = std::mem::take(&mut read.metadata.version);
    Ok((item(read), version))
}

/// Reads the uid of one namespace: that of kube-system identifies the cluster.
///
/// # Errors
/// [`Gap::Garbled`] where the answer has none.
pub fn uid(body: &[u8]) -> Result<Text, Gap> {
    let read: Item = serde_json::from_slice(body).map_err(|error| garbled("namespace", &error))?;
    if read.metadata.uid.is_empty() {
        return Err(Gap::Garbled {
            what: "namespace without a uid".into(),
        });
    }
    Ok(field(&read.metadata.uid))
}

fn item(read: Item) -> Option<Namespace> {
    let Item { metadata, status } = read;
    if metadata.name.is_empty() || metadata.name.len() > LONGEST_NAME {
        return None;
    }
    Some(Namespace {
        name: field(&metadata.name),
        uid: field(&metadata.uid),
        phase: field(&status.phase),
        labels: metadata
            .labels
            .iter()
            .map(|(key, value)| (field(key), field(value)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_namespaces() {
        let page = page(
            br#"{"metadata":{"resourceVersion":"7","continue":"abc"},"items":[
            {"metadata":{"name":"kube-system","uid":"u-1","labels":{"kubernetes.io/metadata.name":"kube-system"}},
             "spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}},
            {"metadata":{"name":"a\u001b[2J","uid":"u-2","labels":null},"status":{"phase":"Terminating"}},
            {"metadata":{}}]}"#,
        )
        .expect("a list");
        assert_eq!(page.version, "7");
        assert_eq!(page.next.as_deref(), Some("abc"));
        assert_eq!(page.unread, 1);
        assert_eq!(page.items[0].name, "kube-system");
        assert_eq!(page.items[0].labels.len(), 1);
        assert_eq!(page.items[1].name, r"a\x1b[2J");
        assert_eq!(page.items[1].phase, "Terminating");
    }

    #[test]
    fn what_is_no_list_is_garbled() {
        for body in [
            &b"<html>"[..],
            b"[1]",
            b"",
            br#"{"items":[{"metadata":5}]}"#,
        ] {
            assert!(matches!(page(body), Err(Gap::Garbled { .. })), "{body:?}");
        }
    }
}
