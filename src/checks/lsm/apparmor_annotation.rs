use super::super::confinement::{Place, annotation, apparmor};
use super::super::running::{Running, each};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::model::fact::{Fact, Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Verdict};

/// The first version with the field.
const FIELD: u32 = 30;

pub static CHECK: Check = Check {
    id: CheckId("SP-LSM-003"),
    title: "AppArmor profiles are asked for by the field",
    why: "The annotation is deprecated since 1.30 and read as a last resort: a kubelet that no longer looks at it would run the container with another profile than its manifest says.",
    severity: Severity::Low,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::Lsm],
    helps: &[Need::NodeObject],
    maps: &[Maps::Pss("baseline/appArmorProfile")],
    fix: Remediation {
        steps: &[
            on_node(
                "grep -rlFe container.apparmor.security.beta.kubernetes.io /etc/kubernetes/manifests",
            ),
            by_hand(
                "copy that file out of the folder as a backup; write the profile into securityContext.appArmorProfile of container {container}, and take the annotation away: runtime/default becomes {type: RuntimeDefault}, localhost/NAME becomes {type: Localhost, localhostProfile: NAME}",
            ),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], lsm: {apparmor: true}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, annotations: {container.apparmor.security.beta.kubernetes.io/c: runtime/default}}, spec: {containers: [{name: c, securityContext: {appArmorProfile: {type: RuntimeDefault}}}]}}}], lsm: {apparmor: true}, object: {}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, annotations: {container.apparmor.security.beta.kubernetes.io/c: localhost/own}}, spec: {containers: [{name: c}]}}}], lsm: {apparmor: true}, object: {version: v1.29.4}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, annotations: {container.apparmor.security.beta.kubernetes.io/c: localhost/own}}, spec: {containers: [{name: c}]}}}], lsm: {apparmor: true}, object: {version: v1.30.0}}",
            "FAIL low: container c of default/a has its AppArmor profile in an annotation only: localhost/own",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, annotations: {container.apparmor.security.beta.kubernetes.io/c: localhost/own}}, spec: {containers: [{name: c}]}}}], lsm: {apparmor: true}, object: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{manifests: [], lsm: {apparmor: false}}",
            "N/A: the kernel runs without AppArmor",
        ),
        (
            "{manifests: {gap: denied}, lsm: {apparmor: true}}",
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
    let minor = match &node.api.object {
        Fact::Gap(gap) => Err(gap.clone()),
        Fact::Seen(object) => minor(object.value.kubelet_version.as_str()),
    };
    each(node, None, &mut tally, |running, tally| {
        container(running, &minor, tally);
    })?;
    tally.verdict()
}

/// 30 of `v1.30.2`.
fn minor(version: &str) -> Result<u32, Gap> {
    let mut parts = version.trim_start_matches('v').split('.');
    let minor = parts.nth(1).and_then(|minor| minor.parse().ok());
    minor.ok_or_else(|| Gap::Garbled {
        what: Text::from(format!("the kubelet's version: {version}")),
    })
}

fn container(running: &Running<'_>, minor: &Result<u32, Gap>, tally: &mut Tally) {
    let (_, Place::Annotation) = apparmor(running) else {
        return;
    };
    match minor {
        Err(gap) => tally.gap(gap.clone()),
        Ok(minor) if *minor < FIELD => {}
        Ok(_) => {
            let word = Text::new(annotation(running).unwrap_or_default());
            tally.offence(offence(
                running.subject.clone(),
                Severity::Low,
                format!(
                    "{} has its AppArmor profile in an annotation only: {word}",
                    running.words()
                ),
                running.evidence.clone(),
            ));
        }
    }
}
