use super::baseline::{self, Kept, Manifests, Same};
use super::scope::{each_file, way};
use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, offence, on_node};
use crate::checks::merge::settle::{changed, kubelet_started};
use crate::model::Timestamp;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Manifest;
use crate::model::verdict::{Severity, Subject, Verdict};

const DAY: i64 = 86_400;
/// Without a baseline, what is older was there to be looked at.
const WINDOW: i64 = 7 * DAY;
/// Setting up a node writes manifests while its first kubelet starts.
const SETUP: i64 = 600;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-017"),
    title: "No manifest is newer than baseline or kubelet start",
    why: "No admission and no audit log sees a change of a manifest: only its time tells that somebody put a pod on the node.",
    severity: Severity::Medium,
    since: "0.3.0",
    needs: &[
        Need::ManifestDir,
        Need::Manifests,
        Need::Identity,
        Need::Baseline,
    ],
    helps: &[Need::KubeletConfig, Need::NodeObject],
    maps: &[Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            on_node("stat {path}"),
            by_hand(
                "look for the change ticket of that time; without one, treat the pod as an intruder's",
            ),
            by_hand(
                "where it is meant: take a new baseline, stakeout snapshot save --sign KEY FILE; without baselines: accept it in the policy",
            ),
        ],
        restarts: "nothing",
        undo: &[by_hand("nothing is changed")],
    },
    examples: &[
        (
            "{baseline: none, clock: 2000000, kubelet: {started: 1900000}, dir: {}, manifests: [{file: a.yaml, ctime: 1000, pod: x/a}, {file: b.yaml, ctime: 1900300, pod: x/b}]}",
            "PASS",
        ),
        (
            "{baseline: none, clock: 2000000, kubelet: {started: 1900000}, dir: {}, manifests: [{file: a.yaml, ctime: 1800000, pod: x/a}]}",
            "PASS: 1 changed in the last 7 days, before the kubelet started",
        ),
        (
            "{baseline: none, clock: 2000000, kubelet: {started: 1000}, dir: {}, manifests: [{file: a.yaml, mtime: 1990000, pod: x/a}, {file: b.yaml, ctime: 1000000, pod: x/b}]}",
            "FAIL medium: changed on 1970-01-24T00:46:40Z, while the kubelet ran",
        ),
        (
            "{baseline: none, clock: 2000000, kubelet: {started: 1000}, dir: {}, manifests: [{file: a.yaml, mtime: 1500, ctime: 1990000, pod: x/a}]}",
            "FAIL info: mode, owner or name changed on 1970-01-24T00:46:40Z, or the date of its content, 1970-01-01T00:25:00Z, while the kubelet ran",
        ),
        (
            "{baseline: {clock: 1000, manifests: [{file: a.yaml, text: v1, pod: x/a}]}, clock: 2000000, dir: {}, manifests: [{file: a.yaml, ctime: 1000, text: v2, pod: x/a}]}",
            "FAIL medium: changed on 1970-01-01T00:16:40Z, after the baseline of 2025-06-15",
        ),
        (
            "{baseline: {clock: 1000, manifests: [{file: a.yaml, pod: x/a}]}, clock: 2000000, dir: {}, manifests: [{file: a.yaml, ctime: 900, pod: x/a}, {file: b.yaml, ctime: 1996400, pod: x/a}, {gap: denied}]}",
            "FAIL medium: changed on 1970-01-24T02:33:20Z, after the baseline of 2025-06-15; gap: the login may not read it",
        ),
        (
            "{baseline: {manifests: []}, clock: 2000000, dir: {}, manifests: [{file: a.yaml, pod: x/a}]}",
            "UNKNOWN: the baseline does not tell: b.zst of 2025-06-15: when the node was read is not in it",
        ),
        (
            "{baseline: none, clock: 1000, dir: none}",
            "N/A: no static pod folder is configured",
        ),
        (
            "{baseline: none, clock: 1000, dir: {}, manifests: []}",
            "UNKNOWN: not asked for in this run",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// What a change is measured by.
enum Since<'a> {
    /// The node's clock when the baseline read it.
    Baseline(i64, Kept<'a>, Manifests<'a>),
    /// The node does not have to be known to the baseline for this.
    Start(i64),
}

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let clock = node.host.identity.get()?.value.clock;
    let (at, kept) = baseline::kept(view, node)?;
    if node.host.manifest_dir.get()?.value.is_none() {
        return each_file(node, |_, _, _| {});
    }
    let since = since(node, kept)?;
    let mut earlier = 0;
    let verdict = each_file(node, |manifest, place, tally| {
        let evidence = way(&manifest.walk, place);
        tally.all_good(&evidence);
        let Some(change) = changed(&manifest.walk) else {
            return tally.gap(Gap::ToolMissing {
                tool: "stat".into(),
            });
        };
        match told(&since, manifest, (change, clock)) {
            Told::Old => {}
            Told::BeforeStart => earlier += 1,
            Told::New(since_when, floor) => {
                let (severity, what) = kind(manifest, change, floor);
                let message = format!("{what}, {since_when}");
                let subject = Subject::path(&manifest.file);
                let own = matches!(since, Since::Baseline(..)).then_some(at);
                let evidence = evidence.into_iter().chain(own);
                tally.offence(offence(subject, severity, message, evidence));
            }
        }
    })?;
    Ok(match verdict {
        Verdict::Pass { evidence, note } if earlier > 0 => {
            let note = note.or_else(|| {
                Some(
                    format!("{earlier} changed in the last 7 days, before the kubelet started")
                        .into(),
                )
            });
            Verdict::Pass { evidence, note }
        }
        verdict => verdict,
    })
}

fn since<'a>(node: &NodeFacts, kept: Option<Kept<'a>>) -> Result<Since<'a>, Gap> {
    let Some(kept) = kept else {
        return kubelet_started(node).map(Since::Start);
    };
    let Some(before) = kept.node else {
        return kubelet_started(node).map(Since::Start);
    };
    let Ok(identity) = before.host.identity.get() else {
        return Err(kept.baseline.gap("when the node was read is not in it"));
    };
    let manifests = kept.manifests(before)?;
    Ok(Since::Baseline(identity.value.clock, kept, manifests))
}

enum Told {
    Old,
    BeforeStart,
    /// Since when, in words and by the node's clock.
    New(String, i64),
}

/// Content that is older than that leaves a chmod, a rename, or a date that was set back: SP-FILE-019 weighs the last.
fn kind(manifest: &Manifest, change: i64, floor: i64) -> (Severity, String) {
    let hops = manifest.walk.object().into_iter();
    let hops = hops.chain(manifest.walk.entry());
    let content = hops.filter_map(|hop| hop.stat.mtime).max();
    match content.filter(|content| *content < floor) {
        None => (Severity::Medium, format!("changed on {}", date(change))),
        Some(content) => {
            let (status, content) = (date(change), date(content));
            let what = format!(
                "mode, owner or name changed on {status}, or the date of its content, {content}"
            );
            (Severity::Info, what)
        }
    }
}

fn told(since: &Since<'_>, manifest: &Manifest, (change, clock): (i64, i64)) -> Told {
    match since {
        Since::Baseline(read, kept, manifests) => {
            let found = manifests.find(manifest);
            let same =
                found.is_some_and(|(_, before)| baseline::same(manifest, before) == Same::Equal);
            if change < *read || same {
                return Told::Old;
            }
            let words = format!("after the baseline of {}", kept.baseline.date());
            // Other content stays other content, whatever its date says.
            let is_masked = found.is_some_and(|(_, before)| {
                matches!(baseline::same(manifest, before), Same::Masked(_))
            });
            Told::New(words, if is_masked { *read } else { i64::MIN })
        }
        Since::Start(_) if clock.saturating_sub(change) > WINDOW => Told::Old,
        Since::Start(start) if change <= *start => Told::BeforeStart,
        Since::Start(start) if change <= start.saturating_add(SETUP) => Told::Old,
        Since::Start(start) => Told::New(
            "while the kubelet ran".to_owned(),
            start.saturating_add(SETUP),
        ),
    }
}

/// By the node's clock, as logs write it.
fn date(seconds: i64) -> String {
    let at = Timestamp::from_second(seconds);
    at.map_or_else(|_| "?".to_owned(), |at| at.to_string())
}
