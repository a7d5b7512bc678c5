//! Facts and policy in, verdicts out. One loop, no check names.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::checks::check::{Check, Judge, View};
use crate::model::Timestamp;
use crate::model::fact::{Gap, Need};
use crate::model::name::NodeName;
use crate::model::node::NodeFacts;
use crate::model::policy::{Policy, Standing, Waiver};
use crate::model::verdict::Verdict;

/// Verdicts of one node, in the order of [`node_checks`].
pub fn node(facts: &NodeFacts, view: &View<'_>) -> Vec<Verdict> {
    node_checks().map(|one| of_node(one, facts, view)).collect()
}

/// What changed beside the facts of a node itself.
#[derive(Default)]
pub struct Changed {
    /// Lists of the cluster.
    pub needs: BTreeSet<Need>,
    /// Facts of some node.
    pub peers: bool,
}

impl Changed {
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty() && !self.peers
    }

    /// Whether a check may say something else now.
    fn moves(&self, check: &Check) -> bool {
        let mut read = check.needs.iter().chain(check.helps);
        (self.peers && matches!(check.judge, Judge::Peers(_)))
            || read.any(|need| self.needs.contains(need))
    }
}

/// Verdicts of one node by those of its checks that what changed may move, each with its place in [`node_checks`].
pub fn again<'v>(
    facts: &'v NodeFacts,
    view: &'v View<'v>,
    changed: &'v Changed,
) -> impl Iterator<Item = (usize, Verdict)> + 'v {
    node_checks()
        .enumerate()
        .filter(|(_, (check, _))| changed.moves(check))
        .map(|(index, one)| (index, of_node(one, facts, view)))
}

fn of_node(
    (check, judge): (&'static Check, NodeJudge),
    facts: &NodeFacts,
    view: &View<'_>,
) -> Verdict {
    let mut verdict = honest(judge(facts, view));
    waive(view, (check, Some(&facts.name)), &mut verdict);
    verdict
}

/// Verdicts about the cluster, in the order of [`cluster_checks`].
pub fn cluster(view: &View<'_>) -> Vec<Verdict> {
    cluster_checks()
        .map(|(check, judge)| {
            let mut verdict = honest(judge(view));
            waive(view, (check, None), &mut verdict);
            verdict
        })
        .collect()
}

type NodeJudge = fn(&NodeFacts, &View<'_>) -> Result<Verdict, Gap>;
type ClusterJudge = fn(&View<'_>) -> Result<Verdict, Gap>;

/// The checks that judge a node.
pub fn node_checks() -> impl Iterator<Item = (&'static Check, NodeJudge)> {
    crate::checks::all().filter_map(|check| match check.judge {
        Judge::Node(judge) | Judge::Peers(judge) => Some((check, judge)),
        Judge::Cluster(_) => None,
    })
}

/// The checks that judge the cluster once.
pub fn cluster_checks() -> impl Iterator<Item = (&'static Check, ClusterJudge)> {
    crate::checks::all().filter_map(|check| match check.judge {
        Judge::Cluster(judge) => Some((check, judge)),
        Judge::Node(_) | Judge::Peers(_) => None,
    })
}

/// Marks the offences that a waiver of the policy accepts today; what is worse than it accepts stays open.
fn waive(view: &View<'_>, about: (&Check, Option<&NodeName>), verdict: &mut Verdict) {
    let Verdict::Fail { offences, .. } = verdict else {
        return;
    };
    let today = view.policy.today.unwrap_or(view.now);
    let waivers = view.policy.waivers().iter();
    for waiver in waivers.filter(|it| !it.is_expired(today)) {
        for offence in &mut *offences {
            let named = waiver.names(about.0.id.0, about.1, &offence.subject.key);
            if named && offence.severity <= waiver.severity {
                offence.waived = Some(Arc::clone(waiver));
            }
        }
    }
}

/// How each waiver stands after everything was judged. `nodes`: whether every node of the cluster is among the findings.
pub fn standing<'f>(
    policy: &Policy,
    today: Timestamp,
    nodes: &Result<(), Gap>,
    findings: impl Iterator<Item = (&'static Check, Option<&'f NodeName>, &'f Verdict)>,
) -> Vec<Standing> {
    let waivers = policy.waivers();
    if waivers.is_empty() {
        return Vec::new();
    }
    let mut seen: Vec<Seen> = waivers.iter().map(|_| Seen::default()).collect();
    for (check, node, verdict) in findings {
        for (waiver, seen) in waivers.iter().zip(&mut seen) {
            let meant = waiver.check == check.id.0
                && waiver.node.as_ref().is_none_or(|own| Some(own) == node);
            if meant {
                seen.look(waiver, verdict);
            }
        }
    }
    waivers
        .iter()
        .zip(seen)
        .map(|(waiver, seen)| match (seen, nodes) {
            _ if waiver.is_expired(today) => Standing::Expired,
            (Seen { used: true, .. }, _) => Standing::Used,
            (Seen { worse: true, .. }, _) => Standing::Outgrown,
            (Seen { gap: Some(gap), .. }, _) | (_, Err(gap)) => Standing::Unknown(gap.clone()),
            _ => Standing::Unused,
        })
        .collect()
}

/// What the findings say of one waiver.
#[derive(Default)]
struct Seen<'f> {
    used: bool,
    worse: bool,
    gap: Option<&'f Gap>,
}

impl<'f> Seen<'f> {
    fn look(&mut self, waiver: &Waiver, verdict: &'f Verdict) {
        match verdict {
            Verdict::Unknown { why } => self.gap = Some(why),
            Verdict::Fail { offences, gaps } => {
                self.gap = gaps.first().or(self.gap);
                for offence in offences
                    .iter()
                    .filter(|it| it.subject.key == waiver.subject)
                {
                    self.used |= offence.severity <= waiver.severity;
                    self.worse |= offence.severity > waiver.severity;
                }
            }
            Verdict::Pass { .. } | Verdict::NotApplicable { .. } => {}
        }
    }
}

/// The one place where not knowing becomes Unknown, and where a claim without evidence stops being one.
fn honest(outcome: Result<Verdict, Gap>) -> Verdict {
    match outcome {
        Err(why) => Verdict::Unknown { why },
        Ok(Verdict::Pass { evidence, .. } | Verdict::NotApplicable { evidence, .. })
            if evidence.is_empty() =>
        {
            Verdict::Unknown { why: Gap::NotAsked }
        }
        Ok(Verdict::Fail { offences, gaps }) if offences.is_empty() => Verdict::Unknown {
            why: gaps.into_iter().next().unwrap_or(Gap::NotAsked),
        },
        Ok(verdict) => verdict,
    }
}
