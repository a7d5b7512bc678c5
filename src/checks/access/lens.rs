//! Whose eyes a walk is looked at with.

use super::permit::{Allowed, Creds, is_fixed, permits, permits_someone};
use crate::model::fact::Gap;
use crate::model::unix::Hop;

/// One way of asking the same question.
pub(super) enum Lens<'a> {
    /// What the kernel says now.
    Now(&'a Creds),
    /// What it would say after every chmod that these credentials may do.
    AfterChmod(&'a Creds),
    /// Whether anyone could be let in by what is not known; the gap of the accounts, where they are one.
    Someone(Option<&'a Gap>),
}

impl Lens<'_> {
    pub(super) fn permits(&self, hop: &Hop, want: u8) -> Allowed {
        match self {
            Self::AfterChmod(creds) if creds.uid == Some(hop.stat.uid) && !is_fixed(hop) => {
                Allowed::Yes
            }
            Self::Now(creds) | Self::AfterChmod(creds) => permits(hop, creds, want),
            Self::Someone(accounts) => permits_someone(hop, *accounts, want),
        }
    }

    /// The rule of the sticky bit (`__check_sticky` in fs/namei.c).
    pub(super) fn may_unlink(&self, folder: &Hop, entry: &Hop) -> bool {
        if !folder.stat.mode.sticky() {
            return true;
        }
        match self {
            Self::Now(creds) | Self::AfterChmod(creds) => creds
                .uid
                .is_some_and(|uid| uid == entry.stat.uid || uid == folder.stat.uid),
            // Owners are always known and asked by name.
            Self::Someone(_) => false,
        }
    }
}
