use super::baseline::{self, Kept, Manifests, Same};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::merge::compare::{between, differing};
use crate::model::baseline::plain;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::{Manifest, Parsed};
use crate::model::unix::FileKind;
use crate::model::verdict::{Comparison, Offence, Severity, Side3, Subject, Verdict};

/// Fields that a message names.
const FIELDS: usize = 3;
/// Characters of a value that a message shows.
const WIDTH: usize = 60;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-018"),
    title: "Every manifest is as the baseline has it",
    why: "Nothing in a cluster remembers what a manifest said before: only a copy kept elsewhere shows what was changed.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::Manifests, Need::Baseline],
    helps: &[],
    maps: &[Maps::Attack("T1543"), Maps::Attack("T1565.001")],
    fix: Remediation {
        steps: &[
            by_hand(
                "compare it with the baseline: stakeout diff BASELINE NOW; look for the change ticket",
            ),
            on_node("cp -p {path} /root/ && ls -l {path}"),
            by_hand(
                "where it is not meant, put back what the baseline shows; where it is, take a new baseline: stakeout snapshot save --sign KEY FILE",
            ),
        ],
        restarts: "the pod, where its file is put back; nothing, where a new baseline is taken",
        undo: &[on_node("cp -p /root/$(basename {path}) {path}")],
    },
    examples: &[
        (
            "{baseline: {manifests: [{file: a.yaml, pod: x/a}]}, manifests: [{file: a.yaml, pod: x/a}]}",
            "PASS",
        ),
        (
            "{baseline: {unsigned: true, manifests: [{file: a.yaml, pod: x/a}]}, manifests: [{file: a.yaml, pod: x/a}]}",
            "PASS: nobody vouches for b.zst: it is not signed",
        ),
        (
            "{baseline: {unnamed: true, manifests: []}, manifests: []}",
            "PASS: nobody vouches for b.zst: no --baseline-key says whose SHA256:x is",
        ),
        (
            "{baseline: {manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {}}}, {file: old.yaml, pod: x/b}]}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostNetwork: true}}}, {file: new.yaml, pod: x/b}]}",
            "FAIL high: differs from the baseline of 2025-06-15 in 1 field: spec.hostNetwork is true, was missing; high: is not in the baseline of 2025-06-15; medium: is in the baseline of 2025-06-15, and no file now",
        ),
        (
            "{baseline: {manifests: [{file: a.yaml, text: '# one', pod: x/a}]}, manifests: [{file: a.yaml, text: '# two', pod: x/a}]}",
            "FAIL low: other bytes than in the baseline of 2025-06-15, no other field",
        ),
        (
            "{baseline: {manifests: [{file: a.yaml, pod: x/a}]}, manifests: [{file: a.yaml, broken: line 1}, {gap: denied}]}",
            "FAIL high: is no pod any more, in the baseline of 2025-06-15 it is; gap: the login may not read it",
        ),
        (
            "{baseline: {manifests: [{file: a.yaml, text: 'a <masked 11111111>', pod: x/a}]}, manifests: [{file: a.yaml, text: 'a <masked 22222222>', pod: x/a}]}",
            "UNKNOWN: the baseline does not tell: b.zst of 2025-06-15: /etc/kubernetes/manifests/a.yaml is the same but for secrets of it, and those are masked",
        ),
        (
            "{baseline: {manifests: [{gap: denied}]}, manifests: [{file: a.yaml, pod: x/a}]}",
            "UNKNOWN: the baseline does not tell: b.zst of 2025-06-15: a manifest is not in it: the login may not read it",
        ),
        (
            "{baseline: {manifests: {gap: denied}}, manifests: []}",
            "UNKNOWN: the baseline does not tell: b.zst of 2025-06-15: the manifests of this node are not in it: the login may not read it",
        ),
        (
            "{baseline: {manifests: [{file: a.yaml, pod: x/a}]}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{baseline: none, manifests: {gap: denied}}",
            "N/A: no baseline is given: stakeout scan --baseline FILE",
        ),
        (
            "{baseline: {node: cp-9, manifests: []}, manifests: []}",
            "N/A: the baseline of 2025-06-15 does not have this node",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let (at, kept) = baseline::kept(view, node)?;
    let Some(kept) = kept else {
        return Ok(not_applicable(
            [at],
            "no baseline is given: stakeout scan --baseline FILE",
        ));
    };
    let Some(before) = kept.node else {
        let date = kept.baseline.date();
        let why = format!("the baseline of {date} does not have this node");
        return Ok(not_applicable([at], why));
    };
    let manifests = node.host.manifests.get()?;
    let then = kept.manifests(before)?;
    let mut tally = Tally::new();
    tally.all_good(&[manifests.at, at]);
    if let Some(why) = kept.baseline.unvouched() {
        tally.note(why);
    }
    let (mut names, mut unread) = (Vec::new(), false);
    for fact in &manifests.value {
        let seen = tally.take(fact);
        unread |= seen.is_none();
        let Some(seen) = seen.filter(|seen| seen.value.kind == FileKind::Regular) else {
            continue;
        };
        names.push(&seen.value.file);
        let outcome = one(&kept, &then, (&seen.value, seen.at));
        tally.part(seen.at, outcome);
    }
    for (place, manifest) in &then.known {
        if names.contains(&&manifest.file) || unread {
            continue;
        }
        let date = kept.baseline.date();
        let message = format!("is in the baseline of {date}, and no file now");
        let subject = Subject::path(&manifest.file);
        let evidence = [manifests.at, *place];
        tally.offence(offence(subject, Severity::Medium, message, evidence));
    }
    tally.verdict()
}

/// One file that is there now.
fn one(
    kept: &Kept<'_>,
    then: &Manifests<'_>,
    (manifest, at): (&Manifest, Locator),
) -> Result<Option<Offence>, Gap> {
    let date = kept.baseline.date();
    let say = |severity, message: String, place| {
        let subject = Subject::path(&manifest.file);
        Ok(Some(offence(subject, severity, message, [at, place])))
    };
    let Some((place, before)) = then.find(manifest) else {
        return match &then.gap {
            // It may be the one that could not be read.
            Some(gap) => Err(gap.clone()),
            None => say(
                Severity::High,
                format!("is not in the baseline of {date}"),
                kept.at,
            ),
        };
    };
    let now = manifest.pod.get()?;
    let earlier = before.pod.get();
    let Ok(earlier) = earlier else {
        let why = format!("{} was not read", manifest.file);
        return Err(kept.baseline.gap(&why));
    };
    match baseline::same(manifest, before) {
        Same::Equal => return Ok(None),
        Same::Masked(0) => {
            let why = format!("the digest of {} is not known", manifest.file);
            return Err(kept.baseline.gap(&why));
        }
        Same::Masked(_) => {
            let why = format!(
                "{} is the same but for secrets of it, and those are masked",
                manifest.file
            );
            return Err(kept.baseline.gap(&why));
        }
        Same::Differs => {}
    }
    let (severity, message) = difference(&earlier.value, &now.value, &date);
    say(severity, message, place)
}

fn difference(before: &Parsed, now: &Parsed, date: &str) -> (Severity, String) {
    let (before, now) = match (before.pod(), now.pod()) {
        (Some(before), Some(now)) => (before, now),
        (None, Some(_)) => {
            let message = format!("is a pod now, in the baseline of {date} it is none");
            return (Severity::High, message);
        }
        (Some(_), None) => {
            let message = format!("is no pod any more, in the baseline of {date} it is");
            return (Severity::High, message);
        }
        (None, None) => {
            let message = format!("other bytes than in the baseline of {date}, no pod in either");
            return (Severity::Low, message);
        }
    };
    let rows = between(before, now);
    let rows: Vec<&Comparison> = differing(&rows).filter(|row| !is_masked(row)).collect();
    if rows.is_empty() {
        let message = format!("other bytes than in the baseline of {date}, no other field");
        return (Severity::Low, message);
    }
    let fields = if rows.len() == 1 { "field" } else { "fields" };
    let count = rows.len();
    let told: Vec<String> = rows.iter().take(FIELDS).map(|row| told(row)).collect();
    let more = if count > FIELDS { ", and more" } else { "" };
    let told = told.join(", ");
    let message = format!("differs from the baseline of {date} in {count} {fields}: {told}{more}");
    (Severity::High, message)
}

/// Masks of two runs differ where the secrets may not.
fn is_masked(row: &Comparison) -> bool {
    match (&row.manifest, &row.mirror) {
        (Side3::Value(now), Side3::Value(before)) => plain(now.as_str()) == plain(before.as_str()),
        _ => false,
    }
}

fn told(row: &Comparison) -> String {
    let side = |side: &Side3| match side {
        Side3::Value(text) if text.as_str().chars().count() > WIDTH => {
            let head: String = text.as_str().chars().take(WIDTH - 3).collect();
            format!("{head}...")
        }
        Side3::Value(text) => text.to_string(),
        _ => "missing".to_owned(),
    };
    let (now, before) = (side(&row.manifest), side(&row.mirror));
    format!("{} is {now}, was {before}", row.field)
}
