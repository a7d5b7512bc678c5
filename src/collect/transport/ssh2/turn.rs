//! One login under way and its clock, which stands still while a person thinks.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use ::ssh2::{Error, Session};

use crate::collect::transport::NodeRef;
use crate::collect::transport::fault::Fault;
use crate::model::fact::FaultClass;

use super::drive::{Phase, Stop, Wire, is_disconnect, words};
use super::jump::Link;
use super::memory::Pass;
use super::peek;

/// Time for the question which methods the host takes.
const METHODS: Duration = Duration::from_secs(2);
/// Longer than any wait for a person on a live session.
const AGES: Duration = Duration::from_mins(10);

/// One login under way. Time that goes by while a person thinks, or while others have their turn, is not its own.
pub(super) struct Turn<'a> {
    pub wire: &'a Wire<'a>,
    pub node: &'a NodeRef,
    pub started: Instant,
    until: Cell<Instant>,
    waited: Cell<Duration>,
    common: Cell<bool>,
    /// The way through bastions, where there is one.
    link: Option<&'a Link>,
    pub pass: RefCell<Option<Pass<'a>>>,
}

impl<'a> Turn<'a> {
    pub fn new(
        wire: &'a Wire<'a>,
        node: &'a NodeRef,
        until: Instant,
        link: Option<&'a Link>,
    ) -> Self {
        wire.watch.extend(until);
        Self {
            wire,
            node,
            started: Instant::now(),
            until: Cell::new(until),
            waited: Cell::default(),
            common: Cell::default(),
            link,
            pass: RefCell::default(),
        }
    }

    /// What stands in the way is no business of this host: a person did not answer.
    pub fn in_common(&self) {
        self.common.set(true);
    }

    pub fn is_common(&self) -> bool {
        self.common.get()
    }

    /// How long it was not its own time.
    pub fn waited(&self) -> Duration {
        self.waited.get()
    }

    /// As [`Wire::drive`], until the end of the login.
    pub fn drive<T>(&self, op: impl FnMut(&Session) -> Result<T, Error>) -> Result<T, Stop> {
        self.wire.drive(self.until.get(), op)
    }

    /// The end of the login as it is now.
    pub fn until(&self) -> Instant {
        self.until.get()
    }

    /// At least so much time from now on.
    fn extend(&self, time: Duration) {
        self.until.set(self.until.get().max(Instant::now() + time));
        self.wire.watch.extend(self.until.get());
    }

    /// Does something that is not the node's fault, however long it takes; others may have their turn meanwhile.
    pub fn pause<T>(&self, wait: impl FnOnce() -> T) -> T {
        if let Some(pass) = self.pass.borrow_mut().as_mut() {
            pass.give_back();
        }
        let start = Instant::now();
        self.wire.watch.extend(start + AGES);
        let outcome = wait();
        let took = start.elapsed();
        self.waited.set(self.waited.get() + took);
        self.until.set(self.until.get() + took);
        self.wire.watch.extend(self.until.get());
        outcome
    }

    /// Whether the session is gone. libssh2 has the code of a refusal for every answer that did not come, and says
    /// only in words which of the two it was.
    pub fn is_gone(&self, error: &Error) -> bool {
        is_disconnect(error)
            || error.message().starts_with("Waiting for ")
            || peek::at_end(&self.wire.socket)
    }

    /// The end of the login with its session: no refusal. Where a lane has died it is not even the host's.
    pub fn gone(&self, error: &Error) -> Fault {
        self.lost().unwrap_or_else(|| {
            let user = &self.node.user;
            let text = format!("the host hung up during the login as {user}");
            Fault::new(
                FaultClass::Disconnected,
                format!("{text}: {}", words(error)),
            )
        })
    }

    /// Why the way to the host has ended, where that was not the host's doing.
    pub fn lost(&self) -> Option<Fault> {
        self.link.and_then(Link::lost)
    }

    /// What to call the host in front of a person.
    pub fn host(&self) -> String {
        self.node.node.as_str().to_owned()
    }
}

/// Which methods the host takes now; none: it has let the user in without any.
///
/// # Errors
/// A cancellation, and a session that is gone.
pub(super) fn accepted(turn: &Turn<'_>) -> Result<Option<String>, Fault> {
    turn.extend(METHODS);
    let user = &turn.node.user;
    let methods = turn.drive(|session| session.auth_methods(user).map(str::to_owned));
    if turn.wire.session.authenticated() {
        return Ok(None);
    }
    match methods {
        Ok(methods) => Ok(Some(methods.chars().take(200).collect())),
        Err(Stop::Cancelled) => Err(Fault::cancelled()),
        Err(Stop::Error(error)) if turn.is_gone(&error) => Err(turn.gone(&error)),
        // The refusal counts, with or without the list.
        Err(_) => Ok(Some(String::new())),
    }
}

/// The login did not come to an end.
pub(super) fn late(stop: Stop) -> Fault {
    stop.fault(Phase::Auth, |_| Phase::Auth.late())
}
