use super::containers::each_pod;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

/// Beside the control plane: components that have to sit on the node's own addresses.
pub const NETWORK: &[&str] = &["kube-proxy", "kube-vip", "keepalived", "haproxy"];

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-003"),
    title: "Only node components use the host's network",
    why: "A pod on the host's network passes every NetworkPolicy, reaches what listens on loopback and can sniff the node's traffic.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Cis("5.2.5"),
        Maps::Pss("baseline/hostNamespaces"),
        Maps::Attack("T1040"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; remove spec.hostNetwork of {ns}/{pod}, and let a Service lead to its port",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; its address changes",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        ("manifests: [{file: a.yaml, pod: shop/a}]", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {hostNetwork: true}}}]",
            "PASS: kube-system/etcd is on the host's network, as that component has to be",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: shop}, spec: {hostNetwork: true}}}]",
            "FAIL medium: shop/etcd is on the host's network",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostNetwork: true}}}, {file: b.yaml, unread: denied}]",
            "FAIL medium: default/a is on the host's network; gap: the login may not read it",
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
    each_pod(node, |around, tally| {
        let name = around.name();
        match around.switch("hostNetwork") {
            Err(gap) => tally.gap(gap),
            Ok(Some(true)) if around.is_component(NETWORK) => {
                tally.good(around.at);
                tally.note(format!(
                    "{name} is on the host's network, as that component has to be"
                ));
            }
            Ok(Some(true)) => tally.offence(offence(
                around.subject(),
                Severity::Medium,
                format!("{name} is on the host's network"),
                [around.at],
            )),
            Ok(_) => tally.good(around.at),
        }
    })
}
