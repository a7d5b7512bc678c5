use super::policies::{on_pod_network, selecting};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, not_applicable, offence,
};
use crate::checks::merge::pairs::unread;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-004"),
    title: "A network policy holds every pod-network static pod",
    why: "A static pod that no policy selects is reachable by every pod of the cluster, and reaches all of them.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::NetworkPolicies, Need::MirrorPods],
    helps: &[],
    maps: &[Maps::Cis("5.3.2"), Maps::Nsa("NET")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get pod {pod} -n {ns} --show-labels"),
            by_hand(
                "add a NetworkPolicy to the namespace whose podSelector names a label of the pod, with policyTypes: [Ingress, Egress] and the rules that it needs; the label belongs into the manifest on the node",
            ),
        ],
        restarts: "nothing; a new label in the manifest restarts the pod",
        undo: &[by_hand("delete the NetworkPolicy that was added")],
    },
    examples: &[
        (
            "{mirrors: [{pod: {metadata: {namespace: shop, name: a-cp-1, labels: {app: a}}, spec: {}}}], network_policies: [{namespace: shop, name: a, podSelector: {matchLabels: {app: a}}, ingress: {rules: 1}, egress: {rules: 1}}]}",
            "PASS",
        ),
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: []}",
            "FAIL medium: no network policy holds its ingress and egress",
        ),
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: [{namespace: shop, name: in, ingress: {rules: 1}}]}",
            "FAIL medium: no network policy holds its egress",
        ),
        (
            "{mirrors: [{pod: {metadata: {namespace: kube-system, name: etcd-cp-1}, spec: {hostNetwork: true}}}], network_policies: []}",
            "N/A: no mirror pod of the node is on the pod network",
        ),
        (
            "{mirrors: [], network_policies: [], unread: rbac}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let cluster = &view.snapshot.cluster;
    let policies = cluster.objects.network_policies.get()?;
    let list = node.api.mirrors.get()?;
    let mut tally = Tally::new();
    tally.all_good(&[policies.at, list.at]);
    unread(node, &mut tally);
    let (inside, _) = on_pod_network(list);
    for (at, mirror) in &inside {
        let found = selecting(cluster, &mirror.pod)?;
        let ingress = found.iter().any(|(_, policy)| policy.ingress.is_some());
        let egress = found.iter().any(|(_, policy)| policy.egress.is_some());
        let open = match (ingress, egress) {
            (true, true) => {
                tally.good(*at);
                let places: Vec<_> = found.iter().map(|(at, _)| *at).collect();
                tally.all_good(&places);
                continue;
            }
            (false, false) => "ingress and egress",
            (false, true) => "ingress",
            (true, false) => "egress",
        };
        tally.offence(offence(
            Subject::pod(&mirror.pod.namespace, &mirror.pod.name),
            Severity::Medium,
            format!("no network policy holds its {open}"),
            [*at, policies.at],
        ));
    }
    match tally.verdict()? {
        Verdict::Pass { .. } if inside.is_empty() => Ok(not_applicable(
            [list.at],
            "no mirror pod of the node is on the pod network",
        )),
        verdict => Ok(verdict),
    }
}
