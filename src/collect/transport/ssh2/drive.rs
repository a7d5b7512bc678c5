//! One loop for every call of libssh2: try, wait for the socket, try again, until it is done or too late.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::ssh2::{BlockDirections, Error, ErrorCode, Session};
use rustix::event::PollFlags;
use rustix::net::{Shutdown, shutdown};

use crate::collect::cancel::{Cancel, Woken};
use crate::collect::transport::fault::Fault;
use crate::model::fact::FaultClass;

use super::watchdog::Watch;

/// `LIBSSH2_ERROR_EAGAIN`.
pub(super) const EAGAIN: i32 = -37;
/// `LIBSSH2_ERROR_SOCKET_SEND`.
pub(super) const SEND: i32 = -7;
/// `LIBSSH2_ERROR_AUTHENTICATION_FAILED`: the plain refusal.
pub(super) const REFUSED: i32 = -18;
/// `LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED`: a signature was sent and did not end the login: refused, or not enough.
pub(super) const NOT_ENOUGH: i32 = -19;
/// A wait for nothing in particular: libssh2 did not say which way it is blocked.
const BREATH: Duration = Duration::from_millis(20);

/// What is being done; decides what a timeout is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Banner,
    Kex,
    Auth,
    Script,
}

/// Why a call did not end well.
#[derive(Debug)]
pub(super) enum Stop {
    Cancelled,
    /// The phase's time is over.
    Late,
    Error(Error),
}

/// A session on its socket. Dropping it shuts the socket down first: libssh2 then frees everything at once,
/// where a plain drop would wait or leak.
pub(super) struct Wire<'a> {
    pub session: Session,
    /// TCP, or one end of a pair whose other end is a lane.
    pub socket: Arc<OwnedFd>,
    pub cancel: &'a Cancel,
    pub watch: Watch,
}

impl Drop for Wire<'_> {
    fn drop(&mut self) {
        self.hang_up();
    }
}

impl Wire<'_> {
    /// Ends the session; calls under way fail.
    pub fn hang_up(&self) {
        // Fails where the other side was faster, which is as good.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }

    /// Calls `op` until it is done. `op` must be repeatable, as libssh2's non-blocking calls are.
    pub fn drive<T>(
        &self,
        until: Instant,
        mut op: impl FnMut(&Session) -> Result<T, Error>,
    ) -> Result<T, Stop> {
        loop {
            match op(&self.session) {
                Ok(value) => return Ok(value),
                Err(error) if error.code() == ErrorCode::Session(EAGAIN) => self.wait(until)?,
                Err(error) => return Err(self.stop(error, until)),
            }
        }
    }

    /// Waits until the socket is ready for what the last call was blocked on.
    pub fn wait(&self, until: Instant) -> Result<(), Stop> {
        let (flags, until_now) = match self.session.block_directions() {
            BlockDirections::Inbound => (PollFlags::IN, until),
            BlockDirections::Outbound => (PollFlags::OUT, until),
            BlockDirections::Both => (PollFlags::IN | PollFlags::OUT, until),
            BlockDirections::None => (PollFlags::IN, until.min(Instant::now() + BREATH)),
        };
        match self.cancel.poll(self.socket.as_fd(), flags, until_now) {
            Woken::Cancelled => Err(Stop::Cancelled),
            Woken::Deadline if Instant::now() >= until => Err(Stop::Late),
            Woken::Ready | Woken::Deadline => Ok(()),
        }
    }

    /// The watchdog and a cancellation end a call with an error of the socket: name the cause, not the error.
    pub fn stop(&self, error: Error, until: Instant) -> Stop {
        if self.cancel.is_cancelled() {
            Stop::Cancelled
        } else if Instant::now() >= until {
            Stop::Late
        } else {
            Stop::Error(error)
        }
    }
}

impl Stop {
    /// As a fault; `error` says what an error of libssh2 means in this phase.
    pub fn fault(self, phase: Phase, error: impl FnOnce(&Error) -> Fault) -> Fault {
        match self {
            Self::Cancelled => Fault::cancelled(),
            Self::Late => phase.late(),
            Self::Error(cause) => error(&cause),
        }
    }
}

impl Phase {
    pub fn late(self) -> Fault {
        let (class, doing) = match self {
            Self::Banner => (
                FaultClass::TimeoutBanner,
                "the port is open, but no SSH greeting came in time",
            ),
            Self::Kex => (
                FaultClass::TimeoutKex,
                "the key exchange did not end in time",
            ),
            Self::Auth => (FaultClass::TimeoutAuth, "the login did not end in time"),
            Self::Script => (
                FaultClass::TimeoutScript,
                "the collector did not end in time",
            ),
        };
        Fault::new(class, doing)
    }
}

/// `text [code]`, as libssh2 has it.
pub(super) fn words(error: &Error) -> String {
    match error.code() {
        ErrorCode::Session(code) | ErrorCode::SFTP(code) => {
            format!("{} [{code}]", error.message())
        }
    }
}

/// The bare number of an error of libssh2.
pub(super) fn code(error: &Error) -> i32 {
    match error.code() {
        ErrorCode::Session(code) | ErrorCode::SFTP(code) => code,
    }
}

/// Whether the other side is gone: send, disconnect, receive.
pub(super) fn is_disconnect(error: &Error) -> bool {
    matches!(code(error), SEND | -13 | -43)
}
