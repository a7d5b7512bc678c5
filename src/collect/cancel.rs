//! Stopping early: one flag that also wakes whoever sleeps in poll(2).

use std::io::{self, PipeReader, PipeWriter, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Set once, never reset.
#[derive(Debug)]
pub struct Cancel {
    flag: AtomicBool,
    /// Readable from the moment of [`Cancel::cancel`] on, since nobody reads it.
    awake: PipeReader,
    bell: PipeWriter,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    Ready,
    Deadline,
    Cancelled,
}

impl Cancel {
    /// # Errors
    /// Where no descriptors are left.
    pub fn new() -> io::Result<Self> {
        let (awake, bell) = io::pipe()?;
        Ok(Self {
            flag: AtomicBool::new(false),
            awake,
            bell,
        })
    }

    /// Wakes everyone, now and later.
    pub fn cancel(&self) {
        if !self.flag.swap(true, Ordering::SeqCst) {
            // The flag is set: a bell that cannot ring only makes sleepers wait for their deadline.
            let _ = (&self.bell).write(&[0]);
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// Sleeps; [`Woken::Deadline`] when the time is over.
    pub fn sleep(&self, pause: Duration) -> Woken {
        self.poll_any(&[], Instant::now() + pause).0
    }

    /// Waits until a descriptor is ready (or hung up), but not beyond `until`.
    pub fn poll(&self, fd: BorrowedFd<'_>, flags: PollFlags, until: Instant) -> Woken {
        self.poll_any(&[(fd, flags)], until).0
    }

    /// The same for several descriptors, and which of them are ready.
    pub fn poll_any(
        &self,
        wanted: &[(BorrowedFd<'_>, PollFlags)],
        until: Instant,
    ) -> (Woken, Vec<bool>) {
        let none = vec![false; wanted.len()];
        loop {
            if self.is_cancelled() {
                return (Woken::Cancelled, none);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return (Woken::Deadline, none);
            }
            let bell = (self.awake.as_fd(), PollFlags::IN);
            let mut fds: Vec<PollFd<'_>> = wanted
                .iter()
                .chain([&bell])
                .map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags))
                .collect();
            // An error is EINTR, or no memory in the kernel: both come back here with less time left.
            if poll(&mut fds, Some(&timeout(left))).is_err() {
                continue;
            }
            let ready = fds.iter().map(|fd| !fd.revents().is_empty());
            let ready: Vec<bool> = ready.take(wanted.len()).collect();
            if ready.contains(&true) {
                return (Woken::Ready, ready);
            }
        }
    }
}

/// At most a minute at a time, so that no conversion can overflow.
fn timeout(left: Duration) -> Timespec {
    let left = left.min(Duration::from_mins(1));
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(60),
        tv_nsec: left.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeper_wakes_at_once() {
        let cancel = std::sync::Arc::new(Cancel::new().expect("a pipe"));
        assert_eq!(cancel.sleep(Duration::from_millis(1)), Woken::Deadline);
        let sleeper = {
            let cancel = std::sync::Arc::clone(&cancel);
            std::thread::spawn(move || cancel.sleep(Duration::from_mins(1)))
        };
        cancel.cancel();
        cancel.cancel();
        assert_eq!(sleeper.join().expect("no panic"), Woken::Cancelled);
        assert_eq!(cancel.sleep(Duration::from_mins(1)), Woken::Cancelled);
    }
}
