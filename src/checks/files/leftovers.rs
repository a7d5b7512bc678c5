use super::scope::{name, no_folder};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Fact, Gap, Locator, Need, Seen};
use crate::model::name::CheckId;
use crate::model::node::{DirEntry, NodeFacts};
use crate::model::pod::{Manifest, Pod};
use crate::model::text::Text;
use crate::model::unix::FileKind;
use crate::model::verdict::{Offence, Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-009"),
    title: "No backup or editor leftover is loaded as a manifest",
    why: "The kubelet loads every file whose name does not start with a dot, so a forgotten copy of a manifest can win over the real one.",
    severity: Severity::Critical,
    since: "0.1.0",
    needs: &[Need::ManifestDir],
    helps: &[Need::Manifests],
    maps: &[
        Maps::Source("kubernetes/kubernetes#129364"),
        Maps::Source("kubernetes/kubeadm#2823"),
    ],
    fix: Remediation {
        steps: &[
            by_hand(
                "if another file declares the same pod, moving either one away stops the pod until the kubelet lists the folder again, up to fileCheckFrequency (20 s): on kube-apiserver or etcd an outage of this control plane, so one node at a time",
            ),
            on_node("mv -n {path} /root/"),
            kubectl("kubectl get pods -A -w --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod that the file declares: it stops for good, or for up to fileCheckFrequency (20 s) and its start where another file declares it too",
        undo: &[on_node("mv -n /root/{file} {dir}/")],
    },
    examples: &[
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: x/a}, {file: b.yml, pod: x/b}, {file: c.json, pod: x/c}, {file: d.manifest, pod: x/d}, {file: my-old-app.yaml, pod: x/e}]}",
            "PASS",
        ),
        (
            "{dir: {}, manifests: [{file: etcd.yaml, pod: kube-system/etcd}, {file: etcd.yaml.bak, pod: kube-system/etcd}]}",
            "FAIL critical: the kubelet loads it, and it declares kube-system/etcd as etcd.yaml does",
        ),
        (
            "{dir: {}, manifests: [{file: etcd.yaml, pod: x/etcd}, {file: etcd-20260101.yaml, pod: x/old}, {file: etcd.yaml~, broken: no}, {file: etcd-backup.yaml, pod: x/e}]}",
            "FAIL high: the kubelet loads it; high: the kubelet loads it; high: the kubelet loads it",
        ),
        (
            "{dir: {entries: [{name: a.yaml.rpmsave, kind: regular}, {name: .a.swp, kind: regular}, {name: pipe, kind: fifo}]}, manifests: {gap: denied}}",
            "FAIL high: the kubelet loads it; gap: the login may not read it",
        ),
        (
            "{dir: {entries: [{name: a.yaml, kind: regular}]}, manifests: {gap: denied}}",
            "PASS",
        ),
        (
            "{dir: {entries: {gap: denied}}, manifests: [{file: a.old, pod: x/a}, {file: b.yaml, pod: x/b}]}",
            "FAIL high: the kubelet loads it; gap: the login may not read it",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {entries: {gap: denied}}, manifests: {gap: denied}}",
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
    let single = dir
        .walk
        .object()
        .is_some_and(|hop| hop.stat.kind != FileKind::Directory);
    if single {
        tally.note("the path names one file, which is meant whatever it is called");
        return tally.verdict();
    }
    let files = files(node);
    let mut names: Vec<(Text, Locator)> = Vec::new();
    if let Some(entries) = tally.take(&dir.entries) {
        tally.good(entries.at);
        let loaded = entries.value.iter().filter(|entry| is_read(entry));
        names.extend(loaded.map(|entry| (entry.name.clone(), entries.at)));
    }
    for file in &files {
        let file_name = Text::new(name(file.value.file.as_str()));
        if names.iter().all(|(have, _)| *have != file_name) {
            names.push((file_name, file.at));
        }
    }
    for (file_name, at) in &names {
        let siblings = names.iter().map(|(name, _)| name.as_str());
        if is_leftover(file_name.as_str(), siblings) {
            let folder = dir.path.as_str().trim_end_matches('/');
            let path = Text::from(format!("{folder}/{file_name}"));
            tally.offence(one(&path, *at, &files));
            tally.gaps(unread(node));
        }
    }
    tally.verdict()
}

/// The files that the kubelet reads, as far as they are known.
fn files(node: &NodeFacts) -> Vec<&Seen<Manifest>> {
    let list = node.host.manifests.get().ok();
    let items = list.into_iter().flat_map(|list| &list.value);
    let seen = items.filter_map(|file| match file {
        Fact::Seen(seen) if seen.value.kind == FileKind::Regular => Some(seen),
        _ => None,
    });
    seen.collect()
}

/// Why it is not known whether a leftover's pod is declared twice; of no importance without a leftover.
fn unread(node: &NodeFacts) -> impl Iterator<Item = Gap> {
    let list = node.host.manifests.get();
    let (list, whole) = match list {
        Ok(list) => (Some(&list.value), None),
        Err(gap) => (None, Some(gap)),
    };
    let files = list.into_iter().flatten().filter_map(|file| match file {
        Fact::Seen(seen) => seen.value.pod.get().err(),
        Fact::Gap(gap) => Some(gap.clone()),
    });
    whole.into_iter().chain(files)
}

fn is_read(entry: &DirEntry) -> bool {
    entry.loaded && matches!(entry.kind, FileKind::Regular | FileKind::Symlink)
}

fn one(path: &Text, at: Locator, files: &[&Seen<Manifest>]) -> Offence {
    let own = files.iter().find(|file| file.value.file == *path);
    let key = own.and_then(|file| pod(&file.value));
    let twin = key.and_then(|key| {
        let mut others = files.iter().filter(|file| file.value.file != *path);
        others.find(|file| {
            pod(&file.value)
                .is_some_and(|pod| (&pod.namespace, &pod.name) == (&key.namespace, &key.name))
        })
    });
    let mut evidence = vec![at];
    evidence.extend(own.into_iter().chain(twin).map(|file| file.at));
    let (severity, message) = match (key, twin) {
        (Some(key), Some(twin)) => (
            Severity::Critical,
            format!(
                "the kubelet loads it, and it declares {}/{} as {} does",
                key.namespace,
                key.name,
                name(twin.value.file.as_str())
            ),
        ),
        _ => (Severity::High, "the kubelet loads it".to_owned()),
    };
    offence(Subject::path(path), severity, message, evidence)
}

fn pod(manifest: &Manifest) -> Option<&Pod> {
    manifest
        .pod
        .get()
        .ok()
        .and_then(|parsed| parsed.value.pod())
}

/// Endings that a person gives to a manifest on purpose.
const ENDINGS: [&str; 4] = [".yaml", ".yml", ".json", ".manifest"];

/// Words by which editors, package tools and people mark a copy.
const MARKS: [&str; 12] = [
    "bak", "backup", "bkp", "copy", "old", "orig", "rpmnew", "rpmorig", "rpmsave", "save", "swp",
    "tmp",
];

/// Whether a name is not that of a manifest: another ending, a mark of a copy before the ending
/// (`etcd.old.yaml`), a date there, or a mark after a dash where the unmarked file lies beside it.
fn is_leftover<'s>(file: &str, mut siblings: impl Iterator<Item = &'s str>) -> bool {
    let lower = file.to_ascii_lowercase();
    let Some((stem, ending)) = ENDINGS
        .iter()
        .find_map(|ending| Some((lower.strip_suffix(ending)?, *ending)))
    else {
        return true;
    };
    let is_mark = |word: &str| MARKS.contains(&word) || word.starts_with("dpkg-");
    if stem.ends_with('~') || is_dated(stem) {
        return true;
    }
    if stem.rsplit_once('.').is_some_and(|(_, word)| is_mark(word)) {
        return true;
    }
    let unmarked = stem
        .rsplit_once(['-', '_'])
        .filter(|(_, word)| is_mark(word));
    unmarked.is_some_and(|(stem, _)| {
        siblings.any(|other| other.to_ascii_lowercase().strip_suffix(ending) == Some(stem))
    })
}

/// `etcd-20260101`, `etcd.2026-01-01`, `etcd_20260101T1200`.
fn is_dated(stem: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    stem.match_indices(['.', '-', '_']).any(|(at, _)| {
        let rest = &stem[at + 1..];
        let year = rest.starts_with("19") || rest.starts_with("20");
        let parts: Vec<usize> = rest.splitn(3, ['-', '.', '_']).map(digits).collect();
        year && (digits(rest) == 8 || digits(rest) == 14 || matches!(parts[..], [4, 2, 2]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_copies_are_told_from_names_of_manifests() {
        let beside = ["etcd.yaml", "kube-vip.yaml"];
        let is = |file: &str| is_leftover(file, beside.into_iter());
        for copy in [
            "etcd.yaml.bak",
            "etcd.yaml~",
            "etcd",
            "etcd.yaml.20260101",
            "etcd.bak.yaml",
            "ETCD.OLD.YAML",
            "etcd-backup.yaml",
            "etcd_old.yaml",
            "etcd-20260101.yaml",
            "etcd-20260101120000.yaml",
            "etcd.2026-01-01.yml",
            "etcd.dpkg-old",
            "kube-vip.yaml.swp",
            "README.txt",
        ] {
            assert!(is(copy), "{copy}");
        }
        for manifest in [
            "etcd.yaml",
            "kube-apiserver.yml",
            "vault-backup.yaml",
            "my-old-app.yaml",
            "node-12345678.yaml",
            "app-v2.0.1.json",
            "copy.yaml",
            "x.manifest",
        ] {
            assert!(!is(manifest), "{manifest}");
        }
    }
}
