//! Whose turn it is to ask the person: one host at a time, so that no question outlives its session.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::ask::QuestionId;
use crate::model::name::NodeName;

use super::answers::Answers;

/// How long a node whose turn it is may take to come back.
const RETURN: Duration = Duration::from_secs(30);

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

impl Floor {
    /// Takes the floor, or a ticket for it.
    pub fn take(&self, node: &NodeName, answers: &Answers) -> Result<(), QuestionId> {
        let mut state = self.lock();
        let free = match &state.holder {
            None => true,
            Some(holder) => {
                holder.node == *node || (!holder.talks && holder.since.elapsed() > RETURN)
            }
        };
        if free {
            state.waiting.retain(|(waiting, _)| waiting != node);
            state.holder = Some(Holder {
                node: node.clone(),
                since: Instant::now(),
                talks: true,
                question: None,
            });
            return Ok(());
        }
        if let Some((_, id)) = state.waiting.iter().find(|(waiting, _)| waiting == node) {
            return Err(*id);
        }
        let id = answers.asking.ticket();
        state.waiting.push_back((node.clone(), id));
        Err(id)
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

    /// Ends a talk. Where a password was learned all may come back, else the next in the queue.
    pub fn leave(&self, answers: &Answers, all: bool) {
        let mut state = self.lock();
        state.holder = None;
        let count = if all { state.waiting.len() } else { 1 };
        let called: Vec<_> = (0..count)
            .map_while(|_| state.waiting.pop_front())
            .collect();
        if let ([(node, _)], false) = (&called[..], all) {
            state.holder = Some(Holder {
                node: node.clone(),
                since: Instant::now(),
                talks: false,
                question: None,
            });
        }
        drop(state);
        for (_, id) in called {
            answers.asking.settle(id);
        }
    }

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
