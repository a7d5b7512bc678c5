use super::super::confinement::{Label, label};
use super::super::running::{Running, each, join};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::process::Process;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-LSM-007"),
    title: "Processes of static pods are really confined",
    why: "A manifest says what was asked for, the label of the process what the kernel does: a profile that was unloaded, or a runtime that ignores it, shows here alone.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::Processes, Need::Lsm],
    helps: &[Need::Identity],
    maps: &[Maps::Nsa("POD"), Maps::Attack("T1611")],
    fix: Remediation {
        steps: &[
            on_node("ps -eo pid,label,args"),
            by_hand(
                "AppArmor: load the runtime's profile again (restart containerd or CRI-O), or the profile that the manifest names with apparmor_parser -r FILE, in enforce mode: aa-enforce NAME. SELinux: enable it in the runtime and install container-selinux",
            ),
            on_node("mv /etc/kubernetes/manifests/FILE /root/"),
            by_hand(
                "wait until the pod is gone, then move the file back: a label is given when a container is made",
            ),
        ],
        restarts: "the pod, once: 20 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("none needed: nothing was loosened")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true, selinux: none}, processes: [{of: shop/a/main}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: false, selinux: enforcing}, processes: [{of: shop/a/main, label: 'system_u:system_r:container_t:s0:c1,c2'}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true, selinux: none}, processes: [{of: shop/a/main, label: unconfined}]}",
            "FAIL high: container main of shop/a is unconfined (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true, selinux: none}, processes: [{of: shop/a/main, label: 'own (complain)'}]}",
            "FAIL high: container main of shop/a has AppArmor profile own in complain mode (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: false, selinux: enforcing}, processes: [{of: shop/a/main, label: 'system_u:system_r:spc_t:s0'}]}",
            "FAIL high: container main of shop/a has SELinux type spc_t (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: false, selinux: permissive}, processes: [{of: shop/a/main, label: 'system_u:system_r:container_t:s0'}]}",
            "FAIL high: container main of shop/a has a label that SELinux does not enforce (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: false, selinux: {gap: denied}}, processes: [{of: shop/a/main, label: 'system_u:system_r:container_t:s0'}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true, selinux: none}, processes: [{of: shop/a/main, label: kernel}]}",
            "UNKNOWN: the answer cannot be trusted: the label of process 1000 (kernel)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {containers: [{name: c, securityContext: {privileged: true}}]}}}], lsm: {apparmor: true, selinux: none}, processes: [{of: shop/a/c, label: unconfined}]}",
            "PASS: shop/a/c is privileged, which takes confinement away",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: false, selinux: none}, processes: [{of: shop/a/main, label: none}]}",
            "N/A: the kernel confines by neither AppArmor nor SELinux",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true, selinux: none}, processes: [{of: shop/a/main, label: {gap: denied}}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true, selinux: none}, processes: [{of: shop/a/main, unnamed: true}]}",
            "UNKNOWN: the answer cannot be trusted: which container the processes of pod uid of shop/a are in: no log names it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true, selinux: none}, processes: {gap: collector}}",
            "UNKNOWN: the installed collector is older than version 2",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let lsm = node.host.lsm.get()?;
    let join = join(node)?;
    let apparmor = lsm.value.apparmor.get().map(|on| on.value);
    let selinux = lsm.value.selinux.enforce.get().map(|on| on.value);
    if apparmor == Ok(false) && selinux == Ok(None) {
        let why = "the kernel confines by neither AppArmor nor SELinux";
        return Ok(not_applicable([lsm.at], why));
    }
    let mut tally = Tally::new();
    tally.all_good(&[lsm.at, join.at()]);
    each(node, Some(&join), &mut tally, |running, tally| {
        container(running, &selinux, tally);
    })?;
    tally.gaps(join.gaps(node));
    tally.verdict()
}

fn container(running: &Running<'_>, selinux: &Result<Option<bool>, Gap>, tally: &mut Tally) {
    if running.is_privileged() {
        if !running.processes.is_empty() {
            let who = &running.subject;
            tally.note(format!("{who} is privileged, which takes confinement away"));
        }
        return;
    }
    for process in &running.processes {
        match looseness(process, selinux) {
            Err(gap) => tally.gap(gap),
            Ok(None) => {}
            Ok(Some(how)) => tally.offence(offence(
                running.subject.clone(),
                Severity::High,
                format!(
                    "{} {how} (process {}, {})",
                    running.words(),
                    process.pid,
                    process.comm
                ),
                running.evidence.clone(),
            )),
        }
    }
}

/// Why a process is not confined; none where it is.
///
/// # Errors
/// Where its label, or what the kernel makes of it, is not known.
fn looseness(
    process: &Process,
    selinux: &Result<Option<bool>, Gap>,
) -> Result<Option<String>, Gap> {
    let Some(text) = &process.label.get()?.value else {
        return Ok(Some("has no label".to_owned()));
    };
    let label = label(text.as_str());
    if let Some(how) = label.looseness() {
        return Ok(Some(how));
    }
    match (label, selinux) {
        (Label::Profile(..), _) | (Label::Selinux(_), Ok(Some(true))) => Ok(None),
        (Label::Selinux(_), Ok(Some(false))) => {
            Ok(Some("has a label that SELinux does not enforce".to_owned()))
        }
        (Label::Selinux(_), Err(gap)) => Err(gap.clone()),
        _ => Err(Gap::Garbled {
            what: Text::from(format!("the label of process {} ({text})", process.pid)),
        }),
    }
}
