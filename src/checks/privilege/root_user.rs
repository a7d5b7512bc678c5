use super::containers::{Inside, each_container, switch};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::known::CONTROL_PLANE_COMPONENTS;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::tree::{Branch, Number};
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-007"),
    title: "No container runs as root",
    why: "Root in a container is root of the node as soon as anything leads out of it, and owns every file that is mounted.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Cis("5.2.7"),
        Maps::Pss("restricted/runAsNonRoot"),
        Maps::Attack("T1611"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; give container {container} securityContext.runAsUser of a user who may read what is mounted, and runAsNonRoot: true; kubeadm does it for the control plane with the feature gate RootlessControlPlane",
            ),
            kubectl("kubectl logs -n {ns} {pod}-{node} -c {container} --tail=20"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {runAsNonRoot: true}, containers: [{name: c}, {name: d, securityContext: {runAsUser: 7}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostUsers: false, containers: [{name: c, securityContext: {runAsUser: 0}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {runAsUser: 0}, containers: [{name: c}, {name: d, securityContext: {runAsUser: 7}}]}}}]",
            "FAIL high: container c of default/a runs as root (runAsUser: 0)",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {securityContext: {runAsUser: 0}, containers: [{name: c}]}}}]",
            "FAIL medium: container c of kube-system/etcd runs as root (runAsUser: 0)",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL medium: container c of default/a runs as the image says, which is root where it says nothing; gap: the login may not read it",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {runAsUser: root}}]}}}]",
            "UNKNOWN: the answer cannot be trusted: runAsUser of container default/a/c is not a number",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_container(node, one)
}

fn one(inside: &Inside<'_>) -> Result<Option<Offence>, Gap> {
    // Of a user namespace root is nobody on the node.
    if inside.pod.spec().get("hostUsers") == Some(Branch::Bool(false)) {
        return Ok(None);
    }
    let say = |severity, what: &str| {
        let message = format!("{} {what}", inside.words());
        Ok(Some(offence(
            inside.subject.clone(),
            severity,
            message,
            [inside.at],
        )))
    };
    let of_pod = inside.pod.spec().pointer("/securityContext/runAsNonRoot");
    let guarded = switch(inside, "runAsNonRoot")?.or_else(|| of_pod.and_then(Branch::as_bool));
    match user(inside)? {
        Some(0) => {
            let expected = inside.pod.namespace == "kube-system"
                && CONTROL_PLANE_COMPONENTS.contains(&inside.pod.name.as_str());
            let severity = if expected {
                Severity::Medium
            } else {
                Severity::High
            };
            say(severity, "runs as root (runAsUser: 0)")
        }
        Some(_) => Ok(None),
        // The kubelet refuses to start it as root then.
        None if guarded == Some(true) => Ok(None),
        None => say(
            Severity::Medium,
            "runs as the image says, which is root where it says nothing",
        ),
    }
}

/// The container's user, else the pod's.
fn user(inside: &Inside<'_>) -> Result<Option<i64>, Gap> {
    let own = inside.container.pointer("/securityContext/runAsUser");
    let own = own.filter(|user| !user.is_null());
    let user = own.or_else(|| inside.pod.spec().pointer("/securityContext/runAsUser"));
    match user {
        None | Some(Branch::Null) => Ok(None),
        Some(Branch::Number(Number::Unsigned(_) | Number::Signed(_))) => {
            // What does not fit is a user, and not root.
            Ok(Some(user.and_then(Branch::as_i64).unwrap_or(i64::MAX)))
        }
        Some(_) => Err(Gap::Garbled {
            what: Text::from(format!(
                "runAsUser of container {} is not a number",
                inside.subject
            )),
        }),
    }
}
