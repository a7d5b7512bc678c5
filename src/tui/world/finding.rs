//! One line of a list of findings: an offence, or what a check says without one.

use super::{Scope, World};
use crate::checks::check::Check;
use crate::model::fact::{Gap, Side};
use crate::model::name::CheckId;
use crate::model::text::Text;
use crate::model::verdict::{Evidence, Offence, Severity, Subject, Verdict};

/// What a cursor follows: it stays when messages, times and indexes change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    pub check: CheckId,
    pub scope: Scope,
    /// None where the check has no offence.
    pub subject: Option<Subject>,
}

/// How a check stands, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Fail(std::cmp::Reverse<Severity>),
    Unknown,
    Manual,
    /// A fail that a waiver accepts.
    Accepted(std::cmp::Reverse<Severity>),
    NotApplicable,
    Pass,
}

impl Standing {
    /// Whether a person has something to do.
    pub fn is_problem(self) -> bool {
        !matches!(self, Self::Pass | Self::NotApplicable)
    }

    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Fail(severity) | Self::Accepted(severity) => Some(severity.0),
            _ => None,
        }
    }
}

/// Which sources a finding rests on, and whether they say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sources {
    Disagree,
    Agree,
    ApiOnly,
    NodeOnly,
    /// Both were read and not compared.
    Both,
    None,
}

impl Sources {
    /// Of an offence: compared fields decide, else the sides of its evidence.
    pub fn of(offence: &Offence) -> Self {
        if !offence.compare.is_empty() {
            return if offence
                .compare
                .iter()
                .all(crate::model::verdict::Comparison::agrees)
            {
                Self::Agree
            } else {
                Self::Disagree
            };
        }
        Self::of_evidence(&offence.evidence)
    }

    /// Of a verdict; an unknown rests on nothing.
    pub fn of_verdict(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass { evidence, .. } | Verdict::NotApplicable { evidence, .. } => {
                Self::of_evidence(evidence)
            }
            _ => Self::None,
        }
    }

    fn of_evidence(evidence: &Evidence) -> Self {
        let has = |side: Side| evidence.iter().any(|at| at.need.side() == side);
        match (has(Side::Api), has(Side::Node)) {
            (true, true) => Self::Both,
            (true, false) => Self::ApiOnly,
            (false, true) => Self::NodeOnly,
            (false, false) => Self::None,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Disagree => "DISAGREE",
            Self::Agree => "AGREE",
            Self::ApiOnly => "API only",
            Self::NodeOnly => "NODE only",
            Self::Both => "API+NODE",
            Self::None => "-",
        }
    }
}

/// A line of a list; small, text is made when it is shown.
#[derive(Clone)]
pub struct Finding {
    pub id: Identity,
    pub check: &'static Check,
    pub standing: Standing,
    pub sources: Sources,
    /// Position among the verdicts of its scope.
    pub slot: usize,
    /// Position among the offences of its verdict.
    pub offence: usize,
}

impl Finding {
    /// What one verdict comes to: a line per offence, or one line.
    pub(super) fn of(
        scope: &Scope,
        check: &'static Check,
        (slot, verdict): (usize, &Verdict),
    ) -> Vec<Self> {
        let line = |subject: Option<Subject>, standing, sources, offence| Self {
            id: Identity {
                check: check.id,
                scope: scope.clone(),
                subject,
            },
            check,
            standing,
            sources,
            slot,
            offence,
        };
        let standing = match verdict {
            Verdict::Fail { offences, .. } => {
                return offences
                    .iter()
                    .enumerate()
                    .map(|(index, offence)| {
                        line(
                            Some(offence.subject.clone()),
                            if offence.waived.is_some() {
                                Standing::Accepted(std::cmp::Reverse(offence.severity))
                            } else {
                                Standing::Fail(std::cmp::Reverse(offence.severity))
                            },
                            Sources::of(offence),
                            index,
                        )
                    })
                    .collect();
            }
            Verdict::Pass { .. } => Standing::Pass,
            Verdict::NotApplicable { .. } => Standing::NotApplicable,
            Verdict::Unknown {
                why: Gap::NeedsHuman { .. },
            } => Standing::Manual,
            Verdict::Unknown { .. } => Standing::Unknown,
        };
        vec![line(None, standing, Sources::of_verdict(verdict), 0)]
    }
}

impl World {
    /// The lines to merge into the manifest that a finding comes with.
    pub fn patch(&self, finding: &Finding) -> Option<Text> {
        let node = finding.id.scope.node()?;
        let subject = finding.id.subject.as_ref()?;
        self.judged()?.patch(finding.check, node, subject)
    }
}
