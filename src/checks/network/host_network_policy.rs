use super::policies::{on_host_network, selecting};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, few, kubectl, offence,
};
use crate::checks::merge::pairs::{mirrors, unread};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-003"),
    title: "No network policy pretends to hold a host network pod",
    why: "A policy that selects a pod on the host network does nothing, and whoever reads it believes the pod to be shut off.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::NetworkPolicies, Need::MirrorPods],
    helps: &[],
    maps: &[
        Maps::Nsa("NET"),
        Maps::Source("kubernetes.io: NetworkPolicy and hostNetwork pods"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get networkpolicy -n {ns} -o yaml"),
            by_hand(
                "hold the pod's ports where it listens: a rule in the node's firewall, or a host policy of the network plugin (Calico: HostEndpoint with a GlobalNetworkPolicy; Cilium: CiliumClusterwideNetworkPolicy with nodeSelector); then narrow the policy's podSelector so that it says only what is true",
            ),
        ],
        restarts: "nothing",
        undo: &[by_hand(
            "take the host policy or the firewall rule away again, and restore the podSelector",
        )],
    },
    examples: &[
        (
            "{mirrors: [{pod: {metadata: {namespace: kube-system, name: etcd-cp-1, labels: {component: etcd}}, spec: {hostNetwork: true}}}], network_policies: [{namespace: kube-system, name: dns, podSelector: {matchLabels: {k8s-app: kube-dns}}, ingress: {}}]}",
            "PASS",
        ),
        (
            "{mirrors: [{pod: {metadata: {namespace: kube-system, name: etcd-cp-1, labels: {component: etcd}}, spec: {hostNetwork: true}}}], network_policies: [{namespace: kube-system, name: etcd, podSelector: {matchLabels: {component: etcd}}, ingress: {rules: 1}}]}",
            "FAIL medium: network policy etcd selects it, and it is on the host network, where none holds",
        ),
        (
            "{mirrors: [{pod: {metadata: {namespace: kube-system, name: etcd-cp-1}, spec: {hostNetwork: true}}}], network_policies: [{namespace: kube-system, name: deny, ingress: {}, egress: {}}], unread: rbac}",
            "FAIL info: network policy deny for the whole namespace selects it, and it is on the host network, where none holds; gap: the API server forbids list pods",
        ),
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: [{namespace: shop, name: deny, ingress: {}}]}",
            "PASS",
        ),
        (
            "{mirrors: [], network_policies: {gap: forbidden}}",
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
    for (at, mirror) in mirrors(list) {
        if !on_host_network(&mirror.pod) {
            continue;
        }
        let found = selecting(cluster, &mirror.pod)?;
        let (all, named): (Vec<_>, Vec<_>) = found
            .iter()
            .partition(|(_, policy)| policy.pod_selector.is_empty());
        let (severity, which, scope) = if named.is_empty() {
            (Severity::Info, all, " for the whole namespace")
        } else {
            (Severity::Medium, named, "")
        };
        if which.is_empty() {
            tally.good(at);
            continue;
        }
        let names: Vec<_> = which
            .iter()
            .map(|(_, policy)| policy.name.to_string())
            .collect();
        tally.offence(offence(
            Subject::pod(&mirror.pod.namespace, &mirror.pod.name),
            severity,
            format!(
                "network policy {}{scope} selects it, and it is on the host network, where none holds",
                few(&names)
            ),
            [at].into_iter().chain(which.iter().map(|(at, _)| *at)),
        ));
    }
    tally.verdict()
}
