//! A second pair of eyes: walks a path with `lstat` alone, lists from `getfacl`, mounts from mountinfo.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;
use std::process::Command;

use stakeout::model::fact::{Fact, Locator, Need};
use stakeout::model::text::Text;
use stakeout::model::unix::{
    Acl, AclEntry, AclTag, FileKind, Gid, Hop, Mode, Mount, Stat, Uid, Walk, WalkEnd,
};

pub const AT: Locator = Locator::new(Need::ManifestDir, 0);

/// The most links that one lookup follows (`MAXSYMLINKS`, include/linux/namei.h).
const LINKS: u32 = 40;

/// What holds for a whole machine while trees are looked at.
pub struct Ground {
    lists: HashMap<String, Acl>,
    mounts: Vec<Mount>,
}

impl Ground {
    /// Every access list below `base`, and the mounts that process `pid` sees.
    pub fn survey(base: &Path, pid: u32) -> io::Result<Self> {
        let listing = Command::new("getfacl")
            .args(["-R", "-P", "-n", "-p", "-s"])
            .arg(base)
            .output()?;
        let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo"))?;
        Ok(Self {
            lists: lists(&String::from_utf8_lossy(&listing.stdout)),
            mounts: mounts.lines().filter_map(mount).collect(),
        })
    }

    /// Follows `path` as the kernel does; beside it, the real path of the first missing component.
    pub fn walk(&self, path: &str) -> (Walk, Option<String>) {
        let mut here = "/".to_owned();
        let mut hops = vec![self.hop(&here)];
        let mut rest: VecDeque<String> = components(path);
        let mut links = 0;
        let mut missing = None;
        let mut end = WalkEnd::Reached;
        while let Some(name) = rest.pop_front() {
            let next = match name.as_str() {
                "." => here.clone(),
                ".." => above(&here),
                _ => join(&here, &name),
            };
            let hop = self.hop(&next);
            let Fact::Seen(seen) = &hop else {
                (end, missing) = (WalkEnd::Absent, Some(next));
                break;
            };
            let (kind, target) = (seen.value.stat.kind, seen.value.target.clone());
            hops.push(hop);
            match (kind, target) {
                (FileKind::Symlink, Some(target)) => {
                    links += 1;
                    if links > LINKS {
                        end = WalkEnd::Loop;
                        break;
                    }
                    if target.as_str().starts_with('/') {
                        "/".clone_into(&mut here);
                        hops.push(self.hop("/"));
                    }
                    for part in components(target.as_str()).into_iter().rev() {
                        rest.push_front(part);
                    }
                }
                (FileKind::Directory, _) => here = next,
                _ if !rest.is_empty() => {
                    end = WalkEnd::Absent;
                    break;
                }
                _ => {}
            }
        }
        let path = Text::new(path);
        (Walk { path, hops, end }, missing)
    }

    fn hop(&self, path: &str) -> Fact<Hop> {
        let Ok(stat) = fs::symlink_metadata(path) else {
            return Fact::default();
        };
        let target = fs::read_link(path).ok();
        let kind = stat.file_type();
        let kind = match () {
            () if kind.is_dir() => FileKind::Directory,
            () if kind.is_symlink() => FileKind::Symlink,
            () if kind.is_fifo() => FileKind::Fifo,
            () => FileKind::Regular,
        };
        let hop = Hop {
            path: Text::new(path),
            stat: Stat {
                kind,
                mode: Mode::new(stat.mode()),
                uid: Uid(stat.uid()),
                gid: Gid(stat.gid()),
                nlink: 1,
                size: stat.size(),
                mtime: None,
                ctime: None,
            },
            target: target.map(|target| Text::new(&target.to_string_lossy())),
            acl: Fact::seen(self.lists.get(path).cloned(), AT),
            mount: self
                .mount_of(path)
                .map_or_else(Fact::default, |mount| Fact::seen(mount, AT)),
        };
        Fact::seen(hop, AT)
    }

    /// The last of the deepest mounts that hold `path`.
    fn mount_of(&self, path: &str) -> Option<Mount> {
        let holds = |mount: &&Mount| Path::new(path).starts_with(mount.point.as_str());
        self.mounts
            .iter()
            .filter(holds)
            .max_by_key(|mount| mount.point.as_str().len())
            .cloned()
    }
}

/// The same walk with each name once, the object last: the other way in which it may be told.
pub fn lean(walk: &Walk) -> Walk {
    let mut hops: Vec<Fact<Hop>> = Vec::new();
    for hop in &walk.hops {
        if !hops.contains(hop) {
            hops.push(hop.clone());
        }
    }
    if let Some(object) = walk.hops.last().filter(|_| walk.end == WalkEnd::Reached) {
        hops.retain(|hop| hop != object);
        hops.push(object.clone());
    }
    Walk {
        hops,
        ..walk.clone()
    }
}

fn components(path: &str) -> VecDeque<String> {
    path.split('/')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn above(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((parent, _)) if !parent.is_empty() => parent.to_owned(),
        _ => "/".to_owned(),
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder == "/" {
        format!("/{name}")
    } else {
        format!("{folder}/{name}")
    }
}

/// `36 35 98:0 /mnt1 /mnt2 ro,noatime shared:1 - ext3 /dev/root rw,errors=continue` (proc(5)).
fn mount(line: &str) -> Option<Mount> {
    let (front, back) = line.split_once(" - ")?;
    let front: Vec<&str> = front.split(' ').collect();
    let back: Vec<&str> = back.split(' ').collect();
    let read_only = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        point: Text::new(front.get(4)?),
        fstype: Text::new(back.first()?),
        read_only: read_only(front.get(5)?) || read_only(back.get(2)?),
    })
}

/// The blocks of `getfacl -s`: only what has more than the mode says.
fn lists(listing: &str) -> HashMap<String, Acl> {
    let mut found = HashMap::new();
    for block in listing.split("\n\n") {
        let mut acl = Acl::default();
        let mut file = None;
        for line in block.lines() {
            if let Some(path) = line.strip_prefix("# file: ") {
                file = Some(path.to_owned());
            }
            let (into, line) = match line.strip_prefix("default:") {
                Some(line) => (&mut acl.default, line),
                None => (&mut acl.access, line),
            };
            into.extend(entry(line));
        }
        if let Some(file) = file {
            found.insert(file, acl);
        }
    }
    found
}

/// `user:2001:rw-` and, after a tab, `#effective:r--`.
fn entry(line: &str) -> Option<AclEntry> {
    let line = line.split(['\t', '#']).next()?;
    let mut parts = line.split(':');
    let (tag, id, perms) = (parts.next()?, parts.next()?, parts.next()?);
    let tag = match (tag, id) {
        ("user", "") => AclTag::UserObj,
        ("user", id) => AclTag::User(Uid(id.parse().ok()?)),
        ("group", "") => AclTag::GroupObj,
        ("group", id) => AclTag::Group(Gid(id.parse().ok()?)),
        ("mask", _) => AclTag::Mask,
        ("other", _) => AclTag::Other,
        _ => return None,
    };
    let bit = |(letter, bit)| if perms.contains(letter) { bit } else { 0 };
    Some(AclEntry {
        tag,
        perms: [('r', 4), ('w', 2), ('x', 1)].into_iter().map(bit).sum(),
    })
}
