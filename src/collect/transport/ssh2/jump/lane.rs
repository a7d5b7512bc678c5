//! One login at a bastion in service: opens channels one after the other and moves bytes for those that are open.
//! Session and channels never leave their thread.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use ::ssh2::{Channel, Error};
use rustix::event::PollFlags;

use crate::collect::cancel::Woken;
use crate::collect::transport::fault::Fault;
use crate::collect::transport::ssh2::Entered;
use crate::collect::transport::ssh2::drive::{EAGAIN, Wire, code, is_disconnect, words};
use crate::model::fact::FaultClass;

use super::bastion::{Bastion, Request, Stage, silence};
use super::pair::{Pair, Step, is_blocked};
use super::{Link, OPEN, lost};

/// A target that has not answered by then will not; those behind it go elsewhere.
const SLOW: Duration = Duration::from_secs(5);
/// How long a lane is kept after its last use: a login there may have cost a second factor.
const KEPT: Duration = Duration::from_mins(1);
/// After this much silence the bastion is asked whether it is still there, and again in every such time.
const HUSH: Duration = Duration::from_secs(3);
/// How often a lane without work shows that it lives: OpenSSH asks those that do not, after ClientAliveInterval.
const SIGN: Duration = Duration::from_secs(5);
/// A bastion that does not say a word for this long, although asked, is gone.
const GONE: Duration = Duration::from_secs(12);
/// One call of libssh2 may take this long at most: it reads for as long as something comes.
const CALL: Duration = Duration::from_secs(15);
/// The longest sleep; in it, whoever waits is looked at.
const TICK: Duration = Duration::from_secs(1);
/// The same while an open is on its way.
const SHORT: Duration = Duration::from_millis(250);
/// Turns without a byte before data that libssh2 says it has is no longer believed in.
const IDLE_TURNS: u32 = 3;

/// A channel on its way.
struct Opening {
    request: Request,
    since: Instant,
}

/// Who has to have the next turn because of a packet that is half sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Opening,
    Pair(usize),
}

pub(super) struct Lane<'a> {
    wire: Wire<'a>,
    /// Over which the bastion itself is reached, where it is behind another one.
    link: Option<Link>,
    bastion: &'a Bastion,
    id: u64,
    bell: &'a OwnedFd,
    channels: usize,
    opening: Option<Opening>,
    pairs: Vec<Pair>,
    stuck: Option<Owner>,
    /// When the bastion last sent anything.
    heard: Instant,
    asked: Instant,
    used: Instant,
    /// Takes no more requests: an open was given up, and libssh2 would go on with it.
    retiring: bool,
    served: bool,
}

impl<'a> Lane<'a> {
    /// `channels`: at most so many at once.
    pub fn new(
        Entered { wire, link, .. }: Entered<'a>,
        bastion: &'a Bastion,
        (id, bell): (u64, &'a OwnedFd),
        channels: usize,
    ) -> Self {
        let now = Instant::now();
        Self {
            wire,
            link,
            bastion,
            id,
            bell,
            channels,
            opening: None,
            pairs: Vec::new(),
            stuck: None,
            heard: now,
            asked: now,
            used: now,
            retiring: false,
            served: false,
        }
    }

    /// It has been of use to somebody.
    pub fn has_served(&self) -> bool {
        self.served
    }

    /// Moves all that can be moved, then waits for more. False: the lane has ended in peace.
    pub fn turn(&mut self) -> Result<bool, Fault> {
        let mut idle = 0;
        while idle < IDLE_TURNS {
            self.wire.watch.extend(Instant::now() + CALL);
            if self.wire.cancel.is_cancelled() {
                return Ok(false);
            }
            if self.pass()? {
                idle = 0;
            } else if self.stuck.is_none() && self.pairs.iter().any(Pair::has_more) {
                idle += 1;
            } else {
                break;
            }
        }
        self.look_after()?;
        if self.is_over() {
            return Ok(false);
        }
        Ok(self.wait())
    }

    /// Nothing to do, and nothing to wait for.
    fn is_over(&self) -> bool {
        if !self.pairs.is_empty() || self.opening.is_some() {
            return false;
        }
        self.retiring || self.used.elapsed() > KEPT && self.bastion.release(self.id)
    }

    /// One turn for everybody; whether anything moved.
    fn pass(&mut self) -> Result<bool, Fault> {
        let (mut moved, mut drained) = (false, false);
        let mut index = match self.stuck.take() {
            Some(Owner::Opening) => self.pairs.len(),
            Some(Owner::Pair(index)) => index,
            None => 0,
        };
        while index < self.pairs.len() {
            match self.pairs[index].step(&self.wire.session, &mut drained) {
                Ok(Step::Moved) => moved = true,
                Ok(Step::Idle) => {}
                Ok(Step::Stuck) => {
                    self.stuck = Some(Owner::Pair(index));
                    return Ok(moved);
                }
                Ok(Step::Over) => {
                    self.pairs.swap_remove(index);
                    moved = true;
                    continue;
                }
                Err(error) => return Err(self.broken(&error)),
            }
            index += 1;
        }
        // Last: a pair that reads may take the answer to an open from the socket, but not the other way round
        // without a trace.
        Ok(self.open()? || moved)
    }

    /// Begins, goes on with, or ends the opening of a channel; whether one ended.
    fn open(&mut self) -> Result<bool, Fault> {
        if self.opening.is_none() && !self.retiring {
            if self.pairs.len() >= self.channels {
                self.bastion.set(self.id, Stage::Busy);
                return Ok(false);
            }
            self.opening = self.bastion.take(self.id).map(|request| Opening {
                request,
                since: Instant::now(),
            });
        }
        let Some(opening) = self.opening.take() else {
            return Ok(false);
        };
        self.used = Instant::now();
        let request = &opening.request;
        let outcome = self
            .wire
            .session
            .channel_direct_tcpip(&request.host, request.port, None);
        match outcome {
            Ok(channel) => self.opened(channel, opening.request),
            Err(error) if code(&error) == EAGAIN => return self.not_yet(opening),
            Err(error) if is_disconnect(&error) => {
                let fault = self.broken(&error);
                opening.request.fate.seal(fault.clone());
                return Err(fault);
            }
            Err(error) => opening.request.fate.seal(self.refused(&error, request)),
        }
        self.serves();
        Ok(true)
    }

    fn opened(&mut self, channel: Channel, request: Request) {
        let Request { socket, fate, .. } = request;
        // Whoever waits for it may have left: the pair finds out by itself.
        let _ = rustix::io::write(&socket, &[OPEN]);
        self.pairs.push(Pair::new(channel, socket, fate));
    }

    fn not_yet(&mut self, opening: Opening) -> Result<bool, Fault> {
        if is_blocked(&self.wire.session) {
            self.stuck = Some(Owner::Opening);
        }
        if opening.since.elapsed() < SLOW {
            self.opening = Some(opening);
            return Ok(false);
        }
        if self.heard < opening.since {
            let fault = self.lost("it does not answer any more");
            opening.request.fate.seal(fault.clone());
            return Err(fault);
        }
        let text = format!(
            "{} port {} did not take the connection of bastion {} within {} s",
            opening.request.host,
            opening.request.port,
            self.bastion.node.node,
            SLOW.as_secs()
        );
        let fault = Fault::new(FaultClass::JumpOpenTimeout, text);
        opening.request.fate.seal(fault);
        self.stuck = None;
        self.retiring = true;
        self.bastion.set(self.id, Stage::Retiring);
        self.serves();
        Ok(true)
    }

    /// The bastion has answered: it is of use.
    fn serves(&mut self) {
        if !self.served {
            self.served = true;
            self.bastion.served();
        }
    }

    /// A word about who refuses: the bastion to forward, or the host to be connected to.
    fn refused(&self, error: &Error, request: &Request) -> Fault {
        let name = self.bastion.node.node.as_str();
        let words = words(error);
        if words.contains("connect failed") {
            let text = format!(
                "bastion {name} cannot connect to {} port {}: {words}",
                request.host, request.port
            );
            return Fault::new(FaultClass::JumpRefused, text);
        }
        let text = format!(
            "it does not forward to {} port {}: {words}",
            request.host, request.port
        );
        Fault::new(FaultClass::JumpRefused, text).of(name)
    }

    /// Looks at the clock: who is overdue, and whether the bastion is still there.
    fn look_after(&mut self) -> Result<(), Fault> {
        if self.pairs.iter().any(Pair::is_overdue) {
            return Err(self.lost("it does not end connections"));
        }
        let waits = !self.pairs.is_empty() || self.opening.is_some();
        if !waits {
            self.heard = Instant::now();
            return self.sign_of_life();
        }
        self.used = Instant::now();
        if self.heard.elapsed() > GONE {
            return Err(self.lost("it does not answer any more"));
        }
        let hush = self.heard.elapsed().min(self.asked.elapsed());
        let hush = match &self.opening {
            // Its time is short: ask early whether it is the bastion that is silent.
            Some(_) => hush * 2,
            None => hush,
        };
        if hush > HUSH && self.stuck.is_none() {
            self.ask(true)?;
        }
        Ok(())
    }

    /// Waits for whatever could bring something to move. False: the lane is to end.
    fn wait(&mut self) -> bool {
        let session = self.wire.socket.as_fd();
        let waits = !self.pairs.is_empty() || self.opening.is_some();
        let reads = self.opening.is_some() || self.pairs.iter().any(Pair::reads) || !waits;
        let mut wanted: Vec<(BorrowedFd<'_>, PollFlags)> = vec![(self.bell.as_fd(), PollFlags::IN)];
        if self.stuck.is_some() {
            wanted.push((session, PollFlags::OUT));
        } else {
            wanted.extend(reads.then_some((session, PollFlags::IN)));
            wanted.extend(self.pairs.iter().filter_map(Pair::wants));
        }
        let tick = if self.opening.is_some() { SHORT } else { TICK };
        let (woken, ready) = self.wire.cancel.poll_any(&wanted, Instant::now() + tick);
        if woken == Woken::Cancelled {
            return false;
        }
        let mut ready = ready.into_iter();
        if ready.next() == Some(true) {
            silence(self.bell);
        }
        if self.stuck.is_some() {
            return true;
        }
        let brought = reads && ready.next() == Some(true);
        let pairs = self.pairs.iter_mut().filter(|pair| pair.wants().is_some());
        for (pair, ready) in pairs.zip(ready) {
            if ready {
                pair.wake();
            }
        }
        if brought {
            self.heard = Instant::now();
        }
        // Without a channel libssh2 has no call that would only take what came: a question of the bastion, or its end.
        // A request that comes at this very moment finds another lane.
        if brought && !waits {
            self.bastion.set(self.id, Stage::Retiring);
        }
        !brought || waits
    }

    /// Tells a bastion that might ask, since the answer to its question could not be given.
    fn sign_of_life(&mut self) -> Result<(), Fault> {
        if self.asked.elapsed() > SIGN {
            self.ask(false)?;
        }
        Ok(())
    }

    /// A packet that means nothing; with `reply` the bastion has to answer it.
    fn ask(&mut self, reply: bool) -> Result<(), Fault> {
        self.asked = Instant::now();
        let session = &self.wire.session;
        session.set_keepalive(reply, 2);
        session
            .keepalive_send()
            .map(drop)
            .map_err(|error| self.broken(&error))
    }

    fn lost(&self, detail: &str) -> Fault {
        self.link
            .as_ref()
            .and_then(Link::lost)
            .unwrap_or_else(|| lost(&self.bastion.node, detail))
    }

    fn broken(&self, error: &Error) -> Fault {
        self.lost(&format!("it hung up: {}", words(error)))
    }

    /// Everybody on this lane learns why it has ended.
    pub fn abandon(&mut self, fault: &Fault) {
        for pair in &self.pairs {
            pair.fate().seal(fault.clone());
        }
        if let Some(opening) = self.opening.take() {
            opening.request.fate.seal(fault.clone());
        }
    }
}

impl Drop for Lane<'_> {
    /// libssh2 frees a channel without a word to the other side, and without a wait, once the socket is shut.
    fn drop(&mut self) {
        // Where a panic has ended it nobody else says so, and the hosts behind it would be blamed.
        self.abandon(&self.lost("the lane ended"));
        if self.pairs.is_empty() && self.stuck.is_none() {
            // A farewell, so that the bastion's log does not speak of a lost connection.
            let _ = self.wire.session.disconnect(None, "done", None);
        }
        // Fails where the other side was faster, which is as good.
        let _ = rustix::net::shutdown(&self.wire.socket, rustix::net::Shutdown::Both);
        self.pairs.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;

    use super::super::Fate;
    use super::*;
    use crate::collect::cancel::Cancel;
    use crate::collect::transport::ssh2::session;
    use crate::collect::transport::ssh2::watchdog::Watchdog;
    use crate::collect::transport::{Client, NodeRef};
    use crate::model::name::NodeName;

    fn bastion() -> Bastion {
        Bastion::new(Arc::new(NodeRef {
            node: NodeName::parse("b1").expect("a name"),
            host: "10.0.0.1".to_owned(),
            port: 22,
            user: "jumper".to_owned(),
            known_as: Vec::new(),
            known_hosts: Vec::new(),
            identities: Vec::new(),
            identities_only: false,
            agent: None,
            client: Client::Libssh2,
            certificates: Vec::new(),
            beyond: Vec::new(),
            via: None,
        }))
    }

    #[test]
    fn however_a_lane_ends_who_is_on_it_knows_whose_fault_it_was() {
        let (cancel, bastion) = (Arc::new(Cancel::new().expect("a pipe")), bastion());
        let watchdog = Watchdog::start().expect("a thread");
        let (ours, _theirs) = UnixStream::pair().expect("sockets");
        let (_ours, socket) = UnixStream::pair().expect("sockets");
        let until = Instant::now() + CALL;
        let wire_socket: Arc<OwnedFd> = Arc::new(ours.into());
        let wire = Wire {
            session: session(&wire_socket).expect("a session"),
            watch: watchdog.watch(&wire_socket, until, &cancel),
            socket: wire_socket,
            cancel: &cancel,
        };
        let entered = Entered {
            wire,
            link: None,
            waited: Duration::ZERO,
        };
        let bell: OwnedFd =
            rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).expect("a descriptor");
        let fate = Arc::new(Fate::default());
        let mut lane = Lane::new(entered, &bastion, (1, &bell), 1);
        lane.opening = Some(Opening {
            request: Request {
                host: "n1".to_owned(),
                port: 22,
                socket,
                fate: Arc::clone(&fate),
                since: Instant::now(),
            },
            since: Instant::now(),
        });
        drop(lane);
        let lost = Link(fate).lost().expect("a word");
        assert_eq!(lost.class, FaultClass::JumpLost);
        assert_eq!(lost.hop.as_deref(), Some("b1"));
    }
}
