//! The login, on a node and on every hop to it: keys first, then what the host asks a person for, and what a
//! refusal means.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::ssh2::{Error, ErrorCode};

use crate::collect::asking::Asking;
use crate::collect::known_hosts::Key;
use crate::collect::transport::NodeRef;
use crate::collect::transport::fault::Fault;
use crate::model::ask::QuestionId;
use crate::model::fact::FaultClass;
use crate::model::name::NodeName;
use crate::model::secret::Secret;

use super::answers::{Answers, Missing};
use super::drive::{NOT_ENOUGH, REFUSED, Stop, Wire, code};
use super::floor::Floor;
use super::identity::{Private, public_line};
use super::jump::Link;
use super::memory::{Memory, circle};
use super::offer::{Identity, Offer, Sources};
use super::refusal::{denied, hung_up, nothing};
use super::talk::{self, Said};
use super::turn::{Turn, accepted, late};

/// sshd hangs up at its sixth failure (MaxAuthTries).
const ATTEMPTS: usize = 6;
/// The same where a password may follow: each question for the methods counts, and a dialog that is refused.
const BEFORE_PASSWORD: usize = 2;
/// What a person is asked for, in this order.
const PERSONAL: [&str; 2] = ["keyboard-interactive", "password"];

/// How long others are waited for whose login may settle this one; sshd gives a login two minutes (LoginGraceTime).
const PATIENCE: Duration = Duration::from_mins(1);

/// What all sessions share: sources of keys, typed secrets, and what worked.
pub(super) struct Keys {
    sources: Sources,
    answers: Answers,
    memory: Memory,
    floor: Floor,
    said: Mutex<(u64, HashSet<String>)>,
}

/// Why an identity did not do it.
enum Attempt {
    /// With what there is to say beyond a plain refusal.
    Refused(String),
    /// Taken, but the host wants more.
    Partial(String),
    Fault(Fault),
}

impl Keys {
    pub fn new(asking: Arc<Asking>) -> Self {
        Self {
            sources: Sources::default(),
            answers: Answers::new(asking),
            memory: Memory::default(),
            floor: Floor::default(),
            said: Mutex::default(),
        }
    }

    /// Whether connecting makes sense: something to log in with, no answer to wait for, no refusals before.
    pub fn ready(&self, node: &NodeRef) -> Result<(), Fault> {
        let circle = circle(node);
        self.memory.look(&circle, self.answers.asking.round())?;
        let turn = self.floor.look(&node.node, &self.answers.asking);
        turn.map_err(Fault::waiting)?;
        let offer = self.offer(node, &circle);
        let mut waits = None;
        for identity in &offer.identities {
            match identity {
                Identity::File(path, _) if self.is_locked(path) => {
                    waits = waits.or(self.answers.open_question(path));
                }
                _ => return Ok(()),
            }
        }
        match waits {
            Some(id) => Err(Fault::waiting(id)),
            None if offer.identities.is_empty() && !self.answers.asking.is_heard() => {
                Err(self.once(nothing(&offer, node, "")))
            }
            None => Ok(()),
        }
    }

    /// Rises whenever a person asks for another try.
    pub fn round(&self) -> u64 {
        self.answers.asking.round()
    }

    /// What a host asks a person right now: whoever needs the host comes back when that is answered.
    pub fn question_of(&self, host: &NodeName) -> Option<QuestionId> {
        self.floor.question(host)
    }

    /// Whether a person had to answer the host: another login there would ask again.
    pub fn asks_a_person(&self, host: &NodeName) -> bool {
        self.floor.has_asked(host)
    }

    /// From now on OpenSSH logs in to nodes like this one.
    pub fn leave_to_openssh(&self, node: &NodeRef, why: &str) {
        self.memory.leave_to_openssh(&circle(node), why);
    }

    /// Logs in with the first identity that the host takes, or with what a person types. Gives back how long it
    /// waited for others: the node's deadline moves by as much.
    pub fn login<'a>(
        &'a self,
        wire: &'a Wire<'a>,
        node: &'a NodeRef,
        until: Instant,
        link: Option<&'a Link>,
    ) -> Result<Duration, Fault> {
        let turn = Turn::new(wire, node, until, link);
        let circle = circle(node);
        let round = self.answers.asking.round();
        let end = Instant::now() + PATIENCE;
        let pass = turn.pause(|| self.memory.enter(&circle, (round, end), wire.cancel))?;
        turn.pass.replace(Some(pass));
        // Whatever a dead lane looks like from here, it is no word of the host.
        let outcome = self.all(&turn, self.offer(node, &circle));
        let outcome = outcome.map_err(|fault| turn.lost().unwrap_or(fault));
        if let Some(pass) = turn.pass.borrow_mut().as_mut() {
            match &outcome {
                Ok(identity) => pass.worked(identity.as_ref()),
                Err(fault) if is_refusal(fault) && !turn.is_common() => {
                    pass.refused(&node.node, &fault.detail);
                }
                Err(_) => {}
            }
        }
        match outcome {
            Ok(_) => Ok(turn.waited()),
            Err(fault) if turn.is_common() => Err(self.once(fault)),
            Err(fault) => Err(fault),
        }
    }

    /// A cause that is nobody's own is said for one node and stands with the others.
    fn once(&self, fault: Fault) -> Fault {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let round = self.answers.asking.round();
        if said.0 != round {
            *said = (round, HashSet::new());
        }
        Fault {
            told: !said.1.insert(fault.detail.clone()),
            ..fault
        }
    }

    fn offer(&self, node: &NodeRef, circle: &str) -> Offer {
        let worked = self.memory.worked(circle);
        self.sources.offer(node, worked.as_ref())
    }

    fn is_locked(&self, path: &std::path::Path) -> bool {
        matches!(self.sources.file(path).private, Private::Locked(_))
    }

    /// Every way in, one after the other; the identity that did it, where it was one.
    fn all(&self, turn: &Turn<'_>, mut offer: Offer) -> Result<Option<Identity>, Fault> {
        let Some(most) = self.room(turn, &offer)? else {
            return Ok(None);
        };
        let left = offer.identities.len().saturating_sub(most);
        if left > 0 {
            let text = format!("{left} keys not tried: set IdentitiesOnly");
            offer.skipped.push(text);
        }
        let mut tried = Vec::new();
        let mut asked_methods = None;
        for identity in offer.identities.iter().take(most) {
            let note = match self.one(turn, identity) {
                Ok(()) => return Ok(Some(identity.clone())),
                Err(Attempt::Refused(note)) => note,
                Err(Attempt::Partial(methods)) => {
                    asked_methods = Some(methods);
                    tried.push(format!("{} (taken, not enough)", identity.shown()));
                    break;
                }
                Err(Attempt::Fault(fault)) if fault.class == FaultClass::Disconnected => {
                    tried.push(identity.shown());
                    return Err(hung_up(turn.node, &tried, fault));
                }
                Err(Attempt::Fault(fault)) => return Err(fault),
            };
            let note = if note.is_empty() {
                identity.shown()
            } else {
                format!("{} ({note})", identity.shown())
            };
            tried.push(note);
        }
        let methods = match asked_methods {
            Some(methods) => methods,
            None => match after(turn, &tried)? {
                Some(methods) => methods,
                None => return Ok(None),
            },
        };
        self.by_person(turn, methods, &mut tried, &offer)
    }

    /// How many keys are tried at most; none: the host has let the user in without any. The first question for the
    /// methods costs no attempt.
    fn room(&self, turn: &Turn<'_>, offer: &Offer) -> Result<Option<usize>, Fault> {
        if offer.identities.len() <= BEFORE_PASSWORD || !self.answers.asking.is_heard() {
            return Ok(Some(ATTEMPTS));
        }
        let most = |methods: String| {
            let follows = PERSONAL.iter().any(|method| takes(&methods, method));
            if follows { BEFORE_PASSWORD } else { ATTEMPTS }
        };
        Ok(accepted(turn)?.map(most))
    }

    /// Keyboard-interactive, then the method `password`, as far as the host takes them.
    fn by_person(
        &self,
        turn: &Turn<'_>,
        mut methods: String,
        tried: &mut Vec<String>,
        offer: &Offer,
    ) -> Result<Option<Identity>, Fault> {
        for method in PERSONAL {
            if !takes(&methods, method) {
                continue;
            }
            let said = match method {
                "password" => talk::password(turn, &self.answers)?,
                _ => talk::interactive(turn, &self.answers, &self.floor)?,
            };
            let Said::No(note) = said else {
                return Ok(None);
            };
            tried.push(if note.is_empty() {
                method.to_owned()
            } else {
                format!("{method} ({note})")
            });
            match after(turn, tried)? {
                Some(now) => methods = now,
                None => return Ok(None),
            }
        }
        Err(denied(turn.node, offer, tried, &methods))
    }

    fn one(&self, turn: &Turn<'_>, identity: &Identity) -> Result<(), Attempt> {
        let outcome = match identity {
            Identity::Agent(key) => by_agent(turn, key),
            Identity::File(path, certificate) => self.by_file(turn, path, certificate.as_ref())?,
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(Stop::Error(error)) if turn.is_gone(&error) => {
                Err(Attempt::Fault(turn.gone(&error)))
            }
            Err(Stop::Error(error)) if code(&error) == REFUSED => {
                Err(Attempt::Refused(String::new()))
            }
            Err(Stop::Error(error)) if code(&error) == NOT_ENOUGH => {
                match accepted(turn).map_err(Attempt::Fault)? {
                    None => Ok(()),
                    Some(methods) if takes(&methods, "publickey") => {
                        Err(Attempt::Refused(String::new()))
                    }
                    Some(methods) => Err(Attempt::Partial(methods)),
                }
            }
            // This key cannot be used: the next one may be.
            Err(Stop::Error(error)) => Err(Attempt::Refused(error.message().to_owned())),
            Err(stop) => Err(Attempt::Fault(late(stop))),
        }
    }

    fn by_file(
        &self,
        turn: &Turn<'_>,
        path: &std::path::Path,
        certificate: Option<&Key>,
    ) -> Result<Result<(), Stop>, Attempt> {
        let file = self.sources.file(path);
        let line = certificate.or(file.public.as_ref()).map(public_line);
        let opened = match &file.private {
            Private::Open(text) => text.clone(),
            Private::Locked(text) => {
                if let Some(refusal) = self.probe(turn, line.as_deref(), text) {
                    return Ok(Err(refusal));
                }
                self.unlock(turn, path, text)?
            }
            Private::None => return Err(Attempt::Refused("it is gone".to_owned())),
        };
        // Without a certificate libssh2 derives the public half, which need not be on file.
        let line = line.filter(|_| certificate.is_some());
        let user = &turn.node.user;
        Ok(turn.drive(|session| {
            session.userauth_pubkey_memory(user, line.as_deref(), opened.reveal(), None)
        }))
    }

    /// Whether the host would take a key that is still closed: libssh2 asks the host before it signs, and then
    /// fails to. A refusal saves the question to the person.
    fn probe(&self, turn: &Turn<'_>, line: Option<&str>, closed: &Secret) -> Option<Stop> {
        if !self.answers.asking.is_heard() {
            return None;
        }
        let (line, user) = (line?, &turn.node.user);
        let probed = turn.drive(|session| {
            session.userauth_pubkey_memory(user, Some(line), closed.reveal(), None)
        });
        match probed {
            Err(Stop::Error(error)) if code(&error) == REFUSED || turn.is_gone(&error) => {
                Some(Stop::Error(error))
            }
            Err(stop @ (Stop::Cancelled | Stop::Late)) => Some(stop),
            _ => None,
        }
    }

    fn unlock(
        &self,
        turn: &Turn<'_>,
        path: &std::path::Path,
        text: &Secret,
    ) -> Result<Secret, Attempt> {
        match self.answers.key(path, text) {
            Ok(key) => Ok(key),
            Err(Missing::Wait(id)) => Err(Attempt::Fault(Fault::waiting(id))),
            Err(Missing::Declined(why) | Missing::Unusable(why)) => {
                turn.in_common();
                Err(Attempt::Refused(why))
            }
            Err(Missing::Nobody) => {
                let path = path.display();
                Err(Attempt::Refused(format!(
                    "{path} is encrypted: ssh-add {path}"
                )))
            }
        }
    }
}

/// One key of the agent, which signs; the agent's own pace counts.
fn by_agent(turn: &Turn<'_>, key: &Key) -> Result<(), Stop> {
    let stop = |error| turn.wire.stop(error, turn.until());
    let mut agent = turn.wire.session.agent().map_err(stop)?;
    if let Some(socket) = &turn.node.agent {
        agent.set_identity_path(socket).map_err(stop)?;
    }
    agent.connect().map_err(stop)?;
    agent.list_identities().map_err(stop)?;
    let identities = agent.identities().map_err(stop)?;
    match identities.iter().find(|held| held.blob() == &*key.blob) {
        Some(identity) => turn.drive(|_| agent.userauth(&turn.node.user, identity)),
        None => Err(Stop::Error(Error::new(
            ErrorCode::Session(-42),
            "the agent no longer holds the key",
        ))),
    }
}

/// Which methods the host takes after it has refused what was tried: that counts, whether it stays for the question
/// or not.
fn after(turn: &Turn<'_>, tried: &[String]) -> Result<Option<String>, Fault> {
    match accepted(turn) {
        Err(fault) if fault.class == FaultClass::Disconnected && !tried.is_empty() => {
            Ok(Some(String::new()))
        }
        outcome => outcome,
    }
}

/// The host has refused everything that there was.
fn is_refusal(fault: &Fault) -> bool {
    fault.class == FaultClass::AuthDenied && fault.waits.is_none()
}

fn takes(methods: &str, method: &str) -> bool {
    methods.split(',').any(|taken| taken == method)
}
