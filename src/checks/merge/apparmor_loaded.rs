use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::confinement::{Asked, apparmor};
use crate::checks::running::{Running, each};
use crate::model::fact::{Gap, Need, Seen};
use crate::model::lsm::Lsm;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-015"),
    title: "AppArmor profiles that manifests name are enforced",
    why: "A pod that names a profile which the kernel does not have does not start again after its next change; one whose profile only complains runs as if it had none.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[Need::Lsm],
    maps: &[
        Maps::Pss("baseline/appArmorProfile"),
        Maps::Attack("T1562.001"),
    ],
    fix: Remediation {
        steps: &[
            on_node("aa-status"),
            by_hand(
                "put the profile's file into /etc/apparmor.d, so that it is loaded at every start; Debian, Ubuntu and SUSE share that place",
            ),
            on_node("apparmor_parser -r /etc/apparmor.d/FILE"),
            on_node("aa-enforce /etc/apparmor.d/FILE"),
        ],
        restarts: "nothing: a profile that is loaded again applies to running processes of its name at once",
        undo: &[
            on_node("aa-complain /etc/apparmor.d/FILE"),
            by_hand("or unload it: apparmor_parser -R /etc/apparmor.d/FILE"),
        ],
    },
    examples: &[
        ("manifests: [{file: a.yaml, pod: shop/a}]", "PASS"),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {appArmorProfile: {type: Localhost, localhostProfile: own}}, containers: [{name: c}]}}}], lsm: {apparmor: true, profiles: {own: enforce}}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {appArmorProfile: {type: Localhost, localhostProfile: own}}}]}}}], lsm: {apparmor: true, profiles: {other: enforce}}}",
            "FAIL high: container c of default/a asks for AppArmor profile own, which is not loaded",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, annotations: {container.apparmor.security.beta.kubernetes.io/c: localhost/own}}, spec: {containers: [{name: c}]}}}], lsm: {apparmor: true, profiles: {own: complain}}}",
            "FAIL high: container c of default/a asks for AppArmor profile own, which is loaded in complain mode",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {appArmorProfile: {type: Localhost, localhostProfile: own}}}]}}}], lsm: {apparmor: false}}",
            "N/A: the kernel runs without AppArmor",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {appArmorProfile: {type: Localhost, localhostProfile: own}}}]}}}], lsm: {apparmor: true, profiles: {gap: denied}}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let lsm = node.host.lsm.get();
    let mut tally = Tally::new();
    let mut off = false;
    each(node, None, &mut tally, |running, tally| {
        let (Asked::Localhost(name), _) = apparmor(running) else {
            return;
        };
        match loaded(&lsm, name) {
            Err(gap) => tally.gap(gap),
            Ok(State::Off) => off = true,
            Ok(State::Enforced) => {}
            Ok(State::Loose(how)) => tell(running, name, &how, &lsm, tally),
        }
    })?;
    match (off, lsm) {
        (true, Ok(lsm)) => Ok(not_applicable([lsm.at], "the kernel runs without AppArmor")),
        _ => tally.verdict(),
    }
}

/// What the kernel makes of a profile.
enum State {
    /// AppArmor is off.
    Off,
    Enforced,
    Loose(String),
}

fn loaded(lsm: &Result<&Seen<Box<Lsm>>, Gap>, name: &str) -> Result<State, Gap> {
    let lsm = &lsm.as_ref().map_err(Clone::clone)?.value;
    if !lsm.apparmor.get()?.value {
        return Ok(State::Off);
    }
    let profiles = &lsm.profiles.get()?.value;
    Ok(match profiles.find(name) {
        None => State::Loose("which is not loaded".to_owned()),
        Some(profile) if profile.mode == "enforce" || profile.mode == "kill" => State::Enforced,
        Some(profile) => State::Loose(format!("which is loaded in {} mode", profile.mode)),
    })
}

fn tell(
    running: &Running<'_>,
    name: &str,
    how: &str,
    lsm: &Result<&Seen<Box<Lsm>>, Gap>,
    tally: &mut Tally,
) {
    let evidence = running.evidence.iter().copied();
    tally.offence(offence(
        running.subject.clone(),
        Severity::High,
        format!(
            "{} asks for AppArmor profile {}, {how}",
            running.words(),
            Text::new(name)
        ),
        evidence.chain(lsm.as_ref().ok().map(|seen| seen.at)),
    ));
}
