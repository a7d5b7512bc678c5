//! Snapshot files: JSON Lines, read and written as a stream, plain or zstd by suffix.
//!
//! Lines: a header, the cluster, one node each, a trailer with the count and the sha256 of every byte before it.
//! Nothing follows but a signature, of a file whose header says by whom it is signed.
//! Fields are only ever added; a missing one reads as not asked, an unknown one is ignored.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};

use super::seal::{Signing, Watched};
use super::sign::{PublicKey, SigningKey};
use crate::model::Timestamp;
use crate::model::cluster::ClusterFacts;
use crate::model::fact::Fact;
use crate::model::name::Digest;
use crate::model::node::NodeFacts;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;

/// Longer lines are refused: one node's facts are bounded at collection.
const LINE: u64 = 16 << 20;
/// More nodes than any cluster has.
const NODES: usize = 50_000;

#[derive(Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
enum Line<'a> {
    Header {
        schema: u32,
        program: Text,
        cluster_uid: Option<Text>,
        taken: Timestamp,
        #[serde(default)]
        taken_by: Text,
        /// Fingerprint of the key: a file without the signature at its end is cut then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed_by: Option<Text>,
    },
    Cluster {
        facts: std::borrow::Cow<'a, ClusterFacts>,
    },
    Node {
        facts: std::borrow::Cow<'a, NodeFacts>,
    },
    Trailer {
        nodes: usize,
        sha256: String,
    },
    /// Of the whole file before it; see `seal`.
    Signature {},
    /// Written by a later version.
    #[serde(other)]
    Later,
}

/// Why a file is not a whole snapshot, and what of it could still be read.
#[derive(Debug)]
pub struct Damaged {
    /// What is wrong and where, lower case.
    pub message: String,
    /// Everything up to that place; nothing in it was altered by the reader.
    pub readable: Option<Box<Snapshot>>,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.readable {
            Some(part) => write!(
                f,
                "; readable before that: {} node{} taken {}",
                part.nodes.len(),
                if part.nodes.len() == 1 { "" } else { "s" },
                part.taken
            ),
            None => f.write_str("; nothing could be read"),
        }
    }
}

/// A snapshot that was read whole, and whose signature it bears.
#[derive(Debug)]
pub struct Opened {
    pub snapshot: Snapshot,
    /// None: it is not signed. A signature that does not fit is an error, never this.
    pub signed_by: Option<PublicKey>,
}

/// Writes a snapshot, atomically, mode 0600.
///
/// # Errors
/// As writing does; an older file of that name is untouched then.
pub fn save(snapshot: &Snapshot, path: &Path) -> io::Result<()> {
    save_signed(snapshot, path, None)
}

/// [`save`], signed by a key where one is given.
///
/// # Errors
/// As writing and signing do.
pub fn save_signed(snapshot: &Snapshot, path: &Path, key: Option<&SigningKey>) -> io::Result<()> {
    let packed = is_packed(path);
    let by = key.map(SigningKey::public).transpose()?;
    super::write(path, |out| {
        let mut out = Signing::new(out);
        if packed {
            let mut packer = zstd::Encoder::new(&mut out, 0)?;
            lines(snapshot, by.as_ref(), &mut packer)?;
            packer.finish()?;
        } else {
            lines(snapshot, by.as_ref(), &mut out)?;
        }
        match key {
            Some(key) => out.finish(key, packed),
            None => Ok(()),
        }
    })
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix == "zst")
}

/// Writes the lines of a snapshot.
///
/// # Errors
/// As writing does.
pub fn write(snapshot: &Snapshot, out: &mut dyn Write) -> io::Result<()> {
    lines(snapshot, None, out)
}

fn lines(snapshot: &Snapshot, by: Option<&PublicKey>, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Lines {
        out,
        hash: Sha256::new(),
    };
    let cluster_uid = match &snapshot.cluster.uid {
        Fact::Seen(seen) => Some(seen.value.clone()),
        Fact::Gap(_) => None,
    };
    lines.put(&Line::Header {
        schema: Snapshot::SCHEMA,
        program: Text::new(concat!("stakeout ", env!("CARGO_PKG_VERSION"))),
        cluster_uid,
        taken: snapshot.taken,
        taken_by: snapshot.taken_by.clone(),
        signed_by: by.map(|key| Text::from(key.fingerprint())),
    })?;
    lines.put(&Line::Cluster {
        facts: std::borrow::Cow::Borrowed(&snapshot.cluster),
    })?;
    for facts in snapshot.nodes.values() {
        // Each node ends a packed block: of a cut file everything before the cut can be read.
        lines.out.flush()?;
        lines.put(&Line::Node {
            facts: std::borrow::Cow::Borrowed(facts),
        })?;
    }
    let sha256 = Digest::new(&lines.hash.clone().finish()).to_string();
    lines.put(&Line::Trailer {
        nodes: snapshot.nodes.len(),
        sha256,
    })
}

struct Lines<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
}

impl Lines<'_> {
    fn put(&mut self, line: &Line<'_>) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.hash.update(&bytes);
        self.out.write_all(&bytes)
    }
}

/// Reads a snapshot file, signed or not.
///
/// # Errors
/// [`Damaged`] for a file that cannot be opened, is cut, was altered, or is newer than this program.
pub fn load(path: &Path) -> Result<Snapshot, Damaged> {
    open(path).map(|opened| opened.snapshot)
}

/// Reads a snapshot file and says by whom it is signed.
///
/// # Errors
/// As [`load`]; also where there is a signature that does not fit, or one is missing that the header names.
pub fn open(path: &Path) -> Result<Opened, Damaged> {
    let file = super::open(path)
        .map_err(|error| nothing(format!("cannot open {}: {error}", path.display())))?;
    let name = path.display().to_string();
    let mut file = Watched::new(file, is_packed(path));
    let content = if is_packed(path) {
        let packed = zstd::Decoder::new(&mut file)
            .map_err(|error| nothing(format!("cannot unpack {name}: {error}")))?;
        content(BufReader::new(packed), &name)?
    } else {
        content(BufReader::new(&mut file), &name)?
    };
    let Content {
        snapshot,
        signed_by,
        ..
    } = content;
    let wrong = match file.seal() {
        Err(wrong) => wrong,
        Ok(key) => {
            let shown = key.map(|key| Text::from(key.fingerprint()));
            if shown == signed_by {
                return Ok(Opened {
                    snapshot,
                    signed_by: key,
                });
            }
            match (shown, signed_by) {
                (None, Some(_)) => "its signature is missing".to_owned(),
                _ => "its signature is by another key than its header says".to_owned(),
            }
        }
    };
    Err(Damaged {
        message: format!("{name} was altered: {wrong}"),
        readable: Some(Box::new(snapshot)),
    })
}

/// Reads the lines of a snapshot that is not signed; `name` is what messages call it.
///
/// # Errors
/// As [`load`].
pub fn read(input: impl BufRead, name: &str) -> Result<Snapshot, Damaged> {
    let content = content(input, name)?;
    if content.signed_by.is_some() || content.has_signature {
        let message = format!("{name} is signed, and its signature cannot be looked at here");
        return Err(Damaged {
            message,
            readable: Some(Box::new(content.snapshot)),
        });
    }
    Ok(content.snapshot)
}

/// What the lines of a file hold.
struct Content {
    snapshot: Snapshot,
    /// As the header says.
    signed_by: Option<Text>,
    /// A line of a signature follows the trailer.
    has_signature: bool,
}

fn content(input: impl BufRead, name: &str) -> Result<Content, Damaged> {
    let mut reader = Reader {
        input,
        hash: Sha256::new(),
        line: 0,
    };
    let (mut snapshot, signed_by) = reader.header(name)?;
    match reader.body(&mut snapshot) {
        Ok(has_signature) => Ok(Content {
            snapshot,
            signed_by,
            has_signature,
        }),
        Err(message) => Err(Damaged {
            message: format!("{name} {message}"),
            readable: Some(Box::new(snapshot)),
        }),
    }
}

fn nothing(message: String) -> Damaged {
    Damaged {
        message,
        readable: None,
    }
}

struct Reader<R> {
    input: R,
    hash: Sha256,
    /// Of the line read last, from 1.
    line: usize,
}

impl<R: BufRead> Reader<R> {
    fn header(&mut self, name: &str) -> Result<(Snapshot, Option<Text>), Damaged> {
        match self.next() {
            Ok(Some(Line::Header { schema, .. })) if schema > Snapshot::SCHEMA => {
                Err(nothing(format!(
                    "{name} has schema {schema}, this program reads up to {}: install a newer stakeout",
                    Snapshot::SCHEMA
                )))
            }
            Ok(Some(Line::Header {
                taken,
                taken_by,
                signed_by,
                ..
            })) => {
                let mut snapshot = Snapshot::empty(taken);
                snapshot.taken_by = taken_by;
                Ok((snapshot, signed_by))
            }
            Ok(None) => Err(nothing(format!("{name} is empty"))),
            Ok(Some(_)) => Err(nothing(format!(
                "{name} is no snapshot: its first line is not a header"
            ))),
            Err(message) => Err(nothing(format!("{name} is no snapshot: line 1: {message}"))),
        }
    }

    /// Everything behind the header; true where a signature follows the trailer.
    ///
    /// # Errors
    /// What is wrong, and where; what was read before stays in the snapshot.
    fn body(&mut self, snapshot: &mut Snapshot) -> Result<bool, String> {
        loop {
            let before = self.hash.clone();
            let line = self
                .next()
                .map_err(|message| format!("line {}: {message}", self.line))?;
            match line {
                None => {
                    let read = self.line;
                    return Err(format!("is cut after line {read}: its trailer is missing"));
                }
                Some(Line::Cluster { facts }) => snapshot.cluster = Arc::new(facts.into_owned()),
                Some(Line::Node { facts }) => {
                    let facts = facts.into_owned();
                    snapshot.nodes.insert(facts.name.clone(), Arc::new(facts));
                }
                Some(Line::Trailer { nodes, sha256 }) => {
                    let found = Digest::new(&before.finish()).to_string();
                    if sha256 != found || nodes != snapshot.nodes.len() {
                        let read = self.line;
                        return Err(format!(
                            "was altered: its trailer does not fit its {read} lines"
                        ));
                    }
                    return self.end();
                }
                Some(Line::Header { .. } | Line::Signature {} | Line::Later) => {}
            }
            if snapshot.nodes.len() > NODES {
                return Err(format!("holds more than {NODES} nodes"));
            }
        }
    }

    /// Behind the trailer nothing may follow but a signature.
    fn end(&mut self) -> Result<bool, String> {
        let more = || "was altered: more follows its trailer".to_owned();
        let has_signature = match self.next() {
            Ok(None) => return Ok(false),
            Ok(Some(Line::Signature {})) => true,
            Ok(Some(_)) | Err(_) => return Err(more()),
        };
        match self.next() {
            Ok(None) => Ok(has_signature),
            Ok(Some(_)) | Err(_) => Err(more()),
        }
    }

    /// The next line; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<Line<'static>>, String> {
        let mut bytes = Vec::new();
        self.line += 1;
        let mut limited = (&mut self.input).take(LINE + 1);
        limited
            .read_until(b'\n', &mut bytes)
            .map_err(|error| format!("cannot be read: {error}"))?;
        if bytes.is_empty() {
            self.line -= 1;
            return Ok(None);
        }
        if bytes.len() as u64 > LINE {
            return Err(format!("is longer than {LINE} bytes"));
        }
        if bytes.last() != Some(&b'\n') {
            return Err("is cut".into());
        }
        self.hash.update(&bytes);
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| format!("is not understood: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::NodeName;

    fn sample() -> Snapshot {
        let mut snapshot = Snapshot::empty("2026-01-02T03:04:05Z".parse().expect("a fixed time"));
        for name in ["cp-1", "cp-2", "w-1"] {
            let name = NodeName::parse(name).expect("a fixed name");
            snapshot
                .nodes
                .insert(name.clone(), Arc::new(NodeFacts::unknown(name)));
        }
        snapshot
    }

    fn bytes(snapshot: &Snapshot) -> Vec<u8> {
        let mut out = Vec::new();
        write(snapshot, &mut out).expect("memory takes everything");
        out
    }

    #[test]
    fn what_was_written_is_read() {
        let snapshot = sample();
        assert_eq!(
            read(&bytes(&snapshot)[..], "f").expect("own output"),
            snapshot
        );
    }

    #[test]
    fn every_cut_is_noticed_and_says_what_is_left() {
        let whole = bytes(&sample());
        for end in 0..whole.len() {
            let damaged = read(&whole[..end], "f").expect_err("a cut file is no snapshot");
            assert!(damaged.message.starts_with("f "), "{damaged}");
        }
        let after_first_node = whole
            .split_inclusive(|b| *b == b'\n')
            .take(3)
            .map(<[u8]>::len)
            .sum();
        let damaged = read(&whole[..after_first_node], "f").expect_err("a cut file is no snapshot");
        assert!(
            damaged.to_string().contains("cut after line 3"),
            "{damaged}"
        );
        assert!(
            damaged
                .to_string()
                .contains("readable before that: 1 node taken"),
            "{damaged}"
        );
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let whole = bytes(&sample());
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            assert!(read(&altered[..], "f").is_err(), "byte {at}");
        }
    }

    #[test]
    fn unknown_fields_are_ignored_and_newer_schemas_refused() {
        let newer = br#"{"line":"header","schema":99,"program":"stakeout 9","cluster_uid":null,"taken":"2026-01-02T03:04:05Z"}"#;
        let mut line = newer.to_vec();
        line.push(b'\n');
        let damaged = read(&line[..], "f").expect_err("newer than we are");
        assert!(
            damaged.to_string().contains("install a newer stakeout"),
            "{damaged}"
        );
        let node = r#"{"name":"n","host":{"colour":"blue","kubelet":{"gap":{"gap":"from_the_future","x":1}}}}"#;
        let facts: NodeFacts = serde_json::from_str(node).expect("lenient");
        assert_eq!(
            facts.host.kubelet,
            Fact::Gap(crate::model::fact::Gap::Later)
        );
        assert_eq!(facts.host.identity, Fact::default());
    }
}
