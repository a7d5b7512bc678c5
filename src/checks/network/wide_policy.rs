use std::collections::BTreeSet;

use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, few, kubectl, offence,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::objects::{Traffic, of_namespace};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-005"),
    title: "Network policies beside static pods are no allow-all",
    why: "A rule without peers, for 0.0.0.0/0 or for all namespaces is allow-all in disguise: the pods count as held and are not.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::NetworkPolicies, Need::MirrorPods],
    helps: &[],
    maps: &[Maps::Nsa("NET")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get networkpolicy {name} -n {ns} -o yaml"),
            by_hand(
                "name in each rule of the finding who may connect and on which ports: podSelector with namespaceSelector for pods, the narrowest ipBlock for everything else",
            ),
        ],
        restarts: "nothing; connections that no rule allows any more end at once",
        undo: &[by_hand(
            "apply the former policy again from the output of the first step",
        )],
    },
    examples: &[
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: [{namespace: shop, name: a, ingress: {rules: 2}, egress: {}}]}",
            "PASS",
        ),
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: [{namespace: other, name: a, ingress: {rules: 1, wide: ['rule 1: no from']}}]}",
            "PASS",
        ),
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: [{namespace: shop, name: a, ingress: {rules: 1, wide: ['rule 1: no from']}}], unread: rbac}",
            "FAIL medium: it lets nearly anything through: ingress rule 1: no from; gap: the API server forbids list pods",
        ),
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: [{namespace: shop, name: a, ingress: {rules: 1, wide: ['rule 1: every pod of every namespace']}, egress: {rules: 2, wide: ['rule 2: 0.0.0.0/0']}}]}",
            "FAIL medium: it lets nearly anything through: ingress rule 1: every pod of every namespace, egress rule 2: 0.0.0.0/0",
        ),
        (
            "{mirrors: {gap: api}, network_policies: []}",
            "UNKNOWN: the API server did not answer: connection refused",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let policies = view.snapshot.cluster.objects.network_policies.get()?;
    if view.snapshot.nodes.is_empty() {
        return Err(Gap::NotAsked);
    }
    let mut tally = Tally::new();
    tally.good(policies.at);
    let mut namespaces: BTreeSet<&Text> = BTreeSet::new();
    for node in view.snapshot.nodes.values() {
        if let Some(gap) = &node.api.unread {
            tally.gap(gap.clone());
        }
        if let Some(mirrors) = tally.take(&node.api.mirrors) {
            namespaces.extend(mirrors.value.iter().map(|mirror| &mirror.pod.namespace));
        }
    }
    for namespace in namespaces {
        for (at, policy) in of_namespace(Need::NetworkPolicies, &policies.value, namespace.as_str())
        {
            let wide: Vec<String> = [("ingress", &policy.ingress), ("egress", &policy.egress)]
                .into_iter()
                .flat_map(|(word, traffic)| told(word, traffic.as_ref()))
                .collect();
            if wide.is_empty() {
                tally.good(at);
                continue;
            }
            tally.offence(offence(
                Subject::object("networkpolicies", namespace.as_str(), &policy.name),
                Severity::Medium,
                format!("it lets nearly anything through: {}", few(&wide)),
                [at],
            ));
        }
    }
    tally.verdict()
}

fn told(direction: &str, traffic: Option<&Traffic>) -> Vec<String> {
    let wide = traffic.map_or(&[][..], |traffic| &traffic.wide);
    wide.iter()
        .map(|why| format!("{direction} {why}"))
        .collect()
}
