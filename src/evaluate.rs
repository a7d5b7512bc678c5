//! Facts and policy in, verdicts out. One loop, no check names.

use crate::checks::check::{Check, Judge, View};
use crate::model::node::NodeFacts;
use crate::model::verdict::Verdict;

/// Verdicts of one node, in the order of [`node_checks`].
pub fn node(facts: &NodeFacts, view: &View<'_>) -> Vec<Verdict> {
    node_checks()
        .map(|(_, judge)| honest(judge(facts, view)))
        .collect()
}

/// Verdicts about the cluster, in the order of [`cluster_checks`].
pub fn cluster(view: &View<'_>) -> Vec<Verdict> {
    cluster_checks()
        .map(|(_, judge)| honest(judge(view)))
        .collect()
}

type NodeJudge = fn(&NodeFacts, &View<'_>) -> Result<Verdict, crate::model::fact::Gap>;
type ClusterJudge = fn(&View<'_>) -> Result<Verdict, crate::model::fact::Gap>;

/// The checks that judge a node.
pub fn node_checks() -> impl Iterator<Item = (&'static Check, NodeJudge)> {
    crate::checks::all().filter_map(|check| match check.judge {
        Judge::Node(judge) => Some((check, judge)),
        Judge::Cluster(_) => None,
    })
}

/// The checks that judge the cluster once.
pub fn cluster_checks() -> impl Iterator<Item = (&'static Check, ClusterJudge)> {
    crate::checks::all().filter_map(|check| match check.judge {
        Judge::Cluster(judge) => Some((check, judge)),
        Judge::Node(_) => None,
    })
}

/// The one place where not knowing becomes Unknown, and where a claim without evidence stops being one.
fn honest(outcome: Result<Verdict, crate::model::fact::Gap>) -> Verdict {
    match outcome {
        Err(why) => Verdict::Unknown { why },
        Ok(Verdict::Pass { evidence, .. } | Verdict::NotApplicable { evidence, .. })
            if evidence.is_empty() =>
        {
            Verdict::Unknown {
                why: crate::model::fact::Gap::NotAsked,
            }
        }
        Ok(Verdict::Fail { offences, gaps }) if offences.is_empty() => Verdict::Unknown {
            why: gaps
                .into_iter()
                .next()
                .unwrap_or(crate::model::fact::Gap::NotAsked),
        },
        Ok(verdict) => verdict,
    }
}
