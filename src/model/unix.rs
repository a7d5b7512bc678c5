//! Files, modes, owners and access lists of a node, as numbers: names never decide a verdict.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::text::Text;

/// Permission bits with setuid, setgid and sticky (`0o7777`).
///
/// ```
/// use stakeout::model::unix::Mode;
/// assert_eq!(Mode::new(0o644).to_string(), "0644");
/// assert_eq!(Mode::new(0o101_777).to_string(), "1777");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mode(u16);

impl Mode {
    /// Keeps the twelve permission bits of `st_mode`.
    pub const fn new(bits: u32) -> Self {
        Self((bits & 0o7777) as u16)
    }

    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    pub const fn sticky(self) -> bool {
        self.0 & 0o1000 != 0
    }

    /// Whether no bit is set beyond those of `limit`: `0o600` is within `0o644`.
    pub const fn within(self, limit: u32) -> bool {
        self.bits() & !limit == 0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04o}", self.0))
    }
}

/// A numeric user id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Uid(pub u32);

/// A numeric group id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gid(pub u32);

impl Uid {
    pub const ROOT: Self = Self(0);
}

impl Gid {
    pub const ROOT: Self = Self(0);
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Gid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The type of a directory entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Regular,
    Directory,
    Symlink,
    Fifo,
    Socket,
    Block,
    Char,
    #[serde(other)]
    Other,
}

/// What `lstat` says of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    pub kind: FileKind,
    pub mode: Mode,
    pub uid: Uid,
    pub gid: Gid,
    pub nlink: u32,
    /// Bytes.
    pub size: u64,
    /// Seconds since the epoch by the node's clock; none where the node's tools round it.
    pub mtime: Option<i64>,
    /// Seconds since the epoch by the node's clock.
    pub ctime: Option<i64>,
}

/// One line of an access control list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AclEntry {
    pub tag: AclTag,
    /// `rwx` as 4, 2, 1.
    pub perms: u8,
}

/// Whom a line of an access control list speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AclTag {
    UserObj,
    User(Uid),
    GroupObj,
    Group(Gid),
    Mask,
    Other,
}

/// The extended access control list of a name (POSIX.1e draft 17); `default` only on folders.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Acl {
    pub access: Vec<AclEntry>,
    pub default: Vec<AclEntry>,
}

/// The mount that holds a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    pub point: Text,
    pub fstype: Text,
    /// Mounted read-only, by the mount or by its file system.
    pub read_only: bool,
}

/// One name that was looked at on the way to a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// Absolute, without links in its parent part.
    pub path: Text,
    pub stat: Stat,
    /// Where a symbolic link points, as stored in the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Text>,
    /// `None` inside: no extended entries.
    pub acl: Fact<Option<Acl>>,
    pub mount: Fact<Mount>,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WalkEnd {
    /// The last hop is the object itself.
    Reached,
    /// A component does not exist; the hops end before it.
    Absent,
    /// More links than the kernel follows.
    Loop,
    /// A component could not be looked at: the last hop is a gap.
    Blocked,
}

/// Every name that decides who can reach or replace a path, from `/` on, links followed hop by hop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// As it was asked for.
    pub path: Text,
    /// In the order of the kernel's lookup: each folder, each link, then the target's own folders.
    pub hops: Vec<Fact<Hop>>,
    pub end: WalkEnd,
}

impl Walk {
    /// The object itself, where the walk reached it.
    pub fn object(&self) -> Option<&Hop> {
        match (self.end, self.hops.last()) {
            (WalkEnd::Reached, Some(Fact::Seen(seen))) => Some(&seen.value),
            _ => None,
        }
    }

    /// The entry of the last component of `path`, link or not.
    pub fn entry(&self) -> Option<&Hop> {
        self.hops.iter().find_map(|hop| match hop {
            Fact::Seen(seen) if seen.value.path == self.path.as_str() => Some(&seen.value),
            _ => None,
        })
    }
}

/// A user of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub uid: Uid,
    pub gid: Gid,
    pub name: Text,
}

/// A group of the node with the names of its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub gid: Gid,
    pub name: Text,
    pub members: Vec<Text>,
}

/// Users and groups as the node's name service lists them.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Accounts {
    pub users: Vec<User>,
    pub groups: Vec<Group>,
}

impl Accounts {
    pub fn user(&self, uid: Uid) -> Option<&User> {
        self.users.iter().find(|user| user.uid == uid)
    }

    pub fn group(&self, gid: Gid) -> Option<&Group> {
        self.groups.iter().find(|group| group.gid == gid)
    }
}
