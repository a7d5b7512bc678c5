//! For programs: JSON lines, SARIF, JUnit.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::judged;
use crate::checks::check::Check;
use crate::checks::standard::{CONTROLS, Level, Standard};
use crate::lint::{Entry, Finding, Judgement, Violated, What};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject};
use crate::report::junit::{self, Case, Outcome, Suite};
use crate::report::sarif::{self, Found, Place, Problem, Rule, Run};

/// A line of JSON: one pod, or one thing that should have been one.
#[derive(Serialize)]
struct Object<'a> {
    file: &'a Text,
    pod: Option<&'a Text>,
    level: &'static str,
    version: String,
    allowed: bool,
    violations: Vec<Violation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a Text>,
    line: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<CheckFinding<'a>>,
    /// Why it could not be judged; then it is not allowed either.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Text>,
}

#[derive(Serialize)]
struct Violation<'a> {
    id: &'static str,
    message: &'a Text,
    containers: &'a [Text],
    fields: Vec<&'a Text>,
}

#[derive(Serialize)]
struct CheckFinding<'a> {
    check: &'static str,
    severity: Severity,
    subject: &'a Subject,
    message: &'a Text,
    line: usize,
}

/// Writes one object a line: every pod, and whatever could not be judged.
///
/// # Errors
/// As writing does.
pub fn json(entries: &[Entry], standard: Standard, out: &mut dyn Write) -> io::Result<()> {
    for entry in entries {
        let (judgement, error) = match &entry.what {
            What::Judged(judgement) => (Some(judgement), None),
            What::Unreadable(why) => (None, Some(why)),
            What::Skipped(_) => continue,
        };
        let violations = judgement.map_or(&[][..], |judgement| &judgement.violations);
        let findings = judgement.map_or(&[][..], |judgement| &judgement.findings);
        let object = Object {
            file: &entry.file,
            pod: judgement.map(|judgement| &judgement.pod),
            level: standard.level.name(),
            version: standard.version.to_string(),
            allowed: judgement.is_some_and(Judgement::allowed),
            violations: violations.iter().map(violation).collect(),
            kind: judgement.map(|judgement| &judgement.kind),
            line: entry.line,
            findings: findings.iter().map(finding).collect(),
            error,
        };
        serde_json::to_writer(&mut *out, &object)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn violation(violated: &Violated) -> Violation<'_> {
    Violation {
        id: violated.id,
        message: &violated.message,
        containers: &violated.containers,
        fields: violated.fields.iter().map(|(field, _)| field).collect(),
    }
}

fn finding(finding: &Finding) -> CheckFinding<'_> {
    CheckFinding {
        check: finding.check.id.0,
        severity: finding.severity,
        subject: &finding.subject,
        message: &finding.message,
        line: finding.line,
    }
}

/// Writes one SARIF document: a rule for each control and check that is broken.
///
/// # Errors
/// As writing does.
pub fn sarif(entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    let mut run = Run::default();
    let mut checks: BTreeMap<&'static str, &'static Check> = BTreeMap::new();
    for entry in entries {
        let place = |line| Place {
            file: entry.file.clone(),
            line,
        };
        if let What::Unreadable(why) = &entry.what {
            run.problems.push(Problem {
                message: why.clone(),
                place: place(entry.line),
            });
        }
        let Some(judgement) = judged(entry) else {
            continue;
        };
        for violation in &judgement.violations {
            let line = violation
                .fields
                .first()
                .map_or(entry.line, |(_, line)| *line);
            run.results.push(Found {
                rule: violation.id,
                severity: severity(violation.id),
                message: said(judgement, violation),
                place: place(line),
                subject: judgement.pod.clone(),
                logical: None,
                baseline: None,
                accepted: None,
            });
        }
        for finding in &judgement.findings {
            checks.insert(finding.check.id.0, finding.check);
            run.results.push(Found {
                rule: finding.check.id.0,
                severity: finding.severity,
                message: finding.message.clone(),
                place: place(finding.line),
                subject: finding.subject.key.clone(),
                logical: None,
                baseline: None,
                accepted: None,
            });
        }
    }
    let is_broken = |id: &str| run.results.iter().any(|found| found.rule == id);
    let controls = CONTROLS.iter().filter(|control| is_broken(control.id));
    let mut rules: Vec<Rule> = controls
        .map(|control| control_rule(control.id, control.level))
        .collect();
    rules.extend(checks.values().map(|check| Rule::from(*check)));
    run.rules = rules;
    sarif::write(&run, out)
}

fn said(judgement: &Judgement, violation: &Violated) -> Text {
    let Judgement {
        kind,
        pod,
        standard,
        ..
    } = judgement;
    Text::from(format!(
        "{kind} {pod} violates {standard}: {}",
        violation.message
    ))
}

/// What baseline forbids reaches the node; what restricted adds is hardening.
fn severity(control: &str) -> Severity {
    let of_restricted = CONTROLS
        .iter()
        .any(|known| known.id == control && known.level == Level::Restricted);
    if of_restricted {
        Severity::Medium
    } else {
        Severity::High
    }
}

fn control_rule(id: &'static str, level: Level) -> Rule {
    Rule {
        id,
        title: format!("Pod Security Standards, {level}: {id}"),
        help: format!(
            "The control {id} of the {level} level of the Pod Security Standards: https://kubernetes.io/docs/concepts/security/pod-security-standards/"
        ),
        severity: severity(id),
    }
}

/// Writes one JUnit document: a suite a file, a case a pod. A case fails where the standard does not allow the
/// pod, or where a check fails at least as badly as `fail_on`.
///
/// # Errors
/// As writing does.
pub fn junit(entries: &[Entry], fail_on: Option<Severity>, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: Vec<Suite> = Vec::new();
    for entry in entries {
        junit::add(&mut suites, entry.file.as_str(), case(entry, fail_on));
    }
    junit::write(&suites, out)
}

fn case(entry: &Entry, fail_on: Option<Severity>) -> Case {
    let plain = |name: String, outcome| Case {
        name,
        outcome,
        notes: Vec::new(),
    };
    let judgement = match &entry.what {
        What::Unreadable(why) => {
            let name = format!("line {}", entry.line);
            return plain(name, Outcome::Error(why.to_string()));
        }
        What::Skipped(what) => {
            return plain(
                what.to_string(),
                Outcome::Skipped("holds no pod".to_owned()),
            );
        }
        What::Judged(judgement) => judgement,
    };
    let at_fault = |finding: &&Finding| fail_on.is_some_and(|least| finding.severity >= least);
    let (fatal, remarks): (Vec<&Finding>, Vec<&Finding>) =
        judgement.findings.iter().partition(at_fault);
    let Judgement {
        kind,
        pod,
        standard,
        ..
    } = judgement;
    Case {
        outcome: outcome(entry, judgement, &fatal),
        notes: remarks
            .iter()
            .map(|finding| remark(entry, finding))
            .collect(),
        ..plain(format!("{kind} {pod} at {standard}"), Outcome::Passed)
    }
}

fn outcome(entry: &Entry, judgement: &Judgement, fatal: &[&Finding]) -> Outcome {
    let mut lines: Vec<String> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    for violation in &judgement.violations {
        let place = violation
            .fields
            .first()
            .map_or(entry.line, |(_, line)| *line);
        lines.push(format!(
            "{}:{place}: {}: {}",
            entry.file, violation.id, violation.message
        ));
        ids.push(violation.id);
    }
    lines.extend(fatal.iter().map(|finding| remark(entry, finding)));
    if lines.is_empty() {
        return Outcome::Passed;
    }
    let message = if ids.is_empty() {
        format!("{} findings of checks", fatal.len())
    } else {
        format!("violates {}: {}", judgement.standard, ids.join(", "))
    };
    Outcome::Failed(message, lines.join("\n"))
}

fn remark(entry: &Entry, finding: &Finding) -> String {
    let (file, line) = (&entry.file, finding.line);
    let (id, severity, message) = (finding.check.id, finding.severity, &finding.message);
    format!("{file}:{line}: {id} {severity}: {message}")
}
