//! Judging what changed, and the view that comes of it.

use std::sync::Arc;

use super::Model;
use crate::checks::check::View;
use crate::engine::Judged;
use crate::evaluate::{self, Changed};
use crate::model::Timestamp;
use crate::model::policy::Policy;

impl Model {
    /// Judges the nodes that changed.
    pub(in crate::engine) fn judge_nodes(&mut self, policy: &Policy, now: Timestamp) {
        self.snapshot.taken = now;
        let view = View::new(&self.snapshot, policy, now);
        if self.dirty.all {
            self.dirty.nodes.extend(self.snapshot.nodes.keys().cloned());
        }
        for name in &self.dirty.nodes {
            if let Some(facts) = self.snapshot.nodes.get(name) {
                self.verdicts
                    .insert(name.clone(), Arc::new(evaluate::node(facts, &view)));
            }
        }
        if self.dirty.all {
            self.dirty.changed = Changed::default();
        }
        self.dirty.nodes.clear();
        self.dirty.all = false;
    }

    /// Judges again, on every node, the checks that what changed elsewhere may move.
    fn judge_changed(&mut self, policy: &Policy, now: Timestamp) {
        let view = View::new(&self.snapshot, policy, now);
        let changed = std::mem::take(&mut self.dirty.changed);
        for (name, verdicts) in &mut self.verdicts {
            if let Some(facts) = self.snapshot.nodes.get(name) {
                for (index, verdict) in evaluate::again(facts, &view, &changed) {
                    // Shared with whoever shows them: copied only where something is new.
                    if verdicts.get(index).is_some_and(|before| *before != verdict) {
                        Arc::make_mut(verdicts)[index] = verdict;
                    }
                }
            }
        }
    }

    /// Judges everything again once a waiver has lapsed.
    pub(in crate::engine) fn lapse(&mut self, policy: &Policy, now: Timestamp) {
        let today = policy.today.unwrap_or(now);
        let waivers = policy.waivers().iter();
        let lapsed = waivers.filter(|waiver| waiver.is_expired(today)).count();
        self.dirty.all |= lapsed != self.lapsed;
        self.dirty.cluster |= lapsed != self.lapsed;
        self.lapsed = lapsed;
    }

    /// Judges the cluster as a whole. Out goes the policy with how its waivers stand now.
    pub(in crate::engine) fn judge_cluster(
        &mut self,
        policy: &Arc<Policy>,
        now: Timestamp,
    ) -> Arc<Policy> {
        if !self.dirty.changed.is_empty() {
            self.judge_changed(policy, now);
        }
        self.cluster = Arc::new(evaluate::cluster(&View::new(&self.snapshot, policy, now)));
        self.dirty.cluster = false;
        if policy.waivers().is_empty() {
            return Arc::clone(policy);
        }
        let mut judged = self.seen(policy, false);
        judged.judge_waivers(now);
        self.cluster = judged.cluster;
        judged.policy
    }

    /// What is known and concluded now.
    pub(in crate::engine) fn view(&mut self, policy: &Arc<Policy>, complete: bool) -> Judged {
        self.changed = false;
        self.generation += 1;
        let mut judged = self.seen(policy, complete);
        judged.log = Arc::new(std::mem::take(&mut self.log));
        judged
    }

    fn seen(&self, policy: &Arc<Policy>, complete: bool) -> Judged {
        Judged {
            snapshot: Arc::new(self.snapshot.clone()),
            nodes: self.verdicts.clone(),
            cluster: self.cluster.clone(),
            hosts: self.hosts.clone(),
            policy: Arc::clone(policy),
            shown: Arc::clone(&self.shown),
            log: Arc::default(),
            questions: Arc::clone(&self.questions),
            generation: self.generation,
            complete,
        }
    }
}
