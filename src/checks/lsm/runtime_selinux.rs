use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, not_applicable, on_node, pass,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-LSM-006"),
    title: "The container runtime labels containers for SELinux",
    why: "With the support off, every container runs with the label of the runtime itself, which may do nearly everything: the node is enforcing and the pods are not confined.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Lsm],
    helps: &[],
    maps: &[Maps::Nsa("POD"), Maps::Attack("T1611")],
    fix: Remediation {
        steps: &[
            on_node("grep -rn selinux /etc/containerd /etc/crio"),
            by_hand(
                "containerd: enable_selinux = true in the CRI plugin of /etc/containerd/config.toml; CRI-O: selinux = true under [crio.runtime] in a file below /etc/crio/crio.conf.d; k3s and RKE2: selinux: true in /etc/rancher/k3s/config.yaml or /etc/rancher/rke2/config.yaml. Install container-selinux first",
            ),
            by_hand("drain the node, and restart the runtime"),
        ],
        restarts: "the runtime; containers get their label when they are made anew, static pods too",
        undo: &[by_hand("put the old value back and restart the runtime")],
    },
    examples: &[
        (
            "lsm: {selinux: enforcing, runtime: {selinux: true}}",
            "PASS",
        ),
        (
            "lsm: {selinux: enforcing, runtime: {name: crio, selinux: false}}",
            "FAIL medium: crio does not label containers",
        ),
        (
            "lsm: {selinux: permissive, runtime: {}}",
            "FAIL medium: containerd does not label containers: the setting is not there, and off without it",
        ),
        (
            "lsm: {selinux: none}",
            "N/A: the kernel runs without SELinux",
        ),
        (
            "lsm: {selinux: enforcing, runtime: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.lsm.get()?;
    if !seen.value.has_selinux()? {
        let why = "the kernel runs without SELinux";
        return Ok(not_applicable([seen.at], why));
    }
    let runtime = &seen.value.runtime.get()?.value;
    let message = match runtime.selinux {
        Some(true) => return Ok(pass([seen.at])),
        Some(false) => format!("{} does not label containers", runtime.name),
        None => format!(
            "{} does not label containers: the setting is not there, and off without it",
            runtime.name
        ),
    };
    let subject = Subject::new(SubjectKind::Node, node.name.as_str());
    Ok(fail(subject, Severity::Medium, message, [seen.at]))
}
