use super::containers::{Inside, each_container, items, word};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-012"),
    title: "No container mounts into the host",
    why: "With Bidirectional propagation what a container mounts appears on the node and in other pods: over a binary, a manifest or a log.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Cis("5.2.11"), Maps::Attack("T1611")],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; in container {container} set mountPropagation: HostToContainer, or remove it",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; a storage driver loses its mounts",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v, mountPropagation: HostToContainer}, {name: w, mountPropagation: None}, {name: x}]}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v, mountPropagation: Bidirectional}, {name: w, mountPropagation: Bidirectional}]}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL high: container c of default/a mounts into the host through v, w; gap: the login may not read it",
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
    let open: Vec<&str> = items(inside.container.get("volumeMounts"))
        .filter(|mount| word(mount.get("mountPropagation")) == "Bidirectional")
        .map(|mount| word(mount.get("name")))
        .collect();
    let through = open.join(", ");
    let message = format!("{} mounts into the host through {through}", inside.words());
    (!open.is_empty())
        .then(|| offence(inside.subject.clone(), Severity::High, message, [inside.at]))
}
