//! One command: its standard input out, both outputs in, until the collector's last line.
//!
//! Standard error is read in every turn: a window that fills up there stops the other one for ever. The end of
//! the stream and the exit status are not waited for: a child may hold the stream open, and libssh2 reports
//! status 0 where none ever came.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::ssh2::{Channel, Error};

use crate::collect::transport::fault::Fault;
use crate::collect::transport::{Collect, Ctl};
use crate::model::fact::FaultClass;
use crate::model::text::Text;

use super::drive::{Phase, Stop, Wire, is_disconnect, words};
use super::reader::Reader;

/// How much of standard error is kept.
const STDERR: usize = 64 * 1024;
/// How much of either output is shown where no collector answers.
const SHOWN: usize = 200;
/// Time for an ordinary end, so that the next command can use the same connection.
const CLOSE: Duration = Duration::from_secs(2);
/// Turns without a byte before data that libssh2 says it has is no longer believed in.
const IDLE_TURNS: u32 = 3;

/// How a command ended.
pub(super) struct Outcome {
    pub reader: Reader,
    /// Why the last line did not come.
    pub cut: Option<Fault>,
    /// What a person would have seen, where no collector answered.
    pub seen: String,
}

/// An open command. Dropping it shuts the connection down, unless it was closed in good order: a channel that
/// is freed in the middle loses its memory.
struct Exchange<'a> {
    channel: Channel,
    socket: Arc<TcpStream>,
    closed: bool,
    stdin: &'a [u8],
    eof_sent: bool,
    reader: Reader,
    stderr: Vec<u8>,
    cap: usize,
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if !self.closed {
            // Fails where the other side was faster, which is as good.
            let _ = self.socket.shutdown(Shutdown::Both);
        }
    }
}

/// What one turn over the three streams brought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Moved,
    Idle,
    /// The last line of the answer is in.
    Done,
    /// The other side sends nothing more.
    Eof,
}

/// Runs one job. An answer that was cut is an outcome; only what keeps every command from running is a fault.
pub(super) fn run(
    wire: &Wire<'_>,
    job: &Collect,
    reader: Reader,
    ctl: &Ctl<'_>,
) -> Result<Outcome, Fault> {
    let until = ctl.until(ctl.script);
    wire.watch.extend(until);
    let channel = wire
        .drive(until, ::ssh2::Session::channel_session)
        .map_err(|stop| stop.fault(Phase::Script, refused))?;
    let mut exchange = Exchange {
        channel,
        socket: Arc::clone(&wire.socket),
        closed: false,
        stdin: &job.stdin,
        eof_sent: false,
        reader,
        stderr: Vec::new(),
        cap: ctl.cap,
    };
    wire.drive(until, |_| exchange.channel.exec(&job.command))
        .map_err(|stop| stop.fault(Phase::Script, refused))?;
    let cut = exchange.pump(wire, until, ctl).err();
    let whole = cut.is_none();
    let seen = exchange.seen();
    if whole && exchange.reader.is_complete() {
        // The answer is in: what the command does from here on is not waited for.
    } else if whole {
        exchange.close(wire);
    }
    let reader = std::mem::take(&mut exchange.reader);
    Ok(Outcome { reader, cut, seen })
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
    fn pump(&mut self, wire: &Wire<'_>, until: Instant, ctl: &Ctl<'_>) -> Result<(), Fault> {
        let mut idle = 0;
        loop {
            let turn = self
                .turn(ctl)
                .map_err(|error| self.broken(wire, until, &error))?;
            match turn {
                Turn::Done | Turn::Eof => return Ok(()),
                Turn::Moved => idle = 0,
                // Reading one stream can pull bytes of the other into libssh2's own queue, and leave the socket empty.
                Turn::Idle if idle < IDLE_TURNS && self.channel.read_window().available > 0 => {
                    idle += 1;
                }
                Turn::Idle => wire
                    .wait(until)
                    .map_err(|stop| stop.fault(Phase::Script, |_| Phase::Script.late()))?,
            }
            if self.reader.bytes() > self.cap {
                return Err(Fault::new(
                    FaultClass::OutputTooLarge,
                    format!("more than {} bytes of output", self.cap),
                ));
            }
            if ctl.cancel.is_cancelled() {
                return Err(Fault::cancelled());
            }
            if Instant::now() >= until {
                return Err(Phase::Script.late());
            }
        }
    }

    fn turn(&mut self, ctl: &Ctl<'_>) -> io::Result<Turn> {
        let mut moved = self.feed()?;
        let mut buffer = [0; 16 * 1024];
        if let Some(count) = ready(self.channel.read(&mut buffer))? {
            if count == 0 && self.channel.eof() {
                return Ok(Turn::Eof);
            }
            for progress in self.reader.push(&buffer[..count]) {
                (ctl.progress)(progress);
            }
            if self.reader.is_complete() {
                return Ok(Turn::Done);
            }
            moved |= count > 0;
        }
        if let Some(count) = ready(self.channel.stderr().read(&mut buffer))? {
            let room = STDERR.saturating_sub(self.stderr.len()).min(count);
            self.stderr.extend(&buffer[..room]);
            moved |= count > 0;
        }
        Ok(if moved { Turn::Moved } else { Turn::Idle })
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

    fn broken(&self, wire: &Wire<'_>, until: Instant, error: &io::Error) -> Fault {
        if wire.cancel.is_cancelled() {
            return Fault::cancelled();
        }
        if Instant::now() >= until {
            return Phase::Script.late();
        }
        Fault::new(
            FaultClass::Disconnected,
            format!(
                "the connection broke after {} bytes: {error}",
                self.reader.bytes()
            ),
        )
    }

    /// Ends the command in good order, so that the connection is good for another one.
    fn close(&mut self, wire: &Wire<'_>) {
        let until = Instant::now() + CLOSE;
        wire.watch.extend(until);
        let closed: Result<(), Stop> = wire
            .drive(until, |_| self.channel.close())
            .and_then(|()| wire.drive(until, |_| self.channel.wait_close()));
        self.closed = closed.is_ok();
    }

    fn seen(&self) -> String {
        let noise = self.reader.noise();
        let source = if noise.is_empty() {
            &self.stderr
        } else {
            noise
        };
        let head = &source[..source.len().min(SHOWN)];
        Text::from_bytes(head.trim_ascii()).to_string()
    }
}

/// `None` where the call would have had to wait.
fn ready<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
