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
mod floor;
mod hostkey;
mod identity;
mod jump;
mod memory;
mod offer;
mod peek;
mod refusal;
mod talk;
mod turn;
mod unlock;
mod watchdog;

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::ssh2::Session;

use crate::collect::asking::Asking;
use crate::collect::cancel::Woken;
use crate::collect::options::Bounds;
use crate::model::ask::QuestionId;
use crate::model::fact::{FaultClass, Gap};
use crate::model::hostkey::ShownKey;
use crate::model::name::NodeName;
use crate::probes::frame::{Frame, Progress};

use self::jump::{Lanes, Link, Width};
use super::fault::{Fault, on};
use super::trust::Trust;
use super::{Collect, Ctl, NodeRef, Transport, jitter, retry};
use auth::Keys;
use drive::{Phase, Wire, is_disconnect, words};
use hostkey::Expected;
use watchdog::Watchdog;

/// One worker's handle; clones share keys, known hosts, watchdog and bastions.
#[derive(Clone)]
pub struct Ssh2 {
    shared: Arc<Shared>,
    waits: Option<QuestionId>,
    told: bool,
    _last: Arc<Last>,
}

/// Ends the lanes, which use what is shared themselves, with the last handle.
struct Last(Arc<Shared>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.lanes.close();
    }
}

struct Shared {
    keys: Keys,
    trust: Trust,
    watchdog: Watchdog,
    lanes: Lanes,
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
        Self::bounded(asking, &Bounds::default())
    }

    /// With so many lanes to a bastion as the options say.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn bounded(asking: Arc<Asking>, bounds: &Bounds) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            keys: Keys::new(asking),
            trust: Trust::default(),
            watchdog: Watchdog::start()?,
            lanes: Lanes::new(Width {
                lanes: bounds.lanes,
                channels: bounds.channels,
            })?,
            shown: Mutex::default(),
        });
        Ok(Self {
            _last: Arc::new(Last(Arc::clone(&shared))),
            shared,
            waits: None,
            told: false,
        })
    }
}

impl Ssh2 {
    /// Lines of known_hosts files that could not be used, each once a reading, and what there is to say of bastions.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = self.shared.trust.complaints();
        complaints.extend(self.shared.lanes.sayings());
        complaints
    }

    /// The key at which the last way to a node ended, where a person may trust it; asked once.
    pub fn shown(&self, node: &NodeName) -> Option<Arc<ShownKey>> {
        self.shared.shown().remove(node)
    }

    /// The ticket that the last run has to be made again for, where it ended without one, and whether it ended as
    /// others before it, for a reason that was said then. Said once: what follows may go another way.
    pub fn aftermath(&mut self) -> (Option<QuestionId>, bool) {
        (self.waits.take(), std::mem::take(&mut self.told))
    }

    /// From now on nodes that are logged in to as this one are left to OpenSSH.
    pub fn leave_to_openssh(&self, node: &NodeRef, why: &str) {
        self.shared.keys.leave_to_openssh(node, why);
    }
}

impl Transport for Ssh2 {
    fn run(&mut self, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Result<Frame, Gap> {
        (self.waits, self.told) = (None, false);
        let mut lost = false;
        let outcome = retry(ctl, || {
            let outcome = self.shared.guarded(node, job, ctl);
            // A lane that has died says nothing of the node: once more, over a new one.
            if lost || !jump::is_lost(&outcome) || ctl.cancel.is_cancelled() {
                return outcome;
            }
            lost = true;
            // Where a bastion goes down its lanes do not end at the same instant: the next one may be one of them.
            if ctl.cancel.sleep(jitter(jump::RECOVERY)) == Woken::Cancelled {
                return outcome;
            }
            match self.shared.guarded(node, job, ctl) {
                // No time was left to find out more than before.
                Err(fault) if fault.hop.is_some() && Instant::now() >= ctl.deadline => outcome,
                again => again,
            }
        });
        if let Err(fault) = &outcome {
            (self.waits, self.told) = (fault.waits, fault.told);
            if let Some(key) = &fault.shown {
                let key = Arc::clone(key);
                self.shared.shown().insert(node.node.clone(), key);
            }
        }
        let on = |gap| on(&node.host, node.port, gap);
        let frame = outcome.map_err(|fault| on(fault.into()))?.map_err(on)?;
        Ok(Frame {
            cut: frame.cut.map(on),
            ..frame
        })
    }
}

/// A session that is logged in.
struct Entered<'a> {
    wire: Wire<'a>,
    /// Through which bastion, where it is one.
    link: Option<Link>,
    /// How long others were waited for: the deadline moves by as much.
    waited: Duration,
}

/// A fault before the command ran; inside, an answer or why there is none.
type Outcome = Result<Result<Frame, Gap>, Fault>;

impl Shared {
    fn shown(&self) -> MutexGuard<'_, HashMap<NodeName, Arc<ShownKey>>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guarded(self: &Arc<Self>, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Outcome {
        // libssh2's wrapper unwraps text that servers send: a hostile one must cost only its own node.
        let attempt = catch_unwind(AssertUnwindSafe(|| self.attempt(node, job, ctl)));
        attempt.unwrap_or_else(|_| {
            Err(Fault::new(
                FaultClass::Internal,
                "the session ended with a panic",
            ))
        })
    }

    /// Up to the command a fault may be tried again; what comes after it counts.
    fn attempt(self: &Arc<Self>, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Outcome {
        let Entered { wire, link, waited } = self.enter(node, ctl)?;
        (ctl.progress)(Progress::Authenticated);
        let ctl = Ctl {
            deadline: ctl.deadline + waited,
            ..*ctl
        };
        jump::blame(link.as_ref(), exec::run(&wire, job, &ctl))
    }

    /// A session with a verified host that has let us in, straight or through its bastion.
    fn enter<'a>(self: &Arc<Self>, node: &NodeRef, ctl: &Ctl<'a>) -> Result<Entered<'a>, Fault> {
        self.keys.ready(node)?;
        let Some(via) = &node.via else {
            let until = ctl.until(ctl.connect);
            let socket = connect::open(&node.host, node.port, until, ctl.cancel)?;
            let (wire, waited) = self.log_in(node, socket.into(), ctl, None)?;
            let link = None;
            return Ok(Entered { wire, link, waited });
        };
        let (socket, link, before) = jump::open(self, via, (&node.host, node.port), ctl)?;
        let own = Ctl {
            deadline: ctl.deadline + before,
            ..*ctl
        };
        match self.log_in(node, socket, &own, Some(&link)) {
            Ok((wire, waited)) => Ok(Entered {
                wire,
                link: Some(link),
                waited: before + waited,
            }),
            Err(fault) => Err(link.lost().unwrap_or(fault)),
        }
    }

    fn log_in<'a>(
        &self,
        node: &NodeRef,
        socket: OwnedFd,
        ctl: &Ctl<'a>,
        link: Option<&Link>,
    ) -> Result<(Wire<'a>, Duration), Fault> {
        let socket = Arc::new(socket);
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
        let waited = self.keys.login(&wire, node, ctl.until(ctl.auth), link)?;
        Ok((wire, waited))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the only maker of sessions: the host key is verified right after the handshake"
)]
fn session(socket: &Arc<OwnedFd>) -> Result<Session, Fault> {
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
            return Err(kex_failure(&error, &wire.socket));
        }
        if !peek::version_line(&wire.socket, until, until, wire.cancel)? {
            return Err(Phase::Banner.late());
        }
    }
    wire.drive(until, |session| session.clone().handshake())
        .map_err(|stop| stop.fault(Phase::Kex, |error| kex_failure(error, &wire.socket)))
}

fn kex_failure(error: &::ssh2::Error, socket: &std::os::fd::OwnedFd) -> Fault {
    // libssh2 has one code for a host that is gone and for one that offers nothing of use.
    if is_disconnect(error) || peek::at_end(socket) {
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
