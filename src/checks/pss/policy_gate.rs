use super::exceptions::is_declared;
use super::judged::judged;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::privilege::containers::{Around, every_pod};
use crate::checks::standard::Level;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PSS-010"),
    title: "The policy declares what static pods break",
    why: "Nothing in the cluster can stop a static pod: a declared list of exceptions is all that tells a wanted one from an intruder's.",
    severity: Severity::Info,
    since: "0.2.0",
    needs: &[Need::Manifests, Need::Policy],
    helps: &[Need::NodeObject],
    maps: &[Maps::Pss("baseline"), Maps::Ms("MS-TA9017")],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "where it is meant: add the controls under pss: of the entry of {ns}/{pod} in the policy file; else mend the manifest",
            ),
        ],
        restarts: "nothing, where the policy is changed",
        undo: &[by_hand("take the controls out of the policy again")],
    },
    examples: &[
        (
            "{policy: {static_pods: [{pod: 'x/*', pss: [privileged, hostNamespaces]}]}, object: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {hostPID: true}}}]}",
            "PASS",
        ),
        (
            "{policy: {static_pods: [{pod: 'x/*', pss: [privileged]}]}, object: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {hostPID: true, volumes: [{name: v, hostPath: {path: /}}]}}}, {file: b.yaml, unread: denied}]}",
            "FAIL info: x/a breaks what no entry of the policy declares: hostNamespaces, hostPathVolumes; gap: the login may not read it",
        ),
        (
            "{policy: {static_pods: [{pod: x/a, pss: ['*'], nodes: {labels: {role: cp}}}]}, object: {gap: forbidden}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {hostPID: true}}}]}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{policy: none, manifests: []}",
            "N/A: no policy declares static pods: stakeout policy init",
        ),
        (
            "{policy: {static_pods: []}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let policy = view.policy.file.get()?;
    // Read before the policy is asked: without manifests nothing is known, whatever is declared.
    let mut tally = every_pod(node, |around, tally| {
        if let Err(gap) = one(node, view, &around, tally) {
            tally.gap(gap);
        }
    })?;
    let declares = policy
        .value
        .as_ref()
        .is_some_and(|file| file.static_pods.is_some());
    if !declares {
        return Ok(not_applicable(
            [policy.at],
            "no policy declares static pods: stakeout policy init",
        ));
    }
    tally.good(policy.at);
    tally.verdict()
}

fn one(
    node: &NodeFacts,
    view: &View<'_>,
    around: &Around<'_>,
    tally: &mut Tally,
) -> Result<(), Gap> {
    let found = judged(around.pod, Level::Baseline, (node, view))?;
    tally.gaps(found.gap);
    let mut open = Vec::new();
    for violation in &found.violations {
        if !is_declared(node, view, around.pod, violation.id)? {
            open.push(violation.id);
        }
    }
    if open.is_empty() {
        tally.good(around.at);
        return Ok(());
    }
    let message = format!(
        "{} breaks what no entry of the policy declares: {}",
        around.name(),
        open.join(", ")
    );
    tally.offence(offence(
        around.subject(),
        Severity::Info,
        message,
        [around.at],
    ));
    Ok(())
}
