use super::setting::{garbled, origin, required};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::version;
use crate::model::fact::{Gap, Need};
use crate::model::kubelet::LayerKind;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

const EVENTS: &str = "eventRecordQPS";
const IDLE: &str = "streamingConnectionIdleTimeout";
/// From this kubelet on the timeout has no effect.
const WITHOUT_TIMEOUT: u32 = 37;

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-027"),
    title: "Events are recorded, and idle streams end",
    why: "An event that is not recorded is a trace that is missing; a stream that never ends keeps an exec session open that everybody has forgotten.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: &[Need::KubeletConfig],
    helps: &[Need::NodeObject],
    maps: &[Maps::Cis("4.2.5"), Maps::Cis("4.2.8")],
    fix: Remediation {
        steps: &[
            by_hand(
                "set eventRecordQPS: 50 in the kubelet's configuration file; remove --streaming-connection-idle-timeout=0 from its flags",
            ),
            on_node("systemctl restart kubelet"),
        ],
        restarts: "the kubelet, for a few seconds; pods keep running",
        undo: &[
            by_hand("put the old value back into the configuration file"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        ("kubelet: {}", "PASS"),
        (
            "kubelet: {eventRecordQPS: 0}",
            "PASS: events are recorded without a limit",
        ),
        (
            "kubelet: {eventRecordQPS: -1}",
            "FAIL low: eventRecordQPS is -1, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "{kubelet: {layers: [{kind: flag, origin: --streaming-connection-idle-timeout, set: {streamingConnectionIdleTimeout: '0'}}]}, object: {version: v1.35.0}}",
            "FAIL low: idle streams never end, set by --streaming-connection-idle-timeout",
        ),
        (
            "{kubelet: {layers: [{kind: flag, origin: --streaming-connection-idle-timeout, set: {streamingConnectionIdleTimeout: '0'}}]}, object: {}}",
            "PASS: the timeout of idle streams has no effect from 1.37 on",
        ),
        (
            "{kubelet: {layers: [{kind: flag, origin: --streaming-connection-idle-timeout, set: {streamingConnectionIdleTimeout: '0'}}]}, object: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "kubelet: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let mut tally = Tally::new();
    let events = required(kubelet, EVENTS)?;
    tally.all_good(&events.evidence);
    match events.value.as_i64() {
        None => tally.gap(garbled(EVENTS, "is not a number")),
        Some(0) => tally.note("events are recorded without a limit"),
        Some(rate @ ..0) => tally.offence(offence(
            Subject::setting(EVENTS),
            Severity::Low,
            format!("{EVENTS} is {rate}, {}", events.origin),
            events.evidence,
        )),
        Some(_) => {}
    }
    // Zero in a file means the default; a flag is not defaulted again.
    if let Some((value, layer)) = kubelet.value.setting(IDLE)?
        && layer.kind == LayerKind::Flag
        && value.as_str().is_some_and(is_zero)
    {
        match version::kubelet(node) {
            None => tally.gap(node.api.object.get().err().unwrap_or(Gap::NotAsked)),
            Some(WITHOUT_TIMEOUT..) => {
                tally.note("the timeout of idle streams has no effect from 1.37 on");
            }
            Some(_) => tally.offence(offence(
                Subject::setting(IDLE),
                Severity::Low,
                format!("idle streams never end, {}", origin(layer)),
                [kubelet.at, layer.at],
            )),
        }
    }
    tally.verdict()
}

/// `0`, `0s`, `0h0m0s`.
fn is_zero(duration: &str) -> bool {
    duration.contains('0') && !duration.contains(|c: char| ('1'..='9').contains(&c))
}
