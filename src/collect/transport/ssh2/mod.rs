//! The default way: libssh2, never blocking, one session a node, one thread a session.
//!
//! Every wait is ours and ends at a deadline or at a cancellation. The host key is verified before anything
//! is sent that identifies the user. Only a compiled-in command is ever run.

mod agent;
mod answers;
mod auth;
mod connect;
mod drive;
mod exec;
mod hostkey;
mod identity;
mod memory;
mod offer;
mod peek;
mod refusal;
mod talk;
mod turn;
mod unlock;
mod watchdog;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ::ssh2::Session;

use crate::collect::asking::Asking;
use crate::model::ask::QuestionId;
use crate::model::fact::{FaultClass, Gap};
use crate::model::hostkey::ShownKey;
use crate::model::name::NodeName;
use crate::probes::frame::{Frame, Progress};

use super::fault::Fault;
use super::trust::Trust;
use super::{Collect, Ctl, NodeRef, Transport, retry};
use auth::Keys;
use drive::{Phase, Wire, is_disconnect, words};
use hostkey::Expected;
use watchdog::Watchdog;

/// One worker's handle; clones share keys, known hosts and watchdog.
#[derive(Clone)]
pub struct Ssh2 {
    shared: Arc<Shared>,
    waits: Option<QuestionId>,
    told: bool,
}

struct Shared {
    keys: Keys,
    trust: Trust,
    watchdog: Watchdog,
    /// Keys that are not on file, by the node whose way ended there, until they are fetched.
    shown: Mutex<HashMap<NodeName, Arc<ShownKey>>>,
}

impl Ssh2 {
    /// With nobody to ask.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn new() -> std::io::Result<Self> {
        Self::asking(Arc::new(Asking::nobody()))
    }

    /// With somebody to ask for passphrases and passwords.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn asking(asking: Arc<Asking>) -> std::io::Result<Self> {
        Ok(Self {
            shared: Arc::new(Shared {
                keys: Keys::new(asking),
                trust: Trust::default(),
                watchdog: Watchdog::start()?,
                shown: Mutex::default(),
            }),
            waits: None,
            told: false,
        })
    }
}

impl Ssh2 {
    /// Lines of known_hosts files that could not be used, each once a reading.
    pub fn complaints(&self) -> Vec<String> {
        self.shared.trust.complaints()
    }

    /// The key at which the last way to a node ended, where a person may trust it; asked once.
    pub fn shown(&self, node: &NodeName) -> Option<Arc<ShownKey>> {
        self.shared.shown().remove(node)
    }

    /// The ticket that the last run has to be made again for: it ended without one.
    pub fn waits(&self) -> Option<QuestionId> {
        self.waits
    }

    /// The last run ended as others before it, for a reason that was said then.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// From now on nodes that are logged in to as this one are left to OpenSSH.
    pub fn leave_to_openssh(&self, node: &NodeRef, why: &str) {
        self.shared.keys.leave_to_openssh(node, why);
    }
}

impl Transport for Ssh2 {
    fn run(&mut self, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Result<Frame, Gap> {
        (self.waits, self.told) = (None, false);
        let outcome = retry(ctl, || {
            // libssh2's wrapper unwraps text that servers send: a hostile one must cost only its own node.
            let attempt = catch_unwind(AssertUnwindSafe(|| self.shared.attempt(node, job, ctl)));
            attempt.unwrap_or_else(|_| {
                Err(Fault::new(
                    FaultClass::Internal,
                    "the session ended with a panic",
                ))
            })
        });
        if let Err(fault) = &outcome {
            (self.waits, self.told) = (fault.waits, fault.told);
            if let Some(key) = &fault.shown {
                let key = Arc::clone(key);
                self.shared.shown().insert(node.node.clone(), key);
            }
        }
        outcome?
    }
}

impl Shared {
    fn shown(&self) -> MutexGuard<'_, HashMap<NodeName, Arc<ShownKey>>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to the command a fault may be tried again; what comes after it counts.
    fn attempt(
        &self,
        node: &NodeRef,
        job: &Collect,
        ctl: &Ctl<'_>,
    ) -> Result<Result<Frame, Gap>, Fault> {
        self.keys.ready(node)?;
        let until = ctl.until(ctl.connect);
        let socket = Arc::new(connect::open(&node.host, node.port, until, ctl.cancel)?);
        (ctl.progress)(Progress::Connected);
        let until = ctl.until(ctl.handshake);
        let mut wire = Wire {
            session: session(&socket)?,
            watch: self.watchdog.watch(&socket, until, ctl.cancel),
            socket,
            cancel: ctl.cancel,
        };
        let address = (node.host.as_str(), node.port);
        let expected = Expected::new(&self.trust, &node.known_as, &node.known_hosts, address);
        expected.ask(&wire.session)?;
        handshake(&mut wire, until)?;
        expected.verify(&wire.session)?;
        let waited = self.keys.login(&wire, node, ctl.until(ctl.auth))?;
        (ctl.progress)(Progress::Authenticated);
        let ctl = Ctl {
            deadline: ctl.deadline + waited,
            ..*ctl
        };
        exec::run(&wire, job, &ctl)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the only maker of sessions: the host key is verified right after the handshake"
)]
fn session(socket: &Arc<std::net::TcpStream>) -> Result<Session, Fault> {
    let mut session =
        Session::new().map_err(|error| Fault::new(FaultClass::Internal, words(&error)))?;
    session.set_blocking(false);
    session.set_tcp_stream(Arc::clone(socket));
    Ok(session)
}

fn handshake(wire: &mut Wire<'_>, until: Instant) -> Result<(), Fault> {
    let silence = (Instant::now() + peek::SILENCE).min(until);
    if !peek::version_line(&wire.socket, silence, until, wire.cancel)? {
        // Some services wait for the client's greeting: say ours, then look again.
        let mut session = wire.session.clone();
        if let Err(error) = session.handshake()
            && drive::code(&error) != drive::EAGAIN
        {
            return Err(kex_failure(&error));
        }
        if !peek::version_line(&wire.socket, until, until, wire.cancel)? {
            return Err(Phase::Banner.late());
        }
    }
    wire.drive(until, |session| session.clone().handshake())
        .map_err(|stop| stop.fault(Phase::Kex, kex_failure))
}

fn kex_failure(error: &::ssh2::Error) -> Fault {
    if is_disconnect(error) {
        return Fault::again(
            FaultClass::Disconnected,
            format!("the host hung up during the key exchange: {}", words(error)),
        );
    }
    Fault::new(
        FaultClass::KexFailure,
        format!(
            "{}; this side offers curve25519, ECDH, ML-KEM and group exchange with SHA-2, no SHA-1",
            words(error)
        ),
    )
}
