use std::collections::BTreeMap;

use super::spots::is_system;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, not_applicable, offence,
};
use crate::checks::declared::{belongs, pools};
use crate::checks::role;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::{PodId, PodTraits};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-002"),
    title: "No foreign pods run beside the control plane",
    why: "A container escape from an ordinary pod on a control-plane node ends at etcd and the cluster's keys.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::NodeObject, Need::PodUids],
    helps: &[Need::Manifests, Need::MirrorPods, Need::Policy],
    maps: &[
        Maps::Attack("T1610"),
        Maps::Attack("T1611"),
        Maps::Nsa("POD"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
            by_hand(
                "take the toleration that lets the pods onto the control plane out of their workload, or add the missing taint to the node (SP-ISO-001); then delete the pods there, so that their controllers make them elsewhere",
            ),
        ],
        restarts: "the pods that move",
        undo: &[by_hand("give the toleration back to the workload")],
    },
    examples: &[
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, count: 3, pods: [{pod: kube-system/etcd-cp-1, traits: mirror}, {pod: kube-system/coredns-1, traits: owned}, {pod: shop/job-1, traits: owned ended}]}",
            "PASS",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, count: 3, pods: [{pod: calico-system/calico-node-1, traits: daemon}]}",
            "PASS: pods of DaemonSets of calico-system run here as well",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, count: 3, pods: [{pod: shop/web-1, traits: owned}, {pod: shop/web-2, traits: owned tolerates_role}], unread: rbac}",
            "FAIL medium: 2 pods of shop run beside the control plane: web-1 (tolerates nothing: no taint keeps it away), web-2 (tolerates the control plane's taint); gap: the API server forbids list pods",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, count: 3, pods: [{pod: shop/web-1, traits: owned privileged host_path tolerates_all}]}",
            "FAIL high: 1 pod of shop runs beside the control plane: web-1 (privileged, hostPath, tolerates every taint)",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, count: 3, pods: [{pod: monitoring/agent-1, traits: daemon host_network tolerates_all}]}",
            "FAIL low: 1 pod of a DaemonSet of monitoring has the node beside the control plane: agent-1 (hostNetwork, tolerates every taint)",
        ),
        (
            "{policy: {pools: [{name: control, nodes: {names: [cp-*]}, namespaces: [vault]}]}, object: {labels: {node-role.kubernetes.io/control-plane: ''}}, count: 3, pods: [{pod: vault/vault-0, traits: owned}]}",
            "PASS",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, count: 1, pods: [{pod: shop/web-1, traits: owned}]}",
            "N/A: it is the only node of the cluster, ordinary pods have nowhere else to run",
        ),
        (
            "{object: {}, manifests: [], mirrors: [], pods: [{pod: shop/web-1}]}",
            "N/A: it is no control plane: no role label, no component among its static pods",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, pods: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// What gives a pod a hold on its node.
const STRONG: PodTraits = PodTraits::PRIVILEGED
    .or(PodTraits::HOST_PATH)
    .or(PodTraits::HOST_NETWORK)
    .or(PodTraits::HOST_PROCESSES);

/// Foreign pods of one namespace.
#[derive(Default)]
struct Guests<'n> {
    placed: Vec<&'n PodId>,
    /// Of DaemonSets that have a hold on the node.
    daemons: Vec<&'n PodId>,
}

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let object = node.api.object.get()?;
    let pods = node.api.pods.get()?;
    let role = role::of(node)?;
    if role.control_plane.is_none() {
        return Ok(not_applicable(
            role.evidence,
            "it is no control plane: no role label, no component among its static pods",
        ));
    }
    if let Ok(nodes) = view.snapshot.cluster.nodes.get()
        && nodes.value == 1
    {
        return Ok(not_applicable(
            [object.at, nodes.at],
            "it is the only node of the cluster, ordinary pods have nowhere else to run",
        ));
    }
    let mut tally = Tally::new();
    tally.all_good(&role.evidence);
    tally.all_good(&[object.at, pods.at]);
    if let Some(gap) = &node.api.unread {
        tally.gap(gap.clone());
    }
    let pools = pools(node, view)?;
    let mut guests: BTreeMap<&str, Guests<'_>> = BTreeMap::new();
    let mut plain: Vec<&str> = Vec::new();
    for pod in &pods.value {
        let idle = pod.traits.any(PodTraits::MIRROR.or(PodTraits::ENDED));
        if idle || is_system(&pod.namespace) || belongs(&pools, &pod.namespace) {
            continue;
        }
        if !pod.traits.has(PodTraits::DAEMON) {
            guests.entry(&pod.namespace).or_default().placed.push(pod);
        } else if pod.traits.any(STRONG) {
            guests.entry(&pod.namespace).or_default().daemons.push(pod);
        } else {
            plain.push(&pod.namespace);
        }
    }
    for (namespace, guests) in &guests {
        let (severity, message) = told(namespace, guests);
        let subject = Subject::new(SubjectKind::Namespace, Text::new(namespace));
        tally.offence(offence(subject, severity, message, [pods.at, object.at]));
    }
    plain.sort_unstable();
    plain.dedup();
    if !plain.is_empty() {
        let names = plain.join(", ");
        tally.note(format!("pods of DaemonSets of {names} run here as well"));
    }
    tally.verdict()
}

fn told(namespace: &str, guests: &Guests<'_>) -> (Severity, String) {
    let Guests { placed, daemons } = guests;
    if placed.is_empty() {
        let (count, verb) = counted(daemons.len(), "has", "have");
        let words = format!(
            "{count} of a DaemonSet of {namespace} {verb} the node beside the control plane: {}",
            named(daemons)
        );
        return (Severity::Low, words);
    }
    let strong = placed.iter().any(|pod| pod.traits.any(STRONG));
    let severity = if strong {
        Severity::High
    } else {
        Severity::Medium
    };
    let (count, verb) = counted(placed.len(), "runs", "run");
    let words = format!(
        "{count} of {namespace} {verb} beside the control plane: {}",
        named(placed)
    );
    (severity, words)
}

fn counted(count: usize, one: &'static str, more: &'static str) -> (String, &'static str) {
    if count == 1 {
        ("1 pod".to_owned(), one)
    } else {
        (format!("{count} pods"), more)
    }
}

/// The first few with what is known of them.
fn named(pods: &[&PodId]) -> String {
    const SHOWN: usize = 3;
    let mut pods = pods.to_vec();
    // Those with a hold on the node first.
    pods.sort_by_key(|pod| (!pod.traits.any(STRONG), &pod.name));
    let mut text = pods
        .iter()
        .take(SHOWN)
        .map(|pod| format!("{} ({})", pod.name, why(pod.traits)))
        .collect::<Vec<_>>()
        .join(", ");
    if pods.len() > SHOWN {
        text.push_str(&format!(" and {} more", pods.len() - SHOWN));
    }
    text
}

fn why(traits: PodTraits) -> String {
    let mut words: Vec<&str> = [
        (PodTraits::PRIVILEGED, "privileged"),
        (PodTraits::HOST_PATH, "hostPath"),
        (PodTraits::HOST_NETWORK, "hostNetwork"),
        (PodTraits::HOST_PROCESSES, "hostPID or hostIPC"),
    ]
    .into_iter()
    .filter(|(bit, _)| traits.has(*bit))
    .map(|(_, word)| word)
    .collect();
    words.push(
        if traits.any(PodTraits::TOLERATES_ALL.or(PodTraits::TOLERATES_EFFECT)) {
            "tolerates every taint"
        } else if traits.has(PodTraits::TOLERATES_ROLE) {
            "tolerates the control plane's taint"
        } else {
            "tolerates nothing: no taint keeps it away"
        },
    );
    words.join(", ")
}
