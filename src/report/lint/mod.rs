//! What `stakeout lint` found, in each of its formats.

mod machine;
mod text;

pub use machine::{json, junit, sarif};
pub use text::text;

use crate::lint::{Entry, Judgement, What};
use crate::model::verdict::Severity;

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub allowed: usize,
    pub not_allowed: usize,
    pub unreadable: usize,
    pub skipped: usize,
    /// Fails of checks, by [`Severity::ALL`].
    pub findings: [usize; 5],
}

impl Totals {
    pub fn of(entries: &[Entry]) -> Self {
        let mut totals = Self::default();
        for entry in entries {
            match &entry.what {
                What::Judged(judged) if judged.allowed() => totals.allowed += 1,
                What::Judged(_) => totals.not_allowed += 1,
                What::Unreadable(_) => totals.unreadable += 1,
                What::Skipped(_) => totals.skipped += 1,
            }
            if let Some(judged) = judged(entry) {
                for (count, severity) in totals.findings.iter_mut().zip(Severity::ALL) {
                    let same = judged
                        .findings
                        .iter()
                        .filter(|finding| finding.severity == severity);
                    *count += same.count();
                }
            }
        }
        totals
    }

    /// Fails of checks at least so bad.
    pub fn at_least(&self, least: Severity) -> usize {
        let counts = Severity::ALL.into_iter().zip(self.findings);
        let counts = counts.filter(|(severity, _)| *severity >= least);
        counts.map(|(_, count)| count).sum()
    }
}

fn judged(entry: &Entry) -> Option<&Judgement> {
    match &entry.what {
        What::Judged(judged) => Some(judged),
        _ => None,
    }
}
