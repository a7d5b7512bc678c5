//! The lab's cluster as data: `fleet.yaml` read, groups expanded, both halves of every node on demand.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::describe::spec::Workloads;
use crate::describe::{Clock, Description, Node, uuid};

/// The fleet that is shipped.
pub const SHIPPED: &str = include_str!("fleet.yaml");

/// `fleet.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    version: String,
    /// Names to labels.
    namespaces: BTreeMap<String, Map<String, Value>>,
    /// What is to be found about the cluster as a whole.
    #[serde(default)]
    finds: BTreeMap<String, String>,
    /// Other objects of the API server, by resource.
    #[serde(default)]
    objects: BTreeMap<String, Vec<Value>>,
    groups: BTreeMap<String, Group>,
    nodes: BTreeMap<String, Value>,
}

/// Nodes of one kind; the rest of its keys is a description.
#[derive(Clone, Debug, Deserialize)]
struct Group {
    count: usize,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// One node by name; built when it is asked for, so that thousands cost nothing.
#[derive(Clone, Debug)]
pub struct Member {
    pub name: String,
    pub group: String,
    pub spec: Arc<Description>,
    /// Whether `fleet.yaml` tells a story of it.
    pub story: bool,
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct Fleet {
    pub name: String,
    pub version: String,
    namespaces: BTreeMap<String, Map<String, Value>>,
    pub finds: BTreeMap<String, String>,
    pub members: Vec<Member>,
    objects: BTreeMap<String, Vec<Value>>,
    /// The last so many members only make up the number.
    pub extra: usize,
    pub clock: Clock,
}

impl Fleet {
    /// The shipped fleet.
    pub fn shipped(clock: Clock) -> Self {
        Self::read(SHIPPED, clock)
    }

    /// Reads a fleet.
    ///
    /// # Panics
    /// On a file that makes no sense, with the parser's words: it is ours.
    pub fn read(text: &str, clock: Clock) -> Self {
        // Through JSON: enums are spelled as maps there.
        let value: Value = serde_yaml::from_str(text).expect("a fleet is YAML");
        let mut file: File = serde_json::from_value(value).expect("a fleet");
        let mut members = Vec::new();
        for (group, Group { count, rest }) in &file.groups {
            let base = Arc::new(description(Value::Object(rest.clone()), group));
            for number in 1..=*count {
                let name = if *count < 10 {
                    format!("{group}-{number}")
                } else {
                    format!("{group}-{number:02}")
                };
                let own = file.nodes.remove(&name);
                let spec = own.as_ref().map_or_else(
                    || Arc::clone(&base),
                    |own| Arc::new(described(rest, own, &name)),
                );
                members.push(Member {
                    group: group.clone(),
                    spec,
                    story: own.is_some(),
                    name,
                });
            }
        }
        assert!(
            file.nodes.is_empty(),
            "no group has {:?}",
            file.nodes.keys()
        );
        Self {
            name: file.name,
            version: file.version,
            namespaces: file.namespaces,
            finds: file.finds,
            members,
            objects: file.objects,
            extra: 0,
            clock,
        }
    }

    /// Only these nodes.
    #[must_use]
    pub fn only(mut self, names: &[&str]) -> Self {
        self.members
            .retain(|member| names.contains(&member.name.as_str()));
        assert_eq!(self.members.len(), names.len(), "{names:?}");
        self
    }

    /// So many nodes and about so many pods: clean workers are added, and ordinary pods to those.
    #[must_use]
    pub fn scaled(mut self, nodes: usize, pods: usize) -> Self {
        let more = nodes.saturating_sub(self.members.len());
        let each = pods.checked_div(more).unwrap_or(0);
        self.extra = more;
        let spec = Arc::new(Description {
            workloads: Workloads::Count(each.saturating_sub(1)),
            ..Description::default()
        });
        self.members.extend((1..=more).map(|number| Member {
            name: format!("pool-x-{number:05}"),
            group: "pool-x".to_owned(),
            spec: Arc::clone(&spec),
            story: false,
        }));
        self
    }

    /// Builds a node at an address.
    pub fn node(&self, index: usize, address: &str) -> Node {
        let member = &self.members[index];
        member.spec.build(&member.name, address, self.clock)
    }

    pub fn index(&self, name: &str) -> usize {
        let found = self.members.iter().position(|member| member.name == name);
        found.unwrap_or_else(|| panic!("no node {name}"))
    }

    pub fn namespace_names(&self) -> Vec<String> {
        self.namespaces.keys().cloned().collect()
    }

    /// Everything that is neither node, pod nor namespace, each with its resource; `addresses`: of the nodes.
    pub fn objects(&self, addresses: &[String]) -> Vec<(String, Value)> {
        let mut all: Vec<(String, Value)> = Vec::new();
        for (resource, list) in &self.objects {
            for (number, object) in list.iter().enumerate() {
                let mut object = object.clone();
                object["metadata"]["uid"] = json!(uuid(&[resource, &number.to_string()]));
                object["metadata"]["resourceVersion"] = json!((100 + number).to_string());
                all.push((resource.clone(), object));
            }
        }
        let servers = self.members.iter().zip(addresses);
        let endpoints: Vec<Value> = servers
            .filter(|(member, _)| member.spec.is_control_plane())
            .map(|(_, address)| json!({"addresses": [address], "conditions": {"ready": true}}))
            .collect();
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "addressType": "IPv4",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "endpoints": endpoints,
            "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
        });
        all.push(("endpointslices".to_owned(), slice));
        all
    }

    /// Namespaces as the API server has them.
    pub fn namespaces(&self) -> Vec<Value> {
        let one = |(number, (name, labels)): (usize, (&String, &Map<String, Value>))| {
            let mut labels = labels.clone();
            labels.insert("kubernetes.io/metadata.name".to_owned(), json!(name));
            json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": name,
                    "labels": labels,
                    "uid": uuid(&["namespace", &self.name, name]),
                    "resourceVersion": (10 + number).to_string(),
                },
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            })
        };
        self.namespaces.iter().enumerate().map(one).collect()
    }
}

/// A node's keys over those of its group.
fn described(group: &Map<String, Value>, own: &Value, name: &str) -> Description {
    let mut all = group.clone();
    all.extend(own.as_object().cloned().unwrap_or_default());
    // Of a node that cannot be read whole nothing else is found.
    if let Some(only) = all.remove("finds_only") {
        all.insert("finds".to_owned(), only);
        return description(Value::Object(all), name);
    }
    let rows = |of: &Map<String, Value>| of.get("finds").and_then(Value::as_object).cloned();
    // What every node of the group has is found on this one as well.
    let mut finds = rows(group).unwrap_or_default();
    finds.extend(rows(&all).unwrap_or_default());
    all.insert("finds".to_owned(), Value::Object(finds));
    description(Value::Object(all), name)
}

fn description(value: Value, name: &str) -> Description {
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{name}: {error}"))
}
