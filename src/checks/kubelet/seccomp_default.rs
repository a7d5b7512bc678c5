use super::setting::switch;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, few, offence, on_node, pass,
};
use crate::checks::confinement::{Asked, seccomp};
use crate::checks::running::each;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "seccompDefault";

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-024"),
    title: "The kubelet filters the system calls of all pods",
    why: "A container that asks for no profile reaches every system call, those of kernel exploits among them.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::KubeletConfig],
    helps: &[Need::Manifests],
    maps: &[Maps::Cis("4.2.14"), Maps::Attack("T1068")],
    fix: Remediation {
        steps: &[
            by_hand(
                "try it on one node first: a program that needs a rare system call fails; set seccompDefault: true in the kubelet's configuration file",
            ),
            on_node("systemctl restart kubelet"),
        ],
        restarts: "the kubelet, for a few seconds; pods that run keep what they have, new ones of the node get the filter",
        undo: &[
            by_hand("put the old value back into the configuration file"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        ("kubelet: {seccompDefault: true}", "PASS"),
        (
            "{kubelet: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: c}]}}}]}",
            "PASS: off, and no container of a static pod is without a profile of its own",
        ),
        (
            "{kubelet: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {privileged: true}}]}}}]}",
            "PASS: off, and no container of a static pod is without a profile of its own",
        ),
        (
            "{kubelet: {seccompDefault: false}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c}, {name: d}]}}}, {file: b.yaml, unread: denied}]}",
            "FAIL medium: off, and default/a/c, default/a/d ask for no profile, set in /var/lib/kubelet/config.yaml; gap: the login may not read it",
        ),
        (
            "{kubelet: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{kubelet: {gap: denied}, manifests: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let (on, setting) = switch(kubelet, KEY)?;
    if on {
        return Ok(pass(setting.evidence));
    }
    let mut tally = Tally::new();
    tally.all_good(&setting.evidence);
    let mut bare = Vec::new();
    let mut evidence = setting.evidence.to_vec();
    each(node, None, &mut tally, |running, _| {
        // No default reaches a privileged container.
        if seccomp(running) == Asked::Unset && !running.is_privileged() {
            bare.push(running.subject.to_string());
            evidence.extend_from_slice(&running.evidence);
        }
    })?;
    if bare.is_empty() {
        tally.note("off, and no container of a static pod is without a profile of its own");
        return tally.verdict();
    }
    let named = few(&bare);
    let message = format!("off, and {named} ask for no profile, {}", setting.origin);
    let subject = Subject::setting(KEY);
    tally.offence(offence(subject, Severity::Medium, message, evidence));
    tally.verdict()
}
