//! A small tree of files: walks are derived from it as the kernel would walk, so folder and manifests agree.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml::Value;

use super::acl::acl;
use super::facts::{number, parts};
use super::pods::{PodWritten, pod};
use super::{gap, gap_of, parse};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::lines::Lines;
use crate::model::name::Digest;
use crate::model::node::{DirEntry, ManifestDir};
use crate::model::pod::{Manifest, Parsed};
use crate::model::text::Text;
use crate::model::unix::{FileKind, Gid, Hop, Mode, Mount, Stat, Uid, Walk, WalkEnd};

/// Path to what is special about it.
pub(super) type Tree = BTreeMap<String, FileWritten>;

/// The folder of examples that name none.
const DIR: &str = "/etc/kubernetes/manifests";

/// As many links as the kernel follows (`MAXSYMLINKS`).
const LINKS: usize = 40;

#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FileWritten {
    mode: Option<String>,
    owner: Option<String>,
    kind: Option<FileKind>,
    link: Option<String>,
    acl: Option<Value>,
    mount: Option<Value>,
    absent: bool,
    gap: Option<String>,
    ctime: Option<i64>,
    mtime: Option<i64>,
    nlink: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DirWritten {
    path: Option<String>,
    entries: Option<Value>,
    #[serde(flatten)]
    file: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct ManifestWritten {
    file: String,
    pod: Option<PodWritten>,
    broken: Option<String>,
    unread: Option<String>,
    #[serde(default)]
    ignored: u32,
    #[serde(default)]
    duplicates: Vec<Text>,
    /// What the file holds beside its pod.
    #[serde(default)]
    text: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MountWritten {
    point: Option<String>,
    fstype: Option<String>,
    read_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryWritten {
    name: String,
    kind: FileKind,
    #[serde(default)]
    mtime: Option<i64>,
    #[serde(default)]
    ctime: Option<i64>,
    #[serde(default)]
    nlink: Option<u32>,
}

/// The tree of one node.
pub(super) struct Files {
    tree: Tree,
    dir: String,
}

/// What stands in the way of a look at one name.
enum Look {
    Gap(Gap),
    Absent,
    Hop(Hop),
}

impl Files {
    pub(super) fn new(tree: Tree) -> Self {
        Self {
            tree,
            dir: DIR.to_owned(),
        }
    }

    /// Puts the folder and the manifests into the tree, before anything walks it.
    pub(super) fn place(
        &mut self,
        dir: Option<&Value>,
        manifests: Option<&Value>,
    ) -> Result<(), String> {
        let written = dir.filter(|dir| dir.is_mapping());
        if let Some(written) = written.filter(|dir| dir.get("gap").is_none()) {
            let written: DirWritten = parse(written.clone(), Need::ManifestDir)?;
            self.dir = written.path.unwrap_or_else(|| DIR.to_owned());
            self.put(self.dir.clone(), written.file, FileKind::Directory)?;
        }
        for item in manifests.and_then(Value::as_sequence).into_iter().flatten() {
            if gap_of(item)?.is_some() {
                continue;
            }
            let written: ManifestWritten = parse(item.clone(), Need::Manifests)?;
            let mut rest = written.rest;
            rest.remove("gap");
            self.put(self.path(&written.file), rest, FileKind::Regular)?;
        }
        Ok(())
    }

    pub(super) fn put(
        &mut self,
        path: String,
        keys: BTreeMap<String, Value>,
        kind: FileKind,
    ) -> Result<(), String> {
        let keys = keys
            .into_iter()
            .map(|(key, value)| (Value::from(key), value));
        let mut file: FileWritten = parse(Value::Mapping(keys.collect()), Need::ManifestDir)?;
        if let Some(named) = self.tree.remove(&path) {
            file = named;
        }
        file.kind = file.kind.or(Some(kind));
        self.tree.insert(path, file);
        Ok(())
    }

    fn path(&self, file: &str) -> String {
        if file.starts_with('/') {
            file.to_owned()
        } else {
            format!("{}/{file}", self.dir)
        }
    }

    pub(super) fn dir(&self, written: Value) -> Result<Option<ManifestDir>, String> {
        if written.as_str() == Some("none") {
            return Ok(None);
        }
        let written: DirWritten = parse(written, Need::ManifestDir)?;
        let entries = match written.entries {
            Some(entries) => super::fact(Some(entries), Need::ManifestDir, Ok)?,
            None => Fact::seen(self.children(), Locator::new(Need::ManifestDir, 0)),
        };
        let entries = match entries {
            Fact::Gap(gap) => Fact::Gap(gap),
            Fact::Seen(seen) => Fact::seen(
                seen.value.into_iter().map(entry).collect(),
                Locator::new(Need::ManifestDir, 1),
            ),
        };
        Ok(Some(ManifestDir {
            path: Text::new(&self.dir),
            walk: self.walk(&self.dir)?,
            entries,
        }))
    }

    /// The names that the tree has in the folder.
    fn children(&self) -> Vec<EntryWritten> {
        let inside = self.tree.iter().filter_map(|(path, file)| {
            let name = path.strip_prefix(&self.dir)?.strip_prefix('/')?;
            (!name.contains('/')).then(|| EntryWritten {
                name: name.to_owned(),
                kind: match &file.link {
                    Some(_) => FileKind::Symlink,
                    None => file.kind.unwrap_or(FileKind::Regular),
                },
                mtime: file.mtime,
                ctime: file.ctime,
                nlink: file.nlink,
            })
        });
        inside.collect()
    }

    pub(super) fn manifests(&self, list: Vec<Value>) -> Result<Vec<Fact<Manifest>>, String> {
        let mut out = Vec::new();
        for (index, item) in list.into_iter().enumerate() {
            let at = Locator::new(Need::Manifests, u32::try_from(index).unwrap_or(u32::MAX));
            let whole = item.get("gap").and_then(Value::as_str).map(gap);
            out.push(match whole {
                Some(gap) => Fact::Gap(gap?),
                None => Fact::seen(self.manifest(parse(item, Need::Manifests)?, at)?, at),
            });
        }
        Ok(out)
    }

    fn manifest(&self, written: ManifestWritten, at: Locator) -> Result<Manifest, String> {
        let path = self.path(&written.file);
        let walk = self.walk(&path)?;
        let parsed = match (written.pod, written.broken, written.unread) {
            (Some(written_pod), None, None) => Ok(Parsed::Pod {
                pod: pod(written_pod)?,
                ignored_documents: written.ignored,
                duplicates: written.duplicates,
                lines: Lines::default(),
            }),
            (None, Some(message), None) => Ok(Parsed::Broken {
                message: Text::from(message),
            }),
            (None, None, Some(word)) => Err(gap(&word)?),
            (None, None, None) => Err(Gap::NotAsked),
            _ => return Err(format!("{path}: want one of pod, broken and unread")),
        };
        let text = match &parsed {
            Ok(Parsed::Pod { pod, .. }) => serde_yaml::to_string(&pod.raw).unwrap_or_default(),
            _ => String::new(),
        };
        let text = text + &written.text;
        Ok(Manifest {
            kind: walk.object().map_or(FileKind::Other, |hop| hop.stat.kind),
            file: Text::from(path),
            walk,
            sha256: digest(&text),
            text: Text::block(&text),
            pod: match parsed {
                Ok(parsed) => Fact::seen(parsed, at),
                Err(gap) => Fact::Gap(gap),
            },
        })
    }

    /// Walks a path as the kernel does: every folder, every link, then the target's own folders.
    pub(super) fn walk(&self, path: &str) -> Result<Walk, String> {
        let mut hops = Vec::new();
        let end = self.descend(path, &mut hops)?;
        Ok(Walk {
            path: Text::new(path),
            hops,
            end,
        })
    }

    fn descend(&self, path: &str, hops: &mut Vec<Fact<Hop>>) -> Result<WalkEnd, String> {
        let mut links = 0;
        let mut left: Vec<String> = components(path);
        let mut here = String::new();
        hops.push(Fact::seen(self.root()?, Locator::new(Need::ManifestDir, 0)));
        while let Some(name) = left.pop() {
            if name == ".." {
                here.truncate(here.rfind('/').unwrap_or(0));
                continue;
            }
            let next = format!("{here}/{name}");
            let hop = match self.look(&next)? {
                Look::Gap(gap) => {
                    hops.push(Fact::Gap(gap));
                    return Ok(WalkEnd::Blocked);
                }
                Look::Absent => return Ok(WalkEnd::Absent),
                Look::Hop(hop) => hop,
            };
            if let Some(target) = hop.target.as_ref().map(|target| target.as_str().to_owned()) {
                links += 1;
                if links > LINKS {
                    return Ok(WalkEnd::Loop);
                }
                left.extend(components(&target));
                if target.starts_with('/') {
                    here.clear();
                }
            } else {
                here = next;
            }
            hops.push(Fact::seen(hop, Locator::new(Need::ManifestDir, 0)));
        }
        Ok(WalkEnd::Reached)
    }

    fn root(&self) -> Result<Hop, String> {
        let file = self.tree.get("/").cloned().unwrap_or_default();
        hop("/", &file)
    }

    fn look(&self, path: &str) -> Result<Look, String> {
        let file = self.tree.get(path).cloned().unwrap_or_default();
        if let Some(word) = &file.gap {
            return Ok(Look::Gap(gap(word)?));
        }
        if file.absent {
            return Ok(Look::Absent);
        }
        Ok(Look::Hop(hop(path, &file)?))
    }
}

/// As the collector takes it: of masked bytes there is none.
fn digest(text: &str) -> Option<Digest> {
    let exact = !text.is_empty() && !text.contains("<masked");
    exact.then(|| Digest::new(&openssl::sha::sha256(text.as_bytes())))
}

/// The components of a path, the next one last.
fn components(path: &str) -> Vec<String> {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.rev().map(str::to_owned).collect()
}

fn entry(written: EntryWritten) -> DirEntry {
    DirEntry {
        loaded: !written.name.starts_with('.') && written.kind != FileKind::Directory,
        name: Text::from(written.name),
        kind: written.kind,
        mtime: Some(written.mtime.unwrap_or(100)),
        ctime: Some(written.ctime.or(written.mtime).unwrap_or(100)),
        nlink: written.nlink.unwrap_or(1),
    }
}

fn hop(path: &str, file: &FileWritten) -> Result<Hop, String> {
    let kind = match (&file.link, file.kind) {
        (Some(_), _) => FileKind::Symlink,
        (None, kind) => kind.unwrap_or(FileKind::Directory),
    };
    let usual = match kind {
        FileKind::Symlink => "0777",
        FileKind::Directory => "0755",
        _ => "0600",
    };
    let mode = file.mode.as_deref().unwrap_or(usual);
    let mode = u32::from_str_radix(mode, 8).map_err(|e| format!("{path}: mode {mode}: {e}"))?;
    let [uid, gid] = parts(file.owner.as_deref().unwrap_or("0:0"))?;
    let at = Locator::new(Need::ManifestDir, 0);
    let acl = match &file.acl {
        Some(written) => super::fact(Some(written.clone()), Need::ManifestDir, acl)?,
        None => Fact::seen(None, at),
    };
    let mount = match &file.mount {
        Some(written) => super::fact(Some(written.clone()), Need::ManifestDir, |written| {
            Ok(mount(&written))
        })?,
        None => Fact::seen(mount(&MountWritten::default()), at),
    };
    Ok(Hop {
        path: Text::new(path),
        stat: Stat {
            kind,
            mode: Mode::new(mode),
            uid: Uid(number(uid)?),
            gid: Gid(number(gid)?),
            nlink: file.nlink.unwrap_or(1),
            size: 1000,
            mtime: Some(file.mtime.unwrap_or(100)),
            ctime: Some(file.ctime.or(file.mtime).unwrap_or(100)),
        },
        target: file.link.as_deref().map(Text::new),
        acl,
        mount,
    })
}

fn mount(written: &MountWritten) -> Mount {
    Mount {
        point: Text::from(written.point.as_deref().unwrap_or("/")),
        fstype: Text::from(written.fstype.as_deref().unwrap_or("ext4")),
        read_only: written.read_only,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{NODE, read};
    use super::*;

    fn walk(yaml: &str) -> Walk {
        let example = read(yaml).expect("the example is read");
        let dir = example.snapshot.nodes[NODE]
            .host
            .manifest_dir
            .get()
            .expect("seen");
        dir.value.as_ref().expect("configured").walk.clone()
    }

    #[test]
    fn links_are_followed_hop_by_hop() {
        let walk = walk(
            "{dir: {path: /etc/k/m, mode: '0700'}, \
             fs: {/etc/k: {link: ../data}, /data/m: {link: real}, /data/real: {owner: '5:6'}}}",
        );
        let paths: Vec<&str> = walk
            .hops
            .iter()
            .filter_map(|hop| hop.get().ok())
            .map(|hop| hop.value.path.as_str())
            .collect();
        assert_eq!(
            paths,
            ["/", "/etc", "/etc/k", "/data", "/data/m", "/data/real"]
        );
        assert_eq!(walk.end, WalkEnd::Reached);
        assert_eq!(walk.object().expect("reached").stat.uid, Uid(5));
    }

    #[test]
    fn a_walk_can_end_early() {
        let looped = walk("{dir: {path: /a}, fs: {/a: {link: /a}}}");
        assert_eq!(looped.end, WalkEnd::Loop);
        let absent = walk("{dir: {path: /a/b}, fs: {/a/b: {absent: true}}}");
        assert_eq!(absent.end, WalkEnd::Absent);
        let blocked = walk("{dir: {path: /a/b}, fs: {/a: {gap: denied}}}");
        assert_eq!(blocked.end, WalkEnd::Blocked);
    }
}
