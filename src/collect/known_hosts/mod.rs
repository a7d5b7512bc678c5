//! Host keys that the user trusts, and the verdict on the key that a host shows.
//!
//! Own reading of known_hosts files: markers, hashes, wildcards, negation and ports count as in OpenSSH, and a
//! bad line costs only itself. Nothing here ever trusts a key that no line names, and nothing is written.

mod line;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk;

pub use line::Key;
use line::{Line, Marker};

/// Largest file that is read, in bytes: 5,000 nodes with three keys each take a tenth.
const FILE: u64 = 64 << 20;

/// The lines of all files, read once.
#[derive(Debug, Default)]
pub struct KnownHosts {
    files: Vec<Arc<Path>>,
    entries: Vec<Entry>,
    /// Lines whose names are all literal, by name.
    by_name: HashMap<Box<str>, Vec<usize>>,
    /// Lines that have to be tried one by one: wildcards, negation, hashes.
    to_try: Vec<usize>,
    revoked: Vec<usize>,
    skipped: Vec<Skipped>,
}

#[derive(Debug)]
struct Entry {
    line: Line,
    file: usize,
    number: usize,
}

/// A line or a whole file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub place: Place,
    pub reason: String,
}

/// A line of a file, counted from one; zero for the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: Arc<Path>,
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.file.display()),
            line => write!(f, "{} line {line}", self.file.display()),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not used: {}", self.place, self.reason)
    }
}

/// What the files say of a key. Fingerprints as `ssh-keygen -l` prints them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The key is on file under one of the names.
    Match(Place),
    /// No line names the host.
    Unknown {
        fingerprint: String,
        /// A `@cert-authority` line names the host: it would take a certificate, never a plain key.
        authority: bool,
    },
    /// The host has another key of the same type on file.
    Changed {
        place: Place,
        known: String,
        offered: String,
    },
    /// The host has keys on file, none of the type that it shows.
    NewType {
        place: Place,
        known: Vec<String>,
        kind: String,
        offered: String,
    },
    /// A line forbids this key for this host.
    Revoked { place: Place, fingerprint: String },
    /// What the host sent is no key.
    Malformed,
}

impl KnownHosts {
    /// Reads all files that exist, in order. What cannot be read is in [`KnownHosts::skipped`], missing files are not.
    pub fn read(files: &[PathBuf]) -> Self {
        let mut known = Self::default();
        for file in files {
            match disk::read(file, FILE) {
                Ok(bytes) => known.add(file, &bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => known.skipped.push(Skipped {
                    place: Place {
                        file: file.as_path().into(),
                        line: 0,
                    },
                    reason: error.to_string(),
                }),
            }
        }
        known
    }

    /// Takes the lines of one file.
    pub fn add(&mut self, file: &Path, bytes: &[u8]) {
        let index = self.files.len();
        self.files.push(file.into());
        for (number, raw) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            match Line::parse(raw) {
                Ok(None) => {}
                Ok(Some(line)) => self.insert(Entry {
                    line,
                    file: index,
                    number,
                }),
                Err(reason) => self.skipped.push(Skipped {
                    place: self.place(index, number),
                    reason: reason.to_owned(),
                }),
            }
        }
    }

    fn insert(&mut self, entry: Entry) {
        let at = self.entries.len();
        match entry.line.names.literal() {
            Some(names) => {
                for name in names {
                    self.by_name.entry(name.into()).or_default().push(at);
                }
            }
            None => self.to_try.push(at),
        }
        if entry.line.marker == Marker::Revoked {
            self.revoked.push(at);
        }
        self.entries.push(entry);
    }

    /// Lines and files that could not be used, and why.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Everything on file for a host. `names`: best first, `[host]:port` where the port is not 22.
    ///
    /// As OpenSSH, a line without a port vouches for a key on any port, but says nothing against it.
    pub fn lookup(&self, names: &[String]) -> Lookup<'_> {
        let mut lookup = self.lookup_exactly(names);
        let bare = names
            .iter()
            .filter_map(|name| Some(name.strip_prefix('[')?.rsplit_once("]:")?.0))
            .filter(|bare| !names.iter().any(|name| name == bare));
        lookup.names.extend(bare.map(Name::new));
        lookup
    }

    /// Everything on file under these very names, as `ssh-keygen -F` looks for them.
    pub fn lookup_exactly(&self, names: &[String]) -> Lookup<'_> {
        Lookup {
            known: self,
            names: names.iter().map(|name| Name::new(name)).collect(),
            strict: names.len(),
        }
    }

    /// Entries for one name, in the order of files and lines.
    fn entries(&self, name: &str) -> Vec<usize> {
        let mut found = self.by_name.get(name).cloned().unwrap_or_default();
        found.extend(
            self.to_try
                .iter()
                .filter(|&&at| self.entries[at].line.names.matches(name)),
        );
        found.sort_unstable();
        found.dedup();
        found
    }

    fn place(&self, file: usize, line: usize) -> Place {
        Place {
            file: Arc::clone(&self.files[file]),
            line,
        }
    }
}

/// The lines for one host; each name is searched once, and only when it is needed.
pub struct Lookup<'a> {
    known: &'a KnownHosts,
    names: Vec<Name>,
    /// The first so many names may also speak against a key.
    strict: usize,
}

struct Name {
    text: String,
    entries: OnceCell<Vec<usize>>,
}

impl Name {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_ascii_lowercase(),
            entries: OnceCell::new(),
        }
    }
}

impl<'a> Lookup<'a> {
    /// Types of the keys on file under the first name that has any, in the order of the files.
    pub fn key_types(&self) -> Vec<&'a str> {
        for name in &self.names {
            let mut types: Vec<&str> = Vec::new();
            for entry in self.plain(name) {
                if !types.contains(&&*entry.line.key.kind) {
                    types.push(&entry.line.key.kind);
                }
            }
            if !types.is_empty() {
                return types;
            }
        }
        Vec::new()
    }

    /// No plain line names the host.
    pub fn is_empty(&self) -> bool {
        self.key_types().is_empty()
    }

    /// What the files say of the key that the host showed, in wire form.
    ///
    /// A revocation under any name decides; then the first name that knows this key or another of its type;
    /// then whether keys of other types are on file.
    pub fn verify(&self, blob: &[u8]) -> Verdict {
        let Some(key) = Key::from_blob(blob) else {
            return Verdict::Malformed;
        };
        if let Some(entry) = self.revocation(&key) {
            return Verdict::Revoked {
                place: self.place(entry),
                fingerprint: key.fingerprint(),
            };
        }
        let (strict, bare) = self.names.split_at(self.strict);
        let mut other_type = None;
        for name in strict {
            match self.under(name, &key) {
                Some(Verdict::NewType { .. }) if other_type.is_some() => {}
                Some(verdict @ Verdict::NewType { .. }) => other_type = Some(verdict),
                Some(verdict) => return verdict,
                None => {}
            }
        }
        for name in bare {
            if let Some(verdict @ Verdict::Match(_)) = self.under(name, &key) {
                return verdict;
            }
        }
        other_type.unwrap_or_else(|| Verdict::Unknown {
            fingerprint: key.fingerprint(),
            authority: self.has_authority(),
        })
    }

    /// The verdict under one name; `None` where it has no plain line.
    fn under(&self, name: &Name, key: &Key) -> Option<Verdict> {
        let mut changed = None;
        let mut known: Vec<&Entry> = Vec::new();
        for entry in self.plain(name) {
            if entry.line.key == *key {
                return Some(Verdict::Match(self.place(entry)));
            }
            if entry.line.key.kind == key.kind {
                changed.get_or_insert(entry);
            }
            known.push(entry);
        }
        if let Some(entry) = changed {
            return Some(Verdict::Changed {
                place: self.place(entry),
                known: entry.line.key.fingerprint(),
                offered: key.fingerprint(),
            });
        }
        let mut kinds: Vec<String> = known
            .iter()
            .map(|entry| entry.line.key.kind.to_string())
            .collect();
        kinds.dedup();
        Some(Verdict::NewType {
            place: self.place(known.first()?),
            known: kinds,
            kind: key.kind.to_string(),
            offered: key.fingerprint(),
        })
    }

    /// A line that forbids this key under any of the names.
    fn revocation(&self, key: &Key) -> Option<&'a Entry> {
        let revoked = self.known.revoked.iter();
        revoked.map(|&at| &self.known.entries[at]).find(|entry| {
            entry.line.key == *key
                && self
                    .names
                    .iter()
                    .any(|name| entry.line.names.matches(&name.text))
        })
    }

    fn has_authority(&self) -> bool {
        self.names.iter().any(|name| {
            self.all(name)
                .any(|entry| entry.line.marker == Marker::CertAuthority)
        })
    }

    fn plain(&self, name: &Name) -> impl Iterator<Item = &'a Entry> {
        self.all(name)
            .filter(|entry| entry.line.marker == Marker::None)
    }

    fn all(&self, name: &Name) -> impl Iterator<Item = &'a Entry> {
        let known = self.known;
        name.entries
            .get_or_init(|| known.entries(&name.text))
            .iter()
            .map(move |&at| &known.entries[at])
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn place(&self, entry: &Entry) -> Place {
        self.known.place(entry.file, entry.number)
    }
}

#[cfg(test)]
mod tests;
