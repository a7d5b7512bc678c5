//! What kubeadm's defaults deserve, row by row, and whether a report shows that and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use stakeout::model::fact::Side;

use super::scan::{Finding, Report};

/// More than this is no longer read by anyone.
const MOST: usize = 40;

/// Findings that are deserved for one reason, as `expected.yaml` has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    check: String,
    severity: String,
    sides: BTreeSet<Side>,
    /// Node to subjects; `-` is the cluster as a whole.
    at: BTreeMap<String, Vec<String>>,
    source: String,
    #[serde(default)]
    unless: Option<Unless>,
}

/// A finding by its identity, with what has to be true of it.
#[derive(Clone, Debug)]
pub struct Row {
    pub check: String,
    pub node: Option<String>,
    pub subject: String,
    pub severity: String,
    pub sides: BTreeSet<Side>,
    /// CIS id, or who else asks for it.
    pub source: String,
}

/// What the nodes have from the machine that they run on.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Unless {
    /// Its kernel enforces AppArmor or SELinux.
    Confined,
}

impl Unless {
    fn holds(self) -> bool {
        let says = |path: &str, word: &str| {
            std::fs::read_to_string(path).is_ok_and(|text| text.trim() == word)
        };
        match self {
            Self::Confined => {
                says("/sys/module/apparmor/parameters/enabled", "Y")
                    || says("/sys/fs/selinux/enforce", "1")
            }
        }
    }
}

impl Row {
    pub fn is(&self, finding: &Finding) -> bool {
        finding.failed()
            && self.check == finding.check
            && self.node == finding.node
            && finding.subject.as_ref() == Some(&self.subject)
    }

    /// What a finding lacks of what the row says.
    pub fn lacks(&self, finding: &Finding) -> Option<String> {
        if finding.severity.as_ref() != Some(&self.severity) {
            return Some(format!("{finding}\n  but the row says {}", self.severity));
        }
        if !self.sides.is_subset(&finding.sides) {
            let seen = &finding.sides;
            return Some(format!("{finding}\n  its evidence is from {seen:?} only"));
        }
        None
    }
}

/// The rows of `expected.yaml`, one for each finding.
pub fn rows() -> Result<Vec<Row>, String> {
    let text = include_str!("../../cluster/expected.yaml");
    let mut written: Vec<Written> =
        serde_yaml::from_str(text).map_err(|error| format!("expected.yaml: {error}"))?;
    if written.len() > MOST {
        return Err(format!(
            "expected.yaml: {} rows, at most {MOST}",
            written.len()
        ));
    }
    // What of this machine takes a row away.
    written.retain(|row| !row.unless.is_some_and(Unless::holds));
    Ok(written.into_iter().flat_map(Written::rows).collect())
}

impl Written {
    fn rows(self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (node, subjects) in &self.at {
            rows.extend(subjects.iter().map(|subject| Row {
                check: self.check.clone(),
                node: (node != "-").then(|| node.clone()),
                subject: subject.clone(),
                severity: self.severity.clone(),
                sides: self.sides.clone(),
                source: self.source.clone(),
            }));
        }
        rows
    }
}

/// What stands between a report and the rows: rows without a finding, findings without a row, and whatever is not known.
pub fn strange(report: &Report, rows: &[Row]) -> Vec<String> {
    let missing = rows
        .iter()
        .filter(|row| !report.rows.iter().any(|finding| row.is(finding)))
        .map(|row| {
            let Row {
                check,
                node,
                subject,
                ..
            } = row;
            format!(
                "{check} {} {subject}: not found",
                node.as_deref().unwrap_or("-")
            )
        });
    let found = report
        .rows
        .iter()
        .filter(|finding| !finding.is_of_age())
        .filter_map(|finding| {
            let row = rows.iter().find(|row| row.is(finding));
            match row {
                Some(row) => row.lacks(finding),
                None if finding.failed() || finding.is_open() => Some(finding.to_string()),
                None => None,
            }
            .or_else(|| finding.is_open().then(|| finding.to_string()))
        });
    missing.chain(found).collect()
}
