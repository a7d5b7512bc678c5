//! What the kernel answers for one name and one set of credentials. Never looks at a path: see [`super`].

use crate::model::fact::{Fact, Gap};
use crate::model::unix::{Acl, AclTag, FileKind, Gid, Hop, Uid};

/// Permission bits as access lists spell them.
pub const READ: u8 = 4;
pub const WRITE: u8 = 2;
/// Execute; on a folder: the right to look up a name in it.
pub const SEARCH: u8 = 1;

/// The identity of a process: what the kernel compares with owners and access lists.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Creds {
    /// `None`: a uid that owns nothing and is named nowhere.
    pub uid: Option<Uid>,
    /// Primary and supplementary groups.
    pub gids: Vec<Gid>,
}

/// Yes, no, or not known and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    Yes,
    No,
    Unknown(Gap),
}

impl Allowed {
    /// Both are needed: one proven no decides.
    #[must_use]
    pub fn and(self, next: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => next(),
            Self::Unknown(gap) => match next() {
                Self::No => Self::No,
                _ => Self::Unknown(gap),
            },
        }
    }
}

impl From<bool> for Allowed {
    fn from(allowed: bool) -> Self {
        if allowed { Self::Yes } else { Self::No }
    }
}

/// Whether the mode and access list of a name grant `want` (bits of [`READ`], [`WRITE`], [`SEARCH`]).
///
/// Follows `acl_permission_check` and `posix_acl_permission` (fs/namei.c, fs/posix_acl.c): the owner
/// has the owner bits and nothing else; an access list counts only while the group bits, which are
/// its mask, are not all zero; a group that matches and does not grant shuts out `other`.
/// Read-only file systems are the business of [`stops_writes`].
pub fn permits(hop: &Hop, creds: &Creds, want: u8) -> Allowed {
    let mode = hop.stat.mode.bits();
    if creds.uid == Some(hop.stat.uid) {
        return granted(bits(mode >> 6), want).into();
    }
    let acl = match &hop.acl {
        _ if bits(mode >> 3) == 0 => None,
        Fact::Seen(seen) => seen.value.as_ref().filter(|acl| !acl.access.is_empty()),
        Fact::Gap(gap) => return without_list(hop, creds, want, gap),
    };
    if let Some(acl) = acl {
        return by_list(acl, hop, creds, want).into();
    }
    let class = if creds.gids.contains(&hop.stat.gid) {
        mode >> 3
    } else {
        mode
    };
    granted(bits(class), want).into()
}

/// An upper bound for everyone whose uid and groups are not known: members of groups where the
/// accounts are a gap, and whoever an unreadable access list may name.
///
/// Yes only where `other` grants it; Unknown where someone may be let in by what is not known.
pub(super) fn permits_someone(hop: &Hop, accounts: Option<&Gap>, want: u8) -> Allowed {
    let mode = hop.stat.mode.bits();
    if granted(bits(mode), want) {
        return Allowed::Yes;
    }
    // The group bits are the mask of a list: what they lack, no line of it can give.
    if !granted(bits(mode >> 3), want) {
        return Allowed::No;
    }
    match (&hop.acl, accounts) {
        (Fact::Gap(gap), _) | (_, Some(gap)) => Allowed::Unknown(gap.clone()),
        _ => Allowed::No,
    }
}

/// Whether the mount is known to be read-only: owner and mode of the name cannot change.
///
/// A mount that is not known counts as writable: the excuse has to be proven, not the flaw.
pub fn is_fixed(hop: &Hop) -> bool {
    matches!(&hop.mount, Fact::Seen(mount) if mount.value.read_only)
}

/// Whether the mount is known to refuse writes to this name. Devices, pipes and sockets can be written
/// on a read-only file system (`sb_permission` in fs/namei.c).
pub fn stops_writes(hop: &Hop) -> bool {
    let stored = matches!(
        hop.stat.kind,
        FileKind::Regular | FileKind::Directory | FileKind::Symlink
    );
    stored && is_fixed(hop)
}

fn bits(mode: u32) -> u8 {
    (mode & 0o7) as u8
}

fn granted(perms: u8, want: u8) -> bool {
    want & !perms == 0
}

/// `posix_acl_permission` for someone who is not the owner.
///
/// Mask and `other` are read from the mode, which holds them for every access list (acl(5)): so a
/// list that came over without them cannot open or close more than it does on the node.
fn by_list(acl: &Acl, hop: &Hop, creds: &Creds, want: u8) -> bool {
    let mode = hop.stat.mode.bits();
    let mask = bits(mode >> 3);
    let named = acl
        .access
        .iter()
        .find(|entry| matches!(entry.tag, AclTag::User(uid) if Some(uid) == creds.uid));
    if let Some(named) = named {
        return granted(named.perms & mask, want);
    }
    let mut matched = false;
    for entry in &acl.access {
        let member = match entry.tag {
            AclTag::GroupObj => creds.gids.contains(&hop.stat.gid),
            AclTag::Group(gid) => creds.gids.contains(&gid),
            _ => false,
        };
        // One entry has to grant all of it; two that grant a part each do not add up.
        if member && granted(entry.perms & mask, want) {
            return true;
        }
        matched |= member;
    }
    !matched && granted(bits(mode), want)
}

/// What is certain of a name whose access list could not be read; its group bits are then the mask.
fn without_list(hop: &Hop, creds: &Creds, want: u8, gap: &Gap) -> Allowed {
    let mode = hop.stat.mode.bits();
    let masked = granted(bits(mode >> 3), want);
    let other = granted(bits(mode), want);
    if creds.uid.is_none() && creds.gids.is_empty() {
        return other.into();
    }
    let open = masked || (other && !creds.gids.contains(&hop.stat.gid));
    if open {
        Allowed::Unknown(gap.clone())
    } else {
        Allowed::No
    }
}
