//! For a person at a terminal: what is wrong, file by file, and a line that counts.

use std::io::{self, Write};

use super::{Totals, judged};
use crate::checks::standard::Standard;
use crate::lint::{Entry, Judgement, What};
use crate::model::verdict::Severity;

/// Writes everything that is not as it should be, then the totals.
///
/// # Errors
/// As writing does.
pub fn text(entries: &[Entry], standard: Standard, out: &mut dyn Write) -> io::Result<()> {
    for entry in entries {
        match &entry.what {
            What::Unreadable(why) => {
                writeln!(
                    out,
                    "{}:{}: cannot be judged: {why}",
                    entry.file, entry.line
                )?;
            }
            What::Skipped(_) => {}
            What::Judged(judgement) => {
                if !judgement.allowed() || !judgement.findings.is_empty() {
                    pod(entry, judgement, out)?;
                }
            }
        }
    }
    totals(entries, standard, out)
}

fn pod(entry: &Entry, judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    let Judgement {
        kind,
        pod,
        standard,
        ..
    } = judgement;
    let not = if judgement.allowed() { "" } else { "not " };
    writeln!(
        out,
        "{}:{}: {kind} {pod} is {not}allowed at {standard}",
        entry.file, entry.line
    )?;
    for violation in &judgement.violations {
        writeln!(out, "  {}: {}", violation.id, violation.message)?;
        for (field, line) in &violation.fields {
            writeln!(out, "    line {line:<5} {field}")?;
        }
    }
    for finding in &judgement.findings {
        let (severity, id) = (finding.severity, finding.check.id);
        let (line, message) = (finding.line, &finding.message);
        writeln!(out, "  {id} {severity}: {message} (line {line})")?;
    }
    writeln!(out)
}

fn totals(entries: &[Entry], standard: Standard, out: &mut dyn Write) -> io::Result<()> {
    let totals = Totals::of(entries);
    let pods = entries.iter().filter_map(judged).count();
    let (allowed, not_allowed) = (totals.allowed, totals.not_allowed);
    let word = if pods == 1 { "pod" } else { "pods" };
    write!(
        out,
        "{pods} {word}: {allowed} allowed, {not_allowed} not allowed at {standard}"
    )?;
    let found: Vec<String> = totals
        .findings
        .iter()
        .zip(Severity::ALL)
        .filter(|(count, _)| **count > 0)
        .map(|(count, severity)| format!("{count} {severity}"))
        .collect();
    if !found.is_empty() {
        write!(out, "; findings of checks: {}", found.join(", "))?;
    }
    if totals.unreadable > 0 {
        write!(out, "; {} could not be judged", totals.unreadable)?;
    }
    if totals.skipped > 0 {
        write!(out, "; {} without a pod", totals.skipped)?;
    }
    writeln!(out)
}
