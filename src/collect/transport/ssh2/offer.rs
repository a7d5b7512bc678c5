//! What there is to log in with: which keys, in which order, and why others are not among them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::collect::known_hosts::Key;
use crate::collect::lock;
use crate::collect::transport::NodeRef;
use crate::collect::transport::fault::Fault;
use crate::model::fact::FaultClass;

use super::agent;
use super::identity::{self, KeyFile, Private};

/// How long a list of the agent is good for: long enough for a fleet, short enough for `ssh-add` and a key press.
const FRESH: Duration = Duration::from_secs(5);

/// Something to log in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    Agent(Key),
    /// A key file, alone or with a certificate about its key.
    File(PathBuf, Option<Key>),
}

impl Identity {
    pub fn shown(&self) -> String {
        match self {
            Self::Agent(key) => format!("agent key {}", key.fingerprint()),
            Self::File(path, None) => path.display().to_string(),
            Self::File(path, Some(_)) => format!("{} with its certificate", path.display()),
        }
    }
}

type AgentList = Result<Arc<[Key]>, String>;

/// Key files and agents, each read once for all sessions.
#[derive(Default)]
pub(super) struct Sources {
    files: Mutex<HashMap<PathBuf, (Instant, Arc<KeyFile>)>>,
    agents: Mutex<HashMap<PathBuf, (Instant, AgentList)>>,
}

/// What there is to offer, and what there would be.
#[derive(Default)]
pub(super) struct Offer {
    pub identities: Vec<Identity>,
    /// Why others are not offered, for the case that none works.
    pub skipped: Vec<String>,
    /// Why the agent offers nothing: it does not answer, or holds no key.
    pub agent_fault: Option<String>,
    /// What only OpenSSH can use.
    pub beyond: Vec<&'static str>,
}

impl Sources {
    /// Named keys of the agent, its other keys, key files with their certificates; what worked before comes first.
    pub fn offer(&self, node: &NodeRef, worked: Option<&Identity>) -> Offer {
        let mut offer = Offer::default();
        let files: Vec<_> = node
            .identities
            .iter()
            .map(|path| (path, self.file(path)))
            .collect();
        let named: Vec<Key> = node
            .certificates
            .iter()
            .filter_map(|path| identity::certificate(path))
            .collect();
        let held = self.held(node, &mut offer);
        let is_named = |key: &Key| {
            let beside = |file: &KeyFile| {
                file.public.as_ref() == Some(key) || file.certificate.as_ref() == Some(key)
            };
            named.contains(key) || files.iter().any(|(_, file)| beside(file))
        };
        let (first, others): (Vec<_>, Vec<_>) = held.iter().partition(|key| is_named(key));
        let others = others.into_iter().filter(|_| !node.identities_only);
        let agent = first.into_iter().chain(others).cloned();
        offer.identities.extend(agent.map(Identity::Agent));
        for (path, file) in files {
            offer.add_file(path, &file, &named, &held);
        }
        let known = worked.and_then(|worked| offer.identities.iter().position(|at| at == worked));
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
                if keys.is_empty() {
                    offer.agent_fault = Some("the agent is empty or locked".to_owned());
                }
                let usable = |key: &&Key| !key.kind.starts_with("sk-") && !is_rsa_certificate(key);
                let held: Vec<Key> = keys.iter().filter(usable).cloned().collect();
                if held.len() < keys.len() {
                    offer
                        .beyond
                        .push("the agent has FIDO keys or RSA certificates");
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

    pub fn file(&self, path: &Path) -> Arc<KeyFile> {
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
}

fn is_rsa_certificate(key: &Key) -> bool {
    key.kind.starts_with("ssh-rsa-cert") || key.kind.starts_with("rsa-sha2-")
}

impl Offer {
    fn add_file(&mut self, path: &Path, file: &KeyFile, named: &[Key], held: &[Key]) {
        if file.needs_openssh() {
            self.beyond.push("a key file belongs to a FIDO device");
        }
        let about = |key: &&Key| file.public.is_some() && identity::certified(key) == file.public;
        let certificates: Vec<&Key> = file
            .certificate
            .iter()
            .chain(named.iter().filter(about))
            .filter(|key| !held.contains(key))
            .collect();
        let in_agent = file.public.as_ref().is_some_and(|key| held.contains(key));
        match file.private {
            Private::None => {
                if in_agent && !certificates.is_empty() {
                    self.beyond
                        .push("the key of a certificate is in the agent alone");
                }
            }
            Private::Open(_) | Private::Locked(_) => {
                // A certificate needs the private half in hand: the agent signs for its own keys alone.
                let mut with = |certificate: Option<&Key>| {
                    let identity = Identity::File(path.to_owned(), certificate.cloned());
                    self.identities.push(identity);
                };
                for key in certificates {
                    with(Some(key));
                }
                if !in_agent {
                    with(None);
                }
            }
        }
        if !in_agent {
            self.skipped.extend(file.skipped.clone());
        }
    }

    /// There is nothing to log in with, and nobody to ask.
    pub fn nothing(&self, node: &NodeRef) -> Fault {
        let class = self.class(match (&node.agent, &self.agent_fault) {
            (Some(_), None) => FaultClass::AuthDenied,
            _ => FaultClass::AgentUnreachable,
        });
        let mut detail = format!("no key to log in with as {}", node.user);
        if node.agent.is_none() {
            detail.push_str("; no agent is named by SSH_AUTH_SOCK");
        }
        Fault::new(class, self.explain(detail))
    }

    pub fn class(&self, otherwise: FaultClass) -> FaultClass {
        if self.beyond.is_empty() {
            otherwise
        } else {
            FaultClass::NeedsSystemSsh
        }
    }

    pub fn explain(&self, mut detail: String) -> String {
        for text in self.skipped.iter().chain(&self.agent_fault) {
            detail.push_str("; ");
            detail.push_str(text);
        }
        if !self.beyond.is_empty() {
            let why = self.beyond.join(", ");
            detail.push_str(&format!("; {why}, which only OpenSSH can use"));
        }
        detail
    }
}
