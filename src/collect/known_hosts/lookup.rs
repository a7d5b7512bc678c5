//! What the files say of one host and of the key that it shows.

use std::cell::OnceCell;

use super::cert::{Certificate, is_certificate};
use super::line::{Key, Marker};
use super::{Entry, KnownHosts, Place};

/// What the files say of a key. Fingerprints as `ssh-keygen -l` prints them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The key is on file under one of the names, or an authority that is vouches for it.
    Match(Place),
    /// No plain line names the host.
    Unknown {
        /// What it shows; of a certificate the key inside.
        key: Key,
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
    /// The host shows a certificate that does not hold, and its key is not on file either.
    Certificate {
        /// The line of the authority; none where it cannot be read.
        place: Option<Place>,
        /// What is wrong with it, in words.
        reason: String,
    },
    /// A line forbids this key, or the authority behind it, for this host.
    Revoked { place: Place, fingerprint: String },
    /// What the host sent is no key.
    Malformed,
}

/// The lines for one host; each name is searched once, and only when it is needed.
pub struct Lookup<'a> {
    pub(super) known: &'a KnownHosts,
    pub(super) names: Vec<Name>,
    /// The first so many names may also speak against a key.
    pub(super) strict: usize,
}

pub(super) struct Name {
    text: String,
    entries: OnceCell<Vec<usize>>,
}

impl Name {
    pub(super) fn new(text: &str) -> Self {
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

    /// Whether a plain line has this very key.
    pub(super) fn has(&self, blob: &[u8]) -> bool {
        self.names
            .iter()
            .flat_map(|name| self.plain(name))
            .any(|entry| *entry.line.key.blob == *blob)
    }

    /// Whether any line names the host, for it or against it.
    pub(super) fn is_named(&self) -> bool {
        self.names
            .iter()
            .any(|name| self.all(name).next().is_some())
    }

    /// Some `@cert-authority` line names the host: certificates are worth asking for.
    pub fn has_authority(&self) -> bool {
        self.names
            .iter()
            .any(|name| self.authorities(name).next().is_some())
    }

    /// What the files say of the key or certificate that the host showed, in wire form, at a time in seconds
    /// since 1970.
    ///
    /// A revocation under any name decides; then an authority that vouches for one of the names; then the first
    /// name that knows this key or another of its type; then whether keys of other types are on file.
    pub fn verify(&self, blob: &[u8], now: u64) -> Verdict {
        let Some(shown) = Key::from_blob(blob) else {
            return Verdict::Malformed;
        };
        if !is_certificate(&shown.kind) {
            return self
                .revocation(&[&shown])
                .unwrap_or_else(|| self.plainly(&shown));
        }
        let Some(certificate) = Certificate::parse(blob) else {
            return Verdict::Certificate {
                place: None,
                reason: format!("it cannot be read: {} bytes of {}", blob.len(), shown.kind),
            };
        };
        let keys = [&shown, &certificate.key, &certificate.authority];
        self.revocation(&keys)
            .unwrap_or_else(|| self.by_authority(&certificate, now))
    }

    /// As OpenSSH, a certificate that does not hold still shows a key, which may be on file by itself.
    fn by_authority(&self, certificate: &Certificate<'_>, now: u64) -> Verdict {
        // The first authority that signed it says why it is refused, else the first that did not.
        let (mut refused, mut other) = (None, None);
        for name in &self.names {
            for entry in self.authorities(name) {
                if entry.line.key != certificate.authority {
                    other.get_or_insert(entry);
                    continue;
                }
                match certificate.vouches(bare(&name.text), now) {
                    Ok(()) => return Verdict::Match(self.place(entry)),
                    Err(reason) => refused.get_or_insert((entry, reason)),
                };
            }
        }
        let refused = refused.or_else(|| {
            let signer = certificate.authority.fingerprint();
            let known = other?.line.key.fingerprint();
            Some((other?, format!("it is signed by {signer}, not by {known}")))
        });
        match (self.plainly(&certificate.key), refused) {
            (verdict @ Verdict::Match(_), _) | (verdict, None) => verdict,
            (_, Some((entry, reason))) => Verdict::Certificate {
                place: Some(self.place(entry)),
                reason,
            },
        }
    }

    /// The verdict on a key that is not revoked.
    fn plainly(&self, key: &Key) -> Verdict {
        let (strict, bare) = self.names.split_at(self.strict);
        let mut other_type = None;
        for name in strict {
            match self.under(name, key) {
                Some(Verdict::NewType { .. }) if other_type.is_some() => {}
                Some(verdict @ Verdict::NewType { .. }) => other_type = Some(verdict),
                Some(verdict) => return verdict,
                None => {}
            }
        }
        for name in bare {
            if let Some(verdict @ Verdict::Match(_)) = self.under(name, key) {
                return verdict;
            }
        }
        other_type.unwrap_or_else(|| Verdict::Unknown {
            key: key.clone(),
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

    /// A line that forbids one of these keys under any of the names.
    fn revocation(&self, keys: &[&Key]) -> Option<Verdict> {
        let revoked = self.known.revoked.iter();
        let entry = revoked.map(|&at| &self.known.entries[at]).find(|entry| {
            keys.contains(&&entry.line.key)
                && self
                    .names
                    .iter()
                    .any(|name| entry.line.names.matches(&name.text))
        })?;
        Some(Verdict::Revoked {
            place: self.place(entry),
            fingerprint: entry.line.key.fingerprint(),
        })
    }

    fn authorities(&self, name: &Name) -> impl Iterator<Item = &'a Entry> {
        self.all(name)
            .filter(|entry| entry.line.marker == Marker::CertAuthority)
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

/// The host of `[host]:port`, which is what certificates name.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix('[')
        .and_then(|rest| Some(rest.rsplit_once("]:")?.0))
        .unwrap_or(name)
}
