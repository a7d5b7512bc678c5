use super::containers::{Inside, each_container, words};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::standard::DEFAULT_CAPABILITIES;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

/// With one of these a process can leave its container, or reads what is not its own.
const STRONG: &[&str] = &[
    "ALL",
    "BPF",
    "DAC_READ_SEARCH",
    "NET_ADMIN",
    "SYS_ADMIN",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
];

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-004"),
    title: "No container adds capabilities beyond the default",
    why: "SYS_ADMIN, SYS_PTRACE, SYS_MODULE and their like are each a way out of the container, with no need for privileged mode.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Cis("5.2.9"),
        Maps::Pss("baseline/capabilities_baseline"),
        Maps::Attack("T1611"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; in container {container} remove from securityContext.capabilities.add what the program does not need",
            ),
            kubectl("kubectl logs -n {ns} {pod}-{node} -c {container} --tail=20"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {capabilities: {add: [CHOWN, CAP_KILL]}}}, {name: d}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {capabilities: {add: [CHOWN, NET_RAW]}}}]}}}]",
            "FAIL medium: container c of default/a adds NET_RAW",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {initContainers: [{name: i, securityContext: {capabilities: {add: [cap_sys_admin, NET_RAW]}}}], containers: [{name: c, securityContext: {capabilities: {add: [ALL]}}}]}}}]",
            "FAIL high: container i of default/a adds SYS_ADMIN, NET_RAW; high: container c of default/a adds ALL",
        ),
        (
            "manifests: [{file: a.yaml, gap: denied}]",
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
    let added = words(
        inside
            .container
            .pointer("/securityContext/capabilities/add"),
    );
    // Runtimes take them in any case, with or without CAP_.
    let plain = added.map(|name| {
        let name = name.to_ascii_uppercase();
        name.strip_prefix("CAP_")
            .map_or(name.clone(), str::to_owned)
    });
    let beyond: Vec<String> = plain
        .filter(|name| !DEFAULT_CAPABILITIES.contains(&name.as_str()))
        .collect();
    if beyond.is_empty() {
        return None;
    }
    let strong = beyond.iter().any(|name| STRONG.contains(&name.as_str()));
    let severity = if strong {
        Severity::High
    } else {
        Severity::Medium
    };
    let message = format!("{} adds {}", inside.words(), beyond.join(", "));
    Some(offence(
        inside.subject.clone(),
        severity,
        message,
        [inside.at],
    ))
}
