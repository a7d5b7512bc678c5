//! All flaws planted at once, each found in its time, nothing else found, and each gone when it is undone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

use super::expected::Row;
use super::logins;
use super::planted::{Claim, Flaw, Place, Wave};
use super::scan::{Finding, Report, Way, scan};
use super::stage::{self, Stage, pause};

/// From the moment a flaw is there, and from the moment it is undone.
const LIMIT: Duration = Duration::from_mins(1);

/// What is wrong with each flaw's trial, and with the wave as a whole.
pub type Outcomes = BTreeMap<&'static str, Vec<String>>;

/// The name under which a login without root is judged while the flaws are there.
pub const NO_FALSE_PASS: &str = "no_false_pass_without_root";
/// The name under which the wave as a whole is judged.
pub const NOTHING_ELSE: &str = "nothing_else";

pub fn outcome(wave: &'static Wave, name: &'static str) -> Result<(), Failed> {
    let outcomes = wave.outcome.get_or_init(|| {
        let mut outcomes = Outcomes::new();
        let told = stage::with(wave.name, |stage| {
            outcomes = run_wave(stage, wave)?;
            Ok(())
        });
        match told {
            Ok(()) => Ok(outcomes),
            Err(failed) => Err(failed.message().unwrap_or("the wave failed").to_owned()),
        }
    });
    match outcomes {
        Err(error) if name == NOTHING_ELSE => Err(error.as_str().into()),
        Err(_) => {
            let group = wave.name;
            Err(format!("the wave failed, cluster::{group}::{NOTHING_ELSE} says why").into())
        }
        Ok(outcomes) => match outcomes.get(name) {
            Some(wrong) => Err(wrong.join("\n").into()),
            None => Ok(()),
        },
    }
}

fn run_wave(stage: &Stage, wave: &'static Wave) -> Result<Outcomes, Failed> {
    let mut planted = Planted {
        stage,
        there: Vec::new(),
    };
    for flaw in wave.flaws {
        planted.plant(flaw)?;
    }
    let mut outcomes = Outcomes::new();
    let report = planted.wait_until_found(&mut outcomes)?;
    nothing_else(stage, wave, &report, &mut outcomes);
    let login = scan(stage, &logins::audit(stage), &["--all"])?;
    let lies = logins::false_passes(&report, &login);
    if !lies.is_empty() {
        outcomes.insert(NO_FALSE_PASS, lies);
    }
    planted.wait_until_gone(&mut outcomes)?;
    Ok(outcomes)
}

/// Flaws that are there now, and since when. They are undone in any case.
struct Planted<'a> {
    stage: &'a Stage,
    there: Vec<(&'static Flaw, Instant)>,
}

impl Planted<'_> {
    fn plant(&mut self, flaw: &'static Flaw) -> Result<(), Failed> {
        // Before: half a flaw has to be undone as well.
        self.there.push((flaw, Instant::now()));
        run(self.stage, flaw.place, flaw.plant)?;
        if let Some(last) = self.there.last_mut() {
            last.1 = Instant::now();
        }
        Ok(())
    }

    fn wait_until_found(&self, outcomes: &mut Outcomes) -> Result<Report, Failed> {
        let way = Way::administrator(self.stage);
        let mut open: Vec<(&Flaw, &Claim, Instant)> = self.claims();
        loop {
            let report = scan(self.stage, &way, &["--all"])?;
            open.retain(|(flaw, claim, since)| {
                let found = report.rows.iter().find(|finding| claim.is(finding));
                let wrong = found.map_or_else(
                    || {
                        Some(format!(
                            "{} {} {}: not found",
                            claim.check, claim.node, claim.subject
                        ))
                    },
                    |finding| claim.lacks(finding),
                );
                match wrong {
                    None => {
                        stage::say(
                            &format!("{} found as {}", flaw.name, claim.check),
                            since.elapsed(),
                        );
                        false
                    }
                    Some(_) if since.elapsed() < LIMIT + Duration::from_secs(claim.grace) => true,
                    Some(wrong) => {
                        outcomes.entry(flaw.name).or_default().push(wrong);
                        false
                    }
                }
            });
            if open.is_empty() {
                return Ok(report);
            }
            pause();
        }
    }

    fn claims(&self) -> Vec<(&'static Flaw, &'static Claim, Instant)> {
        let there = self.there.iter();
        there
            .flat_map(|(flaw, since)| flaw.claims.iter().map(|claim| (*flaw, claim, *since)))
            .collect()
    }

    fn wait_until_gone(mut self, outcomes: &mut Outcomes) -> Result<(), Failed> {
        let way = Way::administrator(self.stage);
        let mut open = Vec::new();
        while let Some((flaw, _)) = self.there.pop() {
            run(self.stage, flaw.place, flaw.undo)?;
            let since = Instant::now();
            open.extend(flaw.claims.iter().map(|claim| (flaw, claim, since)));
        }
        while !open.is_empty() {
            let report = scan(self.stage, &way, &["--all"])?;
            open.retain(|(flaw, claim, since)| {
                match report.rows.iter().find(|finding| claim.is(finding)) {
                    None => {
                        stage::say(
                            &format!("{} gone as {}", flaw.name, claim.check),
                            since.elapsed(),
                        );
                        false
                    }
                    Some(_) if since.elapsed() < LIMIT => true,
                    Some(finding) => {
                        let wrong = format!("still there after it was undone: {finding}");
                        outcomes.entry(flaw.name).or_default().push(wrong);
                        false
                    }
                }
            });
            pause();
        }
        self.stage.wait_until_clean(LIMIT)?;
        Ok(())
    }
}

impl Drop for Planted<'_> {
    fn drop(&mut self) {
        while let Some((flaw, _)) = self.there.pop() {
            // The wave has failed already, for the first reason.
            let _ = run(self.stage, flaw.place, flaw.undo);
        }
    }
}

fn run(stage: &Stage, place: Place, script: &str) -> Result<(), Failed> {
    match place {
        Place::Jump => stage.at_jump(script)?,
        Place::Node(node) => stage.on(node, script)?,
    };
    Ok(())
}

/// Whether a check of what pods may do speaks of a pod: of the pod itself, a container, its mirror, its file, or
/// the namespace that it is the reason to look at.
fn is_of_pod(finding: &Finding, pod: &str) -> bool {
    let families = ["SP-IMG-", "SP-ISO-004", "SP-NET-", "SP-PRIV-", "SP-PSS-"];
    let mut families = families.iter();
    let (namespace, name) = pod.split_once('/').unwrap_or(("", pod));
    let subject = finding.subject.as_deref().unwrap_or_default();
    families.any(|family| finding.check.starts_with(family))
        && (subject == pod
            || subject.starts_with(&format!("{pod}/"))
            || subject == format!("{pod}-w-1")
            || subject == format!("/etc/kubernetes/manifests/{name}.yaml")
            || (subject == namespace
                && (finding.check == "SP-NET-002" || namespace != "kube-system")))
}

/// The run has the code of findings, what the defaults deserve is still found, and there is no other finding.
fn nothing_else(stage: &Stage, wave: &Wave, report: &Report, outcomes: &mut Outcomes) {
    let mut wrong: Vec<String> = Vec::new();
    if report.code != 1 {
        wrong.push(format!("exit code {}, expected 1", report.code));
    }
    let is_expected = |finding: &Finding| stage.expected.iter().any(|row: &Row| row.is(finding));
    let is_planted = |finding: &Finding| {
        let named = |check: &str, node: &str| {
            finding.check == check && finding.node.as_deref().unwrap_or_default() == node
        };
        let of_flaw = wave.flaws.iter().any(|flaw| {
            flaw.claims.iter().any(|claim| claim.is(finding))
                || flaw.also.iter().any(|(check, node)| named(check, node))
        });
        of_flaw || wave.pods.iter().any(|pod| is_of_pod(finding, pod))
    };
    let failed = report
        .rows
        .iter()
        .filter(|finding| finding.failed() && !finding.is_of_age());
    let strange = failed.filter(|finding| !is_expected(finding) && !is_planted(finding));
    wrong.extend(strange.map(|finding| format!("nobody planted {finding}")));
    let is_shadowed = |row: &&Row| {
        let node = row.node.as_deref().unwrap_or_default();
        wave.shadowed.contains(&(row.check.as_str(), node))
    };
    let lasting = stage.expected.iter().filter(|row| !is_shadowed(row));
    for row in lasting {
        if !report.rows.iter().any(|finding| row.is(finding)) {
            wrong.push(format!("{} {}: no longer found", row.check, row.subject));
        }
    }
    if !wrong.is_empty() {
        outcomes.insert(NOTHING_ELSE, wrong);
    }
}

impl Claim {
    fn is(&self, finding: &Finding) -> bool {
        finding.failed()
            && finding.check == self.check
            && finding.node.as_deref().unwrap_or_default() == self.node
            && finding.subject.as_deref() == Some(self.subject)
    }

    fn lacks(&self, finding: &Finding) -> Option<String> {
        if finding.severity.as_deref() != Some(self.severity) {
            return Some(format!("{finding}\n  expected {}", self.severity));
        }
        if !finding.message.contains(self.words) {
            return Some(format!("{finding}\n  expected the words: {}", self.words));
        }
        if !self.sides.iter().all(|side| finding.sides.contains(side)) {
            let (seen, sides) = (&finding.sides, self.sides);
            return Some(format!(
                "{finding}\n  evidence from {seen:?}, expected {sides:?}"
            ));
        }
        None
    }
}
