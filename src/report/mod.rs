//! One model, many writers. A writer never judges: it puts in order what the engine concluded.

pub mod diff;
pub mod json;
pub mod junit;
pub mod lint;
pub mod markdown;
pub mod sarif;
pub mod scan;
pub mod text;

use std::collections::BTreeMap;

use crate::checks::fix::{self, Filled};
use crate::engine::{Finding, Judged};
use crate::model::fact::{Gap, Source};
use crate::model::name::{CheckId, NodeName};
use crate::model::verdict::{Evidence, Offence, Severity, Verdict};

/// Which findings are wanted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// None: every check.
    pub checks: Option<Vec<CheckId>>,
    /// Empty: every node and the cluster; else these nodes and nothing else.
    pub nodes: Vec<NodeName>,
    /// Also what passed and what does not apply.
    pub all: bool,
}

impl Selection {
    /// Whether a finding is part of the report.
    pub fn wants(&self, finding: &Finding<'_>) -> bool {
        self.checks
            .as_ref()
            .is_none_or(|ids| ids.contains(&finding.check.id))
            && self.wants_node(finding.node)
    }

    /// With `--node`, findings about the cluster are left out.
    pub fn wants_node(&self, node: Option<&NodeName>) -> bool {
        self.nodes.is_empty() || node.is_some_and(|node| self.nodes.contains(node))
    }
}

/// How many of each; a waived offence is counted apart and never for the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Offences by severity, from critical to info.
    pub offences: [usize; 5],
    pub accepted: usize,
    pub unknown: usize,
    pub passed: usize,
    pub not_applicable: usize,
}

impl Totals {
    /// Counts the selected findings. A fail that also has gaps counts once as unknown too.
    pub fn of(judged: &Judged, selection: &Selection) -> Self {
        let mut totals = Self::default();
        for finding in judged.findings().filter(|finding| selection.wants(finding)) {
            match finding.verdict {
                Verdict::Pass { .. } => totals.passed += 1,
                Verdict::NotApplicable { .. } => totals.not_applicable += 1,
                Verdict::Unknown { .. } => totals.unknown += 1,
                Verdict::Fail { offences, gaps } => {
                    for offence in offences {
                        if offence.waived.is_some() {
                            totals.accepted += 1;
                        } else {
                            totals.offences[rank(offence.severity)] += 1;
                        }
                    }
                    totals.unknown += usize::from(!gaps.is_empty());
                }
            }
        }
        totals
    }

    /// Offences at or above a severity; info never counts.
    pub fn at_least(&self, severity: Severity) -> usize {
        self.offences
            .iter()
            .take(rank(severity.max(Severity::Low)) + 1)
            .sum()
    }
}

/// Position of a severity in [`Severity::ALL`].
fn rank(severity: Severity) -> usize {
    Severity::ALL
        .iter()
        .position(|other| *other == severity)
        .unwrap_or(Severity::ALL.len() - 1)
}

/// One offence with everything around it.
struct Row<'a> {
    finding: Finding<'a>,
    offence: &'a Offence,
}

/// All selected offences, worst first, then by check, node and subject; accepted ones last.
fn offences<'a>(judged: &'a Judged, selection: &Selection) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = judged
        .findings()
        .filter(|finding| selection.wants(finding))
        .flat_map(|finding| {
            finding
                .verdict
                .offences()
                .iter()
                .map(move |offence| Row { finding, offence })
        })
        .collect();
    rows.sort_by(|a, b| {
        let key = |row: &Row<'a>| (row.finding.check.id, row.finding.node, &row.offence.subject);
        let accepted = |row: &Row<'a>| row.offence.waived.is_some();
        accepted(a)
            .cmp(&accepted(b))
            .then_with(|| b.offence.severity.cmp(&a.offence.severity))
            .then_with(|| key(a).cmp(&key(b)))
    });
    rows
}

/// Gaps of the selected findings with the checks and nodes that they cost.
fn gaps<'a>(
    judged: &'a Judged,
    selection: &Selection,
) -> BTreeMap<&'a Gap, Vec<(CheckId, Option<&'a NodeName>)>> {
    let mut found: BTreeMap<&Gap, Vec<(CheckId, Option<&NodeName>)>> = BTreeMap::new();
    for finding in judged.findings().filter(|finding| selection.wants(finding)) {
        let list: &[Gap] = match finding.verdict {
            Verdict::Unknown { why } => std::slice::from_ref(why),
            Verdict::Fail { gaps, .. } => gaps,
            _ => &[],
        };
        for gap in list {
            found
                .entry(gap)
                .or_default()
                .push((finding.check.id, finding.node));
        }
    }
    found
}

fn sources(judged: &Judged, node: Option<&NodeName>, evidence: &Evidence) -> Vec<Source> {
    evidence
        .iter()
        .filter_map(|at| crate::evidence::source(&judged.snapshot, &judged.policy, node, at))
        .collect()
}

fn fix_of(judged: &Judged, row: &Row<'_>) -> Filled {
    let (check, subject) = (row.finding.check, &row.offence.subject);
    let patch = row
        .finding
        .node
        .and_then(|node| judged.patch(check, node, subject));
    fix::fill(check, row.finding.node, Some(subject)).with_patch(patch)
}
