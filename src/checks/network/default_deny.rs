use std::collections::BTreeSet;

use super::policies::on_host_network;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, not_applicable, offence,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::objects::{NetworkPolicy, Traffic, of_namespace};
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-002"),
    title: "Namespaces of static pods deny by default",
    why: "Without a default deny a new pod in any namespace reaches the static pods, and a compromised one reaches everything from there.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::NetworkPolicies, Need::Manifests, Need::MirrorPods],
    helps: &[],
    maps: &[Maps::Cis("5.3.2"), Maps::Source("Kubescape C-0260")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get networkpolicy -n {ns} -o yaml"),
            by_hand(
                "first allow what the pods need (DNS, their callers, what they call), then add a NetworkPolicy with podSelector: {} and policyTypes: [Ingress, Egress] and no rules to the namespace of the finding",
            ),
            kubectl("kubectl get networkpolicy -n {ns}"),
        ],
        restarts: "nothing; connections that no policy allows end at once",
        undo: &[by_hand("delete the NetworkPolicy that was added")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], network_policies: [{namespace: shop, name: deny, ingress: {}, egress: {}}]}",
            "PASS",
        ),
        (
            "{manifests: [], mirrors: [{pod: shop/a-cp-1}], network_policies: [{namespace: shop, name: in, ingress: {}}, {namespace: shop, name: out, egress: {}}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], network_policies: [{namespace: other, name: deny, ingress: {}, egress: {}}]}",
            "FAIL medium: no policy denies ingress and egress by default in shop, where static pod a is",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], network_policies: [{namespace: shop, name: deny, ingress: {}, egress: {rules: 1}}]}",
            "FAIL medium: no policy denies egress by default in shop, where static pod a is",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}, {file: b.yaml, gap: denied}], mirrors: [], network_policies: [{namespace: shop, name: one, podSelector: {matchLabels: {app: a}}, ingress: {}, egress: {}}]}",
            "FAIL medium: no policy denies ingress and egress by default in shop, where static pod a is; gap: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: a}, spec: {hostNetwork: true}}}], mirrors: [], network_policies: []}",
            "N/A: no static pod is on the pod network",
        ),
        (
            "{manifests: [], mirrors: [], network_policies: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

/// Namespaces with a static pod on the pod network, each with one of them.
type Hosts = BTreeSet<(Text, Text)>;

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let policies = view.snapshot.cluster.objects.network_policies.get()?;
    if view.snapshot.nodes.is_empty() {
        return Err(Gap::NotAsked);
    }
    let mut tally = Tally::new();
    let mut hosts = Hosts::new();
    for node in view.snapshot.nodes.values() {
        gather(node, &mut hosts, &mut tally);
    }
    tally.good(policies.at);
    let mut last: Option<&Text> = None;
    for (namespace, pod) in &hosts {
        if last.replace(namespace) == Some(namespace) {
            continue;
        }
        let own: Vec<_> =
            of_namespace(Need::NetworkPolicies, &policies.value, namespace.as_str()).collect();
        let denies = |direction: fn(&NetworkPolicy) -> Option<&Traffic>| -> Option<Locator> {
            let mut own = own
                .iter()
                .filter(|(_, policy)| policy.pod_selector.is_empty());
            own.find(|(_, policy)| direction(policy).is_some_and(|traffic| traffic.rules == 0))
                .map(|(at, _)| *at)
        };
        let (ingress, egress) = (
            denies(|policy| policy.ingress.as_ref()),
            denies(|policy| policy.egress.as_ref()),
        );
        tally.all_good(ingress.as_slice());
        tally.all_good(egress.as_slice());
        let missing = match (ingress, egress) {
            (Some(_), Some(_)) => continue,
            (None, None) => "ingress and egress",
            (None, _) => "ingress",
            (_, None) => "egress",
        };
        tally.offence(offence(
            Subject::new(SubjectKind::Namespace, namespace.clone()),
            Severity::Medium,
            format!(
                "no policy denies {missing} by default in {namespace}, where static pod {pod} is"
            ),
            [policies.at],
        ));
    }
    match tally.verdict()? {
        Verdict::Pass { evidence, .. } if hosts.is_empty() => Ok(not_applicable(
            evidence.iter().collect::<Vec<_>>(),
            "no static pod is on the pod network",
        )),
        verdict => Ok(verdict),
    }
}

fn gather(node: &NodeFacts, hosts: &mut Hosts, tally: &mut Tally) {
    let mut host = |pod: &Pod| {
        if !on_host_network(pod) {
            hosts.insert((pod.namespace.clone(), pod.name.clone()));
        }
    };
    let manifests = tally.take(&node.host.manifests);
    for manifest in manifests.map_or(&[][..], |manifests| &manifests.value) {
        let seen = tally.take(manifest);
        let parsed = seen.and_then(|seen| tally.take(&seen.value.pod));
        if let Some(pod) = parsed.and_then(|parsed| parsed.value.pod()) {
            host(pod);
        }
    }
    if let Some(gap) = &node.api.unread {
        tally.gap(gap.clone());
    }
    if let Some(mirrors) = tally.take(&node.api.mirrors) {
        for mirror in &mirrors.value {
            host(&mirror.pod);
        }
    }
}
