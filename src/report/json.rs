//! The machine-readable report: one object per offence, and one per check and node that did not fail.

use std::io::{self, Write};

use serde::Serialize;

use super::diff::{self, Since};
use super::{Row, Selection, Totals, fix_of, offences, sources};
use crate::checks::fix::{Filled, Line};
use crate::engine::{Finding, Judged};
use crate::model::fact::{Fact, Gap, Source};
use crate::model::link::HostState;
use crate::model::name::NodeName;
use crate::model::node::WayIn;
use crate::model::policy::Waiver;
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Evidence, Severity, Subject, Verdict};

/// Rises only when the meaning of a field changes; fields are only ever added.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    program: &'static str,
    taken: String,
    cluster: Cluster<'a>,
    nodes: Vec<Node<'a>>,
    totals: Counts,
    findings: Vec<Object<'a>>,
    /// What changed since the baseline, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<diff::Document<'a>>,
}

#[derive(Serialize)]
struct Cluster<'a> {
    context: &'a Text,
    uid: Option<&'a Text>,
    version: Option<&'a Text>,
}

#[derive(Serialize)]
struct Node<'a> {
    name: &'a NodeName,
    collect: &'static str,
    /// As whom the collector ran, and by which right.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    way: Option<WayIn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Text>,
}

#[derive(Serialize)]
struct Counts {
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
    info: usize,
    accepted: usize,
    unknown: usize,
    pass: usize,
    not_applicable: usize,
}

#[derive(Serialize)]
struct Object<'a> {
    check: &'static str,
    title: &'static str,
    node: Option<&'a NodeName>,
    subject: Option<&'a Subject>,
    verdict: &'static str,
    severity: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'a Waiver>,
    message: String,
    evidence: Vec<Source>,
    #[serde(skip_serializing_if = "<[Comparison]>::is_empty")]
    compare: &'a [Comparison],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<Cause>,
    maps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Fix>,
}

#[derive(Serialize)]
struct Cause {
    gap: Gap,
    message: String,
    next: Text,
}

#[derive(Serialize)]
struct Fix {
    steps: Vec<Step>,
    restarts: &'static str,
    verify: Text,
    undo: Vec<Step>,
    /// Lines to merge into the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<Text>,
}

#[derive(Serialize)]
struct Step {
    place: &'static str,
    text: Text,
    copyable: bool,
}

/// Writes the report as one JSON document.
///
/// # Errors
/// As writing does.
pub fn write(
    judged: &Judged,
    selection: &Selection,
    since: Option<&Since>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let snapshot = &judged.snapshot;
    let mut findings: Vec<Object<'_>> = offences(judged, selection)
        .iter()
        .map(|row| failed(judged, row))
        .collect();
    findings.extend(
        judged
            .findings()
            .filter(|finding| selection.wants(finding))
            .filter_map(|f| other(judged, &f)),
    );
    let report = Report {
        schema: SCHEMA,
        program: concat!("stakeout ", env!("CARGO_PKG_VERSION")),
        taken: snapshot.taken.to_string(),
        cluster: Cluster {
            context: &snapshot.cluster.context,
            uid: seen(&snapshot.cluster.uid),
            version: seen(&snapshot.cluster.version),
        },
        nodes: snapshot
            .nodes
            .keys()
            .filter(|name| selection.wants_node(Some(name)))
            .map(|name| node(judged, name))
            .collect(),
        totals: counts(&Totals::of(judged, selection)),
        findings,
        baseline: since.map(diff::document),
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    out.write_all(b"\n")
}

fn seen<T>(fact: &Fact<T>) -> Option<&T> {
    match fact {
        Fact::Seen(seen) => Some(&seen.value),
        Fact::Gap(_) => None,
    }
}

fn node<'a>(judged: &'a Judged, name: &'a NodeName) -> Node<'a> {
    let (collect, gap) = match judged.hosts.get(name) {
        None => ("recorded", None),
        Some(HostState::Ok) => ("ok", None),
        Some(HostState::Queued | HostState::Connecting | HostState::Collecting { .. }) => {
            ("cut", None)
        }
        Some(HostState::Stale(gap)) => ("stale", Some(gap)),
        Some(HostState::Failed(gap)) => ("failed", Some(gap)),
        Some(HostState::ApiOnly(gap)) => ("api-only", Some(gap)),
    };
    let facts = judged.snapshot.nodes.get(name);
    let identity = facts.and_then(|facts| seen(&facts.host.identity));
    Node {
        name,
        collect,
        uid: identity.map(|identity| identity.uid),
        way: identity.map(|identity| identity.way),
        cause: gap.map(ToString::to_string),
        next: gap.map(|gap| gap.next_step_on(Some(name))),
    }
}

fn counts(totals: &Totals) -> Counts {
    let [critical, high, medium, low, info] = totals.offences;
    Counts {
        critical,
        high,
        medium,
        low,
        info,
        accepted: totals.accepted,
        unknown: totals.unknown,
        pass: totals.passed,
        not_applicable: totals.not_applicable,
    }
}

fn failed<'a>(judged: &'a Judged, row: &Row<'a>) -> Object<'a> {
    let gaps = match row.finding.verdict {
        Verdict::Fail { gaps, .. } => gaps
            .iter()
            .map(|gap| cause(gap, row.finding.node))
            .collect(),
        _ => Vec::new(),
    };
    Object {
        subject: Some(&row.offence.subject),
        severity: Some(row.offence.severity),
        accepted: row.offence.waived.as_deref(),
        message: row.offence.message.to_string(),
        evidence: sources(judged, row.finding.node, &row.offence.evidence),
        compare: &row.offence.compare,
        gaps,
        fix: Some(fix(fix_of(judged, row))),
        ..plain(&row.finding)
    }
}

/// The object of a verdict that is no fail.
fn other<'a>(judged: &'a Judged, finding: &Finding<'a>) -> Option<Object<'a>> {
    let evidence = |evidence: &Evidence| sources(judged, finding.node, evidence);
    Some(match finding.verdict {
        Verdict::Fail { .. } => return None,
        Verdict::Pass {
            evidence: seen,
            note,
        } => Object {
            message: note.as_ref().map(ToString::to_string).unwrap_or_default(),
            evidence: evidence(seen),
            ..plain(finding)
        },
        Verdict::NotApplicable {
            evidence: seen,
            why,
        } => Object {
            message: why.to_string(),
            evidence: evidence(seen),
            ..plain(finding)
        },
        Verdict::Unknown { why } => Object {
            message: why.to_string(),
            gaps: vec![cause(why, finding.node)],
            ..plain(finding)
        },
    })
}

fn plain<'a>(finding: &Finding<'a>) -> Object<'a> {
    Object {
        check: finding.check.id.0,
        title: finding.check.title,
        node: finding.node,
        subject: None,
        verdict: match finding.verdict {
            Verdict::Pass { .. } => "pass",
            Verdict::Fail { .. } => "fail",
            Verdict::Unknown { .. } => "unknown",
            Verdict::NotApplicable { .. } => "not_applicable",
        },
        severity: None,
        accepted: None,
        message: String::new(),
        evidence: Vec::new(),
        compare: &[],
        gaps: Vec::new(),
        maps: finding.check.maps.iter().map(ToString::to_string).collect(),
        fix: None,
    }
}

fn cause(gap: &Gap, node: Option<&NodeName>) -> Cause {
    Cause {
        gap: gap.clone(),
        message: gap.to_string(),
        next: gap.next_step_on(node),
    }
}

fn fix(filled: Filled) -> Fix {
    let step = |line: Line| Step {
        place: line.place.name(),
        text: line.text,
        copyable: line.copyable,
    };
    Fix {
        steps: filled.steps.into_iter().map(step).collect(),
        restarts: filled.restarts,
        verify: filled.verify.text,
        undo: filled.undo.into_iter().map(step).collect(),
        patch: filled.patch.map(|line| line.text),
    }
}
