use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, on_node, pass_note,
};
use crate::model::fact::{Gap, Need};
use crate::model::lsm::Lsm;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-LSM-001"),
    title: "The node enforces AppArmor or SELinux",
    why: "Without a mandatory access control module a single flaw in the container runtime or a hostPath mount is enough: nothing else stands between a container's root and the node's files.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Lsm],
    helps: &[],
    maps: &[Maps::Nsa("POD"), Maps::Attack("T1611")],
    fix: Remediation {
        steps: &[
            on_node("cat /sys/kernel/security/lsm"),
            by_hand(
                "Debian, Ubuntu, SUSE: install apparmor, and add apparmor=1 security=apparmor to the kernel's command line. RHEL, Fedora, Flatcar and their kin: set SELINUX=enforcing in /etc/selinux/config, and relabel the file system first where it was off: touch /.autorelabel",
            ),
            by_hand("drain the node, and restart it"),
        ],
        restarts: "the node; pods move only if it is drained first, static pods are away until it is back",
        undo: &[by_hand(
            "take the words out of the kernel's command line, or set SELINUX back to what it was, and restart the node",
        )],
    },
    examples: &[
        ("lsm: {apparmor: true, selinux: none}", "PASS: by AppArmor"),
        (
            "lsm: {apparmor: false, selinux: enforcing}",
            "PASS: by SELinux in enforcing mode",
        ),
        (
            "lsm: {apparmor: {gap: denied}, selinux: enforcing}",
            "PASS: by SELinux in enforcing mode",
        ),
        (
            "lsm: {apparmor: false, selinux: none}",
            "FAIL high: neither AppArmor nor SELinux is on",
        ),
        (
            "lsm: {apparmor: false, selinux: permissive}",
            "FAIL high: no AppArmor, and SELinux is permissive",
        ),
        (
            "lsm: {apparmor: {gap: denied}, selinux: none}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "lsm: {gap: collector}",
            "UNKNOWN: the installed collector is older than version 2",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.lsm.get()?;
    let lsm: &Lsm = &seen.value;
    if lsm.apparmor.get().is_ok_and(|on| on.value) {
        return Ok(pass_note([seen.at], "by AppArmor"));
    }
    if lsm
        .selinux
        .enforce
        .get()
        .is_ok_and(|on| on.value == Some(true))
    {
        return Ok(pass_note([seen.at], "by SELinux in enforcing mode"));
    }
    // None is proven: now both have to be known.
    lsm.apparmor.get()?;
    let message = match lsm.selinux.enforce.get()?.value {
        None => "neither AppArmor nor SELinux is on",
        Some(_) => "no AppArmor, and SELinux is permissive",
    };
    let subject = Subject::new(SubjectKind::Node, node.name.as_str());
    Ok(fail(subject, Severity::High, message, [seen.at]))
}
