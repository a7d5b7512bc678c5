//! The files of a described node, and what a login may see of them. No file of this machine is touched.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Links followed at most, as the kernel does.
const LINKS: usize = 40;

/// What a name is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    File(Arc<str>),
    Folder,
    Link(String),
    Fifo,
}

/// One line of an access list: `None` is the owner, the owning group, the mask or everybody else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grant {
    pub tag: Tag,
    pub id: Option<u32>,
    pub perms: u32,
}

/// Whom a line of an access list speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    User,
    Group,
    Mask,
    Other,
}

/// One name of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Permission bits, `0o7777`; with an access list the group's bits are its mask.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Complete access lists as `getfacl` prints them; empty where there is none.
    pub acl: Vec<Grant>,
    pub default_acl: Vec<Grant>,
    /// Seconds since the epoch by the node's clock.
    pub mtime: i64,
    pub kind: Kind,
}

impl Entry {
    pub fn new(kind: Kind, mode: u32, mtime: i64) -> Self {
        Self {
            mode,
            uid: 0,
            gid: 0,
            acl: Vec::new(),
            default_acl: Vec::new(),
            mtime,
            kind,
        }
    }

    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }

    /// `st_mode` with its type bits.
    pub fn st_mode(&self) -> u32 {
        let kind = match self.kind {
            Kind::File(_) => 0o100_000,
            Kind::Folder => 0o040_000,
            Kind::Link(_) => 0o120_000,
            Kind::Fifo => 0o010_000,
        };
        kind | self.mode
    }

    pub fn size(&self) -> usize {
        match &self.kind {
            Kind::File(content) => content.len(),
            Kind::Folder => 4096,
            Kind::Link(target) => target.len(),
            Kind::Fifo => 0,
        }
    }

    /// Takes named entries and completes them as `setfacl` does: base entries from the mode, and a mask.
    pub fn grant(&mut self, named: &[Grant]) {
        let triple = |shift: u32| (self.mode >> shift) & 7;
        let base = |tag, id, perms| Grant { tag, id, perms };
        let group = triple(3);
        let mask = named.iter().fold(group, |all, grant| all | grant.perms);
        let mut acl = vec![base(Tag::User, None, triple(6))];
        acl.extend(named.iter().filter(|grant| grant.tag == Tag::User));
        acl.push(base(Tag::Group, None, group));
        acl.extend(named.iter().filter(|grant| grant.tag == Tag::Group));
        acl.push(base(Tag::Mask, None, mask));
        acl.push(base(Tag::Other, None, triple(0)));
        self.acl = acl;
        self.mode = self.mode & !0o070 | mask << 3;
    }
}

/// As whom the tree is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    pub uid: u32,
    pub gids: Vec<u32>,
}

impl Login {
    pub const ROOT: Self = Self {
        uid: 0,
        gids: Vec::new(),
    };

    /// Whether all bits of `want` (4, 2, 1) are given.
    pub fn may(&self, entry: &Entry, want: u32) -> bool {
        if self.uid == 0 {
            return true;
        }
        let given = |perms: u32| perms & want == want;
        let shift = |by: u32| (entry.mode >> by) & 7;
        if self.uid == entry.uid {
            return given(shift(6));
        }
        let mine = |gid: u32| self.gids.contains(&gid);
        if entry.acl.is_empty() {
            return given(shift(if mine(entry.gid) { 3 } else { 0 }));
        }
        let mask = shift(3);
        let user = |grant: &&Grant| grant.tag == Tag::User && grant.id == Some(self.uid);
        if let Some(grant) = entry.acl.iter().find(user) {
            return given(grant.perms & mask);
        }
        let groups = entry.acl.iter().filter(|grant| grant.tag == Tag::Group);
        let mut matched = false;
        for grant in groups.filter(|grant| mine(grant.id.unwrap_or(entry.gid))) {
            matched = true;
            if given(grant.perms & mask) {
                return true;
            }
        }
        !matched && given(shift(0))
    }
}

/// Why a name could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Denied,
    Absent,
}

impl Trouble {
    /// The collector's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Absent => "absent",
        }
    }
}

/// Absolute paths without links in their parent part, to entries. `/` is always there.
#[derive(Clone, Debug)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
    made: i64,
}

impl Tree {
    /// An empty tree; folders that nobody describes get this time.
    pub fn new(made: i64) -> Self {
        let root = Entry::new(Kind::Folder, 0o755, made);
        Self {
            entries: BTreeMap::from([("/".to_owned(), root)]),
            made,
        }
    }

    /// Puts an entry in place, with the folders above it where they are missing.
    pub fn put(&mut self, path: &str, entry: Entry) {
        let mut from = 1;
        while let Some(at) = path[from..].find('/') {
            let made = self.made;
            self.entries
                .entry(path[..from + at].to_owned())
                .or_insert_with(|| Entry::new(Kind::Folder, 0o755, made));
            from += at + 1;
        }
        self.entries.insert(path.to_owned(), entry);
    }

    pub fn folder(&mut self, path: &str, mode: u32) {
        self.put(path, Entry::new(Kind::Folder, mode, self.made));
    }

    pub fn file(&mut self, path: &str, mode: u32, content: &str) {
        let kind = Kind::File(content.into());
        self.put(path, Entry::new(kind, mode, self.made));
    }

    /// Takes a name and everything below it away.
    pub fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        self.entries
            .retain(|name, _| name != path && !name.starts_with(&below));
    }

    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Everything, folders before what is in them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(path, entry)| (path.as_str(), entry))
    }

    /// Names in a folder given by its real path, in byte order.
    pub fn names<'t>(&'t self, folder: &str) -> impl Iterator<Item = &'t str> {
        let prefix = if folder == "/" {
            "/".to_owned()
        } else {
            format!("{folder}/")
        };
        let from = prefix.clone();
        self.entries
            .range(prefix..)
            .map_while(move |(path, _)| path.strip_prefix(from.as_str()))
            .filter(|name| !name.is_empty() && !name.contains('/'))
    }

    /// Links to a folder: itself, its own dot, and each folder in it.
    pub fn nlink(&self, path: &str) -> usize {
        let Some(entry) = self.get(path) else {
            return 0;
        };
        if !entry.is_folder() {
            return 1;
        }
        let slash = if path == "/" { "" } else { path };
        let folder = |name: &&str| {
            self.get(&format!("{slash}/{name}"))
                .is_some_and(Entry::is_folder)
        };
        2 + self.names(path).filter(folder).count()
    }

    /// `lstat`, or `stat` where links are followed: the real path and its entry.
    pub fn find(
        &self,
        login: &Login,
        path: &str,
        follow: bool,
    ) -> Result<(String, &Entry), Trouble> {
        let mut left: Vec<String> = parts(path);
        let mut at = String::new();
        let mut hops = 0;
        while let Some(name) = left.pop() {
            let here = if at.is_empty() { "/" } else { &at };
            let folder = self.get(here).ok_or(Trouble::Absent)?;
            if !folder.is_folder() {
                return Err(Trouble::Absent);
            }
            if !login.may(folder, 1) {
                return Err(Trouble::Denied);
            }
            if name == ".." {
                at.truncate(at.rfind('/').unwrap_or(0));
                continue;
            }
            let next = format!("{at}/{name}");
            let entry = self.get(&next).ok_or(Trouble::Absent)?;
            match &entry.kind {
                Kind::Link(target) if follow || !left.is_empty() => {
                    hops += 1;
                    if hops > LINKS {
                        return Err(Trouble::Absent);
                    }
                    if target.starts_with('/') {
                        at.clear();
                    }
                    left.extend(parts(target));
                }
                _ => at = next,
            }
        }
        let real = if at.is_empty() { "/".to_owned() } else { at };
        let entry = self.get(&real).ok_or(Trouble::Absent)?;
        Ok((real, entry))
    }
}

/// Components of a path, last one first.
fn parts(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .rev()
        .map(str::to_owned)
        .collect()
}
