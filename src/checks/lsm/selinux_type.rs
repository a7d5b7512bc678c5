use super::super::running::{Running, each};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Verdict};

/// Types that the Pod Security Standards allow (`container_engine_t` since 1.31).
const ALLOWED: &[&str] = &[
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
];

pub static CHECK: Check = Check {
    id: CheckId("SP-LSM-004"),
    title: "Static pods ask for no SELinux type beyond containers",
    why: "A container with spc_t or a service's type is to SELinux what that service is: it may write host files that the type of ordinary containers never may.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Pss("baseline/seLinuxOptions"), Maps::Attack("T1611")],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; take seLinuxOptions.type of container {container} away, or set it to container_t; take user and role away",
            ),
            by_hand(
                "where the pod needs more than container_t allows, make a type of its own with udica instead of taking all of spc_t",
            ),
            on_node("ausearch -m avc -ts recent"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: [{file: a.yaml, pod: shop/a}]", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {seLinuxOptions: {type: spc_t}}, containers: [{name: c, securityContext: {seLinuxOptions: {type: container_t, level: 's0:c1,c2'}}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: /var/lib/rancher/rke2/agent/pod-manifests/etcd.yaml, pod: {metadata: {name: etcd}, spec: {containers: [{name: etcd, securityContext: {seLinuxOptions: {type: rke2_service_t}}}]}}}]",
            "PASS: default/etcd/etcd has rke2_service_t, RKE2's own type",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {seLinuxOptions: {type: spc_t}}, containers: [{name: c}]}}}]",
            "FAIL high: container c of default/a asks for SELinux type spc_t",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seLinuxOptions: {user: system_u, role: sysadm_r}}}]}}}]",
            "FAIL medium: container c of default/a asks for SELinux user system_u and role sysadm_r",
        ),
        (
            "manifests: [{file: a.yaml, unread: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    each(node, None, &mut tally, container)?;
    tally.verdict()
}

fn container(running: &Running<'_>, tally: &mut Tally) {
    let Some(options) = running.context("seLinuxOptions") else {
        return;
    };
    let word = |field: &str| {
        let word = options.get(field).and_then(Branch::as_str);
        word.filter(|word| !word.is_empty()).map(Text::new)
    };
    let kind = word("type").unwrap_or_default();
    let file = running.declared.manifest.file.as_str();
    if kind == "rke2_service_t" && file.starts_with("/var/lib/rancher/rke2/") {
        tally.note(format!("{} has {kind}, RKE2's own type", running.subject));
    } else if !ALLOWED.contains(&kind.as_str()) {
        tally.offence(offence(
            running.subject.clone(),
            Severity::High,
            format!("{} asks for SELinux type {kind}", running.words()),
            running.evidence.clone(),
        ));
    }
    let mut others = Vec::new();
    for field in ["user", "role"] {
        others.extend(word(field).map(|word| format!("{field} {word}")));
    }
    if !others.is_empty() {
        tally.offence(offence(
            running.subject.clone(),
            Severity::Medium,
            format!(
                "{} asks for SELinux {}",
                running.words(),
                others.join(" and ")
            ),
            running.evidence.clone(),
        ));
    }
}
