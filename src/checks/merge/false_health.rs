use super::pairs::{mirrors, unread};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, few, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-027"),
    title: "Mirror pods that show Running are reported by a kubelet",
    why: "Of a node whose kubelet is dead the mirrors go on to say Running: whoever watches them sees a healthy control plane that may be gone, or in other hands.",
    severity: Severity::Medium,
    since: "0.3.0",
    needs: &[Need::MirrorPods, Need::NodeObject],
    helps: &[],
    maps: &[
        Maps::Attack("T1562"),
        Maps::Source("kubernetes/kubernetes#54171"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl describe node {node}"),
            on_node("systemctl status kubelet"),
            on_node("journalctl -u kubelet -n 100"),
            by_hand(
                "bring the kubelet back, or take the node out of service; until then believe nothing that its pods say",
            ),
        ],
        restarts: "the kubelet, where it has to be started again; its pods go on",
        undo: &[by_hand("none needed")],
    },
    examples: &[
        ("{mirrors: [{pod: a/b-cp-1}], object: {}}", "PASS"),
        (
            "{mirrors: [{pod: a/b-cp-1}], object: {ready: 'False'}}",
            "PASS: the node is not ready, and its kubelet says so",
        ),
        (
            "{mirrors: [{pod: a/b-cp-1, phase: Failed}], object: {ready: Unknown}}",
            "PASS: the kubelet no longer reports, and no mirror pod shows Running",
        ),
        (
            "{mirrors: [{pod: a/b-cp-1}, {pod: a/c-cp-1}, {pod: a/d-cp-1}, {pod: a/e-cp-1}], unread: forbidden, object: {ready: Unknown}}",
            "FAIL medium: 4 mirror pods show Running, and the kubelet no longer reports: a/b-cp-1, a/c-cp-1, a/d-cp-1 and 1 more; gap: the API server forbids list pods",
        ),
        (
            "{mirrors: [{pod: a/b-cp-1}], object: {ready: ''}}",
            "UNKNOWN: the kubelet does not act: it has not told whether the node is ready",
        ),
        (
            "{mirrors: [{pod: a/b-cp-1}], object: {gap: api}}",
            "UNKNOWN: the API server did not answer: connection refused",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let list = node.api.mirrors.get()?;
    let object = node.api.object.get()?;
    let mut tally = Tally::new();
    tally.all_good(&[list.at, object.at]);
    unread(node, &mut tally);
    match object.value.ready.as_ref().map(Text::as_str) {
        Some("True") => {}
        Some("False") => tally.note("the node is not ready, and its kubelet says so"),
        // The node controller's word for a kubelet whose lease it no longer sees renewed.
        Some("Unknown") => {
            let running = mirrors(list).filter(|(_, mirror)| mirror.phase == "Running");
            let running: Vec<(Locator, String)> = running
                .map(|(at, mirror)| (at, format!("{}/{}", mirror.pod.namespace, mirror.pod.name)))
                .collect();
            if running.is_empty() {
                tally.note("the kubelet no longer reports, and no mirror pod shows Running");
            } else {
                let places = running.iter().map(|(at, _)| *at);
                let evidence: Vec<Locator> = [object.at].into_iter().chain(places).collect();
                let subject = Subject::new(SubjectKind::Node, node.name.as_str());
                let message = told(&running);
                tally.offence(offence(subject, Severity::Medium, message, evidence));
            }
        }
        _ => tally.gap(Gap::KubeletStopped {
            detail: Text::new("it has not told whether the node is ready"),
        }),
    }
    tally.verdict()
}

fn told(running: &[(Locator, String)]) -> String {
    let count = match running.len() {
        1 => "1 mirror pod shows".to_owned(),
        more => format!("{more} mirror pods show"),
    };
    let names: Vec<&str> = running.iter().map(|(_, name)| name.as_str()).collect();
    format!(
        "{count} Running, and the kubelet no longer reports: {}",
        few(&names)
    )
}
