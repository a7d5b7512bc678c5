//! One bastion: who waits for a connection, which lanes there are, and whether another one would help.

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};

use crate::collect::lock;
use crate::collect::transport::NodeRef;
use crate::collect::transport::fault::Fault;
use crate::collect::transport::trust::{Stamps, stamps};
use crate::model::fact::FaultClass;

use super::{Fate, Lanes, Present, Shared, Times, Width, life};

/// Logins that fail in a row before the bastion is left alone: more of them look like an attack.
const FAILURES: u32 = 5;
/// For how long it is left alone then.
const REST: Duration = Duration::from_mins(1);
/// So many requests for a lane are no crowd: it opens one per round trip.
const CROWD: usize = 4;
/// Nobody waits longer than this behind another's open, while another lane could be had.
const HURRY: Duration = Duration::from_millis(500);
/// Lanes that only serve what they have: so many times the number of those that take more.
const RETIRING: usize = 4;
/// Room for libssh2 and OpenSSL, as a worker has.
const STACK: usize = 1 << 20;

/// A connection that somebody waits for.
pub(super) struct Request {
    pub host: String,
    pub port: u16,
    /// The lane's end; closing it is the refusal.
    pub socket: UnixStream,
    pub fate: Arc<Fate>,
    pub since: Instant,
}

/// One bastion with one identity, by one way.
pub(super) struct Bastion {
    pub node: Arc<NodeRef>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Request>,
    posts: Vec<Post>,
    next: u64,
    /// The last login went well: more than one at a time may be tried.
    proven: bool,
    /// One lane has to do for all.
    alone: bool,
    /// Failed logins in a row.
    failed: u32,
    stopped: Option<Stopped>,
}

/// Left alone for a while.
struct Stopped {
    since: Instant,
    moment: Moment,
    fault: Fault,
}

/// What a person may have done about failed logins: asked for another try, or trusted a key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Moment {
    round: u64,
    trust: Stamps,
}

/// A lane as the others see it.
struct Post {
    id: u64,
    bell: Arc<OwnedFd>,
    stage: Stage,
}

/// What a lane does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Logs in.
    Entering,
    /// Could take a request at once.
    Free,
    /// Opens one, or has all the channels that it may have.
    Busy,
    /// Takes no more.
    Retiring,
}

impl Bastion {
    pub fn new(node: Arc<NodeRef>) -> Self {
        Self {
            node,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Nobody uses it and nothing is worth remembering.
    pub fn is_forgotten(&self) -> bool {
        let state = self.lock();
        state.posts.is_empty() && state.queue.is_empty() && state.rest().is_none()
    }

    /// What a login that starts now goes by.
    pub fn moment(&self, core: &Shared) -> Moment {
        Moment {
            round: core.keys.round(),
            trust: stamps(&self.node.known_hosts),
        }
    }

    /// Why nothing is tried now; what was changed by a person since is worth a try.
    fn rest(&self, core: &Shared) -> Option<Fault> {
        let (moment, fault) = {
            let state = self.lock();
            (state.stopped.as_ref()?.moment.clone(), state.rest()?)
        };
        (moment == self.moment(core)).then_some(fault)
    }

    /// Puts a request into the queue.
    ///
    /// # Errors
    /// The bastion is left alone for now.
    pub fn submit(
        self: &Arc<Self>,
        core: &Arc<Shared>,
        request: Request,
        times: Times,
    ) -> Result<(), Fault> {
        if let Some(fault) = self.rest(core) {
            return Err(fault);
        }
        self.lock().queue.push_back(request);
        self.staff(core, times);
        Ok(())
    }

    /// Wakes lanes for what waits, and starts one more where that is of use.
    pub fn staff(self: &Arc<Self>, core: &Arc<Shared>, times: Times) {
        let mut state = self.lock();
        let mut waiting = state.queue.len();
        for post in state.posts.iter().filter(|post| post.stage == Stage::Free) {
            if waiting == 0 {
                return;
            }
            ring(&post.bell);
            waiting -= 1;
        }
        if waiting == 0 || core.lanes.quit.is_cancelled() || !state.needs(core.lanes.width) {
            return;
        }
        let fault = match bell() {
            Ok(bell) => {
                let id = state.post(&bell);
                drop(state);
                match self.hire(core, (id, bell), times) {
                    Ok(()) => return,
                    Err(error) => {
                        state = self.lock();
                        state.posts.retain(|post| post.id != id);
                        error
                    }
                }
            }
            Err(error) => error,
        };
        if state.posts.is_empty() {
            let text = format!("no thread for it: {fault}");
            state.turn_away(&Fault::new(FaultClass::Internal, text).of(self.node.node.as_str()));
        }
    }

    fn hire(
        self: &Arc<Self>,
        core: &Arc<Shared>,
        (id, bell): (u64, Arc<OwnedFd>),
        times: Times,
    ) -> std::io::Result<()> {
        let (bastion, lanes) = (Arc::clone(self), Arc::clone(core));
        *lock(&core.lanes.threads) += 1;
        let started = std::thread::Builder::new()
            .name("lane".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let _present = Present(&lanes.lanes);
                life::live(&lanes, &bastion, (id, &bell), times);
            });
        if started.is_err() {
            drop(Present(&core.lanes));
        }
        started.map(drop)
    }

    /// The next request for a lane, which is then [`Stage::Busy`]; without one it is [`Stage::Free`].
    pub fn take(&self, id: u64) -> Option<Request> {
        let mut state = self.lock();
        // Who has given up meanwhile holds its fate no more.
        state
            .queue
            .retain(|request| Arc::strong_count(&request.fate) > 1);
        let request = state.queue.pop_front();
        let stage = if request.is_some() {
            Stage::Busy
        } else {
            Stage::Free
        };
        state.stage(id, stage);
        request
    }

    /// Whether a lane without work may end: nothing may come into the queue between the look and the end.
    pub fn release(&self, id: u64) -> bool {
        let mut state = self.lock();
        let idle = state.queue.is_empty();
        if idle {
            state.posts.retain(|post| post.id != id);
        }
        idle
    }

    /// What a lane does from now on.
    pub fn set(&self, id: u64, stage: Stage) {
        self.lock().stage(id, stage);
    }

    /// A lane has logged in. `alone`: another login would ask a person again.
    pub fn entered(&self, id: u64, alone: bool) {
        let mut state = self.lock();
        state.alone = alone;
        state.stage(id, Stage::Free);
        state.proven = true;
    }

    /// A lane has brought a connection about: the bastion is of use.
    pub fn served(&self) {
        let mut state = self.lock();
        state.failed = 0;
        state.stopped = None;
    }

    /// Whether a lane logs in and none is in service.
    pub fn is_entering(&self) -> bool {
        let state = self.lock();
        let entering = state.count(Stage::Entering);
        entering > 0 && entering == state.active()
    }

    /// A lane has ended. `fault`: it was of no use, and why; `moment`: as it was when the lane began.
    pub fn left(&self, id: u64, fault: Option<&Fault>, moment: Moment, lanes: &Lanes) {
        let mut state = self.lock();
        state.posts.retain(|post| post.id != id);
        let Some(fault) = fault else { return };
        // An answer that is missing is no refusal, and with OpenSSH it may go well.
        let other = fault.waits.is_some() || fault.class == FaultClass::NeedsSystemSsh;
        if lanes.quit.is_cancelled() || other {
            if state.active() == 0 {
                state.turn_away(fault);
            }
            return;
        }
        state.proven = false;
        state.failed += 1;
        let mut fault = fault.clone();
        if state.failed >= FAILURES {
            fault.detail = format!(
                "{}; left alone for {} s after {FAILURES} failed logins in a row",
                fault.detail,
                REST.as_secs()
            );
            if state.rest().is_none() {
                let name = &self.node.node;
                lanes.say(format!(
                    "bastion {name} ({}): {}",
                    fault.class, fault.detail
                ));
            }
            state.stopped = Some(Stopped {
                since: Instant::now(),
                moment,
                fault: fault.clone(),
            });
        }
        // Another lane may have been let in.
        if state.active() == 0 {
            state.turn_away(&fault);
        }
    }
}

impl State {
    fn stage(&mut self, id: u64, stage: Stage) {
        if let Some(post) = self.posts.iter_mut().find(|post| post.id == id) {
            post.stage = stage;
        }
    }

    fn post(&mut self, bell: &Arc<OwnedFd>) -> u64 {
        self.next += 1;
        self.posts.push(Post {
            id: self.next,
            bell: Arc::clone(bell),
            stage: Stage::Entering,
        });
        self.next
    }

    fn count(&self, stage: Stage) -> usize {
        self.posts.iter().filter(|post| post.stage == stage).count()
    }

    /// Lanes that take requests, now or soon.
    fn active(&self) -> usize {
        self.posts.len() - self.count(Stage::Retiring)
    }

    /// Whether one more lane would be of use to those who wait.
    fn needs(&self, width: Width) -> bool {
        let active = self.active();
        let entering = self.count(Stage::Entering);
        if active >= width.lanes
            || self.posts.len() >= RETIRING * width.lanes
            || entering > 0 && !self.proven
            || active > 0 && self.alone
        {
            return false;
        }
        let first = self.queue.front().map(|request| request.since.elapsed());
        let hurry = entering == 0 && first.is_some_and(|since| since > HURRY);
        active == 0 || self.queue.len() > CROWD * active || hurry
    }

    /// Why nothing is tried now.
    fn rest(&self) -> Option<Fault> {
        let stopped = self.stopped.as_ref()?;
        (stopped.since.elapsed() < REST).then(|| stopped.fault.clone())
    }

    fn turn_away(&mut self, fault: &Fault) {
        for request in self.queue.drain(..) {
            request.fate.seal(fault.clone());
        }
    }
}

fn bell() -> std::io::Result<Arc<OwnedFd>> {
    let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
    Ok(Arc::new(eventfd(0, flags)?))
}

/// Wakes a lane. A bell that has been rung already does the same.
fn ring(bell: &OwnedFd) {
    let _ = rustix::io::write(bell.as_fd(), &1_u64.to_ne_bytes());
}

/// Makes a bell silent again.
pub(super) fn silence(bell: &OwnedFd) {
    let _ = rustix::io::read(bell.as_fd(), &mut [0; 8]);
}
