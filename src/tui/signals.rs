//! Signals and the one descriptor that wakes the loop.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Hangup,
    Terminate,
    Stop,
    Continue,
    Resize,
}

const WATCHED: [(i32, Signal); 6] = [
    (SIGHUP, Signal::Hangup),
    (SIGTERM, Signal::Terminate),
    (SIGINT, Signal::Terminate),
    (SIGTSTP, Signal::Stop),
    (SIGCONT, Signal::Continue),
    (SIGWINCH, Signal::Resize),
];

/// Watches signals until dropped.
pub struct Signals {
    raised: Vec<(Signal, Arc<AtomicBool>)>,
    wake: UnixStream,
    waker: UnixStream,
    ids: Vec<SigId>,
}

impl Signals {
    /// Starts to watch.
    ///
    /// # Errors
    /// As making a socket pair and registering do.
    pub fn watch() -> io::Result<Self> {
        let (wake, waker) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        waker.set_nonblocking(true)?;
        let mut signals = Self {
            raised: Vec::new(),
            wake,
            waker,
            ids: Vec::new(),
        };
        for (number, signal) in WATCHED {
            let flag = Arc::new(AtomicBool::new(false));
            // The flag first: whoever wakes has to find it set.
            signals
                .ids
                .push(signal_hook::flag::register(number, flag.clone())?);
            let waker = signals.waker.try_clone()?;
            signals
                .ids
                .push(signal_hook::low_level::pipe::register(number, waker)?);
            signals.raised.push((signal, flag));
        }
        Ok(signals)
    }

    /// Another end of the descriptor, for a thread that has something for the loop.
    ///
    /// # Errors
    /// As duplicating a descriptor does.
    pub fn waker(&self) -> io::Result<UnixStream> {
        self.waker.try_clone()
    }

    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Empties the descriptor; a byte that comes later wakes again.
    pub fn drain(&mut self) {
        let mut sink = [0; 256];
        while matches!(self.wake.read(&mut sink), Ok(count) if count > 0) {}
    }

    /// Signals since the last call, each once.
    pub fn take(&self) -> Vec<Signal> {
        self.raised
            .iter()
            .filter(|(_, flag)| flag.swap(false, Ordering::SeqCst))
            .map(|(signal, _)| *signal)
            .collect()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// Wakes the loop; a full pipe wakes it anyway.
pub fn wake(waker: &mut UnixStream) {
    let _ = waker.write(&[0]);
}
