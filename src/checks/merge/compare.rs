//! A manifest beside its mirror, field by field, after what the API server and the kubelet add.
//!
//! Lives here: the walk over two pods and its rows. Never lives here: what a difference means.

mod align;
mod defaults;
pub mod quantity;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Side3};

/// Deeper values are compared as a whole: no v1 Pod is that deep.
const DEPTH: usize = 32;

/// Every field of both pods, in the order of their paths, agreeing or not: `spec.containers[etcd].command[3]`.
///
/// `mirror` is the API server's copy on `node`. Both sides are brought to one form first (see `defaults`):
/// what the API server defaults, and what the kubelet adds to a static pod, is no difference. What is
/// about the copy alone (uid, versions, owner, status) is left out.
pub fn compare(manifest: &Pod, mirror: &Pod, node: &str) -> Vec<Comparison> {
    let left = defaults::canonical(manifest, Some(&mirror_name(manifest.name.as_str(), node)));
    let right = defaults::canonical(mirror, None);
    let mut rows = Rows::default();
    rows.walk("", Some(&left), Some(&right), DEPTH);
    rows.0
}

/// Every field of two states of one manifest, both brought to one form: `manifest` is now, `mirror` is before.
pub fn between(before: &Pod, now: &Pod) -> Vec<Comparison> {
    let (left, right) = (
        defaults::canonical(now, None),
        defaults::canonical(before, None),
    );
    let mut rows = Rows::default();
    rows.walk("", Some(&left), Some(&right), DEPTH);
    rows.0
}

/// The name under which the kubelet shows a static pod (pkg/kubelet/config/common.go).
pub fn mirror_name(name: &str, node: &str) -> String {
    format!("{name}-{}", node.to_ascii_lowercase())
}

/// The rows in which the sources differ.
pub fn differing(rows: &[Comparison]) -> impl Iterator<Item = &Comparison> {
    rows.iter().filter(|row| !row.agrees())
}

/// At most `limit` rows: differing ones are kept before agreeing ones, the order stays.
pub fn shortened(rows: Vec<Comparison>, limit: usize) -> Vec<Comparison> {
    let differ = differing(&rows).count();
    let mut agreeing = limit.saturating_sub(differ);
    let mut kept = Vec::with_capacity(limit.min(rows.len()));
    for row in rows {
        let keep = if row.agrees() {
            let room = agreeing > 0;
            agreeing = agreeing.saturating_sub(1);
            room
        } else {
            kept.len() < limit
        };
        if keep {
            kept.push(row);
        }
    }
    kept
}

#[derive(Default)]
struct Rows(Vec<Comparison>);

impl Rows {
    fn walk(&mut self, path: &str, left: Option<&Value>, right: Option<&Value>, depth: usize) {
        let object = |side: Option<&Value>| side.is_none_or(Value::is_object);
        let list = |side: Option<&Value>| side.is_none_or(Value::is_array);
        let whole = [left, right].iter().all(|side| is_empty(*side)) || depth == 0;
        if !whole && object(left) && object(right) {
            self.walk_object(path, left, right, depth - 1);
        } else if !whole && list(left) && list(right) {
            self.walk_list(path, left, right, depth - 1);
        } else {
            self.leaf(path, left, right);
        }
    }

    fn walk_object(
        &mut self,
        path: &str,
        left: Option<&Value>,
        right: Option<&Value>,
        depth: usize,
    ) {
        let sides = [left, right].map(|side| side.and_then(Value::as_object));
        let mut keys: Vec<&String> = sides.iter().flatten().flat_map(|map| map.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        let [left, right] = sides;
        for key in keys {
            let get = |side: Option<&'_ serde_json::Map<String, Value>>| {
                side.and_then(|map| map.get(key)).cloned()
            };
            let (left, right) = (get(left), get(right));
            self.walk(&join(path, key), left.as_ref(), right.as_ref(), depth);
        }
    }

    fn walk_list(&mut self, path: &str, left: Option<&Value>, right: Option<&Value>, depth: usize) {
        let [left, right] =
            [left, right].map(|side| side.and_then(Value::as_array).map_or(&[][..], |list| list));
        match (keyed(path, left), keyed(path, right)) {
            (Some(left), Some(right)) => self.walk_keyed(path, &left, &right, depth),
            _ => self.walk_plain(path, left, right, depth),
        }
    }

    /// Elements with names are matched by name; where the order of common names differs, that is a row of its own.
    fn walk_keyed(
        &mut self,
        path: &str,
        left: &[(String, &Value)],
        right: &[(String, &Value)],
        depth: usize,
    ) {
        let place: BTreeMap<&str, &Value> = right.iter().map(|(k, v)| (k.as_str(), *v)).collect();
        let known: BTreeMap<&str, &Value> = left.iter().map(|(k, v)| (k.as_str(), *v)).collect();
        for (key, value) in left {
            let at = format!("{path}[{key}]");
            self.walk(&at, Some(value), place.get(key.as_str()).copied(), depth);
        }
        for (key, value) in right {
            if !known.contains_key(key.as_str()) {
                self.walk(&format!("{path}[{key}]"), None, Some(value), depth);
            }
        }
        let common = |list: &[(String, &Value)], other: &BTreeMap<&str, &Value>| {
            let names = list.iter().map(|(key, _)| key.as_str());
            let shared: Vec<&str> = names.filter(|key| other.contains_key(key)).collect();
            shared.join(", ")
        };
        let (before, after) = (common(left, &place), common(right, &known));
        if before != after && !path.ends_with("volumes") && !path.ends_with("tolerations") {
            let path = format!("{path} (order)");
            self.leaf(&path, Some(&before.into()), Some(&after.into()));
        }
    }

    /// Elements without names are aligned, so that one that is missing is one row.
    fn walk_plain(&mut self, path: &str, left: &[Value], right: &[Value], depth: usize) {
        for pair in align::align(left, right) {
            let at = pair.left.or(pair.right).unwrap_or_default();
            self.walk(
                &format!("{path}[{at}]"),
                pair.left.and_then(|index| left.get(index)),
                pair.right.and_then(|index| right.get(index)),
                depth,
            );
        }
    }

    fn leaf(&mut self, path: &str, left: Option<&Value>, right: Option<&Value>) {
        let (manifest, mut mirror) = (side(left), side(right));
        let same = match (left, right) {
            (Some(left), Some(right)) => same(path, left, right),
            (left, right) => left.is_none() == right.is_none(),
        };
        let manifest = if same { mirror.clone() } else { manifest };
        if !same && manifest == mirror {
            // Two values that look the same once they are safe to draw must not read as agreement.
            mirror = Side3::Value(Text::from(format!("{} (other bytes)", shown(right))));
        }
        self.0.push(Comparison {
            field: Text::new(path),
            manifest,
            mirror,
            runtime: Side3::Unasked,
        });
    }
}

fn is_empty(side: Option<&Value>) -> bool {
    match side {
        None => true,
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        Some(_) => false,
    }
}

fn side(value: Option<&Value>) -> Side3 {
    match value {
        None => Side3::Absent,
        value => Side3::Value(Text::from(shown(value))),
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn same(path: &str, left: &Value, right: &Value) -> bool {
    if left == right {
        return true;
    }
    let scalar = |value: &Value| !value.is_object() && !value.is_array();
    if !scalar(left) || !scalar(right) {
        return false;
    }
    let (left, right) = (shown(Some(left)), shown(Some(right)));
    left == right || (quantity::is_at(path) && quantity::same(&left, &right))
}

/// `a.b`, or `a[b/c]` where the key is more than a plain word.
fn join(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric());
    match (path.is_empty(), plain) {
        (true, _) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (false, false) => format!("{path}[{key}]"),
    }
}

/// The merge key of a list, by its field (k8s.io/api/core/v1 `patchMergeKey`); a repeated key is numbered.
fn keyed<'v>(path: &str, list: &'v [Value]) -> Option<Vec<(String, &'v Value)>> {
    let field = path.rsplit('.').next().unwrap_or(path);
    let keys: &[&str] = match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "resourceClaims"
        | "sysctls" => &["name"],
        "volumeMounts" => &["mountPath"],
        "volumeDevices" => &["devicePath"],
        "ports" => &["containerPort", "protocol"],
        "hostAliases" => &["ip"],
        "tolerations" => &["key", "operator", "value", "effect"],
        _ => return None,
    };
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut out = Vec::with_capacity(list.len());
    for item in list {
        let parts: Vec<String> = keys
            .iter()
            .map(|key| shown(item.get(key)))
            .filter(|part| !part.is_empty())
            .collect();
        let name = parts.join("/");
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        out.push(match *count {
            1 => (name, item),
            more => (format!("{name}#{more}"), item),
        });
    }
    Some(out)
}
