//! One connection through a bastion: a channel of the lane's session on one side, a socket to whoever wanted it on
//! the other. Neither side is ever waited for here.

use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::ssh2::{BlockDirections, Channel, Error, Session};
use rustix::event::PollFlags;

use crate::collect::transport::ssh2::drive::{EAGAIN, code};

use super::Fate;

/// Bytes that are moved at once.
const PIECE: usize = 16 * 1024;
/// A bastion that does not confirm the end of a channel in this time is not worth its lane.
const FAREWELL: Duration = Duration::from_secs(10);
/// `LIBSSH2_ERROR_CHANNEL_...`, -21 to -27: a fault of one channel, not of the session.
const OF_CHANNEL: std::ops::RangeInclusive<i32> = -27..=-21;

/// Bytes on their way.
#[derive(Default)]
struct Parcel {
    bytes: Vec<u8>,
    sent: usize,
}

impl Parcel {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    fn took(&mut self, count: usize) {
        self.sent = (self.sent + count).min(self.bytes.len());
    }

    /// Reads one piece into an empty parcel.
    fn fill(&mut self, from: &mut impl io::Read) -> io::Result<usize> {
        self.bytes.resize(PIECE, 0);
        let count = from.read(&mut self.bytes);
        self.bytes.truncate(*count.as_ref().unwrap_or(&0));
        self.sent = 0;
        count
    }
}

/// A call of libssh2 whose packet is half sent: nothing else may be called before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Read,
    Write,
    Close,
}

/// What a turn has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Moved,
    Idle,
    /// Nothing else may be asked of the session until this pair has had another turn.
    Stuck,
    /// Both sides have ended.
    Over,
}

/// One connection.
pub(super) struct Pair {
    channel: Channel,
    /// None once whoever wanted it has left.
    socket: Option<UnixStream>,
    fate: Arc<Fate>,
    /// From the channel to the socket.
    inward: Parcel,
    /// From the socket to the channel.
    outward: Parcel,
    stuck: Option<Call>,
    /// The socket may have something to read.
    ready: bool,
    left: Instant,
    /// The bastion was told of the end of the channel, and has said something since.
    closed: bool,
}

impl Pair {
    pub fn new(channel: Channel, socket: UnixStream, fate: Arc<Fate>) -> Self {
        Self {
            channel,
            socket: Some(socket),
            fate,
            inward: Parcel::default(),
            outward: Parcel::default(),
            stuck: None,
            ready: true,
            left: Instant::now(),
            closed: false,
        }
    }

    pub fn fate(&self) -> &Fate {
        &self.fate
    }

    /// What to wait for on the socket; nothing where neither side could take anything.
    pub fn wants(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, self.outward.is_empty());
        flags.set(PollFlags::OUT, !self.inward.is_empty());
        let socket = self.socket.as_ref()?;
        (!flags.is_empty()).then(|| (socket.as_fd(), flags))
    }

    /// The wait for [`Pair::wants`] has an end.
    pub fn wake(&mut self) {
        self.ready = true;
    }

    /// Whether a turn would look at what the session brings.
    pub fn reads(&self) -> bool {
        self.socket.is_none() || self.inward.is_empty()
    }

    /// libssh2 may have something for this channel already: the session's socket need not become readable for it.
    pub fn has_more(&self) -> bool {
        self.socket.is_none() || self.inward.is_empty() && self.is_unsaid()
    }

    fn is_unsaid(&self) -> bool {
        self.channel.read_window().available > 0 || self.channel.eof()
    }

    /// The bastion says nothing about an end for too long.
    pub fn is_overdue(&self) -> bool {
        !self.closed && self.has_waited()
    }

    fn has_waited(&self) -> bool {
        self.socket.is_none() && self.left.elapsed() > FAREWELL
    }

    /// Moves what can be moved. `drained`: the session's socket has been read to its end in this round, which one
    /// call does for all channels.
    ///
    /// # Errors
    /// Of the session; a fault of this channel alone ends this pair alone.
    pub fn step(&mut self, session: &Session, drained: &mut bool) -> Result<Step, Error> {
        match self.stuck.take() {
            Some(Call::Read) => self.read(session, &mut false),
            Some(Call::Write) => self.write(session),
            Some(Call::Close) => self.close(session),
            None => self.turn(session, drained),
        }
    }

    fn turn(&mut self, session: &Session, drained: &mut bool) -> Result<Step, Error> {
        if Arc::strong_count(&self.fate) == 1 {
            self.leave();
        }
        if self.socket.is_none() {
            return self.close(session);
        }
        let mut moved = self.take();
        match self.write(session)? {
            Step::Moved => moved = true,
            Step::Idle => {}
            step => return Ok(step),
        }
        match self.read(session, drained)? {
            Step::Moved => moved = true,
            Step::Idle => {}
            step => return Ok(step),
        }
        moved |= self.give();
        Ok(if moved { Step::Moved } else { Step::Idle })
    }

    fn leave(&mut self) {
        if self.socket.take().is_some() {
            self.left = Instant::now();
        }
    }

    /// From the socket.
    fn take(&mut self) -> bool {
        let reads = self.ready && self.outward.is_empty();
        let Some(socket) = self.socket.as_mut().filter(|_| reads) else {
            return false;
        };
        match self.outward.fill(socket) {
            Ok(0) => self.leave(),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.ready = false;
                return false;
            }
            Err(_) => self.leave(),
        }
        true
    }

    /// To the socket.
    fn give(&mut self) -> bool {
        let Some(socket) = &mut self.socket else {
            return false;
        };
        if self.inward.is_empty() {
            return false;
        }
        match socket.write(self.inward.rest()) {
            Ok(count) => self.inward.took(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(_) => self.leave(),
        }
        true
    }

    fn write(&mut self, session: &Session) -> Result<Step, Error> {
        if self.outward.is_empty() {
            return Ok(Step::Idle);
        }
        match self.channel.write(self.outward.rest()) {
            Ok(count) => {
                self.outward.took(count);
                Ok(Step::Moved)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok(self.waits(session, Call::Write))
            }
            // The target takes no more; what it has sent may still be read.
            Err(_) => {
                of_channel(session)?;
                self.outward = Parcel::default();
                Ok(Step::Moved)
            }
        }
    }

    fn read(&mut self, session: &Session, drained: &mut bool) -> Result<Step, Error> {
        if !self.inward.is_empty() || *drained && !self.is_unsaid() {
            return Ok(Step::Idle);
        }
        // ssh2 does not ask libssh2 beyond the end, so nothing would be taken from the session either. SSH has no
        // use for a connection of which one half has ended.
        if self.channel.eof() {
            self.leave();
            return Ok(Step::Moved);
        }
        *drained = true;
        match self.inward.fill(&mut self.channel) {
            Ok(0) => Ok(Step::Idle),
            Ok(_) => Ok(Step::Moved),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok(self.waits(session, Call::Read))
            }
            Err(_) => {
                of_channel(session)?;
                self.leave();
                Ok(Step::Moved)
            }
        }
    }

    /// Ends the channel in order, so that libssh2 keeps nothing of it, and nothing of it comes to a lane that is idle
    /// by then.
    fn close(&mut self, session: &Session) -> Result<Step, Error> {
        match self.end() {
            Ok(()) => Ok(Step::Over),
            Err(error) if code(&error) == EAGAIN => match self.waits(session, Call::Close) {
                // A target that takes nothing holds up the bastion's own end of the channel, and nobody else.
                Step::Idle if self.closed && self.has_waited() => Ok(Step::Over),
                step => Ok(step),
            },
            Err(error) if OF_CHANNEL.contains(&code(&error)) => Ok(Step::Over),
            Err(error) => Err(error),
        }
    }

    /// `libssh2_channel_close` is content with any packet that comes after its own, and waiting for the other side's
    /// close is an error before its end of file, which that close is too.
    fn end(&mut self) -> Result<(), Error> {
        self.channel.close()?;
        self.closed = true;
        self.channel.wait_eof()?;
        self.channel.wait_close()
    }

    fn waits(&mut self, session: &Session, call: Call) -> Step {
        if is_blocked(session) {
            self.stuck = Some(call);
            return Step::Stuck;
        }
        Step::Idle
    }
}

/// Whether a packet is half sent.
pub(super) fn is_blocked(session: &Session) -> bool {
    matches!(
        session.block_directions(),
        BlockDirections::Outbound | BlockDirections::Both
    )
}

/// Lets the last error pass where it was one of a channel.
fn of_channel(session: &Session) -> Result<(), Error> {
    match Error::last_session_error(session) {
        Some(error) if !OF_CHANNEL.contains(&code(&error)) && code(&error) != EAGAIN => Err(error),
        _ => Ok(()),
    }
}
