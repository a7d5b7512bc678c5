use super::super::confinement::{Asked, apparmor};
use super::super::running::{Running, each};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, not_applicable, offence,
    on_node,
};
use crate::model::fact::{Fact, Gap, Need};
use crate::model::lsm::Runtime;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-LSM-002"),
    title: "No static pod takes its AppArmor profile off",
    why: "An unconfined container can mount, trace and write below /proc and /sys wherever its capabilities allow it, which the runtime's profile denies.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::Lsm],
    helps: &[],
    maps: &[
        Maps::Pss("baseline/appArmorProfile"),
        Maps::Source("Kubescape C-0055"),
        Maps::Attack("T1611"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; in container {container} set securityContext.appArmorProfile to {type: RuntimeDefault}, or to {type: Localhost, localhostProfile: NAME} with a profile of its own",
            ),
            on_node("aa-status"),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true, runtime: {}}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true, runtime: {no_apparmor: true}}}",
            "FAIL medium: container main of shop/a names no AppArmor profile, and containerd gives none",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true, runtime: {gap: denied}}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {appArmorProfile: {type: Unconfined}}, containers: [{name: c, securityContext: {appArmorProfile: {type: RuntimeDefault}}}]}}}], lsm: {apparmor: true}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {appArmorProfile: {type: Unconfined}}, containers: [{name: c}]}}}], lsm: {apparmor: true}}",
            "FAIL medium: container c of default/a asks for no AppArmor profile",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, annotations: {container.apparmor.security.beta.kubernetes.io/c: unconfined}}, spec: {containers: [{name: c}]}}}], lsm: {apparmor: true}}",
            "FAIL medium: container c of default/a asks for no AppArmor profile",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {appArmorProfile: {type: Unconfined}}}]}}}], lsm: {apparmor: false}}",
            "N/A: the kernel runs without AppArmor",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {appArmorProfile: {type: Unconfined}}}]}}}], lsm: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, unread: denied}], lsm: {apparmor: true}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let lsm = node.host.lsm.get()?;
    if !lsm.value.apparmor.get()?.value {
        return Ok(not_applicable([lsm.at], "the kernel runs without AppArmor"));
    }
    let mut tally = Tally::new();
    tally.good(lsm.at);
    let runtime = &lsm.value.runtime;
    each(node, None, &mut tally, |running, tally| {
        container(running, runtime, tally);
    })?;
    tally.verdict()
}

fn container(running: &Running<'_>, runtime: &Fact<Runtime>, tally: &mut Tally) {
    let how = match apparmor(running).0 {
        Asked::Unconfined => "asks for no AppArmor profile".to_owned(),
        // The runtime's own profile, where it uses AppArmor at all.
        Asked::Unset => match runtime.get() {
            Ok(runtime) if runtime.value.no_apparmor == Some(true) => format!(
                "names no AppArmor profile, and {} gives none",
                runtime.value.name
            ),
            Ok(_) => return,
            Err(gap) => return tally.gap(gap),
        },
        _ => return,
    };
    tally.offence(offence(
        running.subject.clone(),
        Severity::Medium,
        format!("{} {how}", running.words()),
        running.evidence.clone(),
    ));
}
