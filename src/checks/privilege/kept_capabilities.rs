use super::containers::{Inside, each_container, words};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-005"),
    title: "Every container drops all capabilities",
    why: "What a container does not drop it keeps: NET_RAW forges packets on the node's network, DAC_OVERRIDE reads every file that is mounted.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Cis("5.2.8"),
        Maps::Cis("5.2.9"),
        Maps::Pss("restricted/capabilities_restricted"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; in container {container} set securityContext.capabilities.drop: [ALL], and add back the single ones that it needs",
            ),
            kubectl("kubectl logs -n {ns} {pod}-{node} -c {container} --tail=20"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {capabilities: {drop: [ALL], add: [CHOWN]}}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {capabilities: {drop: [NET_RAW]}}}]}}}]",
            "FAIL medium: container c of default/a keeps the default capabilities but NET_RAW",
        ),
        (
            "manifests: [{file: a.yaml, pod: shop/a}, {file: b.yaml, unread: denied}]",
            "FAIL medium: container main of shop/a keeps the default capabilities; gap: the login may not read it",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {os: {name: windows}, containers: [{name: c}]}}}]",
            "PASS",
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
    each_container(node, |inside| Ok(one(inside)))
}

fn one(inside: &Inside<'_>) -> Option<Offence> {
    let dropped: Vec<&str> = words(
        inside
            .container
            .pointer("/securityContext/capabilities/drop"),
    )
    .collect();
    // Runtimes take it in any case; the standard does not.
    if dropped.iter().any(|name| name.eq_ignore_ascii_case("all")) {
        return None;
    }
    let but = if dropped.is_empty() {
        String::new()
    } else {
        format!(" but {}", dropped.join(", "))
    };
    let message = format!("{} keeps the default capabilities{but}", inside.words());
    Some(offence(
        inside.subject.clone(),
        Severity::Medium,
        message,
        [inside.at],
    ))
}
