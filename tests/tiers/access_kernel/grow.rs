//! Generated trees: folders, files, pipes and links with every kind of mode, owner and access list.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Owners that occur; 2005 is in no account list.
const UIDS: [u32; 9] = [0, 0, 0, 0, 2001, 2002, 2003, 2004, 2005];
/// Groups that occur; 3004 has no members.
const GIDS: [u32; 7] = [0, 0, 0, 3001, 3002, 3003, 3004];

/// A small generator whose whole state is the seed (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound as u64).expect("less than a usize")
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// What was made, and what is asked about it.
#[derive(Default)]
pub struct Grove {
    /// One path a tree, as it is spelled.
    pub asked: Vec<String>,
    /// Folders and files to be mounted on themselves; true: read-only.
    pub mounts: Vec<(PathBuf, bool)>,
    /// Input of `setfacl --restore`.
    lists: String,
}

/// One tree while it grows.
struct Tree {
    root: PathBuf,
    folders: Vec<PathBuf>,
    /// Everything below the root.
    entries: Vec<PathBuf>,
}

/// Makes `count` trees below `base`.
pub fn grow(base: &Path, dice: &mut Dice, count: u64) -> io::Result<Grove> {
    let mut grove = Grove::default();
    for number in 0..count {
        let root = base.join(format!("t{number}"));
        fs::create_dir(&root)?;
        let mut tree = Tree {
            folders: vec![root.clone()],
            entries: Vec::new(),
            root,
        };
        tree.build(dice)?;
        tree.own(dice, &mut grove)?;
        let asked = tree.spell(dice);
        grove.asked.push(asked);
        if dice.percent(8) {
            let place = dice.below(tree.entries.len());
            let place = tree.entries[place].clone();
            if !place.is_symlink() && (place.is_dir() || place.is_file()) {
                grove.mounts.push((place, dice.percent(70)));
            }
        }
    }
    restore(&grove.lists)?;
    Ok(grove)
}

impl Tree {
    fn build(&mut self, dice: &mut Dice) -> io::Result<()> {
        for number in 0..2 + dice.below(4) {
            let parent = self.folder(dice);
            self.add(parent.join(format!("d{number}")), |path| {
                fs::create_dir(path)
            })?;
            self.folders.extend(self.entries.last().cloned());
        }
        for number in 0..=dice.below(3) {
            let path = self.folder(dice).join(format!("f{number}"));
            if dice.percent(6) {
                self.add(path, pipe)?;
            } else {
                self.add(path, |path| fs::write(path, "x"))?;
            }
        }
        if dice.percent(8) {
            let from = self.entries[dice.below(self.entries.len())].clone();
            if from.is_file() {
                self.add(self.root.join("hard"), |path| fs::hard_link(&from, path))?;
            }
        }
        for number in 0..dice.below(4) {
            let path = self.folder(dice).join(format!("l{number}"));
            let target = self.target(dice, &path);
            self.add(path, |path| symlink(&target, path))?;
        }
        Ok(())
    }

    fn add(&mut self, path: PathBuf, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        make(&path)?;
        self.entries.push(path);
        Ok(())
    }

    /// A folder, deep ones preferred.
    fn folder(&self, dice: &mut Dice) -> PathBuf {
        let one = dice.below(self.folders.len());
        let two = dice.below(self.folders.len());
        self.folders[one.max(two)].clone()
    }

    /// Where a link at `path` points: something in the tree, absolute or relative, with detours; or
    /// nothing, or itself.
    fn target(&self, dice: &mut Dice, path: &Path) -> PathBuf {
        let to = match dice.below(10) {
            0 => {
                return PathBuf::from(dice.pick(&["gone", "../gone", "./gone/x", "d0/gone", ".."]));
            }
            1 => return path.to_owned(),
            _ => self.entries[dice.below(self.entries.len())].clone(),
        };
        if dice.percent(40) {
            return to;
        }
        let inside = |path: &Path| path.strip_prefix(&self.root).map(Path::to_owned);
        let (from, to) = (inside(path), inside(&to));
        let (Ok(from), Ok(to)) = (from, to) else {
            return path.to_owned();
        };
        let ups = from.components().count().saturating_sub(1);
        let mut target: PathBuf = std::iter::repeat_n("..", ups).collect();
        if dice.percent(10) {
            target.push(".");
        }
        target.push(to);
        if dice.percent(10) {
            target.push(dice.pick(&[".", "..", "../d0"]));
        }
        target
    }

    /// Owners, modes and lists, deepest first so that nothing has to be passed afterwards.
    fn own(&self, dice: &mut Dice, grove: &mut Grove) -> io::Result<()> {
        for path in self.entries.iter().chain([&self.root]) {
            let (uid, gid) = (dice.pick(&UIDS), dice.pick(&GIDS));
            if path.is_symlink() {
                lchown(path, Some(link_owner(path, uid)?), Some(gid))?;
                continue;
            }
            chown(path, Some(uid), Some(gid))?;
            let mode = mode(dice, path.is_dir());
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
            if dice.percent(25) {
                grove.lists.push_str(&list(dice, path, mode));
            }
        }
        Ok(())
    }

    /// A path into the tree: down through folders and through links to folders.
    fn spell(&self, dice: &mut Dice) -> String {
        let mut path = self.root.clone();
        for _ in 0..8 {
            let Ok(children) = fs::read_dir(&path) else {
                break;
            };
            let mut children: Vec<PathBuf> = children.flatten().map(|entry| entry.path()).collect();
            children.sort();
            if children.is_empty() || (path != self.root && dice.percent(10)) {
                break;
            }
            path.clone_from(&children[dice.below(children.len())]);
        }
        if dice.percent(4) {
            path.push(dice.pick(&["missing", "missing/deeper", "."]));
        }
        path.to_string_lossy().into_owned()
    }
}

/// Where the kernel protects links in sticky folders, only the folder's owner may leave followable ones.
fn link_owner(path: &Path, uid: u32) -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let protected = fs::read_to_string("/proc/sys/fs/protected_symlinks")?;
    let folder = path.parent().unwrap_or(path);
    Ok(match protected.trim() {
        "0" => uid,
        _ => fs::symlink_metadata(folder)?.uid(),
    })
}

fn pipe(path: &Path) -> io::Result<()> {
    let done = Command::new("mkfifo").arg(path).status()?;
    done.success()
        .then_some(())
        .ok_or_else(|| io::Error::other("mkfifo failed"))
}

fn mode(dice: &mut Dice, folder: bool) -> u32 {
    let special =
        if dice.percent(15) { 0o1000 } else { 0 } | if dice.percent(5) { 0o2000 } else { 0 };
    let usual: &[u32] = if folder {
        &[
            0o755, 0o755, 0o755, 0o775, 0o777, 0o777, 0o711, 0o751, 0o750, 0o770, 0o700, 0o555,
        ]
    } else {
        &[
            0o600, 0o640, 0o644, 0o660, 0o664, 0o666, 0o604, 0o606, 0o400, 0o000,
        ]
    };
    let open = if folder && dice.percent(60) { 0o111 } else { 0 };
    match dice.below(3) {
        0 => u32::try_from(dice.below(0o1000)).expect("nine bits") | special | open,
        _ => dice.pick(usual) | special,
    }
}

/// One entry for `setfacl --restore`; the mask may switch the whole list off.
fn list(dice: &mut Dice, path: &Path, mode: u32) -> String {
    let mut perms = |always: &str| -> String {
        let letters = ["r", "w", "x"];
        let chosen = letters.map(|letter| {
            if always.contains(letter) || dice.percent(50) {
                letter
            } else {
                "-"
            }
        });
        chosen.concat()
    };
    let folder = if path.is_dir() { "x" } else { "" };
    let entries = [
        format!("user::{}", perms(folder)),
        format!("user:2001:{}", perms("")),
        format!("user:2005:{}", perms(folder)),
        format!("group::{}", perms("")),
        format!("group:3001:{}", perms("")),
        format!("group:3002:{}", perms(folder)),
        format!("group:3003:{}", perms("")),
    ];
    let mask = perms("");
    let other = perms("");
    let flags = if mode & 0o1000 == 0 { "---" } else { "--t" };
    let mut out = format!("# file: {}\n# flags: {flags}\n", path.display());
    for (number, entry) in entries.iter().enumerate() {
        if matches!(number, 0 | 3) || dice.percent(60) {
            out.push_str(entry);
            out.push('\n');
        }
    }
    let mask = if dice.percent(15) { "---" } else { &mask };
    out.push_str(&format!("mask::{mask}\nother::{other}\n\n"));
    out
}

fn restore(lists: &str) -> io::Result<()> {
    let mut setfacl = Command::new("setfacl")
        .arg("--restore=-")
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = setfacl.stdin.take() {
        stdin.write_all(lists.as_bytes())?;
    }
    let done = setfacl.wait()?;
    done.success()
        .then_some(())
        .ok_or_else(|| io::Error::other("setfacl --restore failed"))
}
