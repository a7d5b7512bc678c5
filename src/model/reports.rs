//! What other scanners have said of nodes and images, in the one shape that their reports have in common.
//!
//! Lives here: plain, bounded data. Never lives here: reading a report, joining it to a node, an opinion about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::text::Text;
use super::verdict::Severity;

/// A report, as far as it was whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannerReport {
    pub scanner: Scanner,
    /// Of the scanner, or of the benchmark that it went by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Text>,
    /// When it was made by its own word, UTC; several runs in one file: the oldest. None: the format does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Timestamp>,
    pub subjects: Vec<Subject>,
    /// Entries that were there and are not in `subjects`: not whole, or beyond [`ScannerReport::MOST`].
    #[serde(default)]
    pub left_out: u32,
    /// Why there may have been more: what was expected, what was found, and where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Text>,
}

impl ScannerReport {
    /// Bound of the findings of a report.
    pub const MOST: usize = 50_000;
    /// Bound of the subjects of a report.
    pub const MOST_SUBJECTS: usize = 10_000;

    pub fn new(scanner: Scanner) -> Self {
        Self {
            scanner,
            version: None,
            made: None,
            subjects: Vec::new(),
            left_out: 0,
            cut: None,
        }
    }

    /// Whether silence in it means something: nothing was cut, nothing left out.
    pub fn is_whole(&self) -> bool {
        self.cut.is_none() && self.left_out == 0
    }

    /// Findings over all subjects.
    pub fn findings(&self) -> impl Iterator<Item = &ReportFinding> {
        self.subjects.iter().flat_map(|subject| &subject.findings)
    }
}

/// Who made a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scanner {
    KubeBench,
    KubeHunter,
    /// Trivy on one image or other artifact.
    Trivy,
    /// Trivy on a cluster.
    TrivyK8s,
    Clair,
    /// Written by a later version.
    #[serde(other)]
    Later,
}

impl fmt::Display for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::KubeBench => "kube-bench",
            Self::KubeHunter => "kube-hunter",
            Self::Trivy => "Trivy",
            Self::TrivyK8s => "Trivy k8s",
            Self::Clair => "Clair",
            Self::Later => "a scanner of a later version",
        })
    }
}

/// What a part of a report is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// As the scanner calls it.
    pub name: Text,
    /// Name or address of a node. kube-bench never says which: whoever imports its report does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// What was looked for. Without findings of a kind that is not named here, nothing is known.
    #[serde(default)]
    pub looked: Vec<Kind>,
    pub findings: Vec<ReportFinding>,
}

/// An object of the cluster, as a scanner names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Empty for what has none.
    pub namespace: Text,
    pub kind: Text,
    pub name: Text,
}

/// An image by all that a report says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// As it was asked for, and its tags.
    #[serde(default)]
    pub names: Vec<Text>,
    /// Of manifests, `sha256:` and 64 hex digits: what a container's imageID holds behind its `@`.
    #[serde(default)]
    pub digests: Vec<Text>,
    /// Of the configuration: what an imageID without `@` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
}

/// What can be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Known vulnerabilities of packages.
    Vulnerability,
    /// Rules of a benchmark or of a set of checks.
    Rule,
    /// Secrets in files; only that there is one, never what it is.
    Secret,
    /// What was reached from outside.
    Exposure,
    /// Written by a later version.
    #[serde(other)]
    Later,
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFinding {
    pub kind: Kind,
    /// CVE, id of a benchmark, or the scanner's own.
    pub id: Text,
    /// None: the format has none, or the scanner does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    pub status: Status,
    pub title: Text,
    /// Package and version that is affected; empty where it is none.
    #[serde(default)]
    pub package: Text,
    /// The version that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Text>,
}

/// What a scanner came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Fail,
    Pass,
    /// To be judged by a person, or could not be run, or a word that no known version writes.
    Unknown,
    /// Only told.
    Info,
    /// Known, and taken out by the scanner's own configuration.
    Excepted,
    /// Written by a later version.
    #[serde(other)]
    Later,
}
