use super::containers::{Around, each_pod, is_windows};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-002"),
    title: "No static pod shares the host's processes or IPC",
    why: "A pod in the host's process namespace sees the arguments and environment of every process of the node and can signal them.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Cis("5.2.3"),
        Maps::Cis("5.2.4"),
        Maps::Pss("baseline/hostNamespaces"),
        Maps::Attack("T1611"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; remove spec.hostPID and spec.hostIPC of {ns}/{pod}",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostPID: false, hostNetwork: true}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostPID: true, hostIPC: true}}}]",
            "FAIL high: default/a shares the host's process and IPC namespaces",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostIPC: true}}}, {file: b.yaml, unread: denied}]",
            "FAIL high: default/a shares the host's IPC namespace; gap: the login may not read it",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostPID: 'yes'}}}]",
            "UNKNOWN: the answer cannot be trusted: hostPID of default/a is not true or false",
        ),
        (
            "manifests: [{file: a.yaml, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_pod(node, |around, tally| {
        // The API server refuses these fields for Windows.
        if !is_windows(around.pod) {
            tally.part(around.at, one(&around));
        }
    })
}

fn one(around: &Around<'_>) -> Result<Option<Offence>, Gap> {
    let pid = around.switch("hostPID")? == Some(true);
    let ipc = around.switch("hostIPC")? == Some(true);
    let shared = match (pid, ipc) {
        (false, false) => return Ok(None),
        (true, false) => "process namespace",
        (false, true) => "IPC namespace",
        (true, true) => "process and IPC namespaces",
    };
    Ok(Some(offence(
        around.subject(),
        Severity::High,
        format!("{} shares the host's {shared}", around.name()),
        [around.at],
    )))
}
