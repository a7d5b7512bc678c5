//! Host keys that the user trusts, and the verdict on the key that a host shows.
//!
//! Own reading of known_hosts files: markers, hashes, wildcards, negation and ports count as in OpenSSH, and a
//! bad line costs only itself. Nothing here ever trusts a key that no line names, and nothing is written.

mod cert;
mod line;
mod lookup;
pub mod own;
mod signature;
mod wire;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk;

pub use cert::{CERTIFIED, Certificate};
pub use line::Key;
use line::{Line, Marker};
pub use lookup::{Lookup, Verdict};
use lookup::{Name, bare};

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
            .map(|name| bare(name))
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

    /// The one name under which OpenSSH, told to look for it, finds what is on file for these names: one with a plain
    /// line, else one with an authority, whose certificates name hosts without their port, else the first.
    pub fn alias(&self, names: &[String]) -> Option<String> {
        let plain = names
            .iter()
            .find(|name| !self.lookup_exactly(&[(*name).clone()]).is_empty());
        let authority = || {
            let each = names.iter().flat_map(|name| [bare(name), name]);
            each.map(str::to_owned).find(|name| {
                self.lookup_exactly(std::slice::from_ref(name))
                    .has_authority()
            })
        };
        plain.cloned().or_else(authority).or(names.first().cloned())
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

#[cfg(test)]
mod cert_tests;
#[cfg(test)]
mod tests;
