use super::scope::no_folder;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Fact, Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::node::{DirEntry, ManifestDir};
use crate::model::text::Text;
use crate::model::unix::FileKind;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-011"),
    title: "No pipe, socket or device lies among the manifests",
    why: "A pipe that appears in the folder freezes the kubelet's view of it: from then on added, edited and removed manifests are ignored, until something writes to the pipe.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[Need::KubeletConfig],
    maps: &[
        Maps::Source("pkg/kubelet/config/file.go opens it and waits"),
        Maps::Attack("T1562"),
    ],
    fix: Remediation {
        steps: &[
            on_node("ls -la {path}"),
            on_node("rm {path}"),
            on_node("systemctl restart kubelet"),
            by_hand(
                "compare what runs with what lies in the folder: while it was frozen they went apart",
            ),
        ],
        restarts: "the kubelet; pods keep running, and those whose manifests changed meanwhile are made anew",
        undo: &[by_hand("nothing: no manifest is a pipe")],
    },
    examples: &[
        ("{dir: {}, manifests: [{file: a.yaml, pod: x/a}]}", "PASS"),
        (
            "{dir: {mtime: 500}, fs: {/etc/kubernetes/manifests/p: {kind: fifo, mtime: 500}}, manifests: [{file: a.yaml, pod: x/a}]}",
            "FAIL high: a pipe: the kubelet's view of the folder is frozen since it appeared",
        ),
        (
            "{dir: {mtime: 500}, fs: {/etc/kubernetes/manifests/p: {kind: fifo, mtime: 500}}, manifests: [{file: a.yaml, mtime: 600, pod: x/a}]}",
            "FAIL critical: a pipe: the kubelet's view of the folder is frozen since it appeared, and it has changed since: what runs is not what lies there",
        ),
        (
            "{dir: {mtime: 500}, kubelet: {started: 700}, fs: {/etc/kubernetes/manifests/p: {kind: fifo, mtime: 500}}, manifests: []}",
            "FAIL medium: a pipe: it was there when the kubelet started, and was passed over; touched again it freezes the kubelet's view",
        ),
        (
            "{dir: {}, fs: {/etc/kubernetes/manifests/s: {kind: socket}}, manifests: [{gap: denied}]}",
            "FAIL medium: a socket, which the kubelet passes over; gap: the login may not read it",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {entries: {gap: denied}}, manifests: []}",
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
    tally.good(seen.at);
    let changed = last_change(node, dir, &mut tally);
    let started = node.host.kubelet.get().ok();
    let started = started.and_then(|seen| seen.value.process.as_ref()?.started);
    if let Some(entries) = tally.take(&dir.entries) {
        tally.good(entries.at);
        for entry in &entries.value {
            let Some((severity, message)) = said(entry, changed, started) else {
                continue;
            };
            let path = format!("{}/{}", dir.path.as_str().trim_end_matches('/'), entry.name);
            let subject = Subject::path(&Text::from(path));
            tally.offence(offence(subject, severity, message, [entries.at]));
        }
    }
    tally.verdict()
}

/// When the folder or a manifest in it changed last.
fn last_change(node: &NodeFacts, dir: &ManifestDir, tally: &mut Tally) -> Option<i64> {
    let folder = dir.walk.object().and_then(|hop| hop.stat.mtime);
    let mut last = folder;
    let Some(list) = tally.take(&node.host.manifests) else {
        return last;
    };
    tally.good(list.at);
    for manifest in &list.value {
        match manifest {
            Fact::Seen(seen) if seen.value.kind == FileKind::Regular => {
                let stat = seen.value.walk.object().map(|hop| &hop.stat);
                last = last.max(stat.and_then(|stat| stat.ctime.max(stat.mtime)));
            }
            Fact::Seen(_) => {}
            Fact::Gap(gap) => tally.gap(gap.clone()),
        }
    }
    last
}

fn said(
    entry: &DirEntry,
    changed: Option<i64>,
    started: Option<i64>,
) -> Option<(Severity, String)> {
    let kind = match entry.kind {
        FileKind::Fifo => return Some(pipe(entry.ctime, changed, started)),
        FileKind::Socket => "a socket",
        FileKind::Block => "a block device",
        FileKind::Char => "a character device",
        _ => return None,
    };
    Some((
        Severity::Medium,
        format!("{kind}, which the kubelet passes over"),
    ))
}

fn pipe(made: Option<i64>, changed: Option<i64>, started: Option<i64>) -> (Severity, String) {
    if let (Some(made), Some(started)) = (made, started)
        && made < started
    {
        let words = "a pipe: it was there when the kubelet started, and was passed over; touched again it freezes the kubelet's view";
        return (Severity::Medium, words.to_owned());
    }
    let frozen = "a pipe: the kubelet's view of the folder is frozen since it appeared";
    match (made, changed) {
        (Some(made), Some(changed)) if changed > made => (
            Severity::Critical,
            format!("{frozen}, and it has changed since: what runs is not what lies there"),
        ),
        _ => (Severity::High, frozen.to_owned()),
    }
}
