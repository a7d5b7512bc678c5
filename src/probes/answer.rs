//! An answer by topic: what was looked at, what was read, what could not be.
//!
//! Lives here: the words that all readers of the collector's sections share. Never lives here: what a fact means.

use std::collections::HashMap;

use openssl::sha::sha256;

use super::frame::{Frame, Record};
use super::parse::mountinfo::{self, MountLine};
use super::parse::stat;
use super::probe::Reading;
use crate::model::fact::{FaultClass, Gap, Need, Source};
use crate::model::name::Digest;
use crate::model::text::Text;
use crate::model::unix::Stat;

mod walk;

/// What is behind the bytes that a command or a file gave: its words end with `x` and the status.
pub(crate) enum Content<'a> {
    Whole(&'a [u8]),
    /// Longer than the collector reads, or its command ended badly.
    Gap(Gap),
}

/// What `lstat` said of a name.
pub(super) enum Look<'a> {
    Seen {
        stat: Stat,
        /// Of a symbolic link.
        target: Option<&'a [u8]>,
    },
    Not(&'a [u8]),
}

/// What is known of a name's access list.
enum AclLook<'a> {
    /// A paragraph of getfacl.
    Listed(&'a str),
    /// The first word of `ls -ld`: its last sign tells whether there is a list.
    Mode(&'a str),
}

/// A frame, indexed.
pub struct Answer<'a> {
    pub(super) frame: &'a Frame,
    looks: HashMap<&'a [u8], Look<'a>>,
    acls: HashMap<&'a [u8], AclLook<'a>>,
    contents: HashMap<(&'a str, &'a [u8]), &'a Record>,
    mounts: Result<Vec<MountLine>, Gap>,
}

impl<'a> Answer<'a> {
    /// Takes in the whole sections of a frame.
    pub fn new(frame: &'a Frame) -> Self {
        let mut answer = Self {
            frame,
            looks: HashMap::new(),
            acls: HashMap::new(),
            contents: HashMap::new(),
            mounts: Ok(Vec::new()),
        };
        for section in &frame.sections {
            for record in &section.records {
                answer.take(&section.name, record);
            }
        }
        answer
    }

    fn take(&mut self, section: &'a str, record: &'a Record) {
        let fields = &record.fields;
        match (record.kind.as_str(), fields.first()) {
            ("S" | "L", Some(name)) => {
                let read = if record.kind == "S" {
                    stat::numbers
                } else {
                    stat::listing
                };
                let look = match fields.get(1).and_then(|text| read(text)) {
                    Some(stat) => Look::Seen {
                        stat,
                        target: fields.get(2).map(Vec::as_slice),
                    },
                    None => Look::Not(b"unreadable"),
                };
                self.looks.insert(name, look);
            }
            ("X", Some(name)) => {
                let word = fields.get(1).map_or(&b"error"[..], Vec::as_slice);
                self.looks.insert(name, Look::Not(word));
            }
            ("G" | "K", Some(text)) => self.take_acls(record, text),
            ("F" | "Y", Some(name)) if name == b"/proc/self/mountinfo" => self.take_mounts(record),
            ("F" | "Y", Some(name)) => {
                self.contents.insert((section, name), record);
            }
            _ => {}
        }
    }

    fn take_acls(&mut self, record: &'a Record, text: &'a [u8]) {
        let names = &record.fields[1..];
        let Ok(text) = std::str::from_utf8(text) else {
            return;
        };
        let listed = record.kind == "G";
        let parts: Vec<&str> = if listed {
            text.split("\n\n")
                .filter(|part| !part.trim().is_empty())
                .collect()
        } else {
            text.lines().collect()
        };
        // One too few, and every list would belong to another name.
        if parts.len() != names.len() {
            return;
        }
        for (name, part) in names.iter().zip(parts) {
            let look = if listed {
                AclLook::Listed(part)
            } else {
                AclLook::Mode(part.split(' ').next().unwrap_or_default())
            };
            self.acls.insert(name, look);
        }
    }

    fn take_mounts(&mut self, record: &'a Record) {
        // Status 1: no line matched, so nothing is mounted on any of the names that were asked for.
        let lines = match content_of(record, "the mount table", &[0, 1]) {
            Content::Whole(text) => mountinfo::parse(text),
            Content::Gap(gap) => Err(gap),
        };
        match (&mut self.mounts, lines) {
            (Ok(known), Ok(more)) => known.extend(more),
            (mounts, Err(gap)) => *mounts = Err(gap),
            (Err(_), Ok(_)) => {}
        }
    }

    /// The records of a section of one kind.
    pub(crate) fn records(
        &self,
        section: &str,
        kind: &'static str,
    ) -> impl Iterator<Item = &'a [Vec<u8>]> + use<'a> {
        let section = self.frame.section(section);
        section
            .into_iter()
            .flat_map(|section| &section.records)
            .filter(move |record| record.kind == kind)
            .map(|record| record.fields.as_slice())
    }

    /// What a command or a file of a section said; `Err` where the collector did not ask for it at all.
    /// `fine`: statuses that leave the words whole.
    pub(crate) fn content(&self, section: &str, name: &str, fine: &[i32]) -> Option<Content<'a>> {
        let record = self.contents.get(&(section, name.as_bytes()))?;
        Some(content_of(record, Text::new(name).as_str(), fine))
    }

    /// As [`Answer::content`], for a name of any bytes and a status of zero.
    pub(crate) fn file(&self, section: &str, name: &[u8]) -> Option<Content<'a>> {
        let record = self.contents.get(&(section, name))?;
        let shown = Text::from_bytes(name);
        Some(content_of(record, shown.as_str(), &[0]))
    }

    /// The word for which a file was not read: `absent`, `denied`, `kind`, `cut`, `budget`, `timeout`, `error`.
    pub(crate) fn refusal(&self, section: &str, name: &[u8]) -> Option<&'a [u8]> {
        let record = self.contents.get(&(section, name))?;
        (record.kind == "Y")
            .then(|| record.fields.get(1))
            .flatten()
            .map(Vec::as_slice)
    }

    pub(super) fn look(&self, name: &[u8]) -> Option<&Look<'a>> {
        self.looks.get(name)
    }
}

/// Bytes that the collector reads of one manifest or configuration file.
pub(crate) const FILE_CAP: usize = 256 << 10;

fn content_of<'a>(record: &'a Record, shown: &str, fine: &[i32]) -> Content<'a> {
    let text = record.fields.get(1).map_or(&b""[..], Vec::as_slice);
    if record.kind == "Y" {
        return Content::Gap(not_read(text, shown));
    }
    let Some((body, status)) = status(text) else {
        return Content::Gap(Gap::Garbled {
            what: Text::from(format!("{shown} is longer than the collector reads")),
        });
    };
    if body.len() > FILE_CAP && shown.starts_with('/') && !shown.starts_with("/proc/") {
        return Content::Gap(Gap::Garbled {
            what: Text::from(format!("{shown} is larger than {} kB", FILE_CAP >> 10)),
        });
    }
    match status {
        status if fine.contains(&status) => Content::Whole(body),
        124 => Content::Gap(not_read(b"timeout", shown)),
        status => Content::Gap(Gap::Garbled {
            what: Text::from(format!("reading {shown} ended with status {status}")),
        }),
    }
}

/// Splits the status from what a command said: `x0` at the end.
fn status(text: &[u8]) -> Option<(&[u8], i32)> {
    let text = text.strip_suffix(b"\n")?;
    let mark = text.iter().rposition(|byte| *byte == b'x')?;
    let digits = std::str::from_utf8(&text[mark + 1..]).ok()?;
    let status = digits.parse().ok().filter(|_| digits.len() <= 3)?;
    Some((&text[..mark], status))
}

/// The gap behind a word of the collector.
pub(crate) fn not_read(word: &[u8], what: &str) -> Gap {
    match word {
        b"denied" => Gap::Denied {
            what: Text::new(what),
        },
        b"timeout" => Gap::Node {
            class: FaultClass::TimeoutScript,
            detail: Text::from(format!("{what} did not answer in time")),
        },
        b"cut" => Gap::Garbled {
            what: Text::from(format!("{what} is longer than the collector reads")),
        },
        b"budget" => Gap::Garbled {
            what: Text::from(format!("{what} did not fit: the node has too much to say")),
        },
        b"absent" => Gap::Garbled {
            what: Text::from(format!("{what} went away while it was looked at")),
        },
        _ => Gap::Garbled {
            what: Text::from(format!("{what} could not be read")),
        },
    }
}

/// Evidence out of bytes as they came.
pub(crate) fn source(
    (need, item): (Need, u32),
    command: &str,
    raw: &[u8],
    reading: &Reading<'_>,
) -> Source {
    Source {
        need,
        item,
        command: Text::new(command),
        at: reading.at,
        sha256: Some(Digest::new(&sha256(raw))),
        excerpt: Source::excerpt(&String::from_utf8_lossy(raw)),
    }
}

/// Evidence that holds masks, or that is our own summary: without a digest.
pub(crate) fn summary(
    (need, item): (Need, u32),
    command: &str,
    text: &str,
    reading: &Reading<'_>,
) -> Source {
    Source {
        need,
        item,
        command: Text::new(command),
        at: reading.at,
        sha256: None,
        excerpt: Source::excerpt(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_stands_behind_the_words() {
        for (text, read) in [
            (&b"abcx0\n"[..], Some((&b"abc"[..], 0))),
            (b"x124\n", Some((b"", 124))),
            (b"ax1x2\n", Some((b"ax1", 2))),
            (b"abc", None),
            (b"abcx\n", None),
            (b"x0", None),
            (b"x99999\n", None),
            (b"", None),
        ] {
            assert_eq!(status(text), read);
        }
    }
}
