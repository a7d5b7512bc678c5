use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::exposure::{Exposure, Looked};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::{FileKind, Walk, WalkEnd};
use crate::model::verdict::{Severity, Subject, Verdict};

/// What CIS asks of them.
const LIMIT: u32 = 0o600;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-026"),
    title: "Only root can change the pod network's configuration",
    why: "Whoever can change it leads the traffic of every new pod where they like, or has the runtime start a plugin of theirs as root.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Cni],
    helps: &[Need::Accounts],
    maps: &[Maps::Cis("1.1.9"), Maps::Cis("1.1.10")],
    fix: Remediation {
        steps: &[
            on_node("chown root:root {path}"),
            on_node("chmod 600 {path}"),
            by_hand("the plugin's DaemonSet may write the file anew: set the mode there too"),
        ],
        restarts: "nothing: the runtime reads it as root",
        undo: &[
            by_hand("the old owner and mode are in the evidence"),
            on_node("chmod 644 {path}"),
        ],
    },
    examples: &[
        (
            "{cni: {/etc/cni/net.d: {10-a.conflist: [bridge]}}, fs: {/etc/cni/net.d/10-a.conflist: {kind: regular, mode: '0600'}}}",
            "PASS",
        ),
        (
            "{cni: {/etc/cni/net.d: {10-a.conflist: [bridge]}}, fs: {/etc/cni/net.d/10-a.conflist: {kind: regular, mode: '0644'}}}",
            "FAIL low: mode 0644: wider than 0600, although only root can change it",
        ),
        (
            "{cni: {/etc/cni/net.d: {10-a.conflist: [bridge]}}, fs: {/etc/cni/net.d/10-a.conflist: {kind: regular, mode: '0666'}}}",
            "FAIL medium: mode 0666: everyone can change it",
        ),
        (
            "{cni: {/etc/cni/net.d: {10-a.conflist: [bridge]}}, fs: {/etc/cni/net.d: {mode: '0777'}, /etc/cni/net.d/10-a.conflist: {kind: regular, mode: '0600'}}}",
            "FAIL medium: mode 0777: everyone can put files into it; everyone can replace 10-a.conflist in it",
        ),
        (
            "cni: {}",
            "N/A: no configuration of a pod network was found",
        ),
        (
            "{cni: {/etc/cni/net.d: {10-a.conflist: [bridge]}}, fs: {/etc/cni/net.d: {gap: denied}}}",
            "UNKNOWN: the login may not read it",
        ),
        ("cni: {gap: denied}", "UNKNOWN: the login may not read it"),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.cni.get()?;
    let mut there = seen.value.iter();
    if there.all(|folder| folder.trail.end == WalkEnd::Absent) {
        let why = "no configuration of a pod network was found";
        return Ok(not_applicable([seen.at], why));
    }
    let mut tally = Tally::new();
    tally.good(seen.at);
    let mut exposure = Exposure::new(&node.host);
    for folder in &seen.value {
        if folder.trail.end == WalkEnd::Absent {
            continue;
        }
        let walk = folder.walk(&node.host.paths, seen.at);
        one((walk, seen.at), &mut exposure, &mut tally);
        if let Some(files) = tally.take(&folder.files) {
            tally.good(files.at);
            for file in &files.value {
                let walk = file.walk(&node.host.paths, files.at);
                one((walk, files.at), &mut exposure, &mut tally);
            }
        }
    }
    exposure.done(&mut tally);
    tally.verdict()
}

fn one((walk, at): (Walk, Locator), exposure: &mut Exposure<'_>, tally: &mut Tally) {
    let path = walk.path.clone();
    let seen = Looked {
        path: &path,
        role: FileRole::Later,
        walk,
        at,
    };
    let closed = exposure.changed(&seen, Severity::Medium, tally);
    let stat = seen.walk.object().map(|hop| &hop.stat);
    let wide = stat.filter(|stat| stat.kind != FileKind::Directory && !stat.mode.within(LIMIT));
    if let Some(stat) = wide.filter(|_| closed) {
        let message = format!(
            "mode {}: wider than 0600, although only root can change it",
            stat.mode
        );
        tally.offence(offence(Subject::path(&path), Severity::Low, message, [at]));
    }
}
