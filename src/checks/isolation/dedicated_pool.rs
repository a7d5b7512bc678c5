use std::collections::BTreeSet;

use super::spots::is_system;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, not_applicable, offence,
};
use crate::checks::declared::{belongs, entry, pools};
use crate::model::fact::{Gap, Need, Seen};
use crate::model::name::CheckId;
use crate::model::node::{NodeFacts, NodeObject, Taint};
use crate::model::pod::{PodId, PodTraits};
use crate::model::policy::Pool;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-005"),
    title: "Dedicated nodes are set apart on both sides",
    why: "A taint keeps others away and a label brings the own pods there: with one of them alone a pool is half open, and its pods or its neighbours are elsewhere than believed.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Policy, Need::NodeObject, Need::PodUids],
    helps: &[],
    maps: &[
        Maps::Nsa("POD"),
        Maps::Source("kubernetes.io: dedicated nodes"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl describe node {node}"),
            by_hand(
                "give the node the taint and the label that the policy declares for its pool (kubectl taint node, kubectl label node), and move pods that do not belong there; or correct the pool in the policy file",
            ),
        ],
        restarts: "nothing by itself: a taint with NoSchedule leaves the pods that are there",
        undo: &[by_hand("take the taint and the label away again")],
    },
    examples: &[
        (
            "{policy: {pools: [{name: gpu, nodes: {names: [cp-1]}, taint: 'team=gpu:NoSchedule', label: team=gpu, namespaces: [ml]}]}, object: {labels: {team: gpu}, taints: ['team=gpu:NoSchedule']}, pods: [{pod: ml/train-1}, {pod: kube-system/kube-proxy-1}, {pod: monitoring/agent-1, traits: daemon}]}",
            "PASS",
        ),
        (
            "{policy: {pools: [{name: gpu, nodes: {names: [cp-1]}, taint: 'team=gpu:NoSchedule', label: team=gpu, namespaces: [ml]}]}, object: {}, pods: [{pod: shop/web-1}, {pod: shop/web-2}], unread: rbac}",
            "FAIL medium: the taint team=gpu:NoSchedule of the pool gpu is missing; medium: the label team=gpu of the pool gpu is missing; medium: pods of shop run here, and the pool gpu is for others; gap: the API server forbids list pods",
        ),
        (
            "{policy: {pools: [{name: gpu, nodes: {names: [w-1]}}]}, object: {}, pods: []}",
            "N/A: the policy sets this node apart for nobody",
        ),
        (
            "{policy: none, object: {}, pods: []}",
            "N/A: the policy sets this node apart for nobody",
        ),
        (
            "{policy: {pools: [{name: gpu, nodes: {labels: {team: gpu}}}]}, object: {gap: forbidden}, pods: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let policy = view.policy.file.get()?;
    let object = node.api.object.get()?;
    let pods = node.api.pods.get()?;
    let own = pools(node, view)?;
    if own.is_empty() {
        return Ok(not_applicable(
            [policy.at, object.at],
            "the policy sets this node apart for nobody",
        ));
    }
    let mut tally = Tally::new();
    tally.all_good(&[policy.at, object.at, pods.at]);
    if let Some(gap) = &node.api.unread {
        tally.gap(gap.clone());
    }
    for pool in &own {
        marks(pool, object, &mut tally);
        for namespace in strangers(&own, &pods.value) {
            let names = own.iter().map(|pool| pool.name.as_str());
            tally.offence(offence(
                Subject::new(SubjectKind::Namespace, Text::new(namespace)),
                Severity::Medium,
                format!(
                    "pods of {namespace} run here, and the pool {} is for others",
                    names.collect::<Vec<_>>().join(", ")
                ),
                [pods.at, entry(pool.line)],
            ));
        }
    }
    tally.verdict()
}

/// Taint and label that the policy declares for the pool.
fn marks(pool: &Pool, object: &Seen<NodeObject>, tally: &mut Tally) {
    let has_taint = |wanted: &Text| {
        object
            .value
            .taints
            .iter()
            .any(|taint| spelled(taint) == wanted.as_str())
    };
    let has_label = |wanted: &Text| {
        let (key, value) = wanted
            .as_str()
            .split_once('=')
            .unwrap_or((wanted.as_str(), ""));
        let own = object.value.labels.get(&Text::new(key));
        own.is_some_and(|own| own.as_str() == value)
    };
    let taint = pool.taint.as_ref().filter(|wanted| !has_taint(wanted));
    let label = pool.label.as_ref().filter(|wanted| !has_label(wanted));
    for (kind, missing) in [("taint", taint), ("label", label)] {
        if let Some(missing) = missing {
            tally.offence(offence(
                Subject::setting(&format!("{kind} of {}", pool.name)),
                Severity::Medium,
                format!("the {kind} {missing} of the pool {} is missing", pool.name),
                [object.at, entry(pool.line)],
            ));
        }
    }
}

/// As kubectl writes it, and as the policy does.
fn spelled(taint: &Taint) -> String {
    if taint.value.is_empty() {
        format!("{}:{}", taint.key, taint.effect)
    } else {
        format!("{}={}:{}", taint.key, taint.value, taint.effect)
    }
}

/// Namespaces of pods that do not belong there. Where no pool of the node names namespaces, nobody can tell.
fn strangers<'p>(pools: &[&Pool], pods: &'p [PodId]) -> BTreeSet<&'p str> {
    if pools.iter().all(|pool| pool.namespaces.is_empty()) {
        return BTreeSet::new();
    }
    let idle = PodTraits::MIRROR.or(PodTraits::ENDED).or(PodTraits::DAEMON);
    pods.iter()
        .filter(|pod| !pod.traits.any(idle) && !is_system(&pod.namespace))
        .map(|pod| &*pod.namespace)
        .filter(|namespace| !belongs(pools, namespace))
        .collect()
}
