use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, on_node, pass_note,
};
use crate::model::fact::{Gap, Need};
use crate::model::lsm::Lsm;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

const BPF: &str = "kernel.unprivileged_bpf_disabled";

pub static CHECK: Check = Check {
    id: CheckId("SP-LSM-010"),
    title: "The kernel keeps eBPF to those who may use it",
    why: "Unprivileged eBPF has been the way from a user's process into the kernel more than once; what else the kernel hides or locks is reported beside it.",
    severity: Severity::Info,
    since: "0.1.0",
    needs: &[Need::Lsm],
    helps: &[],
    maps: &[Maps::Source("Kubescape C-0055"), Maps::Attack("T1068")],
    fix: Remediation {
        steps: &[
            by_hand(
                "write kernel.unprivileged_bpf_disabled = 2 into /etc/sysctl.d/60-hardening.conf; kernel.kptr_restrict = 1 and kernel.dmesg_restrict = 1 go well with it",
            ),
            on_node("sysctl --system"),
        ],
        restarts: "nothing",
        undo: &[
            on_node("rm /etc/sysctl.d/60-hardening.conf"),
            by_hand("a value of 1 stays until the node restarts, 2 can be set back to 0"),
        ],
    },
    examples: &[
        (
            "lsm: {lockdown: integrity, sysctls: {kernel.unprivileged_bpf_disabled: '2', kernel.kptr_restrict: '1'}}",
            "PASS: lockdown integrity, kernel.unprivileged_bpf_disabled 2, kernel.kptr_restrict 1",
        ),
        (
            "lsm: {lockdown: none, sysctls: {kernel.unprivileged_bpf_disabled: '1'}}",
            "PASS: no lockdown, kernel.unprivileged_bpf_disabled 1",
        ),
        (
            "lsm: {lockdown: none, sysctls: {kernel.unprivileged_bpf_disabled: '0', kernel.dmesg_restrict: '0'}}",
            "FAIL info: every user may load eBPF programs (no lockdown, kernel.unprivileged_bpf_disabled 0, kernel.dmesg_restrict 0)",
        ),
        (
            "lsm: {lockdown: none}",
            "UNKNOWN: the answer cannot be trusted: kernel.unprivileged_bpf_disabled could not be read",
        ),
        ("lsm: {gap: denied}", "UNKNOWN: the login may not read it"),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.lsm.get()?;
    let lsm: &Lsm = &seen.value;
    let state = state(lsm);
    match lsm.sysctl(BPF) {
        None => Err(Gap::Garbled {
            what: format!("{BPF} could not be read").into(),
        }),
        Some("0") => Ok(fail(
            Subject::new(SubjectKind::Node, node.name.as_str()),
            Severity::Info,
            format!("every user may load eBPF programs ({state})"),
            [seen.at],
        )),
        Some(_) => Ok(pass_note([seen.at], state)),
    }
}

/// What is worth knowing beside it.
fn state(lsm: &Lsm) -> String {
    let mut parts = Vec::new();
    if let Ok(lockdown) = lsm.lockdown.get() {
        parts.push(match &lockdown.value {
            Some(word) => format!("lockdown {word}"),
            None => "no lockdown".to_owned(),
        });
    }
    for name in [
        BPF,
        "kernel.kptr_restrict",
        "kernel.dmesg_restrict",
        "kernel.yama.ptrace_scope",
        "user.max_user_namespaces",
    ] {
        parts.extend(lsm.sysctl(name).map(|value| format!("{name} {value}")));
    }
    parts.join(", ")
}
