//! Objects of the API server as YAML-like text, each line with the field that it shows.

use std::collections::BTreeMap;

use crate::model::cluster::Namespace;
use crate::model::node::NodeObject;
use crate::model::pod::{Mirror, PodId};
use crate::model::text::Text;
use crate::model::tree::{Branch, Tree};
use crate::model::uses::MountSource;

/// How deep an object is written; deeper parts are named, not shown.
const DEPTH: usize = 24;
/// How many lines an object may have.
const LINES: usize = 4000;

/// One line of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The field paths with list indexes (`spec.containers[0].image`) that the line shows.
    pub fields: Vec<String>,
    pub text: Text,
}

impl Row {
    fn new(field: &str, text: impl Into<Text>) -> Self {
        Self {
            fields: (!field.is_empty())
                .then(|| field.to_owned())
                .into_iter()
                .collect(),
            text: text.into(),
        }
    }
}

/// A pod: what identifies it and its spec, without status and managed fields.
pub(super) fn pod(raw: &Tree) -> Vec<Row> {
    let mut out = Vec::new();
    if let Branch::Object(members) = raw.root() {
        for (key, value) in members.iter() {
            if key == "status" {
                continue;
            }
            entry(&mut out, 0, (key, key), value);
        }
    }
    out
}

/// An object with everything that is kept of it.
pub(super) fn whole(kept: &Tree) -> Vec<Row> {
    let mut out = Vec::new();
    if let Branch::Object(members) = kept.root() {
        for (key, value) in members.iter() {
            entry(&mut out, 0, (key, key), value);
        }
    }
    out
}

/// Names, one a line; `of`: how many there are in all.
pub(super) fn lines(names: impl Iterator<Item = String>, of: usize) -> Vec<Row> {
    let mut out: Vec<Row> = names.map(|name| Row::new("", name)).collect();
    if out.is_empty() {
        out.push(Row::new("", "(none)"));
    } else if out.len() < of {
        out.push(Row::new("", format!("... {} more", of - out.len())));
    }
    out
}

pub(super) fn mirror_names(mirrors: &[Mirror]) -> Vec<Row> {
    if mirrors.is_empty() {
        return vec![Row::new("", "(none)")];
    }
    mirrors
        .iter()
        .map(|mirror| {
            let pod = &mirror.pod;
            Row::new(
                "",
                format!("{}/{}  {}", pod.namespace, pod.name, mirror.uid),
            )
        })
        .collect()
}

pub(super) fn pod_ids(pods: &[PodId]) -> Vec<Row> {
    if pods.is_empty() {
        return vec![Row::new("", "(none)")];
    }
    pods.iter()
        .map(|pod| Row::new("", format!("{}/{}  {}", pod.namespace, pod.name, pod.uid)))
        .collect()
}

/// One pod with what is kept of where it leads to.
pub(super) fn pod_use(pod: &PodId) -> Vec<Row> {
    let mut out = pod_ids(std::slice::from_ref(pod));
    let Some(uses) = &pod.uses else {
        return out;
    };
    if !uses.account.is_empty() {
        let text = format!("spec.serviceAccountName: {}, with its token", uses.account);
        out.push(Row::new("", text));
    }
    for mount in &uses.mounts {
        let (kind, place) = match &mount.source {
            MountSource::Path(path) => ("hostPath", path),
            MountSource::Claim(claim) => ("persistentVolumeClaim", claim),
        };
        let mode = if mount.writable {
            "writable"
        } else {
            "read-only"
        };
        let user = if mount.root {
            "by a container that may be root"
        } else {
            "by a container that is not root"
        };
        out.push(Row::new("", format!("{kind} {place}: {mode}, {user}")));
    }
    if uses.cut {
        out.push(Row::new("", "... more volumes than are kept"));
    }
    out
}

pub(super) fn node(node: &NodeObject) -> Vec<Row> {
    let mut out = vec![
        Row::new("", format!("uid: {}", node.uid)),
        Row::new(
            "",
            format!(
                "ready: {}",
                node.ready.as_ref().map_or("no condition", Text::as_str)
            ),
        ),
        Row::new("", format!("kubeletVersion: {}", node.kubelet_version)),
        Row::new("", format!("osImage: {}", node.os_image)),
        Row::new("", format!("machineID: {}", node.machine_id)),
        Row::new("", format!("bootID: {}", node.boot_id)),
    ];
    for (kind, address) in &node.addresses {
        out.push(Row::new("", format!("{kind}: {address}")));
    }
    out.push(Row::new(
        "spec.taints",
        if node.taints.is_empty() {
            "taints: []"
        } else {
            "taints:"
        },
    ));
    for (index, taint) in node.taints.iter().enumerate() {
        let value = if taint.value.is_empty() {
            String::new()
        } else {
            format!("={}", taint.value)
        };
        out.push(Row::new(
            &format!("spec.taints[{index}]"),
            format!("- {}{value}:{}", taint.key, taint.effect),
        ));
    }
    labels(&mut out, &node.labels);
    out
}

pub(super) fn namespace(namespace: &Namespace) -> Vec<Row> {
    let mut out = vec![
        Row::new("", format!("{}  {}", namespace.name, namespace.phase)),
        Row::new("", format!("uid: {}", namespace.uid)),
    ];
    labels(&mut out, &namespace.labels);
    out
}

fn labels(out: &mut Vec<Row>, labels: &BTreeMap<Text, Text>) {
    out.push(Row::new(
        "metadata.labels",
        if labels.is_empty() {
            "labels: {}"
        } else {
            "labels:"
        },
    ));
    for (key, value) in labels {
        out.push(Row::new(
            &format!("metadata.labels[{key}]"),
            format!("  {key}: {value}"),
        ));
    }
}

/// One `key: value` of a map; `names` are the full path and the key.
fn entry(out: &mut Vec<Row>, indent: usize, names: (&str, &str), value: Branch<'_>) {
    let (path, key) = names;
    let head = format!("{}{key}:", " ".repeat(indent));
    nested(out, indent, (path, &head), value);
}

/// A value behind `head`: on the same line where it is a scalar, on the next ones otherwise.
fn nested(out: &mut Vec<Row>, indent: usize, (path, head): (&str, &str), value: Branch<'_>) {
    if out.len() >= LINES {
        return;
    }
    match value {
        Branch::Object(_) | Branch::Array(_) if indent / 2 >= DEPTH => {
            out.push(Row::new(path, format!("{head} ...")));
        }
        Branch::Object(members) if !members.is_empty() => {
            out.push(Row::new(path, head));
            for (key, value) in members.iter() {
                entry(out, indent + 2, (&join(path, key), key), value);
            }
        }
        Branch::Array(items) if !items.is_empty() => {
            out.push(Row::new(path, head));
            for (index, value) in items.iter().enumerate() {
                item(out, indent, &format!("{path}[{index}]"), value);
            }
        }
        scalar => out.push(Row::new(path, format!("{head} {}", plain(scalar)))),
    }
}

/// One item of a list, its first line behind a dash.
fn item(out: &mut Vec<Row>, indent: usize, path: &str, value: Branch<'_>) {
    let dash = format!("{}-", " ".repeat(indent));
    let Branch::Object(members) = value else {
        nested(out, indent + 2, (path, &dash), value);
        return;
    };
    let from = out.len();
    if indent / 2 >= DEPTH {
        out.push(Row::new(path, format!("{dash} ...")));
        return;
    }
    for (key, value) in members.iter() {
        entry(out, indent + 2, (&join(path, key), key), value);
    }
    match out.get_mut(from) {
        Some(first) => {
            let rest = first.text.as_str().trim_start().to_owned();
            first.text = Text::from(format!("{dash} {rest}"));
        }
        None => out.push(Row::new(path, format!("{dash} {{}}"))),
    }
}

fn plain(value: Branch<'_>) -> String {
    match value {
        Branch::Null => "null".to_owned(),
        Branch::String("") => "\"\"".to_owned(),
        Branch::String(text) => text.to_owned(),
        Branch::Array(_) => "[]".to_owned(),
        Branch::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    }
}

fn join(path: &str, key: &str) -> String {
    if key.contains(['.', '[', '/']) {
        format!("{path}[{key}]")
    } else {
        format!("{path}.{key}")
    }
}

/// The field path with list indexes for one that names items (`spec.containers[etcd].image`), as `raw` has them.
///
/// `None` where the object has no such item.
pub fn resolve(raw: &Tree, path: &str) -> Option<String> {
    let mut at = raw.root();
    let mut out = String::new();
    for part in split(path) {
        match part {
            Part::Key(key) => {
                at = at.get(key)?;
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
            }
            Part::Item(name) => {
                if let Some(value) = at.as_object() {
                    at = value.get(name)?;
                    out.push_str(&format!("[{name}]"));
                    continue;
                }
                let items = at.as_array()?;
                let named = items
                    .iter()
                    .position(|item| item.get("name").and_then(Branch::as_str) == Some(name));
                let index = named.or_else(|| name.parse().ok())?;
                at = items.get(index)?;
                out.push_str(&format!("[{index}]"));
            }
        }
    }
    Some(out)
}

enum Part<'a> {
    Key(&'a str),
    Item(&'a str),
}

fn split(path: &str) -> Vec<Part<'_>> {
    let mut out = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let Some((name, tail)) = inside.split_once(']') else {
                break;
            };
            out.push(Part::Item(name));
            rest = tail;
        } else {
            let rest_of = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest_of.find(['.', '[']).unwrap_or(rest_of.len());
            if end == 0 && rest_of.len() == rest.len() {
                break;
            }
            if end > 0 {
                out.push(Part::Key(&rest_of[..end]));
            }
            rest = &rest_of[end..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_items_become_indexes() {
        let raw = json!({"spec": {"containers": [{"name": "a"}, {"name": "etcd", "command": ["x", "y"]}]},
            "metadata": {"annotations": {"k8s.io/x": "1"}}});
        let raw = Tree::try_from(raw).expect("a small pod");
        for (path, found) in [
            (
                "spec.containers[etcd].command[1]",
                Some("spec.containers[1].command[1]"),
            ),
            ("spec.containers[0].name", Some("spec.containers[0].name")),
            ("spec.containers[etcd].image", None),
            ("spec.containers[b]", None),
            (
                "metadata.annotations[k8s.io/x]",
                Some("metadata.annotations[k8s.io/x]"),
            ),
        ] {
            assert_eq!(resolve(&raw, path).as_deref(), found, "{path}");
        }
    }

    #[test]
    fn broken_paths_end() {
        let raw = Tree::try_from(json!({"a": {"b": 1}})).expect("a small object");
        for path in ["[", "[]", ".", "..", "a..b", "]", "a[", "[[x]]", ""] {
            resolve(&raw, path);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let mut value = json!(1);
        for _ in 0..90 {
            value = json!({"a": [value]});
        }
        let value = Tree::try_from(value).expect("not that deep");
        assert!(pod(&value).len() < 100);
    }
}
