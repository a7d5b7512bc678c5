//! The pods that an object asks for: a Pod, the template of a workload, or those of a list.
//!
//! The kinds are those that Pod Security Admission looks into (DefaultPodSpecExtractor of
//! k8s.io/pod-security-admission), since whoever checks a file wants the answer for what it would become.

use serde_json::Value;

use super::pod;
use crate::model::pod::Pod;

/// Lists within lists are followed this far; no client writes any.
const DEPTH: usize = 8;

/// One object of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// `Pod`, `Deployment`; as written.
    pub kind: String,
    /// `metadata.namespace` and `metadata.name` as written, `generateName` in its stead; either may be empty.
    pub namespace: String,
    pub name: String,
    /// JSON pointer of the pod, or of the object where it holds none, from the root of the document.
    pub pointer: String,
    pub holds: Holds,
}

/// What an object is to somebody who looks for pods.
#[derive(Clone, Debug, PartialEq)]
pub enum Holds {
    /// A pod, named as its object is.
    Pod(Pod),
    /// Nothing that runs.
    Nothing,
    /// It should hold a pod and does not, or it is no object at all.
    Invalid(String),
}

/// The objects of a document, in their order.
pub fn objects(document: &Value) -> Vec<Object> {
    let mut all = Vec::new();
    gather(document, String::new(), None, DEPTH, &mut all);
    all
}

/// `assumed`: the kind of a list's items, which need not say it.
fn gather(
    value: &Value,
    pointer: String,
    assumed: Option<(&str, &str)>,
    depth: usize,
    all: &mut Vec<Object>,
) {
    let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let (mut version, mut kind) = (word("apiVersion"), word("kind"));
    if let (Some(assumed), true) = (assumed, version.is_empty() && kind.is_empty()) {
        (version, kind) = assumed;
    }
    let items = value.get("items").and_then(Value::as_array);
    if let (Some(of), Some(items), true) = (kind.strip_suffix("List"), items, depth > 0) {
        let assumed = (!of.is_empty()).then_some((version, of));
        for (at, item) in items.iter().enumerate() {
            gather(
                item,
                format!("{pointer}/items/{at}"),
                assumed,
                depth - 1,
                all,
            );
        }
        return;
    }
    all.push(object(value, (version, kind), pointer));
}

fn object(value: &Value, (version, kind): (&str, &str), pointer: String) -> Object {
    let name = match pod::word_at(value, "/metadata/name") {
        "" => pod::word_at(value, "/metadata/generateName"),
        name => name,
    };
    let template = template(version, kind);
    let holds = if !value.is_object() {
        Holds::Invalid("not an object".to_owned())
    } else if version.is_empty() {
        Holds::Invalid("apiVersion is missing".to_owned())
    } else if kind.is_empty() {
        Holds::Invalid("kind is missing".to_owned())
    } else if kind == "Pod" && is_core(version) && name.is_empty() {
        Holds::Invalid("invalid pod: name is needed for the pod".to_owned())
    } else {
        match template.map(|template| value.pointer(template)) {
            None => Holds::Nothing,
            // A PodTemplate may hold none; every other workload has to.
            Some(None | Some(Value::Null)) if kind == "PodTemplate" => Holds::Nothing,
            Some(found) => match held(value, found.unwrap_or(&Value::Null)) {
                Ok(pod) => Holds::Pod(pod),
                Err(message) => Holds::Invalid(message),
            },
        }
    };
    Object {
        kind: kind.to_owned(),
        namespace: pod::word_at(value, "/metadata/namespace").to_owned(),
        name: name.to_owned(),
        pointer: match &holds {
            Holds::Pod(_) => pointer + template.unwrap_or_default(),
            _ => pointer,
        },
        holds,
    }
}

/// The pod below an object, by the object's own name: a template has none.
fn held(object: &Value, pod: &Value) -> Result<Pod, String> {
    pod::conforms(pod)?;
    let mut named = pod::named(pod).map_err(|error| error.to_string())?;
    let owner = pod::named(object).map_err(|error| error.to_string())?;
    (named.namespace, named.name) = (owner.namespace, owner.name);
    Ok(named)
}

fn is_core(version: &str) -> bool {
    !version.contains('/')
}

/// Where a kind keeps its pod.
fn template(version: &str, kind: &str) -> Option<&'static str> {
    let group = version.split_once('/').map_or("", |(group, _)| group);
    Some(match (group, kind) {
        ("", "Pod") => "",
        ("", "PodTemplate") => "/template",
        ("", "ReplicationController")
        | ("apps" | "extensions", "ReplicaSet" | "Deployment" | "DaemonSet")
        | ("apps", "StatefulSet")
        | ("batch", "Job") => "/spec/template",
        ("batch", "CronJob") => "/spec/jobTemplate/spec/template",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec() -> Value {
        json!({"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": 1}}}]})
    }

    #[test]
    fn every_kind_that_admission_looks_into() {
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": spec()});
        for (version, kind, at) in [
            ("v1", "Pod", ""),
            ("v1", "PodTemplate", "/template"),
            ("v1", "ReplicationController", "/spec/template"),
            ("apps/v1", "ReplicaSet", "/spec/template"),
            ("apps/v1", "Deployment", "/spec/template"),
            ("extensions/v1beta1", "Deployment", "/spec/template"),
            ("apps/v1", "StatefulSet", "/spec/template"),
            ("apps/v1", "DaemonSet", "/spec/template"),
            ("batch/v1", "Job", "/spec/template"),
            (
                "batch/v1beta1",
                "CronJob",
                "/spec/jobTemplate/spec/template",
            ),
        ] {
            let mut value = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "n", "namespace": "x"}});
            match at {
                "" => value["spec"] = spec(),
                "/template" => value["template"] = template.clone(),
                "/spec/template" => value["spec"] = json!({"template": template}),
                _ => value["spec"] = json!({"jobTemplate": {"spec": {"template": template}}}),
            }
            let found = objects(&value);
            let [object] = found.as_slice() else {
                panic!("{kind}: {found:?}")
            };
            assert_eq!((object.pointer.as_str(), object.name.as_str()), (at, "n"));
            let Holds::Pod(pod) = &object.holds else {
                panic!("{kind}: {object:?}")
            };
            assert_eq!((pod.namespace.as_str(), pod.name.as_str()), ("x", "n"));
            let mut list = json!({"apiVersion": version, "kind": format!("{kind}List"), "items": [value, {"metadata": {"name": "m"}}]});
            list["items"][0]
                .as_object_mut()
                .expect("an object")
                .remove("kind");
            list["items"][0]
                .as_object_mut()
                .expect("an object")
                .remove("apiVersion");
            let found = objects(&list);
            assert_eq!(found.len(), 2);
            assert_eq!(found[0].pointer, format!("/items/0{at}"));
            assert!(matches!(found[0].holds, Holds::Pod(_)), "{found:?}");
        }
    }

    #[test]
    fn lists_and_strangers() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "g-"}, "spec": spec()});
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}});
        let list =
            json!({"apiVersion": "v1", "kind": "List", "items": [pod, service, {"a": 1}, 7]});
        let found = objects(&list);
        assert!(matches!(found[0].holds, Holds::Pod(_)));
        assert_eq!(found[0].name, "g-");
        assert_eq!(found[1].holds, Holds::Nothing);
        assert_eq!(
            found[2].holds,
            Holds::Invalid("apiVersion is missing".into())
        );
        assert_eq!(found[3].holds, Holds::Invalid("not an object".into()));
        // Other groups may use the names for what they like.
        let other =
            json!({"apiVersion": "batch.volcano.sh/v1", "kind": "Job", "metadata": {"name": "j"}});
        assert_eq!(objects(&other)[0].holds, Holds::Nothing);
        assert!(objects(&json!({"apiVersion": "v1", "kind": "List", "items": []})).is_empty());
    }

    #[test]
    fn what_should_hold_a_pod_and_does_not() {
        for value in [
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}),
            json!({"apiVersion": "v1", "kind": "Pod", "spec": spec()}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [], "hostPID": true}}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"hostPID": "yes", "containers": [{"name": "c"}]}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {}}),
            json!({"kind": "Pod", "spec": spec()}),
            json!({"apiVersion": "v1", "spec": spec()}),
            json!([]),
            json!("text"),
        ] {
            let found = objects(&value);
            assert!(
                matches!(found[0].holds, Holds::Invalid(_)),
                "{value}: {found:?}"
            );
        }
    }
}
