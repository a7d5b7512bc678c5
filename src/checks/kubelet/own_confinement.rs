use super::process;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::confinement::{Label, label};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::process::{Caps, Process};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-032"),
    title: "What confines the kubelet itself is known",
    why: "A kubelet that somebody started from a login has that login's environment and label, and its unit says nothing of it.",
    severity: Severity::Info,
    since: "0.2.0",
    needs: &[Need::KubeletConfig, Need::Processes],
    helps: &[],
    maps: &[Maps::Source(
        "report only: what the kubelet's process may do",
    )],
    fix: Remediation {
        steps: &[
            on_node("systemctl restart kubelet"),
            by_hand(
                "look at its parent and its environment first where it is not the unit's: ps -o ppid,lstart,cmd -C kubelet",
            ),
        ],
        restarts: "the kubelet, for a few seconds; pods keep running",
        undo: &[by_hand("nothing to undo: the unit starts it as it was")],
    },
    examples: &[
        (
            "{kubelet: {command: [/usr/bin/kubelet]}, processes: [{comm: kubelet, caps: all, seccomp: 0, label: unconfined}]}",
            "PASS: unconfined by AppArmor; no seccomp filter; all capabilities; may gain rights by exec",
        ),
        (
            "{kubelet: {}, processes: [{comm: kubelet, caps: usual, seccomp: 2, nnp: true, label: 'system_u:system_r:kubelet_t:s0'}]}",
            "PASS: type kubelet_t of SELinux; a seccomp filter; all capabilities but 27; may not gain rights by exec",
        ),
        (
            "{kubelet: {}, processes: [{comm: kubelet, label: none, seccomp: 0, caps: all}]}",
            "PASS: no security module gives labels; no seccomp filter; all capabilities; may gain rights by exec",
        ),
        (
            "{kubelet: {}, processes: [{comm: kubelet, label: 'unconfined_u:unconfined_r:unconfined_t:s0'}]}",
            "FAIL info: runs with SELinux type unconfined_t: it was started from a login, and not by its unit",
        ),
        (
            "{kubelet: {}, processes: [{comm: kubelet, rights: {gap: denied}}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{kubelet: {}, processes: []}",
            "UNKNOWN: the answer cannot be trusted: the kubelet is not among the processes that were read",
        ),
        (
            "{kubelet: {stopped: true}, processes: []}",
            "UNKNOWN: the kubelet does not act: no kubelet process was found",
        ),
        (
            "{kubelet: {}, processes: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let processes = node.host.processes.get()?;
    let process = process::own(node, kubelet)?;
    let mut tally = Tally::new();
    tally.all_good(&[kubelet.at, processes.at]);
    let label = process.label.get()?;
    if let Some(label) = &label.value
        && self::label(label.as_str()) == Label::Selinux("unconfined_t")
    {
        tally.offence(offence(
            Subject::new(SubjectKind::Node, node.name.as_str()),
            Severity::Info,
            "runs with SELinux type unconfined_t: it was started from a login, and not by its unit",
            [processes.at],
        ));
    }
    tally.note(words(process, label.value.as_ref())?);
    tally.verdict()
}

/// What holds it, part by part.
fn words(process: &Process, own: Option<&Text>) -> Result<String, Gap> {
    let rights = process.rights.get()?.value;
    let module = match own.map(|own| label(own.as_str())) {
        None => "no security module gives labels".to_owned(),
        Some(Label::Unconfined) => "unconfined by AppArmor".to_owned(),
        Some(Label::Profile(name, mode)) => format!("profile {name} of AppArmor in {mode} mode"),
        Some(Label::Selinux(kind)) => format!("type {kind} of SELinux"),
        Some(Label::Other) => "a label that is not understood".to_owned(),
    };
    let filter = match rights.seccomp {
        Some(1 | 2) => "a seccomp filter",
        Some(_) => "no seccomp filter",
        None => "the kernel does not tell of seccomp",
    };
    let all = Caps::NAMES.len();
    let held = Caps::NAMES.iter().filter_map(|name| Caps::by_name(name));
    let missing = held
        .filter(|one| !one.without(rights.effective).is_empty())
        .count();
    let caps = match missing {
        0 => "all capabilities".to_owned(),
        missing if missing == all => "no capabilities".to_owned(),
        missing => format!("all capabilities but {missing}"),
    };
    let gain = if rights.no_new_privs {
        "may not gain rights by exec"
    } else {
        "may gain rights by exec"
    };
    Ok(format!("{module}; {filter}; {caps}; {gain}"))
}
