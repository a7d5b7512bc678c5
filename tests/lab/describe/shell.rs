//! What the collector's common part does (`src/probes/shell/head.sh`), on a described node.
//!
//! Function by function the same names, the same order of records and the same words, so that whoever
//! changes one finds the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Node;
use super::kubelet::Found;
use super::listing::{getfacl, letters};
use super::tree::{Entry, Kind, Login, Trouble};

/// Names that the script looks at in one call.
const BATCH: usize = 60;
/// Entries of a folder that it names.
const NAMES: usize = 250;

/// The running script.
pub struct Shell<'n> {
    pub node: &'n Node,
    pub login: Login,
    /// Seconds since the epoch by this machine's clock.
    pub now: i64,
    out: String,
    count: usize,
    total: usize,
    size: usize,
    /// What earlier sections found for later ones.
    pub found: Found,
    queue: Vec<String>,
    seen: BTreeSet<String>,
    links: BTreeMap<String, String>,
    looked: usize,
    mounted: usize,
}

impl<'n> Shell<'n> {
    pub fn new(node: &'n Node, login: Login, now: i64) -> Self {
        Self {
            node,
            login,
            now,
            out: String::new(),
            count: 0,
            total: 0,
            size: 0,
            found: Found::default(),
            queue: Vec::new(),
            seen: BTreeSet::new(),
            links: BTreeMap::new(),
            looked: 0,
            mounted: 0,
        }
    }

    pub fn is_root(&self) -> bool {
        self.login.uid == 0
    }

    pub fn has(&self, tool: &str) -> bool {
        !self.node.missing.iter().any(|missing| missing == tool)
    }

    pub fn put(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    pub fn into_answer(self) -> Vec<u8> {
        self.out.into_bytes()
    }

    /// `BEGIN` to `END`.
    pub fn begin(&mut self, nonce: &str, version: u32) {
        let stat = if self.has("stat") { "stat" } else { "ls" };
        let uid = self.login.uid;
        let encoding = if self.hex() { "hex" } else { "b64" };
        self.put(&format!(
            "\n@STK1 BEGIN {nonce} {version} {uid} {stat} {encoding}"
        ));
    }

    pub fn section(&mut self, name: &str, body: fn(&mut Self)) {
        self.count = 0;
        self.put(&format!("@STK1 SECTION {name}"));
        body(self);
        self.put(&format!("@STK1 DONE {name} {}", self.count));
        self.total += self.count;
    }

    pub fn end(&mut self, nonce: &str) {
        self.put(&format!("@STK1 END {nonce} {}", self.total));
    }

    pub fn rec(&mut self, fields: &[&str]) {
        self.count += 1;
        let line = fields.join("\t");
        self.size += line.len();
        self.put(&line);
    }

    fn hex(&self) -> bool {
        !self.has("base64")
    }

    pub fn enc(&self, raw: &[u8]) -> String {
        if self.hex() {
            raw.iter().fold(String::new(), |mut out, byte| {
                let _ = write!(out, "{byte:02x}");
                out
            })
        } else {
            openssl::base64::encode_block(raw).replace('\n', "")
        }
    }

    /// A name, as it is or encoded.
    pub fn nm(&self, name: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._/@:+=,-".contains(c);
        if !name.is_empty() && name.chars().all(plain) {
            name.to_owned()
        } else {
            format!("%{}", self.enc(name.as_bytes()))
        }
    }

    pub fn value(&mut self, name: &str, value: &str) {
        let value = self.nm(value);
        self.rec(&["V", name, &value]);
    }

    /// Content with `x` and the status of its command behind it.
    pub fn blob(&mut self, name: &str, content: &str) {
        let encoded = self.enc(content.as_bytes());
        let name = self.nm(name);
        if self.size + encoded.len() > 3_200_000 {
            self.rec(&["Y", &name, "budget"]);
        } else {
            self.rec(&["F", &name, &format!("%{encoded}")]);
        }
    }

    /// The content of a regular file; true where it could be read.
    pub fn file(&mut self, path: &str, most: usize) -> bool {
        let word = match self.node.tree.find(&self.login, path, true) {
            Err(trouble) => trouble.word(),
            Ok((_, entry)) => match &entry.kind {
                Kind::File(_) if !self.login.may(entry, 4) => "denied",
                Kind::File(content) if content.len() >= most + 3 => "cut",
                Kind::File(content) => {
                    self.blob(path, &format!("{content}x0\n"));
                    return true;
                }
                _ => "kind",
            },
        };
        let name = self.nm(path);
        self.rec(&["Y", &name, word]);
        false
    }

    /// The output of a command that ended well.
    pub fn output(&mut self, command: &str, text: &str) {
        self.blob(command, &format!("{text}x0\n"));
    }

    pub fn exists(&self, path: &str) -> bool {
        self.node.tree.find(&self.login, path, true).is_ok()
    }

    /// Says which folder hides a path from the login, if one does.
    pub fn shut(&mut self, path: &str) {
        let found = self.node.tree.find(&self.login, path, false);
        if found.err().map(Trouble::word) != Some("denied") {
            return;
        }
        let mut above = path.rsplit_once('/').map_or("", |(above, _)| above);
        while !above.is_empty() && !self.exists(above) {
            above = above.rsplit_once('/').map_or("", |(above, _)| above);
        }
        let name = self.nm(above);
        self.rec(&["D", &name, "denied"]);
    }

    pub fn is_link(&self, path: &str) -> bool {
        let found = self.node.tree.find(&self.login, path, false);
        found.is_ok_and(|(_, entry)| matches!(entry.kind, Kind::Link(_)))
    }

    pub fn is_folder(&self, path: &str) -> bool {
        let found = self.node.tree.find(&self.login, path, true);
        found.is_ok_and(|(_, entry)| entry.is_folder())
    }

    fn q(&mut self, path: &str) {
        if self.seen.insert(path.to_owned()) {
            self.queue.push(path.to_owned());
        }
    }

    fn lstat(&self, path: &str) -> Result<&'n Entry, Trouble> {
        let found = self.node.tree.find(&self.login, path, false);
        found.map(|(_, entry)| entry)
    }

    /// Every name on the way to a path, links followed as the kernel does.
    pub fn walk(&mut self, path: &str) {
        let mut left = path.to_owned();
        let mut at = String::new();
        let mut hops = 0;
        self.q("/");
        loop {
            let trimmed = left.trim_start_matches('/');
            let (part, rest) = trimmed.split_once('/').unwrap_or((trimmed, ""));
            let (part, rest) = (part.to_owned(), rest.to_owned());
            left = rest;
            match part.as_str() {
                "" => return,
                "." => continue,
                ".." => {
                    at.truncate(at.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let here = format!("{at}/{part}");
            self.q(&here);
            match self.lstat(&here).map(|entry| &entry.kind) {
                Ok(Kind::Link(target)) => {
                    hops += 1;
                    if hops > 40 {
                        return;
                    }
                    self.links.insert(here, target.clone());
                    if target.starts_with('/') {
                        at.clear();
                    }
                    left = format!("{target}/{left}");
                }
                Ok(Kind::Folder) => at = here,
                _ => return,
            }
        }
    }

    /// `lstat`, access lists and mounts of every name that was queued since the last time.
    pub fn looks(&mut self) {
        while self.looked < self.queue.len() {
            let end = self.queue.len().min(self.looked + BATCH);
            let batch: Vec<String> = self.queue[self.looked..end].to_vec();
            self.looked = end;
            let mut listed = Vec::new();
            for path in batch {
                match self.lstat(&path) {
                    Ok(entry) => self.look(&path, entry, &mut listed),
                    Err(trouble) => {
                        let name = self.nm(&path);
                        self.rec(&["X", &name, trouble.word()]);
                    }
                }
            }
            self.acls(&listed);
        }
        self.mounts();
    }

    fn look(&mut self, path: &str, entry: &'n Entry, listed: &mut Vec<(String, &'n Entry)>) {
        let name = self.nm(path);
        let line = if self.has("stat") {
            let (mode, links, size) = (
                entry.st_mode(),
                self.node.tree.nlink(path).max(1),
                entry.size(),
            );
            let (uid, gid, mtime) = (entry.uid, entry.gid, entry.mtime);
            format!("S\t{name}\t{mode:x} {uid} {gid} {links} {size} {mtime} {mtime}")
        } else {
            let line = self.nm(&self.ls_line(path, entry));
            format!("L\t{name}\t{line}")
        };
        if let Some(target) = self.links.get(path) {
            let target = self.nm(target);
            self.rec(&[&line, &target]);
        } else {
            listed.push((path.to_owned(), entry));
            self.rec(&[&line]);
        }
    }

    fn ls_line(&self, path: &str, entry: &Entry) -> String {
        let plus = if entry.acl.is_empty() { "" } else { "+" };
        let arrow = match &entry.kind {
            Kind::Link(target) => format!(" -> {target}"),
            _ => String::new(),
        };
        format!(
            "{}{plus} {} {} {} {} Nov 24 14:08 {path}{arrow}",
            letters(entry.st_mode()),
            self.node.tree.nlink(path).max(1),
            entry.uid,
            entry.gid,
            entry.size(),
        )
    }

    fn acls(&mut self, listed: &[(String, &Entry)]) {
        let tool = if self.has("getfacl") {
            "G"
        } else if self.has("coreutils") {
            "K"
        } else {
            return;
        };
        if listed.is_empty() {
            return;
        }
        let text: String = listed
            .iter()
            .map(|(path, entry)| match tool {
                "G" => getfacl(entry),
                _ => self.ls_line(path, entry) + "\n",
            })
            .collect();
        let mut fields = vec![tool.to_owned(), format!("%{}", self.enc(text.as_bytes()))];
        fields.extend(listed.iter().map(|(path, _)| self.nm(path)));
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        self.rec(&fields);
    }

    fn mounts(&mut self) {
        let strange = |path: &&String| path.contains(['\\', '\t', ' ', '\n']);
        let named: Vec<String> = self.queue[self.mounted..]
            .iter()
            .filter(|path| !strange(path))
            .map(|path| format!(" {path} "))
            .collect();
        self.mounted = self.queue.len();
        if named.is_empty() {
            return;
        }
        let hit = |line: &&str| named.iter().any(|name| line.contains(name.as_str()));
        let found: String = self
            .node
            .mounts
            .lines()
            .filter(hit)
            .fold(String::new(), |all, line| all + line + "\n");
        let status = u8::from(found.is_empty());
        self.blob("/proc/self/mountinfo", &format!("{found}x{status}\n"));
    }

    /// The names in a folder, each with its own way; then `each` for every one of them.
    pub fn list(&mut self, folder: &str, each: fn(&mut Self, &str)) {
        let name = self.nm(folder);
        let real = match self.node.tree.find(&self.login, folder, true) {
            Ok((real, entry)) if self.login.may(entry, 4) => real,
            Ok(_) => return self.rec(&["D", &name, "denied"]),
            Err(trouble) => return self.rec(&["D", &name, trouble.word()]),
        };
        let all: Vec<&str> = self.node.tree.names(&real).collect();
        let (dots, plain): (Vec<&str>, Vec<&str>) =
            all.into_iter().partition(|name| name.starts_with('.'));
        let paths: Vec<String> = plain
            .into_iter()
            .chain(dots)
            .map(|name| format!("{folder}/{name}"))
            .collect();
        for path in paths.iter().take(NAMES) {
            let entry = self.nm(&path[folder.len() + 1..]);
            self.rec(&["E", &name, &entry]);
            self.walk(path);
        }
        let word = if paths.len() <= NAMES { "ok" } else { "more" };
        let count = paths.len().min(NAMES + 1).to_string();
        self.rec(&["D", &name, word, &count]);
        for path in paths.iter().take(NAMES) {
            each(self, path);
        }
    }
}
