use std::collections::BTreeMap;

use super::spots::is_system;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::pod::PodTraits;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-003"),
    title: "No ordinary pod tolerates every taint",
    why: "A toleration with operator Exists and no key lets a pod onto any node: no taint of a control plane or a dedicated pool keeps it away.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::PodUids],
    helps: &[],
    maps: &[Maps::Attack("T1610"), Maps::Nsa("POD")],
    fix: Remediation {
        steps: &[
            kubectl(
                "kubectl get pods -n {ns} -o custom-columns=NAME:.metadata.name,TOLERATIONS:.spec.tolerations",
            ),
            by_hand(
                "name in the workload the taints that its pods really have to tolerate (key, and value or effect) in place of the toleration without a key",
            ),
        ],
        restarts: "the pods of the workload, as its rollout goes",
        undo: &[by_hand(
            "write the former toleration back into the workload",
        )],
    },
    examples: &[
        (
            "pods: [{pod: shop/web-1, traits: owned}, {pod: kube-system/x-1, traits: owned tolerates_all}, {pod: kube-system/etcd-cp-1, traits: mirror tolerates_effect}]",
            "PASS",
        ),
        (
            "pods: [{pod: monitoring/agent-1, traits: daemon tolerates_all}]",
            "PASS: pods of DaemonSets of monitoring tolerate every taint",
        ),
        (
            "{pods: [{pod: shop/web-1, traits: owned tolerates_all}, {pod: shop/web-2, traits: owned tolerates_effect}], nodes: {w-1: {pods: {gap: forbidden}}}}",
            "FAIL medium: 2 pods of shop tolerate every taint, among them web-1; gap: the API server forbids list pods",
        ),
        (
            "pods: {gap: forbidden}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    let mut placed: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let mut daemons: Vec<&str> = Vec::new();
    let blanket = PodTraits::TOLERATES_ALL.or(PodTraits::TOLERATES_EFFECT);
    let idle = PodTraits::MIRROR.or(PodTraits::ENDED);
    for node in view.snapshot.nodes.values() {
        if let Some(gap) = &node.api.unread {
            tally.gap(gap.clone());
        }
        let Some(pods) = tally.take(&node.api.pods) else {
            continue;
        };
        for pod in &pods.value {
            if !pod.traits.any(blanket) || pod.traits.any(idle) || is_system(&pod.namespace) {
                continue;
            }
            if pod.traits.has(PodTraits::DAEMON) {
                if !daemons.contains(&&*pod.namespace) {
                    daemons.push(&pod.namespace);
                }
                continue;
            }
            let (count, first) = placed.entry(&pod.namespace).or_insert((0, &pod.name));
            *count += 1;
            *first = (*first).min(&pod.name);
        }
    }
    // Each node has a list of its own: this stands for all of them.
    let list = Locator::list(Need::PodUids);
    if !view.snapshot.nodes.is_empty() {
        tally.good(list);
    }
    for (namespace, (count, first)) in placed {
        let words = if count == 1 {
            format!("1 pod of {namespace} tolerates every taint: {first}")
        } else {
            format!("{count} pods of {namespace} tolerate every taint, among them {first}")
        };
        let subject = Subject::new(SubjectKind::Namespace, Text::new(namespace));
        tally.offence(offence(subject, Severity::Medium, words, [list]));
    }
    daemons.sort_unstable();
    if !daemons.is_empty() {
        let names = daemons.join(", ");
        tally.note(format!(
            "pods of DaemonSets of {names} tolerate every taint"
        ));
    }
    tally.verdict()
}
