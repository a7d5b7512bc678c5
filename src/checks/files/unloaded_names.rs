use super::scope::no_folder;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::Timestamp;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::DirEntry;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::unix::FileKind;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-010"),
    title: "Nothing hides beside the manifests",
    why: "The kubelet passes over names that begin with a dot and over folders: a good place to keep a manifest until it is moved into effect.",
    severity: Severity::Info,
    since: "0.2.0",
    needs: &[Need::ManifestDir],
    helps: &[],
    maps: &[
        Maps::Source("pkg/kubelet/config/file.go reads [^.]* and no folders"),
        Maps::Attack("T1564.001"),
    ],
    fix: Remediation {
        steps: &[
            on_node("ls -la {path}"),
            by_hand("move what is yours out of the folder, and find out who put the rest there"),
        ],
        restarts: "nothing: the kubelet does not load it",
        undo: &[by_hand("move it back")],
    },
    examples: &[
        ("{dir: {}, manifests: [{file: a.yaml, pod: x/a}]}", "PASS"),
        (
            "{dir: {}, fs: {/etc/kubernetes/manifests/.a.yaml.swp: {kind: regular, mtime: 1749990000}}}",
            "FAIL info: a file that the kubelet passes over, last changed 2025-06-15",
        ),
        (
            "{dir: {}, fs: {/etc/kubernetes/manifests/old: {kind: directory, mtime: 1749990000}}}",
            "FAIL info: a folder that the kubelet passes over, last changed 2025-06-15",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "dir: {entries: {gap: denied}}",
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
    let entries = dir.entries.get()?;
    let mut tally = Tally::new();
    tally.good(entries.at);
    let hidden = entries.value.iter().filter(|entry| passed_over(entry));
    for entry in hidden {
        let kind = match entry.kind {
            FileKind::Directory => "a folder",
            FileKind::Symlink => "a link",
            _ => "a file",
        };
        let date = entry
            .mtime
            .and_then(|at| Timestamp::from_second(at).ok())
            .map(|at| at.strftime("%F").to_string());
        let date = date.map_or_else(String::new, |date| format!(", last changed {date}"));
        let message = format!("{kind} that the kubelet passes over{date}");
        let path = format!("{}/{}", dir.path.as_str().trim_end_matches('/'), entry.name);
        let subject = Subject::path(&Text::from(path));
        tally.offence(offence(subject, Severity::Info, message, [entries.at]));
    }
    tally.verdict()
}

/// Pipes and devices are a matter of their own.
fn passed_over(entry: &DirEntry) -> bool {
    !entry.loaded
        && matches!(
            entry.kind,
            FileKind::Regular | FileKind::Directory | FileKind::Symlink
        )
}
