//! Files beside the manifests: who reaches them, and of certificates what they say.
//!
//! Lives here: one reader for each section of the collector that looks at files. Never lives here: a verdict.
//! Where a path follows from what was read before (configuration, flags of a manifest), it is taken from there, and
//! the collector's own list only adds to it: a path that the collector missed ends in a gap.

mod api_server;
mod backups;
pub(super) mod certificate;
mod encryption;
mod etcd;
mod flags;
mod kubeconfigs;
mod kubelet;
mod mounted;
mod noticed;
mod pki;

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

use super::answer::{Answer, not_read};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::files::{FileAt, FileRole, Files};
use crate::model::paths::Paths;
use crate::model::text::Text;

pub(super) use api_server::PROBE as API_SERVER_FILES;
pub(super) use backups::PROBE as BACKUPS;
pub(super) use etcd::PROBE as ETCD_FILES;
pub(super) use kubeconfigs::PROBE as KUBECONFIGS;
pub(super) use kubelet::PROBE as KUBELET_FILES;
pub(super) use mounted::PROBE as HOST_PATHS;
pub(super) use noticed::{DISKS, LOG as KUBELET_LOG, WATCHES as FILE_WATCHES};
pub(super) use pki::PROBE as PKI;

/// Files of one fact that are kept.
const FILES: usize = 400;

/// A list of files while it is put together.
struct Listing<'a, 'p> {
    answer: &'a Answer<'a>,
    section: &'static str,
    need: Need,
    paths: &'p mut Paths,
    out: Files,
    /// Path to its place in the list: a file is listed once.
    known: HashMap<Vec<u8>, usize>,
    cut: bool,
}

impl<'a, 'p> Listing<'a, 'p> {
    fn new(
        answer: &'a Answer<'a>,
        section: &'static str,
        need: Need,
        paths: &'p mut Paths,
    ) -> Self {
        Self {
            answer,
            section,
            need,
            paths,
            out: Files::default(),
            known: HashMap::new(),
            cut: false,
        }
    }

    /// Adds a file, unless it is there. The first role counts, but one that only a file's name gave.
    fn add(&mut self, role: FileRole, path: &[u8]) {
        if let Some(at) = self.known.get(path) {
            let old = &mut self.out.files[*at].role;
            if *old == FileRole::PkiOther {
                *old = role;
            }
            return;
        }
        if self.out.files.len() >= FILES {
            if !std::mem::replace(&mut self.cut, true) {
                self.out.gaps.push(Gap::Garbled {
                    what: Text::from(format!("more than {FILES} files: the rest is left out")),
                });
            }
            return;
        }
        let walk = self.answer.walk(path, Locator::list(self.need));
        let trail = self.paths.add(walk);
        self.known.insert(path.to_vec(), self.out.files.len());
        self.out.files.push(FileAt {
            role,
            path: Text::from_bytes(path),
            trail,
        });
    }

    /// Everything that the collector says counts, and the folders that it could not list.
    fn add_named(&mut self) {
        for fields in self.answer.records(self.section, "W") {
            let (Some(word), Some(path)) = (fields.first(), fields.get(1)) else {
                continue;
            };
            if let Some(role) = role(word) {
                self.add(role, path);
            }
        }
        for fields in self.answer.records(self.section, "D") {
            let (Some(path), Some(word)) = (fields.first(), fields.get(1)) else {
                continue;
            };
            let shown = Text::from_bytes(path);
            let gap = match word.as_slice() {
                b"ok" | b"absent" => continue,
                b"more" => Gap::Garbled {
                    what: Text::from(format!("{shown} holds more names than the collector lists")),
                },
                word => not_read(word, shown.as_str()),
            };
            if self.out.gaps.len() < FILES && !self.out.gaps.contains(&gap) {
                self.out.gaps.push(gap);
            }
        }
        self.out.gaps.truncate(FILES);
    }

    fn done(self) -> Files {
        self.out
    }
}

/// A role by the collector's word, which is the one of a snapshot.
fn role(word: &[u8]) -> Option<FileRole> {
    let word = std::str::from_utf8(word).ok()?;
    let read: StrDeserializer<'_, Error> = word.into_deserializer();
    FileRole::deserialize(read)
        .ok()
        .filter(|role| *role != FileRole::Later)
}
