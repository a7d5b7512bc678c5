//! What one login teaches the others that are configured alike: which identity works, and when to stop trying.
//!
//! Three refusals of the same login are enough: the next would be the same, and hosts count them.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::collect::cancel::Cancel;
use crate::collect::transport::NodeRef;
use crate::collect::transport::fault::Fault;
use crate::model::fact::FaultClass;
use crate::model::name::NodeName;

use super::offer::Identity;

/// Refusals after which the same login is not tried again.
const ENOUGH: usize = 3;
/// How often a wait looks for a cancellation.
const TICK: Duration = Duration::from_millis(50);

/// All circles, by the login that they share.
#[derive(Default)]
pub(super) struct Memory {
    circles: Mutex<HashMap<String, Circle>>,
    changed: Condvar,
}

/// Nodes that are logged in to with the same user and keys, behind the same bastion.
#[derive(Default)]
struct Circle {
    worked: Option<Identity>,
    /// Some login has worked: refusals are the business of single nodes then.
    settled: bool,
    /// Logins that are under way while nothing is settled.
    flying: usize,
    refused: Vec<(NodeName, String)>,
    /// The round of the refusals; a person who asks for another try starts a new one.
    round: u64,
    told: bool,
    openssh: Option<String>,
}

/// The right to try a login; given back when it is dropped.
pub(super) struct Pass<'a> {
    memory: &'a Memory,
    circle: String,
    flying: bool,
}

/// What nodes have to have in common for one to speak for the others.
pub(super) fn circle(node: &NodeRef) -> String {
    format!(
        "{} {:?} {:?} {:?} {} {:?} {:?}",
        node.user,
        node.via.as_ref().map(|via| &via.node),
        node.identities,
        node.certificates,
        node.identities_only,
        node.agent,
        node.client,
    )
}

impl Memory {
    /// Whether trying makes sense at all; asked before anything is connected to.
    pub fn look(&self, circle: &str, round: u64) -> Result<(), Fault> {
        match self.lock().get_mut(circle) {
            Some(circle) => circle.look(round),
            None => Ok(()),
        }
    }

    /// Waits for a turn, until `until`: while nothing is known, no more logins fly than refusals are still to be had.
    ///
    /// # Errors
    /// The login is not to be tried, or those that fly do not end: an agent may wait for a person.
    pub fn enter(
        &self,
        circle: &str,
        (round, until): (u64, Instant),
        cancel: &Cancel,
    ) -> Result<Pass<'_>, Fault> {
        let mut circles = self.lock();
        loop {
            let found = circles.entry(circle.to_owned()).or_default();
            found.look(round)?;
            if found.settled || found.flying + found.equal() < ENOUGH {
                let flying = !found.settled;
                found.flying += usize::from(flying);
                return Ok(Pass {
                    memory: self,
                    circle: circle.to_owned(),
                    flying,
                });
            }
            if cancel.is_cancelled() {
                return Err(Fault::cancelled());
            }
            if Instant::now() >= until {
                let text = "logins of other nodes with the same keys do not end: does the agent wait for somebody?";
                return Err(Fault::new(FaultClass::TimeoutAuth, text));
            }
            circles = self
                .changed
                .wait_timeout(circles, TICK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// The identity that worked last.
    pub fn worked(&self, circle: &str) -> Option<Identity> {
        self.lock().get(circle)?.worked.clone()
    }

    /// The next login of the circle is OpenSSH's from the start.
    pub fn leave_to_openssh(&self, circle: &str, why: &str) {
        let mut circles = self.lock();
        circles.entry(circle.to_owned()).or_default().openssh = Some(why.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Circle>> {
        self.circles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Circle {
    /// What most refusals say, and how many nodes say it.
    fn most(&self) -> Option<(&str, usize)> {
        let count = |words: &String| self.refused.iter().filter(|(_, own)| own == words).count();
        let all = self.refused.iter();
        all.map(|(_, words)| (words.as_str(), count(words)))
            .max_by_key(|(_, count)| *count)
    }

    fn equal(&self) -> usize {
        self.most().map_or(0, |(_, count)| count)
    }

    fn look(&mut self, round: u64) -> Result<(), Fault> {
        if self.round != round {
            self.round = round;
            self.refused.clear();
            self.told = false;
        }
        if let Some(why) = &self.openssh {
            return Err(Fault::new(FaultClass::NeedsSystemSsh, why.clone()));
        }
        if self.settled || self.equal() < ENOUGH {
            return Ok(());
        }
        Err(self.stopped())
    }

    fn stopped(&mut self) -> Fault {
        let words = self.most().map_or("", |(words, _)| words);
        let same = self.refused.iter().filter(|(_, own)| own == words);
        let names: Vec<&str> = same.take(ENOUGH).map(|(node, _)| node.as_str()).collect();
        let detail = format!(
            "{} nodes refused the same login ({}), so it was not tried here: {words}; press r to try again",
            names.len(),
            names.join(", "),
        );
        Fault {
            told: std::mem::replace(&mut self.told, true),
            ..Fault::new(FaultClass::AuthDenied, detail)
        }
    }
}

impl Pass<'_> {
    /// It worked, with this identity where it was one.
    pub fn worked(&mut self, identity: Option<&Identity>) {
        let mut circles = self.memory.lock();
        if let Some(circle) = circles.get_mut(&self.circle) {
            circle.settled = true;
            circle.refused.clear();
            if let Some(identity) = identity {
                circle.worked = Some(identity.clone());
            }
        }
        drop(circles);
        self.give_back();
    }

    /// The node has refused it; `words` say what was tried.
    pub fn refused(&mut self, node: &NodeName, words: &str) {
        let mut circles = self.memory.lock();
        if let Some(circle) = circles.get_mut(&self.circle)
            && !circle.settled
        {
            // A node that was asked twice is one node.
            circle.refused.retain(|(refused, _)| refused != node);
            circle.refused.push((node.clone(), words.to_owned()));
        }
        drop(circles);
        self.give_back();
    }

    /// Lets the next one try: this login waits for a person now.
    pub fn give_back(&mut self) {
        if std::mem::take(&mut self.flying) {
            let mut circles = self.memory.lock();
            if let Some(circle) = circles.get_mut(&self.circle) {
                circle.flying -= 1;
            }
        }
        self.memory.changed.notify_all();
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> NodeName {
        NodeName::parse(&format!("n{number}")).expect("a name")
    }

    fn enter<'a>(memory: &'a Memory, cancel: &Cancel) -> Result<Pass<'a>, Fault> {
        memory.enter("c", (0, Instant::now() + Duration::from_mins(1)), cancel)
    }

    fn refuse(memory: &Memory, cancel: &Cancel, number: usize, words: &str) {
        let mut pass = enter(memory, cancel).expect("a turn");
        pass.refused(&name(number), words);
    }

    #[test]
    fn three_equal_refusals_end_it_until_the_next_round() {
        let memory = Memory::default();
        let cancel = Cancel::new().expect("a pipe");
        refuse(&memory, &cancel, 1, "key a");
        refuse(&memory, &cancel, 2, "key b");
        refuse(&memory, &cancel, 3, "key a");
        assert!(memory.look("c", 0).is_ok());
        refuse(&memory, &cancel, 4, "key a");
        let first = memory.look("c", 0).expect_err("three are enough");
        let second = memory.look("c", 0).expect_err("three are enough");
        assert_eq!((first.told, second.told), (false, true));
        assert!(
            first
                .detail
                .starts_with("3 nodes refused the same login (n1, n3, n4)")
        );
        assert!(memory.look("other", 0).is_ok());
        assert!(memory.look("c", 1).is_ok());
    }

    #[test]
    fn a_node_that_refuses_thrice_is_one_node() {
        let memory = Memory::default();
        let cancel = Cancel::new().expect("a pipe");
        for _ in 0..ENOUGH {
            refuse(&memory, &cancel, 1, "key a");
        }
        assert!(memory.look("c", 0).is_ok());
        refuse(&memory, &cancel, 1, "key b");
        refuse(&memory, &cancel, 2, "key a");
        refuse(&memory, &cancel, 3, "key a");
        assert!(memory.look("c", 0).is_ok(), "its last word counts");
        refuse(&memory, &cancel, 4, "key a");
        assert!(memory.look("c", 0).is_err());
    }

    #[test]
    fn a_wait_for_others_has_an_end() {
        let memory = Memory::default();
        let cancel = Cancel::new().expect("a pipe");
        let _passes: Vec<_> = (0..ENOUGH)
            .map(|_| enter(&memory, &cancel).expect("a turn"))
            .collect();
        let end = Instant::now() + Duration::from_millis(1);
        let late = memory.enter("c", (0, end), &cancel).err();
        assert_eq!(late.map(|fault| fault.class), Some(FaultClass::TimeoutAuth));
    }

    #[test]
    fn one_success_settles_it() {
        let memory = Memory::default();
        let cancel = Cancel::new().expect("a pipe");
        enter(&memory, &cancel).expect("a turn").worked(None);
        for number in 0..5 {
            refuse(&memory, &cancel, number, "key a");
        }
        assert!(memory.look("c", 0).is_ok());
    }

    #[test]
    fn no_more_fly_than_may_fail() {
        let memory = Memory::default();
        let cancel = Cancel::new().expect("a pipe");
        let mut passes: Vec<_> = (0..ENOUGH)
            .map(|_| enter(&memory, &cancel).expect("a turn"))
            .collect();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| enter(&memory, &cancel).is_ok());
            passes.remove(0).give_back();
            assert!(waiting.join().expect("no panic"));
        });
        cancel.cancel();
        let last = enter(&memory, &cancel).err();
        assert!(last.is_none_or(|fault| fault.class == FaultClass::Cancelled));
    }
}
