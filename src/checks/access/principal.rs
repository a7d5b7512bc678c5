//! Who is there: the users and groups that a walk's owners and access lists can mean.

use std::collections::BTreeSet;
use std::fmt;

use super::permit::Creds;
use crate::model::text::Text;
use crate::model::unix::{Accounts, AclTag, Gid, Hop, Uid};

/// Someone other than root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// Any process, whatever its uid and groups.
    Everyone,
    /// Any process with the group, which includes a container that asks for it. Members are other
    /// than root, by supplementary or primary group.
    Group {
        gid: Gid,
        name: Option<Text>,
        members: Vec<Text>,
    },
    User {
        uid: Uid,
        name: Option<Text>,
    },
}

/// Members that are named before the rest is counted.
const NAMED_MEMBERS: usize = 5;

impl fmt::Display for Principal {
    /// `everyone`, `group kube (995: alice, bob)`, `group kube (995)`, `user alice (1000)`,
    /// `uid 1000`, `gid 995`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::User { uid, name: None } => write!(f, "uid {uid}"),
            Self::User {
                uid,
                name: Some(name),
            } => write!(f, "user {name} ({uid})"),
            Self::Group { gid, name, members } => {
                match name {
                    Some(name) => write!(f, "group {name} ({gid}")?,
                    None => write!(f, "gid {gid}")?,
                }
                let close = if name.is_some() { ")" } else { "" };
                if members.is_empty() {
                    return f.write_str(close);
                }
                f.write_str(if name.is_some() { ": " } else { " (" })?;
                let shown: Vec<&str> = members.iter().map(Text::as_str).collect();
                let (head, rest) = shown.split_at(shown.len().min(NAMED_MEMBERS));
                f.write_str(&head.join(", "))?;
                if !rest.is_empty() {
                    write!(f, " and {} more", rest.len())?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Everyone whose rights on these hops can differ from those of a stranger, with their credentials.
///
/// Strangers first, then groups, then users. Root never appears. A group of which only root is a
/// member does not appear if it is group 0, and does appear otherwise: a pod can run with any gid,
/// but the members of group 0 are known accounts.
pub(super) fn principals(hops: &[&Hop], accounts: &Accounts) -> Vec<(Principal, Creds)> {
    let (uids, gids) = seen_ids(hops);
    let people = people(&uids, &gids, accounts);
    let mut out = vec![(Principal::Everyone, Creds::default())];
    for gid in gids.iter().copied().filter(|gid| *gid != Gid::ROOT) {
        let members = people
            .iter()
            .filter(|(_, creds)| creds.gids.contains(&gid))
            .map(|(person, _)| person.short())
            .collect();
        let name = accounts.group(gid).map(|group| group.name.clone());
        let creds = Creds {
            uid: None,
            gids: vec![gid],
        };
        out.push((Principal::Group { gid, name, members }, creds));
    }
    out.extend(people);
    out
}

impl Principal {
    fn short(&self) -> Text {
        match self {
            Self::User {
                name: Some(name), ..
            } => name.clone(),
            other => Text::from(other.to_string()),
        }
    }
}

/// Owners, owning groups and everyone an access list names.
fn seen_ids(hops: &[&Hop]) -> (BTreeSet<Uid>, BTreeSet<Gid>) {
    let mut uids = BTreeSet::new();
    let mut gids = BTreeSet::new();
    for hop in hops {
        uids.insert(hop.stat.uid);
        gids.insert(hop.stat.gid);
        let list = hop.acl.get().ok().and_then(|seen| seen.value.as_ref());
        for entry in list.into_iter().flat_map(|acl| &acl.access) {
            match entry.tag {
                AclTag::User(uid) => drop(uids.insert(uid)),
                AclTag::Group(gid) => drop(gids.insert(gid)),
                _ => {}
            }
        }
    }
    uids.remove(&Uid::ROOT);
    (uids, gids)
}

/// The seen users and the members of the seen groups, each once however many names the uid has.
fn people(
    uids: &BTreeSet<Uid>,
    gids: &BTreeSet<Gid>,
    accounts: &Accounts,
) -> Vec<(Principal, Creds)> {
    let listed: Vec<(Gid, BTreeSet<&str>)> = accounts
        .groups
        .iter()
        .filter(|group| gids.contains(&group.gid))
        .map(|group| (group.gid, group.members.iter().map(Text::as_str).collect()))
        .collect();
    let mut found: std::collections::BTreeMap<Uid, (Option<Text>, BTreeSet<Gid>)> = uids
        .iter()
        .map(|uid| (*uid, (None, BTreeSet::new())))
        .collect();
    for user in accounts.users.iter().filter(|user| user.uid != Uid::ROOT) {
        let mut groups: BTreeSet<Gid> = listed
            .iter()
            .filter(|(_, members)| members.contains(user.name.as_str()))
            .map(|(gid, _)| *gid)
            .collect();
        if gids.contains(&user.gid) {
            groups.insert(user.gid);
        }
        if groups.is_empty() && !uids.contains(&user.uid) {
            continue;
        }
        let person = found.entry(user.uid).or_default();
        person.0.get_or_insert_with(|| user.name.clone());
        person.1.extend(groups);
    }
    found
        .into_iter()
        .map(|(uid, (name, gids))| {
            let creds = Creds {
                uid: Some(uid),
                gids: gids.into_iter().collect(),
            };
            (Principal::User { uid, name }, creds)
        })
        .collect()
}
