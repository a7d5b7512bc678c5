//! Owners in words, and how bad a wrong one is.

use crate::checks::access::{How, Reach};
use crate::model::fact::Fact;
use crate::model::unix::{Accounts, Gid, Stat, Uid};
use crate::model::verdict::Severity;

pub fn is_roots(stat: &Stat) -> bool {
    stat.uid == Uid::ROOT && stat.gid == Gid::ROOT
}

/// Whether a group is root's, or the first one of a user.
pub fn is_own_group(gid: Gid, user: Uid, accounts: &Fact<Accounts>) -> bool {
    let accounts = accounts.get().ok().map(|seen| &seen.value);
    let first = accounts.and_then(|accounts| accounts.user(user));
    gid == Gid::ROOT || first.is_some_and(|user| user.gid == gid)
}

/// `alice:root (1000:0)`, or numbers alone where a name is not known.
pub fn words(stat: &Stat, accounts: &Fact<Accounts>) -> String {
    let accounts = accounts.get().ok().map(|seen| &seen.value);
    let user = accounts.and_then(|accounts| accounts.user(stat.uid));
    let group = accounts.and_then(|accounts| accounts.group(stat.gid));
    match (user, group) {
        (Some(user), Some(group)) => {
            format!("{}:{} ({}:{})", user.name, group.name, stat.uid, stat.gid)
        }
        _ => format!("{}:{}", stat.uid, stat.gid),
    }
}

/// High, and low only where it is proven that nobody but root can make use of it.
pub fn severity(reach: &Reach) -> Severity {
    let used = reach.ways.iter().any(|way| way.how == How::Write);
    if used || !reach.gaps.is_empty() {
        Severity::High
    } else {
        Severity::Low
    }
}
