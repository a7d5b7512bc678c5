//! Plain threads that read nodes, as many at once as the options say: libssh2 blocks inside, so no async worker
//! ever runs it. Threads start when there is work for them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::ask::QuestionId;
use crate::model::link::{HostState, Update};
use crate::model::name::NodeName;
use crate::probes::mask::Masker;

use super::asking::Asking;
use super::cancel::Cancel;
use super::node::{NodeJob, Site};
use super::options::Options;
use super::outlet::Outlet;
use super::targets::Targets;
use super::transport::either::Either;

/// Room for libssh2, OpenSSL and the parsers of an answer; only what is touched counts.
const STACK: usize = 1 << 20;
/// How often threads that wait for work look for a cancellation.
const TICK: Duration = Duration::from_millis(100);
/// How long a worker without work stays.
const REST: Duration = Duration::from_secs(2);

/// The running workers.
pub struct Pool {
    queue: Arc<Queue>,
    asking: Arc<Asking>,
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<NodeJob>,
    /// Being read; what was asked for again meanwhile comes after.
    busy: HashSet<NodeName>,
    again: HashMap<NodeName, NodeJob>,
    /// They go on when their tickets are settled; nobody is held up by them.
    parked: Vec<(QuestionId, NodeJob)>,
    idle: usize,
    /// All threads, the dispatcher too; counted before they run, so that nobody sees an empty pool in between.
    threads: usize,
    workers: usize,
    /// No more jobs will come.
    closed: bool,
}

/// Reads every node that comes in by `jobs`, again each time it comes in, until the sender is gone and all are
/// read, or until the cancellation.
///
/// # Errors
/// Where no thread can be started.
pub fn spawn(
    options: Arc<Options>,
    masker: Arc<Masker>,
    jobs: Receiver<NodeJob>,
    updates: SyncSender<Update>,
    cancel: Arc<Cancel>,
) -> io::Result<Pool> {
    let queue = Arc::new(Queue {
        state: Mutex::default(),
        changed: Condvar::new(),
    });
    let outlet = Outlet::new(updates, Arc::clone(&cancel));
    let asking = Arc::new(Asking::new(options.audience, &outlet));
    let crew = Crew {
        queue: Arc::clone(&queue),
        asking: Arc::clone(&asking),
        ssh: Either::new(&options, Arc::clone(&asking))?,
        site: Arc::new(Site {
            targets: Targets::new(Arc::clone(&options)),
            options,
            masker,
            outlet,
            cancel,
            delivered: Mutex::default(),
        }),
    };
    queue.lock().arrive(false);
    std::thread::Builder::new()
        .name("nodes".to_owned())
        .spawn(move || crew.dispatch(&jobs))?;
    Ok(Pool { queue, asking })
}

impl Pool {
    /// Where answers go.
    pub fn asking(&self) -> Arc<Asking> {
        Arc::clone(&self.asking)
    }

    /// Waits until every thread has ended; false where one still runs after `patience`. Threads that wait for an
    /// agent or a resolver cannot be ended, and end by themselves.
    pub fn join(self, patience: Duration) -> bool {
        self.ends_within(patience)
    }

    /// As [`Pool::join`], for whoever looks again.
    pub(super) fn ends_within(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = self.queue.lock();
        while state.threads > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self
                .queue
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

/// Starts workers and hands out jobs.
struct Crew {
    queue: Arc<Queue>,
    site: Arc<Site>,
    asking: Arc<Asking>,
    ssh: Either,
}

impl Crew {
    fn dispatch(mut self, jobs: &Receiver<NodeJob>) {
        let queue = Arc::clone(&self.queue);
        let present = Present(&queue, false);
        while !self.site.cancel.is_cancelled() {
            for job in queue.released(&self.asking) {
                self.take(job);
            }
            match jobs.recv_timeout(TICK) {
                Ok(job) => {
                    self.site.host(&job.node, HostState::Queued);
                    self.take(job);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Workers may still park what they read.
                Err(RecvTimeoutError::Disconnected) if queue.lock().is_quiet() => break,
                Err(RecvTimeoutError::Disconnected) => queue.rest(),
            }
        }
        self.asking.close();
        queue.lock().closed = true;
        queue.changed.notify_all();
        // As for a worker.
        drop(self);
        drop(present);
    }

    fn take(&mut self, job: NodeJob) {
        let queue = Arc::clone(&self.queue);
        let hire = queue.push(job, self.site.options.bounds.workers);
        if hire && self.hire().is_err() && queue.lock().workers == 0 {
            // No thread to be had: slow is better than not at all.
            work(&queue, &self.site, &mut self.ssh, Duration::ZERO);
        }
    }

    fn hire(&self) -> io::Result<()> {
        let (queue, site, mut ssh) = (
            Arc::clone(&self.queue),
            Arc::clone(&self.site),
            self.ssh.clone(),
        );
        queue.lock().arrive(true);
        let started = std::thread::Builder::new()
            .name("node".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let present = Present(&queue, true);
                work(&queue, &site, &mut ssh, REST);
                // The last handle ends the lanes to bastions: before anybody sees this thread as gone.
                drop(ssh);
                drop(present);
            });
        if started.is_err() {
            self.queue.leave(true);
        }
        started.map(drop)
    }
}

/// Reads nodes until there has been nothing to do for `rest`.
fn work(queue: &Queue, site: &Site, ssh: &mut Either, rest: Duration) {
    while let Some(job) = queue.pop(&site.cancel, rest) {
        let waits = site.collect(ssh, &job);
        queue.done(job, waits);
    }
}

/// Counts a thread for as long as it lives, however it ends.
struct Present<'a>(&'a Queue, bool);

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job; whether one more worker would help.
    fn push(&self, job: NodeJob, most: usize) -> bool {
        let mut state = self.lock();
        if state.busy.contains(&job.node) {
            state.again.insert(job.node.clone(), job);
            return false;
        }
        match state.waiting.iter_mut().find(|old| old.node == job.node) {
            Some(old) => *old = job,
            None => state.add(job),
        }
        self.changed.notify_all();
        state.waiting.len() > state.idle && state.workers < most.max(1)
    }

    /// The next job; `None` when there is nothing more to do, or has not been for `rest`.
    fn pop(&self, cancel: &Cancel, rest: Duration) -> Option<NodeJob> {
        let until = Instant::now() + rest;
        let mut state = self.lock();
        loop {
            if cancel.is_cancelled() {
                return None;
            }
            if let Some(job) = state.waiting.pop_front() {
                state.busy.insert(job.node.clone());
                return Some(job);
            }
            if state.closed || Instant::now() >= until {
                return None;
            }
            state.idle += 1;
            state = self
                .changed
                .wait_timeout(state, TICK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.idle -= 1;
        }
    }

    /// A job is over, or waits for a ticket.
    fn done(&self, job: NodeJob, waits: Option<QuestionId>) {
        let mut state = self.lock();
        state.busy.remove(&job.node);
        let again = state.again.remove(&job.node);
        match (waits, again) {
            (Some(id), again) => state.parked.push((id, again.unwrap_or(job))),
            (None, Some(job)) => state.add(job),
            (None, None) => {}
        }
        if state.is_quiet() {
            self.changed.notify_all();
        }
    }

    /// Waits for a change, or a little.
    fn rest(&self) {
        // What is found afterwards counts, not why the wait ended.
        drop(self.changed.wait_timeout(self.lock(), TICK));
    }

    /// Jobs whose tickets are settled.
    fn released(&self, asking: &Asking) -> Vec<NodeJob> {
        let mut state = self.lock();
        let parked = std::mem::take(&mut state.parked);
        let (waiting, free): (Vec<_>, Vec<_>) =
            parked.into_iter().partition(|(id, _)| asking.is_open(*id));
        state.parked = waiting;
        free.into_iter().map(|(_, job)| job).collect()
    }

    fn leave(&self, worker: bool) {
        let mut state = self.lock();
        state.threads -= 1;
        state.workers -= usize::from(worker);
        self.changed.notify_all();
    }
}

impl State {
    /// Nothing is read and nothing waits.
    fn is_quiet(&self) -> bool {
        self.busy.is_empty() && self.waiting.is_empty() && self.parked.is_empty()
    }

    fn arrive(&mut self, worker: bool) {
        self.threads += 1;
        self.workers += usize::from(worker);
    }

    /// Anywhere in the queue, so that one rack or one bastion is not met by all workers at once.
    fn add(&mut self, job: NodeJob) {
        let mut bytes = [0; 8];
        // Without entropy the order is that of arrival.
        let at = match openssl::rand::rand_bytes(&mut bytes) {
            Ok(()) => usize::from_be_bytes(bytes) % (self.waiting.len() + 1),
            Err(_) => self.waiting.len(),
        };
        self.waiting.insert(at, job);
    }
}
