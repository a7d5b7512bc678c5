//! Nodes: what a check reads of them, and where they can be reached.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::fact::Gap;
use crate::model::name::NodeName;
use crate::model::node::{NodeObject, Taint};

use super::list::{List, Page, or_default};
use super::{field, garbled};

/// The request.
pub const PATH: &str = "/api/v1/nodes";

/// Trimmed: `status.images` and `volumesInUse` are most of a Node and are never read.
#[derive(Debug, Deserialize)]
struct Item {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: Spec,
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
struct Spec {
    #[serde(default, rename = "providerID")]
    provider_id: String,
    #[serde(default, deserialize_with = "or_default")]
    taints: Vec<TaintItem>,
}

#[derive(Debug, Deserialize)]
struct TaintItem {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    effect: String,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default, deserialize_with = "or_default")]
    conditions: Vec<Condition>,
    #[serde(default, deserialize_with = "or_default")]
    addresses: Vec<Address>,
    #[serde(default, rename = "nodeInfo", deserialize_with = "or_default")]
    system: System,
    #[serde(default, deserialize_with = "or_default")]
    allocatable: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    status: String,
}

#[derive(Debug, Deserialize)]
struct Address {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    address: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct System {
    #[serde(rename = "machineID")]
    machine_id: String,
    #[serde(rename = "bootID")]
    boot_id: String,
    kubelet_version: String,
    os_image: String,
}

/// A node and its name.
pub type Named = (NodeName, NodeObject);

/// Reads a page of a list.
///
/// # Errors
/// [`Gap::Garbled`] where it is not a list of nodes.
pub fn page(body: &[u8]) -> Result<Page<Named>, Gap> {
    let list: List<Item> =
        serde_json::from_slice(body).map_err(|error| garbled("list of nodes", &error))?;
    let total = list.items.len();
    let items: Vec<_> = list.items.into_iter().filter_map(item).collect();
    let unread = total - items.len();
    Ok(list.metadata.page(items, unread))
}

/// Reads one object and its version; none where its name is not one that a Node can have.
///
/// # Errors
/// [`Gap::Garbled`] where it is not a node.
pub fn one(object: &str) -> Result<(Option<Named>, String), Gap> {
    let read: Item = serde_json::from_str(object).map_err(|error| garbled("node", &error))?;
    let version = read.metadata.version.clone();
    Ok((item(read), version))
}

fn item(read: Item) -> Option<Named> {
    let Item {
        metadata,
        spec,
        status,
    } = read;
    let name = NodeName::parse(&metadata.name).ok()?;
    let object = NodeObject {
        uid: field(&metadata.uid),
        labels: metadata
            .labels
            .iter()
            .map(|(key, value)| (field(key), field(value)))
            .collect(),
        taints: spec.taints.iter().map(taint).collect(),
        ready: status
            .conditions
            .iter()
            .find(|condition| condition.kind == "Ready")
            .map(|condition| field(&condition.status)),
        addresses: status
            .addresses
            .iter()
            .map(|address| (field(&address.kind), field(&address.address)))
            .collect(),
        machine_id: field(&status.system.machine_id),
        boot_id: field(&status.system.boot_id),
        kubelet_version: field(&status.system.kubelet_version),
        os_image: field(&status.system.os_image),
        resource_version: field(&metadata.version),
        provider_id: field(&spec.provider_id),
        allocatable: status
            .allocatable
            .iter()
            .filter(|(name, _)| ["cpu", "memory"].contains(&name.as_str()))
            .map(|(name, amount)| (field(name), field(amount)))
            .collect::<BTreeMap<_, _>>()
            .into(),
    };
    Some((name, object))
}

fn taint(read: &TaintItem) -> Taint {
    Taint {
        key: field(&read.key),
        value: field(&read.value),
        effect: field(&read.effect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = r#"{"metadata":{"name":"cp-1","uid":"n-1","resourceVersion":"41",
      "labels":{"node-role.kubernetes.io/control-plane":""}},
     "spec":{"podCIDR":"10.244.0.0/24","taints":[{"key":"node-role.kubernetes.io/control-plane","effect":"NoSchedule"}]},
     "status":{"conditions":[{"type":"MemoryPressure","status":"False"},{"type":"Ready","status":"True"}],
      "addresses":[{"type":"InternalIP","address":"198.51.100.11"},{"type":"Hostname","address":"cp-1"}],
      "images":[{"names":["a"],"sizeBytes":1}],
      "nodeInfo":{"machineID":"m","bootID":"b","kubeletVersion":"v1.37.2","osImage":"Debian\u001b]0;x\u0007"}}}"#;

    #[test]
    fn a_node_is_read() {
        let (node, version) = one(NODE).expect("a node");
        let (name, node) = node.expect("a usable name");
        assert_eq!((name.as_str(), version.as_str()), ("cp-1", "41"));
        assert!(node.is_control_plane());
        assert_eq!(node.taints[0].effect, "NoSchedule");
        assert_eq!(node.ready, Some("True".into()));
        assert_eq!(node.addresses[0].1, "198.51.100.11");
        assert_eq!(node.machine_id, "m");
        assert_eq!(node.os_image, r"Debian\x1b]0;x\x07");
        assert_eq!(node.resource_version, "41");
    }

    #[test]
    fn a_hostile_name_is_counted_and_left_out() {
        let body = format!(
            r#"{{"metadata":null,"items":[{NODE},{{"metadata":{{"name":"-oProxyCommand=x"}}}},{{}}]}}"#
        );
        let page = page(body.as_bytes()).expect("a list");
        assert_eq!((page.items.len(), page.unread), (1, 2));
        assert_eq!(page.next, None);
    }

    #[test]
    fn a_new_node_has_no_status_yet() {
        let (node, _) =
            one(r#"{"metadata":{"name":"w-9"},"spec":{},"status":{"conditions":null}}"#)
                .expect("a node");
        assert_eq!(node.expect("a usable name").1.ready, None);
    }
}
