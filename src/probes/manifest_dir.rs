//! The static pod folder: every name on the way to it, and what lies in it.

use super::answer::{Answer, not_read, summary};
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::kubelet::Kubelet;
use crate::model::node::{DirEntry, HostFacts, ManifestDir};
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::unix::{FileKind, Hop, Walk, WalkEnd};

/// The folder that the kubelet's configuration names.
pub static PROBE: Probe = Probe {
    need: Need::ManifestDir,
    what: "the static pod folder: mode, owner, access list and mount of every name on the way to it, and its entries",
    asks: &[Ask::Shell {
        section: "folder",
        since: 1,
        root: Some("folders that are closed to others"),
        fragment: include_str!("shell/folder.sh"),
        read,
    }],
};

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    facts.manifest_dir = match configured(facts) {
        Err(gap) => Fact::Gap(gap),
        Ok(None) => Fact::seen(None, Locator::new(Need::KubeletConfig, 0)),
        Ok(Some(path)) => {
            let dir = folder(answer, &path);
            let listing = match &dir.entries {
                Fact::Seen(entries) => {
                    let lines = entries.value.iter();
                    let line =
                        |entry: &DirEntry| format!("{} {}\n", kind_word(entry.kind), entry.name);
                    lines.map(line).collect::<Vec<_>>().concat()
                }
                Fact::Gap(gap) => gap.to_string(),
            };
            let item = |item| (Need::ManifestDir, item);
            let shown = Text::new(&path);
            facts.sources.push(summary(
                item(0),
                &format!("ls -a {shown}"),
                &listing,
                reading,
            ));
            facts.sources.push(summary(
                item(1),
                &format!("stat and getfacl of every name on the way to {shown}"),
                &steps(&dir.walk),
                reading,
            ));
            Fact::seen(Some(dir), Locator::new(Need::ManifestDir, 0))
        }
    };
}

/// The path that counts. Of a kubelet that does not run it is the one in a usual place, or not known.
pub(super) fn configured(facts: &HostFacts) -> Result<Option<String>, Gap> {
    let kubelet: &Kubelet = &facts.kubelet.get()?.value;
    let value = match kubelet.setting("staticPodPath") {
        Ok(found) => found.map(|(value, _)| value),
        // A folder that a usual file names is worth a look; that there is none is not known.
        Err(gap) => match (&gap, kubelet.settings.get("staticPodPath")) {
            (Gap::KubeletStopped { .. }, Some((value, _))) => Some(value),
            _ => return Err(gap),
        },
    };
    let path = value.and_then(Branch::as_str).unwrap_or_default();
    if path.is_empty() {
        return Ok(None);
    }
    // The kubelet makes the folder's name a part of a glob pattern.
    if path.contains(['*', '?', '[', '\\']) {
        return Err(Gap::Garbled {
            what: Text::from(format!(
                "the folder's name is a pattern: {}",
                Text::new(path)
            )),
        });
    }
    let absolute = if path.starts_with('/') {
        path.to_owned()
    } else {
        // Of a drop-in or a flag: relative to the folder in which the kubelet runs, which units leave at the root.
        format!("/{path}")
    };
    Ok(Some(match absolute.trim_end_matches('/') {
        "" => "/".to_owned(),
        path => path.to_owned(),
    }))
}

fn folder(answer: &Answer<'_>, path: &str) -> ManifestDir {
    let walk = answer.walk(path.as_bytes(), Locator::new(Need::ManifestDir, 1));
    let entries = match (walk.end, walk.object().map(|hop| &hop.stat)) {
        (WalkEnd::Absent, _) => Ok(Vec::new()),
        (_, Some(stat)) if stat.kind == FileKind::Directory => list(answer, path),
        (_, Some(stat)) => Ok(vec![DirEntry {
            name: Text::new(path.rsplit('/').next().unwrap_or(path)),
            kind: stat.kind,
            loaded: true,
            mtime: stat.mtime,
            ctime: stat.ctime,
            nlink: stat.nlink,
        }]),
        _ => Err(walk
            .hops
            .iter()
            .rev()
            .find_map(|hop| hop.get().err())
            .unwrap_or_else(|| not_read(b"error", path))),
    };
    ManifestDir {
        path: Text::new(path),
        walk,
        entries: match entries {
            Ok(entries) => Fact::seen(entries, Locator::new(Need::ManifestDir, 0)),
            Err(gap) => Fact::Gap(gap),
        },
    }
}

/// The entries in byte order of their names.
fn list(answer: &Answer<'_>, path: &str) -> Result<Vec<DirEntry>, Gap> {
    let (names, more) = names(answer, path)?;
    if let Some(gap) = more {
        return Err(gap);
    }
    names
        .into_iter()
        .map(|name| {
            let full = [path.trim_end_matches('/').as_bytes(), b"/", name].concat();
            let shown = Text::from_bytes(&full);
            let stat = match answer.entry(&full) {
                Ok(stat) => Some(stat),
                // It went away between the listing and the look.
                Err(b"absent") => None,
                Err(word) => return Err(not_read(word, shown.as_str())),
            };
            let kind = stat.map_or(FileKind::Other, |stat| stat.kind);
            let is_dir = match kind {
                FileKind::Symlink => leads_to_folder(answer, &full),
                kind => kind == FileKind::Directory,
            };
            Ok(DirEntry {
                name: Text::from_bytes(name),
                kind,
                loaded: !name.starts_with(b".") && !is_dir && kind != FileKind::Other,
                mtime: stat.and_then(|stat| stat.mtime),
                ctime: stat.and_then(|stat| stat.ctime),
                nlink: stat.map_or(0, |stat| stat.nlink),
            })
        })
        .collect()
}

fn leads_to_folder(answer: &Answer<'_>, path: &[u8]) -> bool {
    answer
        .walk(path, Locator::new(Need::ManifestDir, 1))
        .object()
        .is_some_and(|hop| hop.stat.kind == FileKind::Directory)
}

/// The names in a folder as the collector listed them, in byte order, and why there are more where there are.
pub(super) fn names<'a>(
    answer: &Answer<'a>,
    path: &str,
) -> Result<(Vec<&'a [u8]>, Option<Gap>), Gap> {
    let state = answer
        .records("folder", "D")
        .find(|fields| fields.first().is_some_and(|name| name == path.as_bytes()))
        .and_then(|fields| fields.get(1).map(Vec::as_slice));
    let more = match state {
        Some(b"ok") => None,
        Some(b"more") => Some(Gap::Garbled {
            what: Text::from(format!("{path} holds more names than the collector lists")),
        }),
        Some(word) => return Err(not_read(word, path)),
        None => {
            return Err(Gap::Garbled {
                what: Text::from(format!("{path} was not listed by the collector")),
            });
        }
    };
    let mut names: Vec<&[u8]> = answer
        .records("folder", "E")
        .filter(|fields| fields.len() == 2 && fields[0] == path.as_bytes())
        .map(|fields| fields[1].as_slice())
        .collect();
    names.sort_unstable();
    Ok((names, more))
}

/// A walk as lines for the eye.
pub(crate) fn steps(walk: &Walk) -> String {
    walk.hops
        .iter()
        .map(|hop| match hop {
            Fact::Seen(seen) => step(&seen.value),
            Fact::Gap(gap) => format!("? {gap}\n"),
        })
        .collect()
}

fn step(hop: &Hop) -> String {
    let stat = &hop.stat;
    let target = hop
        .target
        .as_ref()
        .map(|target| format!(" -> {target}"))
        .unwrap_or_default();
    let acl = match &hop.acl {
        Fact::Seen(seen) if seen.value.is_some() => " +acl",
        Fact::Seen(_) => "",
        Fact::Gap(_) => " acl?",
    };
    format!(
        "{} {} {}:{} {}{target}{acl}\n",
        kind_word(stat.kind),
        stat.mode,
        stat.uid,
        stat.gid,
        hop.path
    )
}

pub(super) fn kind_word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Regular => "file",
        FileKind::Directory => "folder",
        FileKind::Symlink => "link",
        FileKind::Fifo => "pipe",
        FileKind::Socket => "socket",
        FileKind::Block => "block device",
        FileKind::Char => "character device",
        FileKind::Other => "?",
    }
}
