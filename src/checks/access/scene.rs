//! One walk with everything that can be done along it, and everybody who may do it.

use std::collections::HashMap;

use super::lens::Lens;
use super::permit::{Allowed, Creds, READ, SEARCH, WRITE, stops_writes};
use super::principal::{Principal, principals};
use super::route::{End, Route, lookup};
use super::{ENTRIES, HOPS, How, PEOPLE, Reach, Way, When, parent};
use crate::model::fact::{Fact, Gap};
use crate::model::text::Text;
use crate::model::unix::{Accounts, FileKind, Hop, Walk, WalkEnd};

/// Gaps of one walk that are told.
const GAPS: usize = 16;

/// One thing that someone may be able to do, and on which names it depends.
pub(super) struct Step<'w> {
    pub(super) how: How,
    /// What is read, written, replaced or made, for the reader.
    pub(super) path: &'w Text,
    /// None for what does not exist yet.
    entry: Option<&'w Hop>,
    /// Whose permissions decide.
    through: &'w Hop,
    /// What is in the way of getting there.
    above: Above,
    want: u8,
}

/// The folder over a name.
#[derive(Clone, Copy)]
enum Above {
    /// Nothing is over `/`.
    Nothing,
    /// By its place among the hops.
    Hop(usize),
    /// The walk does not show it.
    Hidden,
}

/// A walk with its gaps set apart.
pub(super) struct Scene<'w> {
    walk: &'w Walk,
    hops: Vec<&'w Hop>,
    /// First place of each path.
    by_path: HashMap<&'w str, usize>,
    above: Vec<Above>,
    gaps: Vec<Gap>,
}

impl<'w> Scene<'w> {
    pub(super) fn new(walk: &'w Walk) -> Self {
        let mut scene = Self {
            walk,
            hops: Vec::new(),
            by_path: HashMap::new(),
            above: Vec::new(),
            gaps: Vec::new(),
        };
        let mut entries = 0;
        for hop in walk.hops.iter().take(HOPS) {
            match hop {
                Fact::Seen(seen) if is_usable(&seen.value, &mut entries) => {
                    let path = seen.value.path.as_str();
                    scene.by_path.entry(path).or_insert(scene.hops.len());
                    scene.hops.push(&seen.value);
                }
                Fact::Seen(seen) => keep(&mut scene.gaps, &not_shown(&seen.value.path)),
                Fact::Gap(gap) => keep(&mut scene.gaps, gap),
            }
        }
        scene.above = scene.hops.iter().map(|hop| scene.over(hop)).collect();
        let cut = walk.hops.len() > HOPS || scene.hops.is_empty();
        if scene.gaps.is_empty() && (cut || walk.end == WalkEnd::Blocked) {
            scene.gaps.push(not_shown(&walk.path));
        }
        scene
    }

    /// Whether nothing of the walk is missing.
    pub(super) fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }

    fn place(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    fn over(&self, hop: &Hop) -> Above {
        match parent(hop.path.as_str()) {
            None => Above::Nothing,
            Some(folder) => self.place(folder).map_or(Above::Hidden, Above::Hop),
        }
    }

    pub(super) fn object(&self) -> Option<usize> {
        let last = self.hops.len().checked_sub(1);
        last.filter(|_| self.walk.end == WalkEnd::Reached)
    }

    /// Reading the object.
    pub(super) fn reading(&self) -> Option<Step<'w>> {
        let object = self.object()?;
        let path = &self.hops[object].path;
        Some(self.step(How::Read, (Some(object), path), object, READ))
    }

    /// Changing the object in place.
    fn writing(&self, object: usize) -> Step<'w> {
        let hop = self.hops[object];
        let want = match hop.stat.kind {
            FileKind::Directory => WRITE | SEARCH,
            _ => WRITE,
        };
        self.step(How::Write, (Some(object), &hop.path), object, want)
    }

    fn step(
        &self,
        how: How,
        (entry, path): (Option<usize>, &'w Text),
        through: usize,
        want: u8,
    ) -> Step<'w> {
        Step {
            how,
            path,
            entry: entry.map(|entry| self.hops[entry]),
            through: self.hops[through],
            above: self.above[through],
            want,
        }
    }

    /// The path looked up again.
    pub(super) fn route(&self) -> Route<'w> {
        lookup(self.walk.path.as_str(), |path| {
            self.place(path).map(|place| self.hops[place])
        })
    }

    /// Everything that changes what the path leads to.
    pub(super) fn changes(&mut self) -> Vec<Step<'w>> {
        let mut steps = self.replacements();
        match (self.walk.end, self.object()) {
            (WalkEnd::Reached, Some(object)) => steps.push(self.writing(object)),
            (WalkEnd::Absent, _) => steps.extend(self.creation()),
            _ => {}
        }
        steps
    }

    /// Replacing each visited entry, once each.
    fn replacements(&mut self) -> Vec<Step<'w>> {
        let mut steps = Vec::new();
        for (place, entry) in self.hops.iter().enumerate() {
            if self.place(entry.path.as_str()) != Some(place) {
                continue;
            }
            match self.above[place] {
                Above::Nothing => {}
                Above::Hop(folder) => {
                    let entry = (Some(place), &entry.path);
                    steps.push(self.step(How::Replace, entry, folder, WRITE | SEARCH));
                }
                Above::Hidden => keep(&mut self.gaps, &not_shown(&entry.path)),
            }
        }
        steps
    }

    /// Making the component that is missing.
    fn creation(&mut self) -> Option<Step<'w>> {
        match self.route().end {
            End::Missing(folder) => {
                let folder = self.place(folder.path.as_str())?;
                let entry = (None, &self.walk.path);
                Some(self.step(How::Create, entry, folder, WRITE | SEARCH))
            }
            // A file where a folder would have to be: to make the rest, it has to be replaced first.
            End::NoFolder => None,
            End::Object(_) | End::Hidden => {
                keep(&mut self.gaps, &not_shown(&self.walk.path));
                None
            }
        }
    }

    /// Everyone who can do one of the steps: strangers first, and whom they or a group include is not
    /// named again.
    pub(super) fn reach(&self, steps: &[Step<'w>], accounts: &Fact<Accounts>) -> Reach {
        let nobody = Accounts::default();
        let (accounts, missing) = match accounts {
            Fact::Seen(seen) => (&seen.value, None),
            Fact::Gap(gap) => (&nobody, Some(gap)),
        };
        let people = principals(&self.hops, accounts);
        let mut gaps = self.gaps.clone();
        if people.len() > PEOPLE {
            keep(&mut gaps, &too_many(people.len()));
        }
        let mut found: Vec<Vec<(Principal, When)>> = steps.iter().map(|_| Vec::new()).collect();
        for (principal, creds) in people.iter().take(PEOPLE) {
            let mut now = View::new(self, Lens::Now(creds));
            let mut later = View::new(self, Lens::AfterChmod(creds));
            for (step, who) in steps.iter().zip(&mut found) {
                if is_told(who, creds) {
                    continue;
                }
                let when = match now.allowed(step) {
                    Allowed::Yes => When::Now,
                    _ if later.allowed(step) == Allowed::Yes => When::AfterChmod,
                    Allowed::Unknown(gap) => {
                        keep(&mut gaps, &gap);
                        continue;
                    }
                    Allowed::No => continue,
                };
                who.push((principal.clone(), when));
            }
        }
        let mut someone = View::new(self, Lens::Someone(missing));
        for step in steps {
            if let Allowed::Unknown(gap) = someone.allowed(step) {
                keep(&mut gaps, &gap);
            }
        }
        let ways = steps.iter().zip(found).filter(|(_, who)| !who.is_empty());
        let ways = ways.map(|(step, who)| Way {
            how: step.how,
            entry: step.path.clone(),
            through: step.through.path.clone(),
            who,
        });
        Reach {
            ways: ways.collect(),
            gaps,
        }
    }
}

/// A walk through one lens; remembers which folders it gets to.
pub(super) struct View<'s, 'w> {
    scene: &'s Scene<'w>,
    lens: Lens<'s>,
    /// By place: whether the folder can be passed, with everything above it.
    passed: Vec<Option<Allowed>>,
}

impl<'s, 'w> View<'s, 'w> {
    pub(super) fn new(scene: &'s Scene<'w>, lens: Lens<'s>) -> Self {
        Self {
            scene,
            lens,
            passed: vec![None; scene.hops.len()],
        }
    }

    /// Whether someone can do it: way there, permission, sticky, mounts.
    pub(super) fn allowed(&mut self, step: &Step<'w>) -> Allowed {
        if step.want & WRITE != 0 && stops_writes(step.through) {
            return Allowed::No;
        }
        let replaced = step.entry.filter(|_| step.how == How::Replace);
        if let Some(entry) = replaced
            && (is_mount_point(entry) || !self.lens.may_unlink(step.through, entry))
        {
            return Allowed::No;
        }
        self.way(step.above)
            .and(|| self.lens.permits(step.through, step.want))
    }

    /// Search on each folder above a real path.
    fn way(&mut self, mut above: Above) -> Allowed {
        let mut folders = Vec::new();
        let mut sofar = loop {
            match above {
                Above::Nothing => break Allowed::Yes,
                Above::Hidden => break Allowed::Unknown(not_shown(&self.scene.walk.path)),
                Above::Hop(place) => {
                    if let Some(known) = &self.passed[place] {
                        break known.clone();
                    }
                    folders.push(place);
                    above = self.scene.above[place];
                }
            }
        };
        for place in folders.into_iter().rev() {
            sofar = sofar.and(|| self.lens.permits(self.scene.hops[place], SEARCH));
            self.passed[place] = Some(sofar.clone());
        }
        sofar
    }
}

/// Whether these credentials are told of already: by everyone, or by a group that is listed.
fn is_told(who: &[(Principal, When)], creds: &Creds) -> bool {
    who.iter().any(|(principal, _)| match principal {
        Principal::Everyone => true,
        Principal::Group { gid, .. } => creds.uid.is_some() && creds.gids.contains(gid),
        Principal::User { .. } => false,
    })
}

/// Whether a name can be judged; counts the lines of its access list.
fn is_usable(hop: &Hop, entries: &mut usize) -> bool {
    let list = hop.acl.get().ok().and_then(|acl| acl.value.as_ref());
    *entries += list.map_or(0, |acl| acl.access.len());
    hop.path.as_str().starts_with('/') && *entries <= ENTRIES
}

fn is_mount_point(hop: &Hop) -> bool {
    matches!(&hop.mount, Fact::Seen(mount) if mount.value.point == hop.path)
}

fn not_shown(path: impl std::fmt::Display) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("the walk does not show {path}")),
    }
}

fn too_many(people: usize) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("{people} users and groups on one path")),
    }
}

fn keep(gaps: &mut Vec<Gap>, gap: &Gap) {
    if gaps.len() < GAPS && !gaps.contains(gap) {
        gaps.push(gap.clone());
    }
}
