use super::super::confinement::{Label, label};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, not_applicable, on_node, pass, pass_note,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

/// Types that every container may write.
const OPEN: &[&str] = &[
    "container_file_t",
    "container_ro_file_t",
    "svirt_sandbox_file_t",
    "default_t",
    "unlabeled_t",
    "file_t",
    "tmp_t",
];

pub static CHECK: Check = Check {
    id: CheckId("SP-LSM-008"),
    title: "The static pod folder has a label of the system",
    why: "Containers may write files that are labelled for containers: with such a label on the folder, a pod that mounts it starts pods on the node, and SELinux looks on.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Lsm],
    helps: &[],
    maps: &[Maps::Ms("MS-M9016"), Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            on_node("ls -dZ /etc/kubernetes/manifests"),
            by_hand(
                "find the pod that mounted the folder with a label of its own (SELinux relabels a volume that a container asks for), and change its volume",
            ),
            on_node("restorecon -RFv /etc/kubernetes"),
        ],
        restarts: "nothing",
        undo: &[by_hand(
            "chcon -R -t TYPE with the type that the evidence shows",
        )],
    },
    examples: &[
        (
            "lsm: {selinux: enforcing, label: 'system_u:object_r:etc_t:s0'}",
            "PASS",
        ),
        (
            "lsm: {selinux: enforcing, label: 'system_u:object_r:kubernetes_file_t:s0'}",
            "PASS",
        ),
        (
            "lsm: {selinux: enforcing, label: 'system_u:object_r:var_lib_t:s0'}",
            "PASS: its type is var_lib_t",
        ),
        (
            "lsm: {selinux: permissive, label: 'system_u:object_r:container_file_t:s0:c1,c2'}",
            "FAIL high: the static pod folder has type container_file_t",
        ),
        (
            "lsm: {selinux: enforcing, label: none}",
            "N/A: there is no static pod folder",
        ),
        (
            "lsm: {selinux: none}",
            "N/A: the kernel runs without SELinux",
        ),
        (
            "lsm: {selinux: enforcing, label: {gap: tool}}",
            "UNKNOWN: getfacl is not on the node",
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
    let Some(text) = &seen.value.selinux.manifest_dir.get()?.value else {
        return Ok(not_applicable([seen.at], "there is no static pod folder"));
    };
    let Label::Selinux(kind) = label(text.as_str()) else {
        return Err(Gap::Garbled {
            what: format!("the label of the static pod folder: {text}").into(),
        });
    };
    Ok(match kind {
        "etc_t" | "kubernetes_file_t" => pass([seen.at]),
        kind if OPEN.contains(&kind) => fail(
            Subject::new(SubjectKind::Node, node.name.as_str()),
            Severity::High,
            format!("the static pod folder has type {kind}"),
            [seen.at],
        ),
        kind => pass_note([seen.at], format!("its type is {kind}")),
    })
}
