//! Verdicts: what a check says of its facts, always with evidence or with a gap.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fact::{Gap, Locator};
use super::policy::Waiver;
use super::text::Text;

/// How bad an offence is; ordered, [`Severity::Critical`] is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// From the worst down.
    pub const ALL: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Info,
    ];

    /// The letter of the heat strip and of narrow columns.
    pub fn letter(self) -> char {
        match self {
            Self::Info => 'I',
            Self::Low => 'L',
            Self::Medium => 'M',
            Self::High => 'H',
            Self::Critical => 'C',
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

/// Evidence of a verdict, at least one locator for a verdict that claims knowledge.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Evidence(Vec<Locator>);

impl Evidence {
    pub fn iter(&self) -> impl Iterator<Item = Locator> + '_ {
        self.0.iter().copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Locator> for Evidence {
    /// Keeps the order, drops repeats.
    fn from_iter<I: IntoIterator<Item = Locator>>(items: I) -> Self {
        let mut out: Vec<Locator> = Vec::new();
        for item in items {
            if !out.contains(&item) {
                out.push(item);
            }
        }
        out.shrink_to_fit();
        Self(out)
    }
}

/// What a check says of one node, or of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    Pass {
        evidence: Evidence,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Text>,
    },
    /// What is proven outranks what is not known: the gaps stand beside the offences.
    Fail {
        offences: Vec<Offence>,
        gaps: Vec<Gap>,
    },
    Unknown {
        why: Gap,
    },
    /// The precondition is absent, and this is the evidence of its absence.
    NotApplicable {
        evidence: Evidence,
        why: Text,
    },
}

impl Verdict {
    /// The worst offence, where there is one.
    pub fn severity(&self) -> Option<Severity> {
        match self {
            Self::Fail { offences, .. } => offences.iter().map(|offence| offence.severity).max(),
            _ => None,
        }
    }

    /// The worst offence that nobody has accepted.
    pub fn open_severity(&self) -> Option<Severity> {
        let open = self.offences().iter().filter(|it| it.waived.is_none());
        open.map(|offence| offence.severity).max()
    }

    pub fn offences(&self) -> &[Offence] {
        match self {
            Self::Fail { offences, .. } => offences,
            _ => &[],
        }
    }

    /// `PASS`, `FAIL`, `UNKNOWN`, `MANUAL` or `N/A`.
    pub fn badge(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "PASS",
            Self::Fail { .. } => "FAIL",
            Self::Unknown {
                why: Gap::NeedsHuman { .. },
            } => "MANUAL",
            Self::Unknown { .. } => "UNKNOWN",
            Self::NotApplicable { .. } => "N/A",
        }
    }
}

/// One proven breach of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offence {
    pub subject: Subject,
    pub severity: Severity,
    /// The observed fact, lower case, one line.
    pub message: Text,
    pub evidence: Evidence,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compare: Vec<Comparison>,
    /// The waiver that accepts it, where one does: it stays visible and is counted apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Arc<Waiver>>,
}

/// What an offence is about: the stable part of its identity. Never a message, a time, a uid or an index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    pub kind: SubjectKind,
    pub key: Text,
}

/// The kind of thing that [`Subject::key`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A path on the node.
    Path,
    /// `namespace/pod`.
    Pod,
    /// `namespace/pod/container`.
    Container,
    /// A dotted configuration key or a flag.
    Setting,
    /// `address:port`.
    Port,
    Namespace,
    Node,
    /// `resource/namespace/name` as kubectl spells them; the namespace is empty for an object of the cluster.
    Object,
    #[serde(other)]
    Later,
}

impl Subject {
    pub fn new(kind: SubjectKind, key: impl Into<Text>) -> Self {
        Self {
            kind,
            key: key.into(),
        }
    }

    pub fn path(path: &Text) -> Self {
        Self {
            kind: SubjectKind::Path,
            key: path.clone(),
        }
    }

    pub fn setting(key: &str) -> Self {
        Self::new(SubjectKind::Setting, key)
    }

    pub fn pod(namespace: &Text, name: &Text) -> Self {
        Self::new(SubjectKind::Pod, format!("{namespace}/{name}"))
    }

    /// An object of the API server: `services`, its namespace (empty for one of the cluster), its name.
    pub fn object(resource: &str, namespace: &str, name: &Text) -> Self {
        Self::new(
            SubjectKind::Object,
            format!("{resource}/{namespace}/{name}"),
        )
    }

    pub fn container(namespace: &Text, pod: &Text, container: &Text) -> Self {
        Self::new(
            SubjectKind::Container,
            format!("{namespace}/{pod}/{container}"),
        )
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.key, f)
    }
}

/// One field as each source has it; `None` where that source does not have the field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// A field path: `spec.containers[kube-apiserver].command[3]`.
    pub field: Text,
    /// Which sources were looked at; a source that was not is neither agreement nor difference.
    pub manifest: Side3,
    pub mirror: Side3,
    pub runtime: Side3,
}

/// What one of the three sources says of a field.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side3 {
    /// Not part of this comparison.
    #[default]
    Unasked,
    /// Looked at, and the field is not there.
    Absent,
    Value(Text),
}

impl Comparison {
    /// Whether all sources that were looked at say the same.
    pub fn agrees(&self) -> bool {
        let mut seen = [&self.manifest, &self.mirror, &self.runtime]
            .into_iter()
            .filter(|side| **side != Side3::Unasked);
        let first = seen.next();
        seen.all(|side| Some(side) == first)
    }
}
