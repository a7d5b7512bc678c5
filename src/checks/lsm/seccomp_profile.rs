use super::super::confinement::{Asked, seccomp};
use super::super::running::{Running, each, join};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Fact, Gap, Need};
use crate::model::kubelet::Kubelet;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-LSM-009"),
    title: "Every container of a static pod runs under seccomp",
    why: "Without a filter a container reaches some four hundred system calls, among them those that most kernel exploits of the last years needed and no component ever calls.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[Need::KubeletConfig, Need::Processes, Need::Identity],
    maps: &[
        Maps::Cis("5.6.2"),
        Maps::Pss("restricted/seccompProfile_restricted"),
        Maps::Attack("T1068"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; set securityContext.seccompProfile to {type: RuntimeDefault}, for the pod or for container {container}; a privileged container has no filter whatever it asks for",
            ),
            by_hand(
                "seccompDefault: true in the kubelet's configuration file does it for every pod of the node that asks for nothing",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: c}]}}}], processes: [{of: default/a/c, seccomp: 2}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c}]}}}], kubelet: {layers: [{kind: file, origin: /k, set: {seccompDefault: true}}]}, processes: []}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c}]}}}], kubelet: {}, processes: [{of: default/a/c, seccomp: 0}]}",
            "FAIL medium: container c of default/a asks for no seccomp profile, and the kubelet gives none by default",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seccompProfile: {type: Unconfined}}}]}}}]}",
            "FAIL medium: container c of default/a asks to run without seccomp; gap: not asked for in this run",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seccompProfile: {type: RuntimeDefault}}}]}}}], processes: [{of: default/a/c, seccomp: 0}]}",
            "FAIL medium: container c of default/a runs without seccomp, and its manifest asks for it (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {privileged: true, seccompProfile: {type: RuntimeDefault}}}]}}}], processes: []}",
            "FAIL medium: container c of default/a is privileged, and no filter applies to it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c}]}}}], kubelet: {gap: denied}, processes: []}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seccompProfile: {type: RuntimeDefault}}}]}}}], processes: [{of: default/a/c, rights: {gap: denied}}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "manifests: {gap: machine}",
            "UNKNOWN: another machine answered: another boot id",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let joined = join(node);
    let mut tally = Tally::new();
    let mut any = false;
    each(node, joined.as_ref().ok(), &mut tally, |running, tally| {
        any = true;
        container(running, &node.host.kubelet, tally);
    })?;
    // Where no container is declared nothing has to run.
    match joined {
        Err(gap) if any => tally.gap(gap),
        Ok(join) if any => tally.gaps(join.gaps(node)),
        _ => {}
    }
    tally.verdict()
}

fn container(running: &Running<'_>, kubelet: &Fact<Kubelet>, tally: &mut Tally) {
    let words = running.words();
    let declared = match (running.is_privileged(), seccomp(running)) {
        (true, _) => Some(format!(
            "{words} is privileged, and no filter applies to it"
        )),
        (false, Asked::Unconfined) => Some(format!("{words} asks to run without seccomp")),
        (false, Asked::Unset) => match by_default(kubelet) {
            Err(gap) => return tally.gap(gap),
            Ok(true) => None,
            Ok(false) => match filtered(running) {
                // A runtime may be set to filter what asks for nothing.
                Ok(true) => None,
                _ => Some(format!(
                    "{words} asks for no seccomp profile, and the kubelet gives none by default"
                )),
            },
        },
        (false, _) => None,
    };
    if let Some(message) = declared {
        let evidence = running.evidence.clone();
        return tally.offence(offence(
            running.subject.clone(),
            Severity::Medium,
            message,
            evidence,
        ));
    }
    effective(running, tally);
}

/// Whether something runs there, and all of it is filtered.
fn filtered(running: &Running<'_>) -> Result<bool, Gap> {
    let mut any = false;
    for process in &running.processes {
        any = true;
        if process.rights.get()?.value.seccomp != Some(2) {
            return Ok(false);
        }
    }
    Ok(any)
}

fn effective(running: &Running<'_>, tally: &mut Tally) {
    for process in &running.processes {
        match process.rights.get().map(|rights| rights.value.seccomp) {
            Err(gap) => tally.gap(gap),
            Ok(Some(1 | 2)) => {}
            Ok(Some(_)) => tally.offence(offence(
                running.subject.clone(),
                Severity::Medium,
                format!(
                    "{} runs without seccomp, and its manifest asks for it (process {}, {})",
                    running.words(),
                    process.pid,
                    process.comm
                ),
                running.evidence.clone(),
            )),
            Ok(None) => tally.gap(Gap::Garbled {
                what: Text::new("the kernel does not say whether seccomp is on"),
            }),
        }
    }
}

/// Whether the kubelet gives the runtime's profile to whoever asks for none.
fn by_default(kubelet: &Fact<Kubelet>) -> Result<bool, Gap> {
    let setting = kubelet.get()?.value.setting("seccompDefault")?;
    Ok(setting.is_some_and(|(value, _)| value == Branch::Bool(true)))
}
