use std::collections::BTreeMap;

use super::judged::judged;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::checks::standard::Level;
use crate::model::cluster::Namespace;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::known::{PSA_AUDIT, PSA_ENFORCE};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::verdict::{Offence, Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PSS-003"),
    title: "Namespaces of static pods have a Pod Security level",
    why: "Without a level anyone who may create pods there can place privileged ones beside the control plane.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Namespaces, Need::Manifests, Need::MirrorPods],
    helps: &[Need::NodeObject],
    maps: &[Maps::Cis("5.2.1"), Maps::Pss("baseline")],
    fix: Remediation {
        steps: &[
            kubectl(
                "kubectl label --dry-run=server --overwrite namespace {ns} pod-security.kubernetes.io/enforce=baseline",
            ),
            kubectl(
                "kubectl label --overwrite namespace {ns} pod-security.kubernetes.io/enforce=privileged pod-security.kubernetes.io/audit=baseline pod-security.kubernetes.io/warn=baseline",
            ),
            by_hand(
                "only where the first command printed no warning, and never on kube-system: set enforce=baseline instead. An enforced level does not stop a static pod, it hides it: its mirror is refused the next time it is made",
            ),
        ],
        restarts: "nothing: a level is asked when a pod is created",
        undo: &[kubectl(
            "kubectl label namespace {ns} pod-security.kubernetes.io/enforce- pod-security.kubernetes.io/audit- pod-security.kubernetes.io/warn-",
        )],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], namespaces: {shop: {enforce: baseline}}}",
            "PASS",
        ),
        (
            "{manifests: [], mirrors: [], namespaces: {shop: {}}}",
            "PASS",
        ),
        (
            "{manifests: [], mirrors: [{pod: kube-system/kube-apiserver-cp-1}], namespaces: {kube-system: {enforce: privileged, audit: baseline}}}",
            "PASS: kube-system is enforced at privileged and audited at baseline",
        ),
        (
            "{manifests: [{file: etcd.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {hostNetwork: true}}}], mirrors: [], namespaces: {kube-system: {}}}",
            "FAIL info: kube-system has no Pod Security level; its static pods need privileged (kube-system, host namespaces of etcd)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], namespaces: {shop: {}}}",
            "FAIL medium: shop has no Pod Security level",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], namespaces: {shop: {enforce: privileged}}}",
            "FAIL medium: shop is enforced at privileged and nothing is audited",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], namespaces: {shop: {enforce: basline}}}",
            "FAIL medium: shop has an enforce label that is no level (basline): it counts as restricted and hides static pods",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: shop, name: a}, spec: {hostPID: true}}}], mirrors: [], namespaces: {shop: {enforce: baseline}}}",
            "PASS: shop is enforced at baseline, which refuses the next mirror (host namespaces of a)",
        ),
        (
            "{manifests: [], mirrors: [], nodes: {w-1: {manifests: {gap: denied}, mirrors: []}}, namespaces: {}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: gone/a}], mirrors: [], namespaces: {}}",
            "PASS",
        ),
        (
            "{manifests: [], mirrors: [], namespaces: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

/// Namespaces with static pods, and why baseline would refuse one of them. Evidence is the namespace
/// alone: what lies on a node is that node's evidence.
type Hosts = BTreeMap<Text, Option<String>>;

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let cluster = &view.snapshot.cluster;
    let list = cluster.namespaces.get()?;
    let mut tally = Tally::new();
    if view.snapshot.nodes.is_empty() {
        return Err(Gap::NotAsked);
    }
    tally.good(list.at);
    let mut hosts = Hosts::new();
    for node in view.snapshot.nodes.values() {
        gather(node, view, &mut hosts, &mut tally);
    }
    for (name, violated) in &hosts {
        // A namespace that does not exist has no labels: SP-MRG-003.
        if let Some((index, namespace)) = cluster.namespace(name.as_str())? {
            let at = Locator::new(Need::Namespaces, index);
            tally.good(at);
            if let Some(found) = level(namespace, violated.as_deref(), at, &mut tally) {
                tally.offence(found);
            }
        }
    }
    tally.verdict()
}

/// Static pods of a node, by manifest and by mirror.
fn gather(node: &NodeFacts, view: &View<'_>, hosts: &mut Hosts, tally: &mut Tally) {
    let mut host = |pod: &Pod| {
        let violated = hosts.entry(pod.namespace.clone()).or_default();
        // One is enough, and a fleet has many pods.
        if violated.is_none() {
            *violated = broken(node, view, pod).map(|why| format!("{why} of {}", pod.name));
        }
    };
    for manifest in tally
        .take(&node.host.manifests)
        .map_or(&[][..], |manifests| &manifests.value)
    {
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

/// What the pod breaks of the baseline, in upstream's words. One that cannot be read is not run either.
fn broken(node: &NodeFacts, view: &View<'_>, pod: &Pod) -> Option<&'static str> {
    let found = judged(pod, Level::Baseline, (node, view)).ok()?;
    found.violations.first().map(|violation| violation.reason)
}

fn level(
    namespace: &Namespace,
    violated: Option<&str>,
    at: Locator,
    tally: &mut Tally,
) -> Option<Offence> {
    let name = &namespace.name;
    let label = |key: &str| namespace.labels.get(key).map(Text::as_str);
    let audited = matches!(label(PSA_AUDIT), Some("baseline" | "restricted"));
    let mut hides = false;
    let words = match label(PSA_ENFORCE) {
        Some(level @ ("baseline" | "restricted")) => {
            if let Some(why) = violated {
                tally.note(format!(
                    "{name} is enforced at {level}, which refuses the next mirror ({why})"
                ));
            }
            return None;
        }
        Some("privileged") if audited => {
            let audit = label(PSA_AUDIT).unwrap_or_default();
            tally.note(format!(
                "{name} is enforced at privileged and audited at {audit}"
            ));
            return None;
        }
        Some("privileged") => format!("{name} is enforced at privileged and nothing is audited"),
        Some(other) => {
            hides = true;
            format!(
                "{name} has an enforce label that is no level ({other}): it counts as restricted and hides static pods"
            )
        }
        None => format!("{name} has no Pod Security level"),
    };
    let system = (*name == "kube-system").then_some("kube-system");
    let needs: Vec<&str> = system.into_iter().chain(violated).collect();
    let (severity, words) = if needs.is_empty() || hides {
        (Severity::Medium, words)
    } else {
        let needs = needs.join(", ");
        (
            Severity::Info,
            format!("{words}; its static pods need privileged ({needs})"),
        )
    };
    let subject = Subject::new(SubjectKind::Namespace, name.clone());
    Some(offence(subject, severity, words, [at]))
}
