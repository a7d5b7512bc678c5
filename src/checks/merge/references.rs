//! API objects that a static pod refers to, and what a kubelet makes of that.
//!
//! Lives here: the list of references (pkg/api/pod/util.go, `HasAPIObjectReference`), and the consequence by the
//! kubelet's version. Never lives here: a verdict.

use crate::checks::kubelet::setting::effective;
use crate::checks::version;
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};

/// The gate that lets a kubelet of 1.34 to 1.36 run such a pod again; later it is gone.
const GATE: &str = "featureGates.PreventStaticPodAPIReferences";

/// References of one pod that are told.
const REFERENCES: usize = 64;

/// One reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The plural that the kubelet names: `secrets`.
    pub kind: &'static str,
    /// The path of the field.
    pub field: String,
}

impl Reference {
    /// Whether the API server refuses a mirror for it, in every version (plugin/pkg/admission: noderestriction,
    /// serviceaccount).
    fn hides(&self) -> bool {
        [
            "serviceaccounts",
            "secrets",
            "configmaps",
            "persistentvolumeclaims",
        ]
        .contains(&self.kind)
            && !self.field.ends_with(".ephemeral")
    }
}

/// What the kubelet of a node makes of a pod with references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It runs, and its mirror is refused.
    Hidden,
    /// It runs and is shown, until the kubelet is upgraded.
    Shown,
    /// It is not started.
    Refused,
    /// Which of these is not known: the kubelet's version or its gates are not.
    Untold,
}

/// What becomes of a pod with these references on a node.
pub fn fate(node: &NodeFacts, references: &[Reference]) -> Fate {
    let runs = if references.iter().any(Reference::hides) {
        Fate::Hidden
    } else {
        Fate::Shown
    };
    match version::kubelet(node) {
        None => Fate::Untold,
        Some(..34) => runs,
        Some(37..) => Fate::Refused,
        Some(_) => {
            let gate = node.host.kubelet.get().and_then(|kubelet| {
                let gate = effective(kubelet, GATE)?;
                Ok(gate.and_then(|gate| gate.value.as_bool()).unwrap_or(true))
            });
            match gate {
                Ok(true) => Fate::Refused,
                Ok(false) => runs,
                Err(_) => Fate::Untold,
            }
        }
    }
}

/// Every reference to an API object, in the order of the fields; at most 64.
pub fn references(pod: &Pod) -> Vec<Reference> {
    let mut found = Found(Vec::new());
    let spec = pod.spec();
    for name in ["serviceAccountName", "serviceAccount"] {
        if is_set(spec.get(name)) {
            found.add("serviceaccounts", format!("spec.{name}"));
        }
    }
    if items(spec, "imagePullSecrets").next().is_some() {
        found.add("secrets", "spec.imagePullSecrets".to_owned());
    }
    if items(spec, "resourceClaims").next().is_some() {
        found.add("resourceclaims", "spec.resourceClaims".to_owned());
    }
    for (kind, container) in pod.containers() {
        let name = text(container.get("name"));
        let path = format!("spec.{}[{name}]", kind.field());
        found.environment(container, &path);
    }
    for volume in items(spec, "volumes") {
        let path = format!("spec.volumes[{}]", text(volume.get("name")));
        found.volume(volume, &path);
    }
    found.0
}

struct Found(Vec<Reference>);

impl Found {
    fn add(&mut self, kind: &'static str, field: String) {
        if self.0.len() < REFERENCES {
            let field = Text::from(field).to_string();
            self.0.push(Reference { kind, field });
        }
    }

    fn environment(&mut self, container: Branch<'_>, path: &str) {
        for variable in items(container, "env") {
            let from = variable.get("valueFrom").unwrap_or(Branch::Null);
            let name = text(variable.get("name"));
            for (key, kind) in [
                ("secretKeyRef", "secrets"),
                ("configMapKeyRef", "configmaps"),
            ] {
                if is_there(from.get(key)) {
                    self.add(kind, format!("{path}.env[{name}]"));
                }
            }
        }
        for from in items(container, "envFrom") {
            for (key, kind) in [("secretRef", "secrets"), ("configMapRef", "configmaps")] {
                if is_there(from.get(key)) {
                    self.add(kind, format!("{path}.envFrom"));
                }
            }
        }
    }

    fn volume(&mut self, volume: Branch<'_>, path: &str) {
        for (key, kind) in [
            ("secret", "secrets"),
            ("configMap", "configmaps"),
            ("persistentVolumeClaim", "persistentvolumeclaims"),
            ("ephemeral", "persistentvolumeclaims"),
            ("csi", "csidrivers"),
            ("glusterfs", "endpoints"),
            ("azureFile", "secrets"),
        ] {
            if is_there(volume.get(key)) {
                self.add(kind, format!("{path}.{key}"));
            }
        }
        // Other volumes name a Secret with what they log in.
        for key in [
            "cephfs",
            "cinder",
            "flexVolume",
            "iscsi",
            "rbd",
            "scaleIO",
            "storageos",
        ] {
            let secret = volume.get(key).and_then(|source| source.get("secretRef"));
            if is_there(secret) {
                self.add("secrets", format!("{path}.{key}.secretRef"));
            }
        }
        let projected = volume.get("projected").unwrap_or(Branch::Null);
        for source in items(projected, "sources") {
            for (key, kind) in [
                ("serviceAccountToken", "serviceaccounts"),
                ("secret", "secrets"),
                ("configMap", "configmaps"),
                ("clusterTrustBundle", "clustertrustbundles"),
                ("podCertificate", "podcertificaterequests"),
            ] {
                if is_there(source.get(key)) {
                    self.add(kind, format!("{path}.projected.{key}"));
                }
            }
        }
    }
}

fn items<'t>(from: Branch<'t>, key: &str) -> impl Iterator<Item = Branch<'t>> {
    let list = from.get(key).and_then(Branch::as_array);
    list.into_iter().flat_map(Items::iter)
}

fn is_there(field: Option<Branch<'_>>) -> bool {
    field.is_some_and(|field| !field.is_null())
}

fn is_set(field: Option<Branch<'_>>) -> bool {
    !text(field).is_empty()
}

fn text(field: Option<Branch<'_>>) -> &str {
    field.and_then(Branch::as_str).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::tree::Tree;

    fn found(spec: &serde_json::Value) -> Vec<String> {
        let pod = Pod {
            namespace: Text::new("a"),
            name: Text::new("b"),
            raw: Tree::try_from(&json!({"spec": spec})).expect("small"),
        };
        let all = references(&pod).into_iter();
        all.map(|one| format!("{} {}", one.kind, one.field))
            .collect()
    }

    #[test]
    fn every_field_that_the_kubelet_looks_at() {
        for (spec, wanted) in [
            (
                json!({"serviceAccount": "x"}),
                "serviceaccounts spec.serviceAccount",
            ),
            (
                json!({"imagePullSecrets": [{"name": "x"}]}),
                "secrets spec.imagePullSecrets",
            ),
            (
                json!({"initContainers": [{"name": "c", "env": [{"name": "E", "valueFrom": {"configMapKeyRef": {}}}]}]}),
                "configmaps spec.initContainers[c].env[E]",
            ),
            (
                json!({"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "s"}}]}]}),
                "secrets spec.containers[c].envFrom",
            ),
            (
                json!({"volumes": [{"name": "v", "projected": {"sources": [{"downwardAPI": {}}, {"serviceAccountToken": {}}]}}]}),
                "serviceaccounts spec.volumes[v].projected.serviceAccountToken",
            ),
            (
                json!({"volumes": [{"name": "v", "iscsi": {"secretRef": {"name": "s"}}}]}),
                "secrets spec.volumes[v].iscsi.secretRef",
            ),
            (
                json!({"volumes": [{"name": "v", "csi": {}}]}),
                "csidrivers spec.volumes[v].csi",
            ),
        ] {
            assert_eq!(found(&spec), [wanted], "{spec}");
        }
        let allowed = json!({
            "serviceAccountName": "",
            "containers": [{"name": "c", "env": [{"name": "E", "valueFrom": {"fieldRef": {}}}]}],
            "volumes": [{"hostPath": {}}, {"emptyDir": {}}, {"downwardAPI": {}}, {"image": {}}, {"secret": null}],
        });
        assert_eq!(found(&allowed), [""; 0]);
        let many: Vec<_> = (0..100).map(|_| json!({"secret": {}})).collect();
        assert_eq!(found(&json!({"volumes": many})).len(), REFERENCES);
    }
}
