//! One command: its standard input out, both outputs in, until the collector's last line.
//!
//! Standard error is read in every turn: a window that fills up there stops the other one for ever. The end of
//! the stream and the exit status are not waited for: a child may hold the stream open, and libssh2 reports
//! status 0 where none ever came.

use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use ::ssh2::{Channel, Error};
use rustix::net::{Shutdown, shutdown};

use crate::collect::transport::fault::Fault;
use crate::collect::transport::intake::Intake;
use crate::collect::transport::{Collect, Ctl};
use crate::model::fact::{FaultClass, Gap};
use crate::probes::frame::Frame;

use super::drive::{Phase, Wire, is_disconnect, words};

/// Turns without a byte before data that libssh2 says it has is no longer believed in.
const IDLE_TURNS: u32 = 3;

/// An open command. Dropping it shuts the connection down: a channel that is freed in the middle of one
/// loses its memory.
struct Exchange<'a> {
    channel: Channel,
    socket: Arc<OwnedFd>,
    stdin: &'a [u8],
    eof_sent: bool,
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        // Fails where the other side was faster, which is as good.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }
}

/// What one turn over the three streams brought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Moved,
    Idle,
    /// Nothing more of use will come.
    Over,
}

/// Runs the job. The outer error is a fault before the command ran; inside, an answer or why there is none.
pub(super) fn run(
    wire: &Wire<'_>,
    job: &Collect,
    ctl: &Ctl<'_>,
) -> Result<Result<Frame, Gap>, Fault> {
    let until = ctl.until(ctl.script);
    wire.watch.extend(until);
    let channel = wire
        .drive(until, ::ssh2::Session::channel_session)
        .map_err(|stop| stop.fault(Phase::Script, refused))?;
    let mut exchange = Exchange {
        channel,
        socket: Arc::clone(&wire.socket),
        stdin: &job.stdin,
        eof_sent: false,
    };
    let mut intake = Intake::new(job);
    wire.drive(until, |_| exchange.channel.exec(&job.command))
        .map_err(|stop| stop.fault(Phase::Script, refused))?;
    let cut = exchange.pump(&mut intake, wire, until, ctl).err();
    // A farewell, so that sshd's log does not speak of a lost connection; nobody waits for it to be sent.
    let _ = wire.session.disconnect(None, "done", None);
    Ok(intake.finish(cut))
}

fn refused(error: &Error) -> Fault {
    let class = if is_disconnect(error) {
        FaultClass::Disconnected
    } else {
        FaultClass::NoShell
    };
    Fault::new(
        class,
        format!("the host does not run commands: {}", words(error)),
    )
}

impl Exchange<'_> {
    fn pump(
        &mut self,
        intake: &mut Intake,
        wire: &Wire<'_>,
        until: Instant,
        ctl: &Ctl<'_>,
    ) -> Result<(), Fault> {
        let mut idle = 0;
        loop {
            let turn = self.turn(intake, ctl).map_err(|error| match error {
                Broken::Fault(fault) => fault,
                Broken::Io(error) => broken(&error, intake.bytes(), wire, until),
            })?;
            match turn {
                Turn::Over => return Ok(()),
                Turn::Moved => idle = 0,
                // Reading one stream can pull bytes of the other, or the end of both, into libssh2's own queue, and
                // leave a socket on which nothing comes any more.
                Turn::Idle if idle < IDLE_TURNS && self.is_queued() => idle += 1,
                Turn::Idle => wire
                    .wait(until)
                    .map_err(|stop| stop.fault(Phase::Script, |_| Phase::Script.late()))?,
            }
            // A host that sends without end never lets the loop come to a wait.
            if ctl.cancel.is_cancelled() {
                return Err(Fault::cancelled());
            }
            if Instant::now() >= until {
                return Err(Phase::Script.late());
            }
        }
    }

    fn turn(&mut self, intake: &mut Intake, ctl: &Ctl<'_>) -> Result<Turn, Broken> {
        let mut moved = self.feed()?;
        let mut buffer = [0; 16 * 1024];
        if let Some(count) = ready(self.channel.read(&mut buffer))? {
            intake
                .output(&buffer[..count], ctl)
                .map_err(Broken::Fault)?;
            if intake.is_over() || count == 0 && self.channel.eof() {
                return Ok(Turn::Over);
            }
            moved |= count > 0;
        }
        if let Some(count) = ready(self.channel.stderr().read(&mut buffer))? {
            intake.error(&buffer[..count]);
            moved |= count > 0;
        }
        Ok(if moved { Turn::Moved } else { Turn::Idle })
    }

    /// Whether libssh2 holds what the next read will give.
    fn is_queued(&self) -> bool {
        self.channel.eof() || self.channel.read_window().available > 0
    }

    /// The next piece of standard input, then its end.
    fn feed(&mut self) -> io::Result<bool> {
        if !self.stdin.is_empty() {
            let Some(count) = ready(self.channel.write(self.stdin))? else {
                return Ok(false);
            };
            self.stdin = &self.stdin[count.min(self.stdin.len())..];
            return Ok(count > 0);
        }
        if !self.eof_sent {
            self.eof_sent = ready(self.channel.send_eof().map_err(io::Error::from))?.is_some();
            return Ok(self.eof_sent);
        }
        Ok(false)
    }
}

/// Why a turn did not end well.
enum Broken {
    Io(io::Error),
    Fault(Fault),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn broken(error: &io::Error, bytes: usize, wire: &Wire<'_>, until: Instant) -> Fault {
    if wire.cancel.is_cancelled() {
        return Fault::cancelled();
    }
    if Instant::now() >= until {
        return Phase::Script.late();
    }
    Fault::new(
        FaultClass::Disconnected,
        format!("the connection broke after {bytes} bytes: {error}"),
    )
}

/// `None` where the call would have had to wait.
fn ready<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
