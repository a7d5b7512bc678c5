//! Effective permissions: who other than root can read, change or replace what a path leads to.
//!
//! Mode bits of one file say little: a folder on the way may shut everyone out, or let everyone swap
//! what lies below it. Here the whole [`Walk`] is judged as the kernel would, for every principal that
//! its owners, groups and access lists can mean, and for a stranger.
//!
//! Semantics:
//! - A name is reached by its real path: search on each folder above it. Whoever cannot pass a link
//!   may still reach its target directly.
//! - **Write**: `w` on a file, `w` and `x` on a folder, reached.
//! - **Replace**: `w` and `x` on the folder that holds any visited entry, links included, reached.
//!   In a sticky folder only for the owner of the entry or of the folder. A mount point cannot be
//!   renamed.
//! - **Create**: the same for the folder in which a missing component would appear; sticky does not
//!   stop it.
//! - An owner counts even where the mode gives nothing now, because chmod is one command away:
//!   [`When::AfterChmod`]. [`When::Now`] is what `test -w` and `test -r` say.
//! - A read-only mount stops all of this except reading.
//! - Root never counts. Not modelled, so that they never hide a way: capabilities, immutable
//!   attributes, `fs.protected_symlinks`, security modules. Other names of the same object (hard
//!   links, bind mounts) are not on the walk and not judged.
//!
//! A walk is as hostile as the node that tells it: what is beyond [`HOPS`] names, [`PEOPLE`] owners or
//! [`ENTRIES`] lines of access lists is a gap.
//!
//! Where an access list, a hop or the accounts are not known, what the rest proves stands, and a gap
//! stands beside it only if the missing fact could let someone in.

mod lens;
mod permit;
mod principal;
mod route;
mod scene;
#[cfg(test)]
mod tests;

use lens::Lens;
pub use permit::{Allowed, Creds, READ, SEARCH, WRITE, permits, stops_writes};
pub use principal::Principal;
use route::End;
use scene::{Scene, Step, View};

use crate::model::fact::{Fact, Gap};
use crate::model::text::Text;
use crate::model::unix::{Accounts, Walk, WalkEnd};

/// Names of one walk that are looked at: 40 links with 20 folders each, and some.
pub const HOPS: usize = 1024;
/// Users and groups that are tried on one walk.
pub const PEOPLE: usize = 256;
/// Lines of all access lists of one walk.
pub const ENTRIES: usize = 4096;

/// Who gets in, and what could not be told.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reach {
    /// In the order of the walk.
    pub ways: Vec<Way>,
    pub gaps: Vec<Gap>,
}

/// One way in, and everyone who can take it. Members of a listed group and everybody beside
/// [`Principal::Everyone`] are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub how: How,
    /// What is read, written, replaced or created.
    pub entry: Text,
    /// The name whose permissions open the way: the object itself, or the folder of the entry.
    pub through: Text,
    /// Never empty.
    pub who: Vec<(Principal, When)>,
}

impl Way {
    /// `everyone`, or a list; whoever has to chmod first is marked.
    pub fn people(&self) -> String {
        let person = |(who, when): &(Principal, When)| match when {
            When::Now => who.to_string(),
            When::AfterChmod => format!("{who} after a chmod"),
        };
        let mut all: Vec<String> = self.who.iter().take(NAMED).map(person).collect();
        if let Some(more @ 1..) = self.who.len().checked_sub(NAMED) {
            all.push(format!("{more} more"));
        }
        match all.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => all.concat(),
        }
    }
}

/// People that are named before the rest is counted.
const NAMED: usize = 4;

/// What someone can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    Read,
    /// Change the object in place; for a folder, add entries to it.
    Write,
    /// Put something else in the place of an entry on the way.
    Replace,
    /// Make the object, which does not exist.
    Create,
}

/// Whether a way is open, or its owner has to open it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    Now,
    /// After a chmod that the owner of a name on the way is free to do.
    AfterChmod,
}

/// Who can change or replace what the walk leads to (`EFFW`).
pub fn writers(walk: &Walk, accounts: &Fact<Accounts>) -> Reach {
    let mut scene = Scene::new(walk);
    let steps = scene.changes();
    scene.reach(&steps, accounts)
}

/// Who can read what the walk leads to (`EFFR`); for a folder: list it.
pub fn readers(walk: &Walk, accounts: &Fact<Accounts>) -> Reach {
    let scene = Scene::new(walk);
    let steps: Vec<Step<'_>> = scene.reading().into_iter().collect();
    scene.reach(&steps, accounts)
}

/// The same for given credentials: every way that the walk offers, with the answer.
pub fn answers(walk: &Walk, creds: &Creds, when: When) -> Vec<(How, Text, Allowed)> {
    let mut scene = Scene::new(walk);
    let mut steps = scene.changes();
    steps.extend(scene.reading());
    let lens = match when {
        When::Now => Lens::Now(creds),
        When::AfterChmod => Lens::AfterChmod(creds),
    };
    let mut view = View::new(&scene, lens);
    steps
        .iter()
        .map(|step| (step.how, step.path.clone(), view.allowed(step)))
        .collect()
}

/// Whether credentials get through every folder and link of the path as it is spelled and have `want`
/// on its object, now: what `test` says. A walk that ended elsewhere, or has gaps, reaches nothing.
pub fn reaches(walk: &Walk, creds: &Creds, want: u8) -> Allowed {
    let scene = Scene::new(walk);
    let route = scene.route();
    let (End::Object(object), WalkEnd::Reached, true) = (route.end, walk.end, scene.is_whole())
    else {
        return Allowed::No;
    };
    let through = route.folders.into_iter().fold(Allowed::Yes, |sofar, hop| {
        sofar.and(|| permits(hop, creds, SEARCH))
    });
    through
        .and(|| permits(object, creds, want))
        .and(|| (want & WRITE == 0 || !stops_writes(object)).into())
}

/// The folder that holds a real path; none for `/`.
fn parent(path: &str) -> Option<&str> {
    match path.rfind('/')? {
        0 if path.len() == 1 => None,
        0 => Some("/"),
        slash => Some(&path[..slash]),
    }
}
