//! Bastions: connections through another SSH host, several of them over one login.
//!
//! A lane is one login at a bastion, served by one thread. Whoever wants a connection puts a request into the
//! bastion's queue, from which every lane takes one at a time: libssh2 opens one channel after the other, and one
//! that was begun cannot be given up. A target that does not answer thus costs one lane, not the queue.

mod bastion;
mod lane;
mod life;
mod pair;

use std::collections::HashMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use crate::collect::cancel::{Cancel, Woken};
use crate::collect::lock;
use crate::collect::transport::fault::Fault;
use crate::collect::transport::{Ctl, NodeRef};
use crate::model::fact::{FaultClass, Gap};
use crate::probes::frame::Frame;

use super::{Outcome, Shared};
use bastion::{Bastion, Request};

/// The first byte on an end: the target has taken the connection.
const OPEN: u8 = b'+';
/// How long the end of all lanes is waited for: one that waits for an agent ends by itself.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between the end of a lane and the other try of those that were on it.
pub(super) const RECOVERY: Duration = Duration::from_millis(300);
/// How often whoever waits looks whether a lane logs in.
const TICK: Duration = Duration::from_millis(250);
/// What is told of bastions at most, until somebody asks.
const SAYINGS: usize = 64;

/// How many lanes there are to a bastion, and how much goes over one of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Width {
    pub lanes: usize,
    pub channels: usize,
}

/// What a login at a bastion may take; it belongs to no single node.
#[derive(Clone, Copy, Debug)]
struct Times {
    connect: Duration,
    handshake: Duration,
    auth: Duration,
}

/// All bastions in use.
pub(super) struct Lanes {
    width: Width,
    bastions: Mutex<HashMap<Arc<NodeRef>, Arc<Bastion>>>,
    /// Rung when nobody is left who could want a connection.
    quit: Arc<Cancel>,
    threads: Mutex<usize>,
    left: Condvar,
    sayings: Mutex<Vec<String>>,
}

/// What a lane says of a connection that it has ended itself.
#[derive(Default)]
struct Fate(Mutex<Option<Fault>>);

/// Held for as long as a connection through a bastion is in use.
pub(super) struct Link(Arc<Fate>);

impl Fate {
    /// The first word counts: it is the cause of the others.
    fn seal(&self, fault: Fault) {
        lock(&self.0).get_or_insert(fault);
    }
}

impl Link {
    /// Why the connection has ended, where that was the bastion's doing and not that of the host behind it.
    pub fn lost(&self) -> Option<Fault> {
        lock(&self.0.0).clone()
    }
}

impl Lanes {
    /// # Errors
    /// Where no descriptors are left.
    pub fn new(width: Width) -> std::io::Result<Self> {
        Ok(Self {
            width: Width {
                lanes: width.lanes.clamp(1, 8),
                channels: width.channels.clamp(1, 256),
            },
            bastions: Mutex::default(),
            quit: Arc::new(Cancel::new()?),
            threads: Mutex::default(),
            left: Condvar::new(),
            sayings: Mutex::default(),
        })
    }

    /// What there is to say of bastions, since the last time of asking.
    pub fn sayings(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.sayings))
    }

    fn say(&self, text: String) {
        let mut sayings = lock(&self.sayings);
        if sayings.len() < SAYINGS {
            sayings.push(text);
        }
    }

    /// Ends all lanes and waits for their threads.
    pub fn close(&self) {
        self.quit.cancel();
        let until = Instant::now() + PATIENCE;
        let mut threads = lock(&self.threads);
        while *threads > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            threads = self
                .left
                .wait_timeout(threads, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn bastion(&self, node: &Arc<NodeRef>) -> Arc<Bastion> {
        let mut bastions = lock(&self.bastions);
        if let Some(bastion) = bastions.get(node) {
            return Arc::clone(bastion);
        }
        // The configuration has changed since, or the bastion was of use once.
        bastions.retain(|_, bastion| !bastion.is_forgotten());
        let bastion = Arc::new(Bastion::new(Arc::clone(node)));
        bastions.insert(Arc::clone(node), Arc::clone(&bastion));
        bastion
    }
}

/// Counts a lane's thread for as long as it lives, however it ends.
struct Present<'a>(&'a Lanes);

impl Drop for Present<'_> {
    fn drop(&mut self) {
        *lock(&self.0.threads) -= 1;
        self.0.left.notify_all();
    }
}

/// A connection to `host` and `port` as seen from the bastion `via`, over a lane that there is or a new one; and how
/// long the bastion's own login took, which is not the node's time.
///
/// # Errors
/// The bastion's own fault, named as such; or that it could not reach the host, or not in time.
pub(super) fn open(
    core: &Arc<Shared>,
    via: &Arc<NodeRef>,
    (host, port): (&str, u16),
    ctl: &Ctl<'_>,
) -> Result<(OwnedFd, Link, Duration), Fault> {
    let internal = |error: std::io::Error| {
        Fault::new(FaultClass::Internal, format!("a pair of sockets: {error}"))
    };
    let (ours, theirs) = UnixStream::pair().map_err(internal)?;
    ours.set_nonblocking(true).map_err(internal)?;
    theirs.set_nonblocking(true).map_err(internal)?;
    let fate = Arc::new(Fate::default());
    let request = Request {
        host: host.to_owned(),
        port,
        socket: theirs,
        fate: Arc::clone(&fate),
        since: Instant::now(),
    };
    let times = Times {
        connect: ctl.connect,
        handshake: ctl.handshake,
        auth: ctl.auth,
    };
    let bastion = core.lanes.bastion(via);
    bastion.submit(core, request, times)?;
    let (link, start) = (Link(fate), Instant::now());
    let mut before = Duration::ZERO;
    loop {
        // While a person answers the bastion nobody is held up.
        if let Some(id) = core.keys.question_of(&via.node) {
            return Err(Fault::waiting(id));
        }
        let until = (ctl.deadline + before).min(Instant::now() + TICK);
        match ctl.cancel.poll(ours.as_fd(), PollFlags::IN, until) {
            Woken::Ready => break,
            Woken::Cancelled => return Err(Fault::cancelled()),
            Woken::Deadline if bastion.is_entering() => before = start.elapsed(),
            Woken::Deadline if Instant::now() < ctl.deadline + before => {}
            Woken::Deadline => {
                let text = "no lane to it came free in time";
                return Err(Fault::new(FaultClass::TimeoutAuth, text).of(via.node.as_str()));
            }
        }
    }
    match rustix::io::read(&ours, &mut [0]) {
        Ok(1) => Ok((ours.into(), link, before)),
        _ => Err(link.lost().unwrap_or_else(|| lost(via, "the lane ended"))),
    }
}

/// What came of a job whose connection may have ended with its lane.
pub(super) fn blame(link: Option<&Link>, outcome: Outcome) -> Outcome {
    let Some(lost) = link.and_then(Link::lost) else {
        return outcome;
    };
    match outcome {
        Ok(Ok(frame)) if frame.cut.is_none() => Ok(Ok(frame)),
        Ok(Ok(frame)) => Ok(Ok(Frame {
            cut: Some(lost.into()),
            ..frame
        })),
        Err(fault) if fault.class == FaultClass::Cancelled => Err(fault),
        _ => Err(lost),
    }
}

/// Whether it was the bastion that ended the job.
pub(super) fn is_lost(outcome: &Outcome) -> bool {
    match outcome {
        Err(fault) => fault.class == FaultClass::JumpLost,
        Ok(Ok(frame)) => matches!(
            frame.cut,
            Some(Gap::Bastion {
                class: FaultClass::JumpLost,
                ..
            })
        ),
        Ok(Err(_)) => false,
    }
}

/// The bastion is gone; a new lane may find it back.
fn lost(via: &NodeRef, detail: &str) -> Fault {
    Fault::new(FaultClass::JumpLost, detail).of(via.node.as_str())
}
