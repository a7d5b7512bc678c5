use super::scope::{no_folder, way};
use crate::checks::access::{How, writers};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Fact, Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::WalkEnd;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-027"),
    title: "The static pod folder of a control plane exists",
    why: "The kubelet looks for it every few seconds: whoever makes it first fills it, and no mode of an existing folder stands in their way.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::ManifestDir],
    helps: &[Need::Accounts, Need::NodeObject],
    maps: &[Maps::Stig("V-242397"), Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            by_hand(
                "where the node needs no static pods: remove staticPodPath from the kubelet's configuration, systemctl restart kubelet",
            ),
            on_node("install -d -o root -g root -m 700 {path}"),
        ],
        restarts: "nothing; without staticPodPath the kubelet, pods keep running",
        undo: &[on_node("rmdir {path}")],
    },
    examples: &[
        ("dir: {mode: '0700'}", "PASS"),
        (
            "{dir: {path: /etc/kubernetes/manifests, absent: true}, object: {}}",
            "PASS: it does not exist, as kubeadm leaves a worker; only root can make it",
        ),
        (
            "{dir: {path: /etc/kubernetes/manifests, absent: true}, object: {labels: {node-role.kubernetes.io/control-plane: ''}}}",
            "FAIL low: it does not exist, on a node of the control plane; only root can make it",
        ),
        (
            "{dir: {path: /srv/m, absent: true}, fs: {/srv: {mode: '0777'}}}",
            "FAIL critical: it does not exist, and everyone can make it",
        ),
        (
            "{dir: {path: /srv/m}, fs: {/srv/m: {link: /srv/m}}, object: {labels: {node-role.kubernetes.io/control-plane: ''}}}",
            "FAIL low: its links lead in a circle, on a node of the control plane; only root can make it",
        ),
        (
            "{dir: {path: /srv/m}, fs: {/srv: {mode: '0777'}, /srv/m: {link: /srv/m}}}",
            "FAIL critical: its links lead in a circle, and everyone can make it",
        ),
        (
            "dir: {path: /etc/kubernetes/manifests, absent: true}",
            "UNKNOWN: not asked for in this run",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {path: /srv/m}, fs: {/srv: {gap: denied}}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.manifest_dir.get()?;
    let Some(dir) = &seen.value else {
        return Ok(no_folder(seen.at));
    };
    let mut tally = Tally::new();
    let evidence = way(&dir.walk, seen.at);
    tally.all_good(&evidence);
    match (dir.walk.end, dir.walk.hops.last()) {
        (WalkEnd::Absent | WalkEnd::Loop, _) => {}
        (WalkEnd::Blocked, Some(Fact::Gap(gap))) => {
            tally.gap(gap.clone());
            return tally.verdict();
        }
        _ => return tally.verdict(),
    }
    let (missing, usual) = if dir.walk.end == WalkEnd::Loop {
        ("its links lead in a circle", "")
    } else {
        ("it does not exist", ", as kubeadm leaves a worker")
    };
    let reach = writers(&dir.walk, &node.host.accounts);
    let mut makers = reach.ways.iter().filter(|way| {
        // Whoever can swap a folder above can make everything below it.
        matches!(way.how, How::Create | How::Replace)
    });
    let subject = Subject::path(&dir.path);
    if let Some(way) = makers.next() {
        let message = format!("{missing}, and {} can make it", way.people());
        tally.offence(offence(subject, Severity::Critical, message, evidence));
    } else if let Some(object) = tally.take(&node.api.object) {
        tally.good(object.at);
        if object.value.is_control_plane() {
            let message =
                format!("{missing}, on a node of the control plane; only root can make it");
            tally.offence(offence(subject, Severity::Low, message, evidence));
        } else {
            tally.note(format!("{missing}{usual}; only root can make it"));
        }
    }
    tally.gaps(reach.gaps);
    tally.verdict()
}
