//! Whose turn it is to ask the person: one host at a time, so that no question outlives its session.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::collect::asking::Asking;
use crate::model::ask::QuestionId;
use crate::model::name::NodeName;

/// How long a node whose turn it is may take to come back.
const RETURN: Duration = Duration::from_secs(20);

/// Whose turn it is to talk to the person.
#[derive(Default)]
pub(super) struct Floor {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    holder: Option<Holder>,
    waiting: VecDeque<(NodeName, QuestionId)>,
    /// Hosts that have asked.
    asked: HashSet<NodeName>,
    /// Users who do not want to be asked, with the round in which they said so.
    declined: Vec<(String, u64)>,
}

struct Holder {
    node: NodeName,
    since: Instant,
    talks: bool,
    question: Option<QuestionId>,
}

impl Holder {
    fn new(node: NodeName, talks: bool) -> Self {
        Self {
            node,
            since: Instant::now(),
            talks,
            question: None,
        }
    }
}

impl State {
    fn is_free(&self, node: &NodeName) -> bool {
        self.holder.as_ref().is_none_or(|holder| {
            holder.node == *node || (!holder.talks && holder.since.elapsed() > RETURN)
        })
    }

    /// Puts the host into the queue, or keeps its place there. Who is called may fail to come, so the ticket is
    /// good for a while only.
    fn wait(&mut self, node: &NodeName, asking: &Asking) -> QuestionId {
        let id = asking.ticket_for(RETURN);
        match self.waiting.iter_mut().find(|(waiting, _)| waiting == node) {
            Some((_, old)) => asking.settle(std::mem::replace(old, id)),
            None => self.waiting.push_back((node.clone(), id)),
        }
        id
    }
}

impl Floor {
    /// Before connecting: a ticket where the host waits for its turn and has to go on waiting.
    pub fn look(&self, node: &NodeName, asking: &Asking) -> Result<(), QuestionId> {
        let mut state = self.lock();
        if state.waiting.iter().all(|(waiting, _)| waiting != node) || state.is_free(node) {
            return Ok(());
        }
        Err(state.wait(node, asking))
    }

    /// Takes the floor, or a ticket for it.
    pub fn take(&self, node: &NodeName, asking: &Asking) -> Result<(), QuestionId> {
        let mut state = self.lock();
        if !state.is_free(node) {
            return Err(state.wait(node, asking));
        }
        state.waiting.retain(|(waiting, _)| waiting != node);
        state.holder = Some(Holder::new(node.clone(), true));
        Ok(())
    }

    /// Whether the host was called, or talks.
    pub fn is_held_by(&self, node: &NodeName) -> bool {
        let state = self.lock();
        state
            .holder
            .as_ref()
            .is_some_and(|holder| holder.node == *node)
    }

    /// What the holder asks now.
    pub fn asks(&self, id: QuestionId) {
        let mut state = self.lock();
        if let Some(holder) = &mut state.holder {
            holder.question = Some(id);
            let node = holder.node.clone();
            state.asked.insert(node);
        }
    }

    /// The question that a host asks right now.
    pub fn question(&self, node: &NodeName) -> Option<QuestionId> {
        let state = self.lock();
        let holder = state.holder.as_ref()?;
        holder.question.filter(|_| holder.node == *node)
    }

    /// Whether a person had to answer a host in this run, and would have to again.
    pub fn has_asked(&self, node: &NodeName) -> bool {
        self.lock().asked.contains(node)
    }

    /// Ends a talk. `all`: whoever waits may come back, since there is an answer for them; else the next one.
    pub fn leave(&self, asking: &Asking, all: bool) {
        let mut state = self.lock();
        state.holder = None;
        let count = if all { state.waiting.len() } else { 1 };
        let called: Vec<_> = (0..count)
            .map_while(|_| state.waiting.pop_front())
            .collect();
        if let ([(node, _)], false) = (&called[..], all) {
            state.holder = Some(Holder::new(node.clone(), false));
        }
        drop(state);
        for (_, id) in called {
            asking.settle(id);
        }
    }

    /// The user does not want to be asked in this round.
    pub fn decline(&self, user: &str, round: u64) {
        let mut state = self.lock();
        state.declined.retain(|(declined, _)| declined != user);
        state.declined.push((user.to_owned(), round));
    }

    pub fn is_declined(&self, user: &str, round: u64) -> bool {
        let declined = &self.lock().declined;
        declined
            .iter()
            .any(|(name, at)| name == user && *at == round)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> NodeName {
        NodeName::parse(&format!("n{number}")).expect("a name")
    }

    #[test]
    fn one_after_the_other() {
        let (floor, asking) = (Floor::default(), Asking::nobody());
        assert_eq!(floor.take(&name(1), &asking), Ok(()));
        assert_eq!(floor.take(&name(1), &asking), Ok(()), "a second try");
        let second = floor.take(&name(2), &asking).expect_err("busy");
        let third = floor.take(&name(3), &asking).expect_err("busy");
        assert!(asking.is_open(second) && asking.is_open(third));
        assert_eq!(floor.look(&name(4), &asking), Ok(()), "it may need no talk");
        // Asked again, the place in the queue stays and the old ticket is over.
        let again = floor.look(&name(2), &asking).expect_err("still busy");
        assert!(!asking.is_open(second));
        floor.leave(&asking, false);
        assert!(!asking.is_open(again) && asking.is_open(third));
        assert!(floor.is_held_by(&name(2)));
        let third = floor.look(&name(3), &asking).expect_err("not its turn");
        assert_eq!(floor.look(&name(2), &asking), Ok(()));
        floor.leave(&asking, true);
        assert!(!asking.is_open(third) && !floor.is_held_by(&name(3)));
        assert_eq!(floor.take(&name(3), &asking), Ok(()));
    }
}
