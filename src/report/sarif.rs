//! SARIF 2.1.0, the format that code hosts and editors read findings from (OASIS, sarif-v2.1.0).
//!
//! Lives here: the shape of the document. Never lives here: what is a finding.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::checks::check::Check;
use crate::model::text::Text;
use crate::model::verdict::Severity;

/// One run of the program.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Each once; results name them by id.
    pub rules: Vec<Rule>,
    pub results: Vec<Found>,
    /// What could not be looked at: the run is not complete then.
    pub problems: Vec<Problem>,
}

/// A rule that results refer to.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: &'static str,
    /// One sentence.
    pub title: String,
    /// Why it matters.
    pub help: String,
    pub severity: Severity,
}

impl From<&Check> for Rule {
    fn from(check: &Check) -> Self {
        Self {
            id: check.id.0,
            title: check.title.to_owned(),
            help: format!("{} Fix and undo: stakeout explain {}", check.why, check.id),
            severity: check.severity,
        }
    }
}

/// One result.
#[derive(Clone, Debug)]
pub struct Found {
    pub rule: &'static str,
    pub severity: Severity,
    pub message: Text,
    pub place: Place,
    /// What stays the same when lines move: the identity of the result.
    pub subject: Text,
    /// What it is about, where that is no place in a file.
    pub logical: Option<Text>,
    /// How it stands to an earlier run: `new`, `unchanged` or `updated`.
    pub baseline: Option<&'static str>,
    /// Who accepts it and why: it is suppressed then.
    pub accepted: Option<Text>,
}

/// Where a result is; lines count from 1, 0 is the whole file.
#[derive(Clone, Debug)]
pub struct Place {
    pub file: Text,
    pub line: usize,
}

/// Something that was not read.
#[derive(Clone, Debug)]
pub struct Problem {
    pub message: Text,
    pub place: Place,
}

/// Writes one document with one run.
///
/// # Errors
/// As writing does.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "stakeout",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": run.rules.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": run.problems.is_empty(),
                "toolExecutionNotifications": run.problems.iter().map(problem).collect::<Vec<_>>(),
            }],
            "results": run.results.iter().map(|found| result(run, found)).collect::<Vec<_>>(),
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.help},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {"tags": ["security"], "security-severity": score(rule.severity)},
    })
}

fn result(run: &Run, found: &Found) -> Value {
    let mut location = location(&found.place);
    if let (Some(name), Some(place)) = (&found.logical, location.as_object_mut()) {
        let logical = json!([{"fullyQualifiedName": name}]);
        place.insert("logicalLocations".into(), logical);
    }
    let mut result = json!({
        "ruleId": found.rule,
        "ruleIndex": run.rules.iter().position(|rule| rule.id == found.rule),
        "level": level(found.severity),
        "message": {"text": unlinked(&found.message)},
        "locations": [location],
        "partialFingerprints": {
            "stakeout/v1": format!("{}:{}:{}", found.rule, found.place.file, found.subject),
        },
    });
    if let Some(state) = found.baseline {
        result["baselineState"] = json!(state);
    }
    if let Some(why) = &found.accepted {
        let accepted = json!({"kind": "external", "status": "accepted", "justification": why});
        result["suppressions"] = json!([accepted]);
    }
    result
}

fn problem(problem: &Problem) -> Value {
    json!({
        "level": "error",
        "message": {"text": unlinked(&problem.message)},
        "locations": [location(&problem.place)],
    })
}

fn location(place: &Place) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": uri(place.file.as_str())}});
    if place.line > 0 {
        physical["region"] = json!({"startLine": place.line});
    }
    json!({"physicalLocation": physical})
}

/// `[text](target)` is a link in a message (3.11.6): text of a node is none.
fn unlinked(message: &Text) -> String {
    message.as_str().replace("](", "] (")
}

/// A path as a relative reference or a file URI (RFC 3986): all that is not plain is escaped.
fn uri(path: &str) -> String {
    let mut out = String::new();
    if path.starts_with('/') {
        out.push_str("file://");
    }
    // Of a relative reference no first part may look like a scheme.
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The scale by which code hosts sort: the middle of each CVSS band.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("a b/ü#.yaml"), "a%20b/%C3%BC%23.yaml");
        assert_eq!(uri("./a:b"), "a%3Ab");
        assert_eq!(uri("/etc/x%"), "file:///etc/x%25");
    }

    #[test]
    fn results_refer_to_rules() {
        let place = Place {
            file: Text::new("a.yaml"),
            line: 3,
        };
        let run = Run {
            rules: vec![Rule {
                id: "privileged",
                title: "t".into(),
                help: "h".into(),
                severity: Severity::High,
            }],
            results: vec![Found {
                rule: "privileged",
                severity: Severity::High,
                message: Text::new("m"),
                place: place.clone(),
                subject: Text::new("x/a"),
                logical: Some(Text::new("n/x/a")),
                baseline: Some("new"),
                accepted: Some(Text::new("ops: known")),
            }],
            problems: vec![Problem {
                message: Text::new("not read"),
                place,
            }],
        };
        let mut out = Vec::new();
        write(&run, &mut out).expect("memory");
        let read: Value = serde_json::from_slice(&out).expect("JSON");
        let run = &read["runs"][0];
        assert_eq!(run["results"][0]["ruleIndex"], 0);
        assert_eq!(run["results"][0]["level"], "error");
        let region = &run["results"][0]["locations"][0]["physicalLocation"]["region"];
        assert_eq!(region["startLine"], 3);
        let logical = &run["results"][0]["locations"][0]["logicalLocations"][0];
        assert_eq!(logical["fullyQualifiedName"], "n/x/a");
        assert_eq!(run["results"][0]["baselineState"], "new");
        assert_eq!(run["results"][0]["suppressions"][0]["kind"], "external");
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    }
}
