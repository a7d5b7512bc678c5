//! The login: which keys are offered, in which order, and what a refusal means.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::collect::known_hosts::Key;
use crate::collect::transport::NodeRef;
use crate::collect::transport::fault::Fault;
use crate::model::fact::FaultClass;

use super::agent;
use super::drive::{Phase, Stop, Wire, code, is_disconnect, words};
use super::identity::KeyFile;

/// sshd hangs up at its sixth failure (MaxAuthTries).
const ATTEMPTS: usize = 6;
/// How long a list of the agent is good for: long enough for a fleet, short enough for `ssh-add` and a key press.
const FRESH: Duration = Duration::from_secs(5);
/// Time for the question which methods the host takes, after a refusal.
const METHODS: Duration = Duration::from_secs(2);

/// Something to log in with.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
    Agent(Key),
    File(PathBuf),
}

/// What all sessions share: key files and agent are read once, and what worked is offered first.
#[derive(Default)]
pub(super) struct Keys {
    files: Mutex<HashMap<PathBuf, (Instant, Arc<KeyFile>)>>,
    agents: Mutex<HashMap<PathBuf, (Instant, AgentList)>>,
    worked: Mutex<HashMap<String, Identity>>,
}

type AgentList = Result<Arc<[Key]>, String>;

/// What there is to offer, and what there would be.
#[derive(Default)]
struct Offer {
    identities: Vec<Identity>,
    /// Why others are not offered, for the case that none works.
    skipped: Vec<String>,
    /// An agent was named and does not answer.
    agent_fault: Option<String>,
    /// Kinds that only OpenSSH can use were left out.
    needs_openssh: bool,
}

impl Keys {
    /// Logs in with the first identity that the host takes.
    pub fn login(&self, wire: &Wire<'_>, node: &NodeRef, until: Instant) -> Result<(), Fault> {
        wire.watch.extend(until);
        let offer = self.offer(node);
        if offer.identities.is_empty() {
            return Err(offer.nothing(node));
        }
        let mut tried = Vec::new();
        for identity in offer.identities.iter().take(ATTEMPTS) {
            let outcome = match identity {
                Identity::Agent(key) => by_agent(wire, node, key, until),
                Identity::File(path) => self.by_file(wire, node, path, until),
            };
            tried.push(identity.shown());
            match outcome {
                Ok(()) => {
                    lock(&self.worked).insert(node.user.clone(), identity.clone());
                    return Ok(());
                }
                Err(Stop::Error(error)) if is_disconnect(&error) => {
                    return Err(hung_up(node, &tried, &words(&error)));
                }
                // This key cannot be used or is not taken: the next one may be.
                Err(Stop::Error(error)) => note(&mut tried, code(&error), error.message()),
                Err(stop) => return Err(stop.fault(Phase::Auth, |_| Phase::Auth.late())),
            }
        }
        Err(denied(wire, node, &offer, &tried))
    }

    fn offer(&self, node: &NodeRef) -> Offer {
        let mut offer = Offer::default();
        let files: Vec<_> = node
            .identities
            .iter()
            .map(|path| (path, self.file(path)))
            .collect();
        let held = self.held(node, &mut offer);
        let named = |key: &Key| {
            files
                .iter()
                .any(|(_, file)| file.public.as_ref() == Some(key))
        };
        let (first, others): (Vec<_>, Vec<_>) = held.iter().partition(|key| named(key));
        let others = others.into_iter().filter(|_| !node.identities_only);
        let agent = first.into_iter().chain(others).cloned();
        offer.identities.extend(agent.map(Identity::Agent));
        for (path, file) in files {
            let in_agent = file.public.as_ref().is_some_and(|key| held.contains(key));
            if file.private.is_some() && !in_agent {
                offer.identities.push(Identity::File(path.clone()));
            }
            if !in_agent {
                offer.skipped.extend(file.skipped.clone());
            }
        }
        let worked = lock(&self.worked).get(&node.user).cloned();
        let known = worked.and_then(|worked| offer.identities.iter().position(|at| *at == worked));
        if let Some(at) = known {
            offer.identities[..=at].rotate_right(1);
        }
        offer
    }

    /// Keys of the agent that libssh2 can use.
    fn held(&self, node: &NodeRef, offer: &mut Offer) -> Vec<Key> {
        let Some(socket) = &node.agent else {
            return Vec::new();
        };
        match self.agent(socket) {
            Ok(keys) => {
                let usable = |key: &&Key| !key.kind.starts_with("sk-") && !is_rsa_cert(key);
                let held: Vec<Key> = keys.iter().filter(usable).cloned().collect();
                offer.needs_openssh = held.len() < keys.len();
                if keys.is_empty() {
                    offer
                        .skipped
                        .push("the agent is empty or locked".to_owned());
                }
                held
            }
            Err(error) => {
                offer.agent_fault = Some(error);
                Vec::new()
            }
        }
    }

    /// The list may be asked for by many sessions at once: one asks, the others wait for its answer.
    fn agent(&self, socket: &Path) -> AgentList {
        let mut agents = lock(&self.agents);
        match agents.get(socket) {
            Some((at, list)) if at.elapsed() < FRESH => list.clone(),
            _ => {
                let list: AgentList = agent::list(socket).map(Into::into);
                agents.insert(socket.to_owned(), (Instant::now(), list.clone()));
                list
            }
        }
    }

    fn file(&self, path: &Path) -> Arc<KeyFile> {
        let mut files = lock(&self.files);
        match files.get(path) {
            Some((at, file)) if at.elapsed() < FRESH => Arc::clone(file),
            _ => {
                let file = Arc::new(KeyFile::read(path));
                files.insert(path.to_owned(), (Instant::now(), Arc::clone(&file)));
                file
            }
        }
    }

    fn by_file(
        &self,
        wire: &Wire<'_>,
        node: &NodeRef,
        path: &Path,
        until: Instant,
    ) -> Result<(), Stop> {
        let file = self.file(path);
        let private = file.private.as_deref().unwrap_or_default();
        wire.drive(until, |session| {
            session.userauth_pubkey_memory(&node.user, None, private, None)
        })
    }
}

/// One key of the agent, which signs; the agent's own pace counts against `until`.
fn by_agent(wire: &Wire<'_>, node: &NodeRef, key: &Key, until: Instant) -> Result<(), Stop> {
    let stop = |error| wire.stop(error, until);
    let mut agent = wire.session.agent().map_err(stop)?;
    if let Some(socket) = &node.agent {
        agent.set_identity_path(socket).map_err(stop)?;
    }
    agent.connect().map_err(stop)?;
    agent.list_identities().map_err(stop)?;
    let identities = agent.identities().map_err(stop)?;
    match identities.iter().find(|held| held.blob() == &*key.blob) {
        Some(identity) => wire.drive(until, |_| agent.userauth(&node.user, identity)),
        None => Err(Stop::Error(::ssh2::Error::new(
            ::ssh2::ErrorCode::Session(-42),
            "the agent no longer holds the key",
        ))),
    }
}

fn is_rsa_cert(key: &Key) -> bool {
    key.kind.starts_with("ssh-rsa-cert") || key.kind.starts_with("rsa-sha2-")
}

/// -18 is the plain refusal that everyone knows; anything else is worth its words.
fn note(tried: &mut [String], code: i32, message: &str) {
    if code != -18
        && let Some(last) = tried.last_mut()
    {
        *last = format!("{last} ({message})");
    }
}

fn hung_up(node: &NodeRef, tried: &[String], error: &str) -> Fault {
    let detail = if tried.len() > 3 {
        format!(
            "the host hung up on {} after {} keys: set IdentitiesOnly and IdentityFile ({error})",
            node.user,
            tried.len()
        )
    } else {
        format!(
            "the host hung up during the login as {}: {error}",
            node.user
        )
    };
    Fault::new(FaultClass::AuthDenied, detail)
}

fn denied(wire: &Wire<'_>, node: &NodeRef, offer: &Offer, tried: &[String]) -> Fault {
    let until = Instant::now() + METHODS;
    wire.watch.extend(until);
    let methods = wire
        .drive(until, |session| {
            session.auth_methods(&node.user).map(str::to_owned)
        })
        .ok();
    let mut detail = format!(
        "permission denied for {}: tried {}",
        node.user,
        tried.join(", ")
    );
    if let Some(methods) = methods.filter(|methods| !methods.is_empty()) {
        detail.push_str(&format!("; the host takes {methods}"));
    }
    let left = offer.identities.len().saturating_sub(ATTEMPTS);
    if left > 0 {
        detail.push_str(&format!("; {left} keys not tried: set IdentitiesOnly"));
    }
    Fault::new(offer.class(FaultClass::AuthDenied), offer.explain(detail))
}

impl Offer {
    fn nothing(&self, node: &NodeRef) -> Fault {
        let class = if self.agent_fault.is_some() {
            FaultClass::AgentUnreachable
        } else {
            self.class(FaultClass::AuthDenied)
        };
        let detail = format!("no key to log in with as {}", node.user);
        Fault::new(class, self.explain(detail))
    }

    fn class(&self, otherwise: FaultClass) -> FaultClass {
        if self.needs_openssh {
            FaultClass::NeedsSystemSsh
        } else {
            otherwise
        }
    }

    fn explain(&self, mut detail: String) -> String {
        for text in self.skipped.iter().chain(&self.agent_fault) {
            detail.push_str("; ");
            detail.push_str(text);
        }
        if self.needs_openssh {
            detail.push_str(
                "; the agent has FIDO keys or RSA certificates, which only OpenSSH can use",
            );
        }
        detail
    }
}

impl Identity {
    fn shown(&self) -> String {
        match self {
            Self::Agent(key) => format!("agent key {}", key.fingerprint()),
            Self::File(path) => path.display().to_string(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
