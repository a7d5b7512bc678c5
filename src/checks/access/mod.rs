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
//! Where an access list, a hop or the accounts are not known, what the rest proves stands, and a gap
//! stands beside it only if the missing fact could let someone in.

mod lens;
mod permit;
mod principal;
mod route;
#[cfg(test)]
mod tests;

use lens::Lens;
pub use permit::{Allowed, Creds, READ, SEARCH, WRITE, permits, stops_writes};
pub use principal::Principal;
use principal::principals;
use route::{End, lookup};

use crate::model::fact::{Fact, Gap};
use crate::model::text::Text;
use crate::model::unix::{Accounts, FileKind, Hop, Walk, WalkEnd};

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
    let mut scene = Scene::new(walk, accounts);
    let steps = scene.changes(walk);
    scene.reach(steps)
}

/// Who can read what the walk leads to (`EFFR`); for a folder: list it.
pub fn readers(walk: &Walk, accounts: &Fact<Accounts>) -> Reach {
    let scene = Scene::new(walk, accounts);
    let step = scene.object(walk).map(Step::read);
    scene.reach(step)
}

/// The same for given credentials: every way that the walk offers, with the answer.
pub fn answers(walk: &Walk, creds: &Creds, when: When) -> Vec<(How, Text, Allowed)> {
    let accounts = Fact::default();
    let mut scene = Scene::new(walk, &accounts);
    let mut steps = scene.changes(walk);
    steps.extend(scene.object(walk).map(Step::read));
    let lens = match when {
        When::Now => Lens::Now(creds),
        When::AfterChmod => Lens::AfterChmod(creds),
    };
    steps
        .iter()
        .map(|step| (step.how, step.path.clone(), scene.allowed(step, &lens)))
        .collect()
}

/// Whether credentials get through every folder and link of the path as it is spelled and have `want`
/// on its object, now: what `test` says. A walk that ended elsewhere, or has gaps, reaches nothing.
pub fn reaches(walk: &Walk, creds: &Creds, want: u8) -> Allowed {
    let accounts = Fact::default();
    let scene = Scene::new(walk, &accounts);
    let route = lookup(walk.path.as_str(), |path| scene.hop(path));
    let (End::Object(object), WalkEnd::Reached, []) = (route.end, walk.end, &scene.gaps[..]) else {
        return Allowed::No;
    };
    let through = route.folders.into_iter().fold(Allowed::Yes, |sofar, hop| {
        sofar.and(|| permits(hop, creds, SEARCH))
    });
    through
        .and(|| permits(object, creds, want))
        .and(|| (want & WRITE == 0 || !stops_writes(object)).into())
}

/// One thing that someone may be able to do, and on which names it depends.
struct Step<'w> {
    how: How,
    /// None for what does not exist yet.
    entry: Option<&'w Hop>,
    /// Shown for the entry.
    path: &'w Text,
    /// Whose permissions decide.
    through: &'w Hop,
    want: u8,
}

impl<'w> Step<'w> {
    fn read(object: &'w Hop) -> Self {
        Self {
            how: How::Read,
            entry: Some(object),
            path: &object.path,
            through: object,
            want: READ,
        }
    }

    fn write(object: &'w Hop) -> Self {
        let want = match object.stat.kind {
            FileKind::Directory => WRITE | SEARCH,
            _ => WRITE,
        };
        Self {
            how: How::Write,
            want,
            ..Self::read(object)
        }
    }

    fn change(how: How, entry: Option<&'w Hop>, path: &'w Text, folder: &'w Hop) -> Self {
        Self {
            how,
            entry,
            path,
            through: folder,
            want: WRITE | SEARCH,
        }
    }
}

/// A walk with its gaps set apart.
struct Scene<'w> {
    hops: Vec<&'w Hop>,
    accounts: &'w Fact<Accounts>,
    gaps: Vec<Gap>,
}

impl<'w> Scene<'w> {
    fn new(walk: &'w Walk, accounts: &'w Fact<Accounts>) -> Self {
        let mut hops = Vec::new();
        let mut gaps = Vec::new();
        for hop in &walk.hops {
            match hop {
                Fact::Seen(seen) if seen.value.path.as_str().starts_with('/') => {
                    hops.push(&seen.value);
                }
                Fact::Seen(seen) => gaps.push(not_shown(&seen.value.path)),
                Fact::Gap(gap) => keep(&mut gaps, gap),
            }
        }
        if gaps.is_empty() && (walk.end == WalkEnd::Blocked || hops.is_empty()) {
            gaps.push(not_shown(&walk.path));
        }
        Self {
            hops,
            accounts,
            gaps,
        }
    }

    fn hop(&self, path: &str) -> Option<&'w Hop> {
        self.hops.iter().copied().find(|hop| hop.path == path)
    }

    fn object(&self, walk: &Walk) -> Option<&'w Hop> {
        let last = self.hops.last().copied();
        last.filter(|_| walk.end == WalkEnd::Reached)
    }

    /// Everything that changes what the path leads to.
    fn changes(&mut self, walk: &'w Walk) -> Vec<Step<'w>> {
        let mut steps = self.replacements();
        match (walk.end, self.hops.last().copied()) {
            (WalkEnd::Reached, Some(object)) => steps.push(Step::write(object)),
            (WalkEnd::Absent, _) => steps.extend(self.creation(walk)),
            _ => {}
        }
        steps
    }

    /// Replacing each visited entry, once each.
    fn replacements(&mut self) -> Vec<Step<'w>> {
        let mut steps: Vec<Step<'w>> = Vec::new();
        for entry in self.hops.clone() {
            let Some(above) = parent(entry.path.as_str()) else {
                continue;
            };
            match self.hop(above) {
                Some(_) if steps.iter().any(|step| *step.path == entry.path) => {}
                Some(folder) => {
                    steps.push(Step::change(How::Replace, Some(entry), &entry.path, folder));
                }
                None => keep(&mut self.gaps, &not_shown(above)),
            }
        }
        steps
    }

    /// Making the component that is missing.
    fn creation(&mut self, walk: &'w Walk) -> Option<Step<'w>> {
        match lookup(walk.path.as_str(), |path| self.hop(path)).end {
            End::Missing(folder) => Some(Step::change(How::Create, None, &walk.path, folder)),
            // A file where a folder would have to be: to make the rest, it has to be replaced first.
            End::Nowhere => None,
            End::Object(_) | End::Hidden => {
                keep(&mut self.gaps, &not_shown(&walk.path));
                None
            }
        }
    }

    /// Everyone, step by step.
    fn reach(self, steps: impl IntoIterator<Item = Step<'w>>) -> Reach {
        let nobody = Accounts::default();
        let (accounts, missing) = match self.accounts {
            Fact::Seen(seen) => (&seen.value, None),
            Fact::Gap(gap) => (&nobody, Some(gap)),
        };
        let people = principals(&self.hops, accounts);
        let mut reach = Reach {
            gaps: self.gaps.clone(),
            ..Reach::default()
        };
        for step in steps {
            let who = self.who(&step, &people, &mut reach.gaps);
            if let Allowed::Unknown(gap) = self.allowed(&step, &Lens::Someone(missing)) {
                keep(&mut reach.gaps, &gap);
            }
            if !who.is_empty() {
                reach.ways.push(Way {
                    how: step.how,
                    entry: step.path.clone(),
                    through: step.through.path.clone(),
                    who,
                });
            }
        }
        reach
    }

    /// Who can do one thing, strangers first: whom they or a group include is not named again.
    fn who(
        &self,
        step: &Step<'w>,
        people: &[(Principal, Creds)],
        gaps: &mut Vec<Gap>,
    ) -> Vec<(Principal, When)> {
        let mut who = Vec::new();
        for (principal, creds) in people {
            let when = match self.allowed(step, &Lens::Now(creds)) {
                Allowed::Yes => When::Now,
                _ if self.allowed(step, &Lens::AfterChmod(creds)) == Allowed::Yes => {
                    When::AfterChmod
                }
                Allowed::Unknown(gap) => {
                    keep(gaps, &gap);
                    continue;
                }
                Allowed::No => continue,
            };
            if !listed_by_group(&who, creds) {
                who.push((principal.clone(), when));
            }
            if *principal == Principal::Everyone {
                break;
            }
        }
        who
    }

    /// Whether someone can do it: way there, permission, sticky, mounts.
    fn allowed(&self, step: &Step<'w>, lens: &Lens<'_>) -> Allowed {
        if step.want & WRITE != 0 && stops_writes(step.through) {
            return Allowed::No;
        }
        let replaced = step.entry.filter(|_| step.how == How::Replace);
        if replaced
            .is_some_and(|entry| is_mount_point(entry) || !lens.may_unlink(step.through, entry))
        {
            return Allowed::No;
        }
        self.way_to(step.through.path.as_str(), lens)
            .and(|| lens.permits(step.through, step.want))
    }

    /// Search on each folder above a real path.
    fn way_to(&self, path: &str, lens: &Lens<'_>) -> Allowed {
        let mut sofar = Allowed::Yes;
        let mut below = path;
        while let Some(folder) = parent(below) {
            sofar = sofar.and(|| match self.hop(folder) {
                Some(hop) => lens.permits(hop, SEARCH),
                None => Allowed::Unknown(not_shown(folder)),
            });
            below = folder;
        }
        sofar
    }
}

/// Whether a group that is already listed lets these credentials in.
fn listed_by_group(who: &[(Principal, When)], creds: &Creds) -> bool {
    who.iter().any(|(principal, _)| {
        matches!(principal, Principal::Group { gid, .. } if creds.uid.is_some() && creds.gids.contains(gid))
    })
}

fn not_shown(path: impl std::fmt::Display) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("the walk does not show {path}")),
    }
}

fn keep(gaps: &mut Vec<Gap>, gap: &Gap) {
    if !gaps.contains(gap) {
        gaps.push(gap.clone());
    }
}

fn is_mount_point(hop: &Hop) -> bool {
    matches!(&hop.mount, Fact::Seen(mount) if mount.value.point == hop.path)
}

/// The folder that holds a real path; none for `/`.
fn parent(path: &str) -> Option<&str> {
    match path.rfind('/')? {
        0 if path.len() == 1 => None,
        0 => Some("/"),
        slash => Some(&path[..slash]),
    }
}
