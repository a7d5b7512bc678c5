//! The collector's answer on the wire: sections between BEGIN and END, read as they arrive.
//!
//! ```text
//! @STK1 WAY login-only                        by the command line, where the login has a free shell
//! @STK1 BEGIN <nonce> <version> <uid> <stat|ls> <b64|hex>
//! @STK1 SECTION identity
//! V<TAB>clock<TAB>1795530045                  a record: its kind and its fields
//! F<TAB>/etc/os-release<TAB>%TkFNRT0i...      a field that begins with % is encoded
//! @STK1 DONE identity 2                       records of the section
//! @STK1 END <nonce> 2                         records of all sections
//! ```

use crate::model::fact::{FaultClass, Gap};
use crate::model::node::WayIn;
use crate::model::text::Text;

mod field;
pub mod kept;

use field::Encoding;

/// Bytes of an answer, records and fields at most: far above any honest node.
pub const BYTES: usize = 4 << 20;
const LINE: usize = 1 << 20;
const SECTIONS: usize = 64;
const RECORDS: usize = 40_000;
const FIELDS: usize = 80;
const NOISE: usize = 2048;

/// An answer, or as much of it as arrived.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Version of the script that answered.
    pub script: u32,
    /// The uid that it ran as.
    pub uid: u32,
    /// Sections whose END arrived; the others are missing.
    pub sections: Vec<Section>,
    /// The last line arrived and its count is right.
    pub complete: bool,
    /// Why the sections that are missing are missing, where the answer is not complete.
    pub cut: Option<Gap>,
    /// What the command line said of its rights; none under a forced command, which never runs it, and by hand.
    pub way: Option<WayIn>,
    /// The answer carries the nonce of one that was made by hand.
    pub by_hand: bool,
    /// What stood before BEGIN: banners and shell noise, at most 2 kB.
    pub noise: Text,
    /// Bytes received.
    pub bytes: usize,
    /// Over which hosts and by which client it came, where that was not straight.
    pub via: Option<Text>,
}

impl Frame {
    /// A section by name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }
}

/// One group of facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    pub records: Vec<Record>,
}

/// One line: a type and its fields, names decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub kind: String,
    pub fields: Vec<Vec<u8>>,
}

/// Told while an answer arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Connected,
    Authenticated,
    Section { done: u16, of: u16 },
}

/// Reads an answer piece by piece. Hostile input ends as a [`Gap`], never as a panic, and never grows beyond the caps.
pub struct FrameReader {
    nonce: String,
    of: u16,
    line: Vec<u8>,
    noise: Vec<u8>,
    frame: Frame,
    state: State,
    records: usize,
}

enum State {
    /// BEGIN has not come.
    Waiting,
    /// Between sections.
    Between(Encoding),
    /// In a section.
    Inside(Encoding, Section),
    /// END has come: what follows is not looked at.
    Ended,
    /// The rest cannot be understood; sections that were whole stay.
    Broken(Gap),
    /// Nothing of it can be believed.
    Forged(Gap),
}

impl FrameReader {
    /// `nonce`: what was sent. `of`: sections that the present script has, for progress.
    pub fn new(nonce: &str, of: u16) -> Self {
        Self {
            nonce: nonce.to_owned(),
            of,
            line: Vec::new(),
            noise: Vec::new(),
            frame: Frame {
                by_hand: nonce == super::collector::BY_HAND,
                ..Frame::default()
            },
            state: State::Waiting,
            records: 0,
        }
    }

    /// Takes what arrived, in pieces of any size. One [`Progress`] for each section that became whole.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Progress> {
        let mut told = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.is_over() {
                break;
            }
            self.frame.bytes += piece.len();
            if self.frame.bytes > BYTES || self.line.len() + piece.len() > LINE {
                self.state = State::Broken(node(
                    FaultClass::OutputTooLarge,
                    &format!("more than {BYTES} bytes, or a line of more than {LINE}"),
                ));
                break;
            }
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let mut line = std::mem::take(&mut self.line);
                line.pop();
                told.extend(self.take(&line));
                line.clear();
                self.line = line;
            }
        }
        told
    }

    /// Whether nothing that could still arrive is of use: the connection can be closed.
    pub fn is_over(&self) -> bool {
        matches!(
            self.state,
            State::Ended | State::Broken(_) | State::Forged(_)
        )
    }

    /// The answer as far as it can be believed.
    ///
    /// # Errors
    /// [`Gap::Garbled`] for a wrong nonce or count, [`Gap::ToolMissing`] where the node cannot encode,
    /// [`Gap::Node`] where no section arrived.
    pub fn finish(mut self) -> Result<Frame, Gap> {
        self.frame.noise = Text::block_from_bytes(&self.noise);
        let cut = match self.state {
            State::Forged(gap) => return Err(gap),
            State::Ended => None,
            State::Broken(gap) => Some(gap),
            State::Waiting => Some(no_answer(&self.frame, &self.noise, &self.line)),
            State::Between(_) | State::Inside(..) => Some(node(
                FaultClass::Disconnected,
                &format!(
                    "the answer ended after {} of {} sections, {} bytes",
                    self.frame.sections.len(),
                    self.of,
                    self.frame.bytes
                ),
            )),
        };
        match cut {
            Some(gap) if self.frame.sections.is_empty() => Err(gap),
            cut => {
                self.frame.complete = cut.is_none();
                self.frame.cut = cut;
                Ok(self.frame)
            }
        }
    }

    fn take(&mut self, line: &[u8]) -> Option<Progress> {
        let state = std::mem::replace(&mut self.state, State::Ended);
        let (next, told) = match state {
            State::Waiting => (self.waiting(line), None),
            State::Between(encoding) => (self.between(encoding, line), None),
            State::Inside(encoding, section) => self.inside(encoding, section, line),
            over => (over, None),
        };
        self.state = next;
        told
    }

    fn waiting(&mut self, line: &[u8]) -> State {
        let words = control(line);
        match words.as_deref() {
            Some(["BEGIN", nonce, version, uid, "stat" | "ls", encoding]) => {
                if *nonce != self.nonce {
                    return forged("the answer carries another nonce than the one that was sent");
                }
                match (version.parse(), uid.parse(), Encoding::by_name(encoding)) {
                    (Ok(version), Ok(uid), Some(encoding)) => {
                        self.frame.script = version;
                        self.frame.uid = uid;
                        State::Between(encoding)
                    }
                    _ => forged("the first line of the answer"),
                }
            }
            Some(["FAIL", tool]) => State::Forged(Gap::ToolMissing {
                tool: Text::new(tool),
            }),
            Some(["WAY", way]) => {
                self.frame.way = way_in(way);
                State::Waiting
            }
            _ => {
                let room = NOISE.saturating_sub(self.noise.len());
                self.noise.extend(line.iter().take(room));
                if room > line.len() {
                    self.noise.push(b'\n');
                }
                State::Waiting
            }
        }
    }

    fn between(&mut self, encoding: Encoding, line: &[u8]) -> State {
        let words = control(line);
        match words.as_deref() {
            Some(["SECTION", name])
                if is_section(name)
                    && self.frame.section(name).is_none()
                    && self.frame.sections.len() < SECTIONS =>
            {
                let name = (*name).to_owned();
                State::Inside(
                    encoding,
                    Section {
                        name,
                        records: Vec::new(),
                    },
                )
            }
            Some(["END", nonce, count]) => {
                if *nonce == self.nonce && count.parse() == Ok(self.records) {
                    State::Ended
                } else {
                    forged("the last line of the answer has another nonce or count")
                }
            }
            _ => garbage(line),
        }
    }

    fn inside(
        &mut self,
        encoding: Encoding,
        mut section: Section,
        line: &[u8],
    ) -> (State, Option<Progress>) {
        if line.starts_with(b"@") {
            let words = control(line);
            return match words.as_deref() {
                Some(["DONE", name, count])
                    if *name == section.name && count.parse() == Ok(section.records.len()) =>
                {
                    self.frame.sections.push(section);
                    let done = u16::try_from(self.frame.sections.len()).unwrap_or(u16::MAX);
                    let of = self.of.max(done);
                    (
                        State::Between(encoding),
                        Some(Progress::Section { done, of }),
                    )
                }
                Some(["DONE", ..]) => (forged("a section has another name or count"), None),
                _ => (garbage(line), None),
            };
        }
        self.records += 1;
        match record(encoding, line) {
            Some(record) if self.records <= RECORDS => {
                section.records.push(record);
                (State::Inside(encoding, section), None)
            }
            _ => (garbage(line), None),
        }
    }
}

fn record(encoding: Encoding, line: &[u8]) -> Option<Record> {
    let mut parts = line.split(|byte| *byte == b'\t');
    let kind = parts.next()?;
    if kind.len() != 1 || !kind[0].is_ascii_uppercase() {
        return None;
    }
    let fields: Vec<Vec<u8>> = parts
        .take(FIELDS + 1)
        .map(|field| encoding.field(field))
        .collect::<Option<_>>()?;
    (fields.len() <= FIELDS).then(|| Record {
        kind: char::from(kind[0]).to_string(),
        fields,
    })
}

/// The words of a control line, without its mark.
fn control(line: &[u8]) -> Option<Vec<&str>> {
    let rest = std::str::from_utf8(line.strip_prefix(b"@STK1 ")?).ok()?;
    (rest.len() < 200).then(|| rest.split(' ').collect())
}

fn is_section(name: &str) -> bool {
    (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

fn way_in(word: &str) -> Option<WayIn> {
    match word {
        "login-only" => Some(WayIn::LoginOnly),
        "installed-collector" => Some(WayIn::InstalledCollector),
        "sudo-stream" => Some(WayIn::SudoStream),
        _ => None,
    }
}

fn node(class: FaultClass, detail: &str) -> Gap {
    Gap::Node {
        class,
        detail: Text::new(detail),
    }
}

fn forged(what: &str) -> State {
    State::Forged(Gap::Garbled {
        what: Text::new(what),
    })
}

fn garbage(line: &[u8]) -> State {
    // The collector itself gave up: somebody on the node makes it say more than it may.
    if line == b"@STK1 FAIL budget" {
        return State::Broken(Gap::Garbled {
            what: Text::new("the answer ended early: the node has too much to say"),
        });
    }
    let shown = Text::from_bytes(&line[..line.len().min(80)]);
    State::Broken(Gap::Garbled {
        what: Text::from(format!(
            "a line of the answer is not the collector's: {shown}"
        )),
    })
}

fn no_answer(frame: &Frame, noise: &[u8], rest: &[u8]) -> Gap {
    let said: Vec<u8> = noise.iter().chain(rest).copied().take(200).collect();
    let said = Text::from_bytes(said.trim_ascii());
    if frame.way.is_some() {
        node(
            FaultClass::Disconnected,
            &format!("the collector began and said nothing: {said}"),
        )
    } else if said.is_empty() {
        node(FaultClass::NoShell, "the login ended without a word")
    } else {
        node(
            FaultClass::NoShell,
            &format!("not the collector answered, but: {said}"),
        )
    }
}

#[cfg(test)]
mod tests;
