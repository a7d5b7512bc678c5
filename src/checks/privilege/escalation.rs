use super::containers::{Inside, each_container, switch};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-006"),
    title: "No container can gain privileges",
    why: "Without no_new_privs any setuid program in the image makes an intruder root of the container.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Cis("5.2.6"),
        Maps::Pss("restricted/allowPrivilegeEscalation"),
        Maps::Attack("T1548.001"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; in container {container} set securityContext.allowPrivilegeEscalation: false",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {allowPrivilegeEscalation: false}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {allowPrivilegeEscalation: true}}, {name: d}]}}}]",
            "FAIL medium: container c of default/a asks for privilege escalation; medium: container d of default/a may gain privileges: allowPrivilegeEscalation is not set",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {os: {name: windows}, containers: [{name: c}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {allowPrivilegeEscalation: 0}}]}}}]",
            "UNKNOWN: the answer cannot be trusted: securityContext.allowPrivilegeEscalation of container default/a/c is not true or false",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_container(node, one)
}

fn one(inside: &Inside<'_>) -> Result<Option<Offence>, Gap> {
    let what = match switch(inside, "allowPrivilegeEscalation")? {
        Some(false) => return Ok(None),
        Some(true) => "asks for privilege escalation",
        None => "may gain privileges: allowPrivilegeEscalation is not set",
    };
    let message = format!("{} {what}", inside.words());
    Ok(Some(offence(
        inside.subject.clone(),
        Severity::Medium,
        message,
        [inside.at],
    )))
}
