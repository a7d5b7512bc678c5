use super::containers::each_pod;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::pss::judged::judged;
use crate::checks::standard::Level;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-011"),
    title: "No static pod opens /proc or sets unsafe sysctls",
    why: "An unmasked /proc shows and takes kernel settings of the whole node, and a sysctl outside of the safe set reaches other pods.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject],
    maps: &[
        Maps::Pss("baseline/procMount"),
        Maps::Pss("baseline/sysctls"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; remove securityContext.procMount of the containers and the named entries of spec.securityContext.sysctls",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "{object: {version: v1.32.0}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {sysctls: [{name: net.ipv4.tcp_rmem}]}, containers: [{name: c, securityContext: {procMount: Default}}]}}}]}",
            "PASS",
        ),
        (
            "{object: {version: v1.31.0}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {sysctls: [{name: net.ipv4.tcp_rmem}]}, containers: [{name: c}]}}}]}",
            "FAIL medium: default/a sets what reaches beyond it: net.ipv4.tcp_rmem",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {sysctls: [{name: kernel.msgmax}]}, containers: [{name: c, securityContext: {procMount: Unmasked}}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL medium: default/a has an unmasked /proc: container c; medium: default/a sets what reaches beyond it: kernel.msgmax; gap: the login may not read it",
        ),
        (
            "{object: {version: v1.35.0}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostUsers: false, containers: [{name: c, securityContext: {procMount: Unmasked}}]}}}]}",
            "PASS",
        ),
        (
            "{object: {gap: forbidden}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostUsers: false, containers: [{name: c, securityContext: {procMount: Unmasked}}]}}}]}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {sysctls: none}}}}]",
            "UNKNOWN: the answer cannot be trusted: default/a: spec.securityContext.sysctls is not a list",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    each_pod(node, |around, tally| {
        let name = around.name();
        let found = match judged(around.pod, Level::Baseline, (node, view)) {
            Ok(found) => found,
            Err(gap) => return tally.gap(gap),
        };
        tally.good(around.at);
        tally.gaps(found.gap);
        for violation in found.violations {
            let message = match violation.id {
                "sysctls" => format!("{name} sets what reaches beyond it: {}", violation.detail),
                "procMount" => {
                    let who = violation.containers.join(", ");
                    format!("{name} has an unmasked /proc: container {who}")
                }
                _ => continue,
            };
            let subject = around.part(violation.id);
            tally.offence(offence(subject, Severity::Medium, message, [around.at]));
        }
    })
}
