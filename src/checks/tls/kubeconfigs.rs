//! Kubeconfigs of a node, judged one by one by what is in them.

use super::certificates::is_absent;
use crate::checks::check::{Tally, not_applicable, offence};
use crate::model::fact::Gap;
use crate::model::files::{FileRole, KubeconfigContent};
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

/// Which kubeconfigs are judged, and how.
pub struct Rule {
    /// By what a file is to the node; one may be several things.
    pub is_judged: fn(&[FileRole]) -> bool,
    pub severity: Severity,
    /// What is wrong with one.
    pub said: fn(&KubeconfigContent) -> Vec<String>,
    /// Why there is nothing to judge, where there is none.
    pub none: &'static str,
}

/// Judges every kubeconfig that is there: one that is named and does not exist is no gap.
///
/// # Errors
/// As [`Tally::verdict`].
pub fn judge(node: &NodeFacts, rule: &Rule) -> Result<Verdict, Gap> {
    let seen = node.host.kubeconfigs.get()?;
    let list = &seen.value.list;
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut any = false;
    for config in &seen.value.contents {
        let own = list.files.iter().filter(|file| file.path == config.path);
        let roles: Vec<FileRole> = own.map(|file| file.role).collect();
        if !(rule.is_judged)(&roles) || is_absent(node, &config.path) {
            continue;
        }
        any = true;
        let Some(content) = tally.take(&config.content) else {
            continue;
        };
        for message in (rule.said)(&content.value) {
            let subject = Subject::path(&config.path);
            tally.offence(offence(subject, rule.severity, message, [content.at]));
        }
    }
    if !any && list.gaps.is_empty() {
        return Ok(not_applicable([seen.at], rule.none));
    }
    tally.verdict()
}
