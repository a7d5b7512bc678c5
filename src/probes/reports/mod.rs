//! Reports of other scanners: which format it is, and what it says, of every version that is known.
//!
//! Lives here: bytes in, a [`ScannerReport`] out. A field that is missing, new or of another type costs that field, not
//! the report; a file that breaks off costs what is behind the break. Never lives here: a file, a clock, a verdict.

mod clair;
mod kube_bench;
mod kube_hunter;
mod tree;
mod trivy;
mod trivy_k8s;

use tree::{Broken, Node};

use crate::model::Timestamp;
use crate::model::reports::{Kind, ReportFinding, Scanner, ScannerReport, Subject};
use crate::model::text::Text;
use crate::model::verdict::Severity;

/// Bytes of a report that are read. The largest that were seen, of whole clusters, have a tenth.
pub const MOST_BYTES: usize = 256 * 1024 * 1024;
/// Bytes of a text that is kept.
const MOST_TEXT: usize = 160;

/// What can be read, in words.
const EXPECTED: &str =
    "a JSON report of kube-bench, kube-hunter, trivy image, trivy k8s or Clair v4";

/// Why nothing of a file can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {EXPECTED}, found {found} at line {line}, byte {byte}")]
pub struct Unread {
    pub found: Text,
    /// From 1.
    pub line: usize,
    /// From 0.
    pub byte: usize,
}

/// One format: how it is told, and how a document of it is read.
struct Format {
    scanner: Scanner,
    is_it: fn(&Node) -> bool,
    add: fn(&Node, &mut Gathered),
}

/// In the order in which they are asked: the later ones have fewer marks.
const FORMATS: &[&Format] = &[
    &kube_bench::FORMAT,
    &trivy_k8s::FORMAT,
    &trivy::FORMAT,
    &clair::FORMAT,
    &kube_hunter::FORMAT,
];

/// The report in a file, from whichever scanner it is. Several documents of one scanner in one file are one report;
/// lines of a log before the first are read over.
///
/// # Errors
/// Where nothing in it can be used: what was expected, what was found, and where.
pub fn read(bytes: &[u8]) -> Result<ScannerReport, Unread> {
    let (skipped, body) = body(&bytes[..bytes.len().min(MOST_BYTES)])?;
    let (documents, broken) = tree::read(body);
    let lines = bytes[..skipped].iter().filter(|byte| **byte == b'\n');
    let lines = lines.count();
    let broken = broken.map(|broken| Broken {
        line: broken.line + lines,
        byte: broken.byte + skipped,
        ..broken
    });
    let first = documents.first();
    let format = first.and_then(|first| FORMATS.iter().find(|format| (format.is_it)(first)));
    let Some(format) = format else {
        // Where the break came before anything that tells the format, the break is what matters.
        let cut = broken.filter(|_| first.is_none_or(|one| !one.is_whole()));
        let at = cut.unwrap_or_else(|| Broken {
            found: first.map(described).unwrap_or_default(),
            line: lines + 1,
            byte: skipped,
        });
        return Err(Unread {
            found: short(&at.found),
            line: at.line,
            byte: at.byte,
        });
    };
    let mut gathered = Gathered {
        report: ScannerReport::new(format.scanner),
        have: 0,
    };
    for document in documents.iter().filter(|one| (format.is_it)(one)) {
        (format.add)(document, &mut gathered);
    }
    let mut report = gathered.report;
    if broken.is_some() {
        doubt(&mut report);
    }
    let strange = documents.iter().find(|one| !(format.is_it)(one));
    report.cut = cut(format.scanner, broken, strange).map(Text::from);
    Ok(report)
}

/// Why the report is not all of the file.
fn cut(scanner: Scanner, broken: Option<Broken>, strange: Option<&Node>) -> Option<String> {
    if let Some(Broken { found, line, byte }) = broken {
        return Some(format!(
            "expected the rest of the report of {scanner}, found {found} at line {line}, byte {byte}"
        ));
    }
    let found = described(strange?);
    Some(format!(
        "expected reports of {scanner} only, found {found} behind the first"
    ))
}

/// The silence of what was being read when the file broke off proves nothing.
fn doubt(report: &mut ScannerReport) {
    let last = match report.scanner {
        // Findings of every place come last.
        Scanner::KubeHunter => report.subjects.len(),
        _ => 1,
    };
    for subject in report.subjects.iter_mut().rev().take(last) {
        subject.looked.clear();
    }
}

/// Where JSON begins: at the start, or behind the lines that a job logs before it.
fn body(bytes: &[u8]) -> Result<(usize, &[u8]), Unread> {
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    for line in bytes[at..].split_inclusive(|byte| *byte == b'\n') {
        let mut rest = line.trim_ascii().iter();
        let next = |rest: &mut std::slice::Iter<'_, u8>| {
            rest.find(|byte| !byte.is_ascii_whitespace()).copied()
        };
        match (next(&mut rest), next(&mut rest)) {
            (Some(b'{'), None | Some(b'"' | b'}'))
            | (Some(b'['), None | Some(b'{' | b'[' | b']')) => return Ok((at, &bytes[at..])),
            _ => at += line.len(),
        }
    }
    Err(Unread {
        found: no_json(bytes),
        line: 1,
        byte: 0,
    })
}

/// What a file without JSON is, with the way out where there is one.
fn no_json(bytes: &[u8]) -> Text {
    let head = &bytes[..bytes.len().min(4096)];
    let has = |what: &[u8]| head.windows(what.len()).any(|part| part == what);
    let first = head.trim_ascii().split(|byte| *byte == b'\n').next();
    Text::new(match head {
        [] => "an empty file",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            "UTF-16; next: iconv -f UTF-16 -t UTF-8 FILE >REPORT"
        }
        [0x1f, 0x8b, ..] => "a file packed by gzip; next: gunzip it",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "a file packed by zstd; next: unzstd it",
        _ if has(b"[PASS]") || has(b"[FAIL]") || has(b"[INFO]") => {
            "kube-bench's text; next: kube-bench --json"
        }
        _ => {
            let shown = Text::from_bytes(first.unwrap_or_default());
            return Text::from(format!("text: {}", short(shown.as_str())));
        }
    })
}

/// A document that no format is known by.
fn described(document: &Node) -> String {
    let entry = document.items().first();
    let (what, of) = match (document, entry) {
        (Node::List(_), None) => return "an empty list".to_owned(),
        (Node::List(_), Some(first)) => ("a list of objects", first),
        (Node::Object(_), _) => ("an object", document),
        _ => return "a single value".to_owned(),
    };
    let keys: Vec<&str> = of.members().iter().take(6).map(|(key, _)| &**key).collect();
    match keys.as_slice() {
        [] => format!("{what} without keys"),
        keys => format!("{what} with the keys {}", keys.join(", ")),
    }
}

/// A text within its bound.
fn short(text: &str) -> Text {
    let mut end = text.len().min(MOST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Text::new(&text[..end])
}

fn word(of: &Node, key: &str) -> Option<Text> {
    of.text(key).map(short)
}

/// Any case, and the words of every scanner. None: the scanner itself does not know.
fn severity(word: Option<&str>) -> Option<Severity> {
    Some(match word?.to_ascii_lowercase().as_str() {
        "critical" | "defcon1" => Severity::Critical,
        "high" => Severity::High,
        "medium" => Severity::Medium,
        "low" => Severity::Low,
        "negligible" | "info" => Severity::Info,
        _ => return None,
    })
}

fn time(of: &Node, key: &str) -> Option<Timestamp> {
    of.text(key)?.parse().ok()
}

/// `sha256:` and 64 hex digits, also behind the `@` of a reference.
fn digest(text: &str) -> Option<Text> {
    let digest = text.rsplit_once('@').map_or(text, |(_, digest)| digest);
    let hex = digest.strip_prefix("sha256:")?;
    let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| Text::from(digest.to_ascii_lowercase()))
}

/// Gathers the subjects of documents within the bounds of a report.
struct Gathered {
    report: ScannerReport,
    have: usize,
}

impl Gathered {
    /// Adds a finding, or counts it as left out where it was not whole (`None`) or is one too many.
    fn finding(&mut self, subject: &mut Subject, finding: Option<ReportFinding>) {
        match finding {
            Some(finding) if self.have < ScannerReport::MOST => {
                self.have += 1;
                subject.findings.push(finding);
            }
            _ => self.left_out(),
        }
    }

    fn left_out(&mut self) {
        self.report.left_out = self.report.left_out.saturating_add(1);
    }

    fn subject(&mut self, subject: Subject) {
        if self.report.subjects.len() < ScannerReport::MOST_SUBJECTS {
            self.report.subjects.push(subject);
        } else {
            self.left_out();
        }
    }

    /// What tells of the whole run: the first version that is named, the oldest time.
    fn run(&mut self, version: Option<Text>, made: Option<Timestamp>) {
        let report = &mut self.report;
        report.version = report.version.take().or(version);
        report.made = match (report.made, made) {
            (Some(have), Some(other)) => Some(have.min(other)),
            (have, other) => have.or(other),
        };
    }
}

fn looked(subject: &mut Subject, kind: Kind) {
    if !subject.looked.contains(&kind) {
        subject.looked.push(kind);
    }
}
