use super::containers::{Inside, each_container, word};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::ContainerKind;
use crate::model::tree::Branch;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-014"),
    title: "Containers have requests and a memory limit",
    why: "A static pod is never evicted and may push other pods out: one that grows without a limit takes the node's memory from all of them.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Source("Kubescape C-0270"),
        Maps::Source("Kubescape C-0271"),
        Maps::Attack("T1499"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl top pod -n {ns} {pod}-{node} --containers"),
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; in container {container} set resources.requests and resources.limits.memory well above what it uses: at the limit it is killed",
            ),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}}, {name: d, resources: {limits: {memory: 1Gi}}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {resources: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}, containers: [{name: c}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {initContainers: [{name: once}, {name: i, restartPolicy: Always, resources: {limits: {cpu: 1}}}], containers: [{name: c, resources: {requests: {cpu: 1}}}, {name: d}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL medium: container i of default/a has no memory limit; medium: container c of default/a has no memory limit; medium: container d of default/a has no requests and no memory limit; gap: the login may not read it",
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
    each_container(node, |inside| Ok(one(inside)))
}

fn one(inside: &Inside<'_>) -> Option<Offence> {
    if !stays(inside) {
        return None;
    }
    let of_pod = inside.pod.spec().get("resources").unwrap_or(Branch::Null);
    let has = |pointer: &str| {
        let there = |at: Branch<'_>| at.pointer(pointer).is_some_and(|found| !found.is_null());
        there(inside.field("/resources")) || there(of_pod)
    };
    // A limit without a request is the request too.
    let requests = [
        "/requests/cpu",
        "/requests/memory",
        "/limits/cpu",
        "/limits/memory",
    ];
    let lacks = match (requests.into_iter().any(has), has("/limits/memory")) {
        (_, true) => return None,
        (true, false) => "no memory limit",
        (false, false) => "no requests and no memory limit",
    };
    let message = format!("{} has {lacks}", inside.words());
    Some(offence(
        inside.subject.clone(),
        Severity::Medium,
        message,
        [inside.at],
    ))
}

/// Whether it runs as long as the pod does: an init container ends unless it is a sidecar.
fn stays(inside: &Inside<'_>) -> bool {
    inside.kind == ContainerKind::Main || word(inside.container.get("restartPolicy")) == "Always"
}
