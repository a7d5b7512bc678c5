//! Whether a node meets nodeSelector and required node affinity, as the kubelet asks before it admits a pod
//! (k8s.io/component-helpers scheduling/corev1/nodeaffinity).

use crate::model::node::NodeObject;
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fits {
    Yes,
    No,
    /// It asks for something that is not evaluated here.
    Unclear,
}

/// Whether the node is one that the pod's spec asks for.
pub fn fits(spec: Branch<'_>, node: &NodeObject, name: &str) -> Fits {
    if let Some(selector) = spec.get("nodeSelector").and_then(Branch::as_object) {
        let mut wanted = selector.iter();
        if wanted.any(|(key, value)| label(node, key) != value.as_str()) {
            return Fits::No;
        }
    }
    let path =
        "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let Some(terms) = spec.pointer(path).and_then(Branch::as_array) else {
        return Fits::Yes;
    };
    let mut best = Fits::No;
    for term in terms.iter() {
        match meets(term, node, name) {
            Fits::Yes => return Fits::Yes,
            Fits::Unclear => best = Fits::Unclear,
            Fits::No => {}
        }
    }
    best
}

fn label<'n>(node: &'n NodeObject, key: &str) -> Option<&'n str> {
    node.labels.get(&Text::new(key)).map(Text::as_str)
}

/// A term without requirements meets no node.
fn meets(term: Branch<'_>, node: &NodeObject, name: &str) -> Fits {
    let list = |field: &str| {
        let items = term.get(field).and_then(Branch::as_array);
        items.into_iter().flat_map(Items::iter)
    };
    let mut asked = false;
    for wanted in list("matchExpressions") {
        asked = true;
        let key = wanted.get("key").and_then(Branch::as_str).unwrap_or("");
        match requirement(wanted, label(node, key)) {
            Fits::Yes => {}
            other => return other,
        }
    }
    for wanted in list("matchFields") {
        asked = true;
        if wanted.get("key").and_then(Branch::as_str) != Some("metadata.name") {
            return Fits::Unclear;
        }
        match requirement(wanted, Some(name)) {
            Fits::Yes => {}
            other => return other,
        }
    }
    if asked { Fits::Yes } else { Fits::No }
}

fn requirement(wanted: Branch<'_>, value: Option<&str>) -> Fits {
    let values = wanted.get("values").and_then(Branch::as_array);
    let values: Vec<&str> = (values.into_iter().flat_map(Items::iter))
        .filter_map(Branch::as_str)
        .collect();
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
    let pair = || Some((number(value)?, number(values.first().copied())?));
    let holds = match wanted.get("operator").and_then(Branch::as_str) {
        Some("In") => value.is_some_and(|value| values.contains(&value)),
        Some("NotIn") => value.is_none_or(|value| !values.contains(&value)),
        Some("Exists") => value.is_some(),
        Some("DoesNotExist") => value.is_none(),
        Some("Gt") => pair().is_some_and(|(own, bound)| own > bound),
        Some("Lt") => pair().is_some_and(|(own, bound)| own < bound),
        _ => return Fits::Unclear,
    };
    if holds { Fits::Yes } else { Fits::No }
}
