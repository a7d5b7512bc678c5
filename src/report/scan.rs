//! A scan in the formats of others: SARIF for code hosts, JUnit XML for continuous integration.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::diff::Since;
use super::junit::{self, Case, Outcome, Suite};
use super::sarif::{self, Found, Place, Problem, Rule, Run};
use super::{Row, Selection, gaps, offences};
use crate::checks::check::Check;
use crate::diff::Kind;
use crate::engine::{Finding, Judged};
use crate::model::fact::Gap;
use crate::model::name::NodeName;
use crate::model::text::Text;
use crate::model::verdict::{Offence, SubjectKind, Verdict};

/// Writes one SARIF document: a rule for each check that fails, a result for each offence, a notification for each
/// gap. An accepted offence is a suppressed result.
///
/// # Errors
/// As writing does.
pub fn sarif(
    judged: &Judged,
    selection: &Selection,
    since: Option<&Since>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut run = Run::default();
    let mut checks: BTreeMap<&'static str, &'static Check> = BTreeMap::new();
    for row in offences(judged, selection) {
        let check = row.finding.check;
        checks.insert(check.id.0, check);
        run.results.push(found(&row, since));
    }
    run.rules = checks.values().map(|check| Rule::from(*check)).collect();
    for (gap, costs) in gaps(judged, selection) {
        if matches!(gap, Gap::NeedsHuman { .. }) {
            continue;
        }
        let mut nodes: BTreeMap<Option<&NodeName>, Vec<&str>> = BTreeMap::new();
        for (id, node) in costs {
            nodes.entry(node).or_default().push(id.0);
        }
        for (node, ids) in nodes {
            let (next, ids) = (gap.next_step_on(node), ids.join(", "));
            run.problems.push(Problem {
                message: Text::from(format!("{gap}; it costs {ids}; next: {next}")),
                place: place(node, None),
            });
        }
    }
    sarif::write(&run, out)
}

fn found(row: &Row<'_>, since: Option<&Since>) -> Found {
    let (check, node, offence) = (row.finding.check, row.finding.node, row.offence);
    let path = (offence.subject.kind == SubjectKind::Path).then_some(&offence.subject.key);
    let name = node.map_or("cluster", NodeName::as_str);
    Found {
        rule: check.id.0,
        severity: offence.severity,
        message: Text::from(format!("{name}: {}: {}", offence.subject, offence.message)),
        place: place(node, path),
        subject: offence.subject.key.clone(),
        logical: Some(Text::from(format!("{name}/{}", offence.subject))),
        baseline: since.and_then(|since| baseline(since, row)),
        accepted: offence
            .waived
            .as_ref()
            .map(|waiver| Text::from(format!("{}: {}", waiver.owner, waiver.reason))),
    }
}

/// SARIF has no word for what cannot be compared: it stays without one.
fn baseline(since: &Since, row: &Row<'_>) -> Option<&'static str> {
    let (check, node) = (row.finding.check.id, row.finding.node);
    match since.diff.of(check, node, &row.offence.subject) {
        None => Some("unchanged"),
        Some(change) => match change.kind {
            Kind::New => Some("new"),
            Kind::Changed => Some("updated"),
            Kind::Fixed | Kind::Incomparable => None,
        },
    }
}

/// Files of nodes lie below the name of their node.
fn place(node: Option<&NodeName>, path: Option<&Text>) -> Place {
    let name = node.map_or("cluster", NodeName::as_str);
    let path = path.map_or("", |path| path.as_str());
    let between = if path.is_empty() || path.starts_with('/') {
        ""
    } else {
        "/"
    };
    Place {
        file: Text::from(format!("{name}{between}{path}")),
        line: 0,
    }
}

/// Writes one JUnit document: a suite for the cluster and for each node, a case for each check. A case fails where
/// `fatal` says so of an offence; what is not known is an error.
///
/// # Errors
/// As writing does.
pub fn junit(
    judged: &Judged,
    selection: &Selection,
    fatal: &dyn Fn(&Finding<'_>, &Offence) -> bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut suites: Vec<Suite> = Vec::new();
    for finding in judged.findings().filter(|it| selection.wants(it)) {
        let name = finding.node.map_or("cluster", NodeName::as_str);
        junit::add(&mut suites, name, case(&finding, fatal));
    }
    junit::write(&suites, out)
}

fn case(finding: &Finding<'_>, fatal: &dyn Fn(&Finding<'_>, &Offence) -> bool) -> Case {
    let line = |offence: &Offence| {
        let accepted = match &offence.waived {
            Some(waiver) => format!(" (accepted by {}: {})", waiver.owner, waiver.reason),
            None => String::new(),
        };
        let (severity, message) = (offence.severity, &offence.message);
        format!("{severity}: {}: {message}{accepted}", offence.subject)
    };
    let mut notes = Vec::new();
    let outcome = match finding.verdict {
        Verdict::Pass { note, .. } => {
            notes.extend(note.as_ref().map(ToString::to_string));
            Outcome::Passed
        }
        Verdict::NotApplicable { why, .. } => Outcome::Skipped(why.to_string()),
        Verdict::Unknown {
            why: why @ Gap::NeedsHuman { .. },
        } => Outcome::Skipped(why.to_string()),
        Verdict::Unknown { why } => Outcome::Error(why.with_next(finding.node)),
        Verdict::Fail { offences, gaps } => {
            let (bad, remarks): (Vec<&Offence>, Vec<&Offence>) =
                offences.iter().partition(|offence| fatal(finding, offence));
            notes.extend(remarks.into_iter().map(line));
            let open = gaps.iter().map(|gap| gap.with_next(finding.node));
            let gap = gaps.first().map(|gap| gap.with_next(finding.node));
            if let Some(first) = bad.first() {
                notes.extend(open);
                let lines: Vec<String> = bad.iter().map(|offence| line(offence)).collect();
                Outcome::Failed(first.message.to_string(), lines.join("\n"))
            } else {
                gap.map_or(Outcome::Passed, Outcome::Error)
            }
        }
    };
    Case {
        name: format!("{} {}", finding.check.id, finding.check.title),
        outcome,
        notes,
    }
}
