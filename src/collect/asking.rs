//! Questions to a person: asked once, waited for by whoever needs the answer, and by nobody else.
//!
//! Whoever cannot go on without an answer comes back when its ticket is settled; nothing is held meanwhile.
//! Answers stay here until they are taken, and are never logged.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::ask::{Asked, Question, QuestionId};
use crate::model::link::{Level, Update};
use crate::model::secret::Secret;
use crate::model::text::Text;

use super::cancel::Cancel;
use super::options::Audience;
use super::outlet::Outlet;

/// How often a wait looks for a cancellation.
const TICK: Duration = Duration::from_millis(50);

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Open,
    Given(Vec<Secret>),
    /// Cancelled, withdrawn, or answered with the wrong number of lines.
    Declined,
}

/// A question or a ticket that is not settled.
#[derive(Default)]
struct Open {
    /// Lines of an answer; a ticket has none.
    fields: usize,
    /// A ticket may be good for a while only.
    until: Option<Instant>,
}

/// The desk where questions lie until they are answered.
pub struct Asking {
    outlet: Mutex<Option<Outlet>>,
    desk: Mutex<Desk>,
    settled: Condvar,
    round: AtomicU64,
}

#[derive(Default)]
struct Desk {
    next: u64,
    open: HashMap<QuestionId, Open>,
    asked: HashSet<QuestionId>,
    given: HashMap<QuestionId, Vec<Secret>>,
}

impl Asking {
    /// Nobody is there: every question is declined beforehand.
    pub fn nobody() -> Self {
        Self::to(None)
    }

    /// Somebody takes questions from `updates` and brings answers by [`Asking::answer`].
    pub fn person(updates: SyncSender<Update>, cancel: Arc<Cancel>) -> Self {
        Self::to(Some(Outlet::new(updates, cancel)))
    }

    pub(super) fn new(audience: Audience, outlet: &Outlet) -> Self {
        Self::to((audience == Audience::Person).then(|| outlet.clone()))
    }

    fn to(outlet: Option<Outlet>) -> Self {
        Self {
            outlet: Mutex::new(outlet),
            desk: Mutex::default(),
            settled: Condvar::new(),
            round: AtomicU64::new(0),
        }
    }

    /// Whether a person can be asked.
    pub(super) fn is_heard(&self) -> bool {
        self.outlet().is_some()
    }

    /// The run is over: nobody is asked any more, and the way out is not held open.
    pub(super) fn close(&self) {
        *self.outlet() = None;
    }

    fn outlet(&self) -> MutexGuard<'_, Option<Outlet>> {
        self.outlet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rises whenever a person asks for another try: refusals of earlier rounds are over then.
    pub(super) fn round(&self) -> u64 {
        self.round.load(Ordering::SeqCst)
    }

    /// A person asked for another try.
    pub fn renew(&self) {
        self.round.fetch_add(1, Ordering::SeqCst);
    }

    /// Puts a question; the ticket is settled when it is answered.
    pub(super) fn ask(&self, kind: Asked, again: Option<String>) -> QuestionId {
        let again = again.map(|why| Text::new(&why));
        let mut desk = self.lock();
        let id = desk.ticket();
        let question = Question { id, kind, again };
        desk.asked.insert(id);
        let fields = question.fields().len();
        desk.open.insert(
            id,
            Open {
                fields,
                until: None,
            },
        );
        drop(desk);
        // Not under the lock: a way out that is full waits.
        let outlet = self.outlet().clone();
        if let Some(outlet) = outlet {
            let message = Text::from(format!("waiting for an answer: {}", question.subject()));
            outlet.log(Level::Info, None, message, None);
            outlet.send(Update::Ask(question));
        }
        id
    }

    /// A ticket for something that is not asked of a person.
    pub(super) fn ticket(&self) -> QuestionId {
        self.lock().ticket()
    }

    /// The same, settled by itself after `time`.
    pub(super) fn ticket_for(&self, time: Duration) -> QuestionId {
        let mut desk = self.lock();
        let id = desk.ticket();
        let until = Some(Instant::now() + time);
        desk.open.insert(id, Open { fields: 0, until });
        id
    }

    /// Ends the waiting for a ticket, or takes a question back.
    pub(super) fn settle(&self, id: QuestionId) {
        self.end(id, None);
    }

    /// The answer of a person.
    pub fn answer(&self, id: QuestionId, answer: Option<Vec<Secret>>) {
        self.end(id, answer);
    }

    fn end(&self, id: QuestionId, answer: Option<Vec<Secret>>) {
        let was_asked = {
            let mut desk = self.lock();
            let Some(open) = desk.open.remove(&id) else {
                return;
            };
            if let Some(lines) = answer.filter(|lines| lines.len() == open.fields) {
                desk.given.insert(id, lines);
            }
            desk.asked.remove(&id)
        };
        self.settled.notify_all();
        let outlet = self.outlet().clone().filter(|_| was_asked);
        if let Some(outlet) = outlet {
            outlet.send(Update::Answered(id));
        }
    }

    pub(super) fn is_open(&self, id: QuestionId) -> bool {
        let desk = self.lock();
        let open = desk.open.get(&id);
        open.is_some_and(|open| open.until.is_none_or(|until| Instant::now() < until))
    }

    /// The answer, handed out once.
    pub(super) fn take(&self, id: QuestionId) -> Reply {
        let mut desk = self.lock();
        if desk.open.contains_key(&id) {
            return Reply::Open;
        }
        desk.given.remove(&id).map_or(Reply::Declined, Reply::Given)
    }

    /// Waits for the answer where a live session hangs on it. A question that is not answered until then, or
    /// before a cancellation, is taken back.
    pub(super) fn wait(&self, id: QuestionId, until: Instant, cancel: &Cancel) -> Reply {
        let mut desk = self.lock();
        while desk.open.contains_key(&id) {
            if cancel.is_cancelled() || Instant::now() >= until {
                drop(desk);
                self.settle(id);
                return self.take(id);
            }
            desk = self
                .settled
                .wait_timeout(desk, TICK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(desk);
        self.take(id)
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    fn ticket(&mut self) -> QuestionId {
        self.next += 1;
        let id = QuestionId(self.next);
        self.open.insert(id, Open::default());
        id
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;

    fn asking() -> (Asking, Receiver<Update>, Arc<Cancel>) {
        let cancel = Arc::new(Cancel::new().expect("a pipe"));
        let (updates, inbox) = sync_channel(16);
        let outlet = Outlet::new(updates, Arc::clone(&cancel));
        (Asking::new(Audience::Person, &outlet), inbox, cancel)
    }

    fn passphrase() -> Asked {
        Asked::Passphrase {
            file: Text::new("/k"),
        }
    }

    #[test]
    fn an_answer_is_handed_out_once_and_never_told() {
        let (asking, inbox, _) = asking();
        let id = asking.ask(passphrase(), None);
        assert_eq!(asking.take(id), Reply::Open);
        let lines = vec![Secret::new("x1y2z3".to_owned())];
        asking.answer(id, Some(lines.clone()));
        asking.answer(id, None);
        assert_eq!(asking.take(id), Reply::Given(lines));
        assert_eq!(asking.take(id), Reply::Declined);
        let told: Vec<Update> = inbox.try_iter().collect();
        assert!(matches!(told[1], Update::Ask(_)), "{told:?}");
        assert!(matches!(told[2], Update::Answered(_)) && told.len() == 3);
        assert!(!format!("{told:?}").contains("x1y2z3"));
    }

    #[test]
    fn too_few_lines_are_no_answer() {
        let (asking, _inbox, cancel) = asking();
        let id = asking.ask(passphrase(), None);
        asking.answer(id, Some(Vec::new()));
        assert_eq!(asking.take(id), Reply::Declined);
        let id = asking.ask(passphrase(), None);
        assert_eq!(asking.wait(id, Instant::now(), &cancel), Reply::Declined);
        assert!(!asking.is_open(id));
        let id = asking.ticket();
        assert!(asking.is_open(id));
        asking.settle(id);
        assert!(!asking.is_open(id));
        let id = asking.ticket_for(Duration::ZERO);
        assert!(!asking.is_open(id), "over by itself");
    }
}
