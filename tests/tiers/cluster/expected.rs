//! What kubeadm's defaults deserve, row by row, and whether a report shows that and nothing else.

use std::collections::BTreeSet;

use serde::Deserialize;
use stakeout::model::fact::Side;

use super::scan::{Finding, Report};

/// More than this is no longer read by anyone.
pub const MOST: usize = 80;

/// A finding by its identity, with what has to be true of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub check: String,
    #[serde(default)]
    pub node: Option<String>,
    pub subject: String,
    pub severity: String,
    pub sides: BTreeSet<Side>,
    /// CIS id, or who else asks for it.
    pub source: String,
    /// What of this machine takes the row away.
    #[serde(default)]
    pub unless: Option<Unless>,
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

/// The rows of `expected.yaml`.
pub fn rows() -> Result<Vec<Row>, String> {
    let text = include_str!("../../cluster/expected.yaml");
    let mut rows: Vec<Row> =
        serde_yaml::from_str(text).map_err(|error| format!("expected.yaml: {error}"))?;
    rows.retain(|row| !row.unless.is_some_and(Unless::holds));
    Ok(rows)
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
