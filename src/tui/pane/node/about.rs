//! Findings and nodes in words.

use crate::checks::fix::quote;
use crate::model::fact::Fact;
use crate::model::name::NodeName;
use crate::model::node::NodeFacts;
use crate::model::verdict::Severity;
use crate::tui::theme::Token;
use crate::tui::world::{Finding, Standing, Summary, World};

/// A finding as one line of text.
pub(super) fn written(world: &World, finding: &Finding) -> String {
    let (badge, _) = world.badge(finding);
    let severity = finding
        .standing
        .severity()
        .map_or_else(String::new, |severity| format!(" {severity}"));
    let subject = subject(finding);
    let message = message(world, finding);
    format!(
        "{badge}{severity} {} {} {subject}: {message}",
        finding.check.id, finding.id.scope
    )
}

/// What was observed; without an offence the title of the check.
pub fn message(world: &World, finding: &Finding) -> String {
    match world.offence(finding) {
        Some(offence) => offence.message.to_string(),
        None => finding.check.title.to_owned(),
    }
}

pub fn subject(finding: &Finding) -> String {
    finding
        .id
        .subject
        .as_ref()
        .map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// The letter of a finding and its chip.
pub fn letter(finding: &Finding) -> (char, Token) {
    match finding.standing {
        Standing::Fail(severity) => (severity.0.letter(), Token::severity(severity.0)),
        Standing::Accepted(_) => ('A', Token::VerdictAccepted),
        Standing::Unknown => ('U', Token::SevUnknown),
        Standing::Manual => ('?', Token::VerdictManual),
        Standing::NotApplicable => ('-', Token::Muted),
        Standing::Pass => ('.', Token::VerdictPass),
    }
}

/// The command that leads to a node's shell, as a person would type it.
pub fn ssh_command(node: &NodeName) -> String {
    format!("ssh {}", quote(node.as_str()))
}

pub(super) fn counts(summary: Option<&Summary>) -> String {
    let Some(summary) = summary else {
        return String::new();
    };
    let mut out = String::new();
    for severity in &Severity::ALL[..4] {
        out.push_str(&format!(
            "{}{} ",
            severity.letter(),
            summary.counts.severity(*severity)
        ));
    }
    out.push_str(&format!("U{}", summary.counts.unknown));
    if summary.counts.accepted > 0 {
        out.push_str(&format!(" A{}", summary.counts.accepted));
    }
    out
}

/// Role, versions, address, and by which right the node was read.
pub(super) fn describe(facts: &NodeFacts) -> String {
    let mut parts: Vec<String> = Vec::new();
    // The longest part goes last: at 80 columns it is what is cut.
    let mut system = None;
    if let Fact::Seen(seen) = &facts.api.object {
        let node = &seen.value;
        parts.push(
            if node.is_control_plane() {
                "control-plane"
            } else {
                "worker"
            }
            .to_owned(),
        );
        parts.push(node.kubelet_version.to_string());
        system = Some(node.os_image.to_string());
        if node.ready.as_ref().is_some_and(|ready| *ready != "True") {
            parts.push("NotReady".to_owned());
        }
    }
    if let Fact::Seen(seen) = &facts.host.identity {
        parts.push(format!("read as {}", seen.value.reading()));
        if let Some(taken) = facts.host.imported() {
            parts.push(format!("taken {}", taken.strftime("%F %T UTC")));
        }
    }
    parts.extend(facts.host.via.as_ref().map(ToString::to_string));
    parts.extend(system);
    parts.join("  ")
}
