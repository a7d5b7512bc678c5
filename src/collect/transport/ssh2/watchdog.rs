//! Second line of defence: libssh2 can spin inside a call, where no deadline of ours is looked at.
//! One thread shuts down the sockets of whoever is past its time; the call then fails and returns.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::net::{Shutdown, shutdown};

use crate::collect::cancel::Cancel;

/// How long after its deadline a phase is ended by force.
const GRACE: Duration = Duration::from_millis(300);
/// How often cancellation is looked for while sockets are watched.
const TICK: Duration = Duration::from_millis(200);

/// Watches sockets until it is dropped.
pub(super) struct Watchdog {
    kennel: Arc<Kennel>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Kennel {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: u64,
    watched: HashMap<u64, Watched>,
    stop: bool,
}

struct Watched {
    socket: Arc<OwnedFd>,
    until: Instant,
    cancel: Arc<Cancel>,
}

/// One watched socket; dropping it ends the watch.
pub(super) struct Watch {
    kennel: Arc<Kennel>,
    id: u64,
}

impl Watchdog {
    /// # Errors
    /// Where no thread can be started.
    pub fn start() -> std::io::Result<Self> {
        let kennel = Arc::new(Kennel::default());
        let thread = {
            let kennel = Arc::clone(&kennel);
            std::thread::Builder::new()
                .name("ssh-watchdog".to_owned())
                .stack_size(128 * 1024)
                .spawn(move || kennel.guard())?
        };
        Ok(Self {
            kennel,
            thread: Some(thread),
        })
    }

    /// Shuts the socket down once `until` and a grace are over, or soon after a cancellation.
    pub fn watch(&self, socket: &Arc<OwnedFd>, until: Instant, cancel: &Arc<Cancel>) -> Watch {
        let mut state = self.kennel.lock();
        let id = state.next;
        state.next += 1;
        state.watched.insert(
            id,
            Watched {
                socket: Arc::clone(socket),
                until,
                cancel: Arc::clone(cancel),
            },
        );
        drop(state);
        self.kennel.changed.notify_one();
        Watch {
            kennel: Arc::clone(&self.kennel),
            id,
        }
    }
}

impl Watch {
    /// A new phase with a new end.
    pub fn extend(&self, until: Instant) {
        if let Some(watched) = self.kennel.lock().watched.get_mut(&self.id) {
            watched.until = until;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.kennel.lock().watched.remove(&self.id);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.kennel.lock().stop = true;
        self.kennel.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic in there has nothing to tell: every deadline is also kept by its own phase.
            let _ = thread.join();
        }
    }
}

impl Kennel {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard(&self) {
        let mut state = self.lock();
        while !state.stop {
            let now = Instant::now();
            state.watched.retain(|_, watched| {
                let over = watched.until + GRACE <= now || watched.cancel.is_cancelled();
                if over {
                    // Already closed by the other side: then there is nothing left to end.
                    let _ = shutdown(&watched.socket, Shutdown::Both);
                }
                !over
            });
            state = if state.watched.is_empty() {
                self.changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner)
            } else {
                self.changed
                    .wait_timeout(state, TICK)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_stuck_reader_is_freed_after_its_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("bound");
        let mut reader = TcpStream::connect(address).expect("listening");
        let socket: Arc<OwnedFd> = Arc::new(reader.try_clone().expect("a descriptor").into());
        let dog = Watchdog::start().expect("a thread");
        let cancel = Arc::new(Cancel::new().expect("a pipe"));
        let watch = dog.watch(&socket, Instant::now() + Duration::from_millis(50), &cancel);
        let start = Instant::now();
        assert_eq!(reader.read(&mut [0]).expect("shut down"), 0);
        assert!(start.elapsed() >= Duration::from_millis(300));
        drop(watch);

        let mut reader = TcpStream::connect(address).expect("listening");
        let other: Arc<OwnedFd> = Arc::new(reader.try_clone().expect("a descriptor").into());
        let _watch = dog.watch(&other, Instant::now() + Duration::from_mins(1), &cancel);
        cancel.cancel();
        assert_eq!(reader.read(&mut [0]).expect("shut down"), 0);
    }
}
