use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::policy::{Standing, Waiver};
use crate::model::verdict::{Offence, Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-POL-001"),
    title: "Every waiver of the policy is in force and in use",
    why: "A waiver that nobody needs any more accepts tomorrow's flaw of the same name, and one that has lapsed hides nothing but looks as if it did.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Policy],
    helps: &[],
    maps: &[Maps::Source("ISO/IEC 27001:2022 A.5.36")],
    fix: Remediation {
        steps: &[by_hand(
            "in the policy file: remove the waiver of {flag}, or have its owner decide again and set severity and expires anew",
        )],
        restarts: "nothing",
        undo: &[by_hand("git revert the change of the policy file")],
    },
    examples: &[
        (
            "policy: {waivers: [{check: FILE-004, subject: /a, severity: low, owner: ops, reason: r, expires: 2030-01-01}], standing: [used]}",
            "PASS",
        ),
        ("policy: {waivers: []}", "N/A: the policy has no waivers"),
        ("policy: none", "N/A: no policy file is configured"),
        (
            "policy: {waivers: [{check: FILE-004, node: cp-1, subject: /a, severity: low, owner: ops, reason: r, expires: 2030-01-01}, {check: FILE-004, subject: /b, severity: low, owner: ops, reason: r, expires: 2020-01-01}, {check: FILE-005, subject: /c, severity: low, owner: ops, reason: r, expires: 2030-01-01}], standing: [unused, expired, outgrown]}",
            "FAIL low: policy.yaml:1: the waiver of SP-FILE-004 on cp-1 for /a waives nothing that is there; medium: policy.yaml:2: the waiver of SP-FILE-004 on every node for /b lapsed on 2020-01-01, ask ops; medium: policy.yaml:3: the waiver of SP-FILE-005 on every node for /c accepts low, and the finding is worse now",
        ),
        (
            "policy: {waivers: [{check: FILE-004, subject: /a, severity: low, owner: ops, reason: r, expires: 2030-01-01}], standing: [unknown]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "policy: {waivers: [{check: FILE-004, subject: /a, severity: low, owner: ops, reason: r, expires: 2030-01-01}]}",
            "UNKNOWN: not collected yet",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let policy = view.policy.file.get()?;
    let Some(file) = &policy.value else {
        return Ok(not_applicable([policy.at], "no policy file is configured"));
    };
    if file.waivers.is_empty() {
        return Ok(not_applicable([policy.at], "the policy has no waivers"));
    }
    let mut tally = Tally::new();
    for (index, waiver) in file.waivers.iter().enumerate() {
        let at = Locator::new(Need::Policy, waiver.line);
        let standing = view.policy.standing.get(index);
        let outcome = match standing {
            None => Err(Gap::Pending),
            Some(Standing::Unknown(gap)) => Err(gap.clone()),
            Some(standing) => Ok(one(file.name.as_str(), waiver, standing)),
        };
        tally.part(at, outcome);
    }
    tally.verdict()
}

fn one(file: &str, waiver: &Waiver, standing: &Standing) -> Option<Offence> {
    let day = waiver.expires.to_string();
    let day = day.split('T').next().unwrap_or_default();
    let (severity, what) = match standing {
        Standing::Unused => (Severity::Low, "waives nothing that is there".to_owned()),
        Standing::Expired => (
            Severity::Medium,
            format!("lapsed on {day}, ask {}", waiver.owner),
        ),
        Standing::Outgrown => (
            Severity::Medium,
            format!("accepts {}, and the finding is worse now", waiver.severity),
        ),
        Standing::Used | Standing::Unknown(_) => return None,
    };
    let node = match &waiver.node {
        Some(node) => node.as_str(),
        None => "every node",
    };
    let (check, subject) = (&waiver.check, &waiver.subject);
    Some(offence(
        Subject::new(
            SubjectKind::Setting,
            format!("{check} on {node} for {subject}"),
        ),
        severity,
        format!(
            "{file}:{}: the waiver of {check} on {node} for {subject} {what}",
            waiver.line
        ),
        [Locator::new(Need::Policy, waiver.line)],
    ))
}
