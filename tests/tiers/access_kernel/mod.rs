//! Effective permissions against the kernel itself: the same question to both, no disagreement allowed.
//!
//! Trees of every kind are made, each asked path is walked with `lstat`, and the library's answers are
//! compared with what processes under the credentials in question can really do.

mod ask;
mod grow;
mod walk;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use stakeout::checks::access::{
    Allowed, Creds, How, Principal, READ, Reach, SEARCH, WRITE, When, answers, reaches, readers,
    writers,
};
use stakeout::model::fact::Fact;
use stakeout::model::text::Text;
use stakeout::model::unix::{Accounts, FileKind, Gid, Group, Hop, Uid, User, Walk};

use ask::{Asker, Room};
use grow::Dice;
use walk::Ground;

/// Trees of one trial unless `STAKEOUT_TREES` says otherwise.
const TREES: u64 = 1500;
/// Trials, which run side by side: one seed each, from `STAKEOUT_SEED` on.
const TRIALS: u64 = 4;

/// The trials of this file.
pub fn trials() -> Vec<Trial> {
    let needs = lacking().map_or_else(String::new, |what| format!(" (needs {what})"));
    let required = std::env::var("STAKEOUT_REQUIRE").is_ok_and(|tiers| tiers.contains("access"));
    let first = number("STAKEOUT_SEED").unwrap_or(1);
    let trial = |seed: u64| {
        let name = format!("access_kernel::trees_agree::seed_{seed}{needs}");
        Trial::test(name, move || trees_agree(seed))
            .with_ignored_flag(!needs.is_empty() && !required)
    };
    (first..first.saturating_add(TRIALS)).map(trial).collect()
}

/// What the machine does not have.
fn lacking() -> Option<&'static str> {
    let root = fs::metadata("/proc/self").is_ok_and(|stat| stat.uid() == 0);
    if !root {
        return Some("root");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    [
        "setfacl", "getfacl", "setpriv", "unshare", "nsenter", "mkfifo", "perl",
    ]
    .into_iter()
    .find(|tool| !std::env::split_paths(&path).any(|folder| folder.join(tool).is_file()))
}

/// A uid that owns nothing and is named nowhere.
const STRANGER: u32 = 2999;

/// The accounts of the imagined node.
fn accounts() -> Accounts {
    let users = [(0, 0), (2001, 3001), (2002, 3002), (2003, 0), (2004, 3003)];
    let groups = [
        (0, vec![]),
        (3001, vec![]),
        (3002, vec![2001]),
        (3003, vec![2002]),
    ];
    let name = |uid: u32| Text::from(format!("u{uid}"));
    Accounts {
        users: users
            .map(|(uid, gid)| User {
                uid: Uid(uid),
                gid: Gid(gid),
                name: name(uid),
            })
            .to_vec(),
        groups: groups
            .map(|(gid, members)| Group {
                gid: Gid(gid),
                name: Text::from(format!("g{gid}")),
                members: members.into_iter().map(name).collect(),
            })
            .to_vec(),
    }
}

/// Everybody who is asked: a stranger, each group alone, each user, and combinations that no account has.
fn askers() -> Vec<Asker> {
    let list: [(u32, &[u32]); 13] = [
        (STRANGER, &[3999]),
        (STRANGER, &[3001]),
        (STRANGER, &[3002]),
        (STRANGER, &[3003]),
        (STRANGER, &[3004]),
        (2001, &[3001, 3002]),
        (2002, &[3002, 3003]),
        (2003, &[0]),
        (2004, &[3003]),
        (2005, &[3999]),
        (STRANGER, &[3001, 3002, 3003]),
        (2001, &[0]),
        (2002, &[3999, 3001, 3004]),
    ];
    list.map(|(uid, gids)| Asker {
        uid,
        gids: gids.to_vec(),
    })
    .to_vec()
}

fn creds(asker: &Asker) -> Creds {
    Creds {
        uid: Some(Uid(asker.uid)),
        gids: asker.gids.iter().copied().map(Gid).collect(),
    }
}

/// A folder that goes away with everything in it.
struct Base(PathBuf);

impl Drop for Base {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn trees_agree(seed: u64) -> Result<(), Failed> {
    let count = number("STAKEOUT_TREES").unwrap_or(TREES);
    let name = format!("stakeout-access-{}-{seed}", std::process::id());
    let base = Base(std::env::temp_dir().join(name));
    fs::create_dir(&base.0)?;
    let grove = grow::grow(&base.0, &mut Dice(seed), count)?;
    let room = Room::enter(&grove.mounts)?;
    let ground = Ground::survey(&base.0, room.pid())?;
    let scenes: Vec<Scene> = grove
        .asked
        .iter()
        .map(|path| Scene::new(&ground, &base.0, path))
        .collect();
    let mut tally = Tally::default();
    for asker in askers() {
        tally.spelled(&room, &asker, &scenes)?;
        tally.deeds(&room, &asker, &scenes, When::Now)?;
        // The stranger owns nothing: a chmod cannot help.
        if asker.uid != STRANGER {
            tally.deeds(&room, &asker, &scenes, When::AfterChmod)?;
        }
    }
    room.leave()?;
    tally.say(&scenes, seed)
}

/// One asked path with what can be tried on it.
struct Scene {
    walk: Walk,
    /// The same as a collector tells it.
    lean: Walk,
    /// What checks print of it.
    writers: Reach,
    readers: Reach,
    deeds: Vec<Deed>,
}

/// Something that can be tried, and the way of the library that it belongs to.
struct Deed {
    how: How,
    entry: Text,
    line: String,
}

impl Scene {
    fn new(ground: &Ground, base: &Path, path: &str) -> Self {
        let (walk, missing) = ground.walk(path);
        let mut deeds: Vec<Deed> = Vec::new();
        let mut add = |how, entry: &Text, line| {
            if deeds
                .iter()
                .all(|deed| (deed.how, &deed.entry) != (how, entry))
            {
                deeds.push(Deed {
                    how,
                    entry: entry.clone(),
                    line,
                });
            }
        };
        for hop in hops(&walk).filter(|hop| below(base, hop)) {
            add(How::Replace, &hop.path, format!("R\t{}", hop.path));
        }
        if let Some(object) = walk.object().filter(|hop| below(base, hop)) {
            let path = &object.path;
            let write = match object.stat.kind {
                FileKind::Directory => format!("M\t{path}/made"),
                _ => format!("w\t{path}"),
            };
            add(How::Write, path, write);
            add(How::Read, path, format!("r\t{path}"));
        }
        if let Some(missing) = missing {
            add(How::Create, &walk.path, format!("M\t{missing}"));
        }
        let lean = walk::lean(&walk);
        let accounts = Fact::seen(accounts(), walk::AT);
        Self {
            writers: writers(&lean, &accounts),
            readers: readers(&lean, &accounts),
            walk,
            lean,
            deeds,
        }
    }
}

fn hops(walk: &Walk) -> impl Iterator<Item = &Hop> {
    walk.hops.iter().filter_map(|hop| match hop {
        Fact::Seen(seen) => Some(&seen.value),
        Fact::Gap(_) => None,
    })
}

/// What lies above the trees belongs to the machine and is not touched.
fn below(base: &Path, hop: &Hop) -> bool {
    let path = Path::new(hop.path.as_str());
    path != base && path.starts_with(base)
}

/// Agreements and disagreements.
#[derive(Default)]
struct Tally {
    asked: usize,
    granted: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn compare(&mut self, ours: &Allowed, kernel: bool, what: impl FnOnce() -> String) {
        self.asked += 1;
        self.granted += usize::from(kernel);
        if *ours != Allowed::from(kernel) {
            self.wrong
                .push(format!("{}: kernel {kernel}, here {ours:?}", what()));
        }
    }

    /// However the walk is told, the answers are the same.
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, lean: &T, full: &T, scene: &Scene) {
        if lean != full {
            let path = &scene.walk.path;
            self.wrong.push(format!(
                "{path}: {full:?} of the full walk, {lean:?} of the lean one"
            ));
        }
    }

    /// `test -r`, `-w`, `-x` of the path as it is spelled.
    fn spelled(&mut self, room: &Room, asker: &Asker, scenes: &[Scene]) -> io::Result<()> {
        let paths: Vec<&str> = scenes
            .iter()
            .map(|scene| scene.walk.path.as_str())
            .collect();
        let paths = paths.join(
            "
",
        ) + "
";
        let said = asker.test(room, &paths)?;
        whole(said.len(), scenes.len())?;
        let creds = creds(asker);
        for (scene, said) in scenes.iter().zip(said) {
            for (want, kernel) in [READ, WRITE, SEARCH].into_iter().zip(said) {
                let ours = reaches(&scene.walk, &creds, want);
                self.same(&ours, &reaches(&scene.lean, &creds, want), scene);
                self.compare(&ours, kernel, || {
                    format!("test {want} {} as {asker:?}", scene.walk.path)
                });
            }
        }
        Ok(())
    }

    /// Every deed, tried.
    fn deeds(
        &mut self,
        room: &Room,
        asker: &Asker,
        scenes: &[Scene],
        when: When,
    ) -> io::Result<()> {
        let mut input = String::new();
        for scene in scenes {
            let owned = hops(&scene.walk)
                .filter(|hop| when == When::AfterChmod && hop.stat.kind != FileKind::Symlink);
            owned.for_each(|hop| input.push_str(&format!("C\t{}\n", hop.path)));
            scene
                .deeds
                .iter()
                .for_each(|deed| input.push_str(&format!("{}\n", deed.line)));
            input.push_str("U\t\n");
        }
        let said = asker.attempt(room, &input)?;
        whole(said.len(), input.lines().count())?;
        let mut said = input
            .lines()
            .zip(said)
            .filter(|(line, _)| !line.starts_with(['C', 'U']));
        let creds = creds(asker);
        for scene in scenes {
            let ours = answers(&scene.lean, &creds, when);
            if when == When::Now {
                let full = answers(&scene.walk, &creds, when);
                self.same(&sorted(ours.clone()), &sorted(full), scene);
            }
            for deed in &scene.deeds {
                let kernel = said.next().is_some_and(|(_, done)| done);
                let found = ours
                    .iter()
                    .find(|(how, entry, _)| (*how, entry) == (deed.how, &deed.entry));
                let ours = found.map_or(Allowed::No, |(_, _, allowed)| allowed.clone());
                self.compare(&ours, kernel, || {
                    format!("{} {when:?} as {asker:?}", deed.line)
                });
                self.listed(scene, deed, asker, (kernel, when));
            }
        }
        Ok(())
    }

    /// Whoever can is in the list that checks print, by name or by a group.
    fn listed(&mut self, scene: &Scene, deed: &Deed, asker: &Asker, (kernel, when): (bool, When)) {
        if !kernel || !is_principal(asker) {
            return;
        }
        let reach = match deed.how {
            How::Read => &scene.readers,
            _ => &scene.writers,
        };
        let way = reach
            .ways
            .iter()
            .find(|way| way.how == deed.how && way.entry == deed.entry);
        let named = way.is_some_and(|way| {
            way.who.iter().any(|(who, listed)| {
                *listed <= when
                    && match who {
                        Principal::Everyone => true,
                        Principal::Group { gid, .. } => asker.gids.contains(&gid.0),
                        Principal::User { uid, .. } => asker.uid == uid.0,
                    }
            })
        });
        if !named || !reach.gaps.is_empty() {
            self.wrong.push(format!(
                "{} {when:?} as {asker:?}: not listed: {reach:?}",
                deed.line
            ));
        }
    }

    fn say(self, scenes: &[Scene], seed: u64) -> Result<(), Failed> {
        let Self {
            asked,
            granted,
            wrong,
        } = self;
        let trees = scenes.len();
        note(&format!(
            "{trees} trees (seed {seed}), {asked} questions, {granted} granted, {} disagreements",
            wrong.len()
        ));
        if wrong.is_empty() {
            return Ok(());
        }
        let shown: Vec<&str> = wrong.iter().take(20).map(String::as_str).collect();
        Err(format!("{} disagreements:\n{}", wrong.len(), shown.join("\n")).into())
    }
}

/// Those whom accounts and walks can name; the others are combinations for the kernel alone.
fn is_principal(asker: &Asker) -> bool {
    let account = accounts()
        .users
        .iter()
        .any(|user| user.uid.0 == asker.uid && asker.gids.first() == Some(&user.gid.0));
    account || asker.uid == 2005 || (asker.uid == STRANGER && asker.gids.len() == 1)
}

fn sorted(mut answers: Vec<(How, Text, Allowed)>) -> Vec<(How, Text, Allowed)> {
    answers.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    answers
}

fn whole(got: usize, wanted: usize) -> io::Result<()> {
    if got == wanted {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{got} answers to {wanted} questions"
    )))
}

#[expect(
    clippy::print_stdout,
    reason = "the count is the result that a reader of the run wants"
)]
fn note(line: &str) {
    println!("access_kernel: {line}");
}
