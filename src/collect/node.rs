//! One node: find it, read it, make sure that it is the machine it should be, and say what came of it.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::model::fact::{FaultClass, Gap};
use crate::model::link::{HostState, Level, Update};
use crate::model::name::NodeName;
use crate::model::node::{HostFacts, NodeObject, WayIn};
use crate::model::text::Text;
use crate::probes::frame::{Frame, Progress};
use crate::probes::mask::Masker;
use crate::probes::probe::Reading;
use crate::probes::{self, collector};

use super::cancel::Cancel;
use super::clock::now;
use super::options::{Options, Rights};
use super::outlet::Outlet;
use super::targets::Targets;
use super::transport::either::Either;
use super::transport::{Client, Collect, Ctl, Transport as _};

/// A node to read, and what the API server says of it where it says anything.
#[derive(Clone, Debug)]
pub struct NodeJob {
    pub node: NodeName,
    pub object: Option<Arc<NodeObject>>,
    /// `(type, address)` of an earlier run, for a node that the API server says nothing of now.
    pub inventory: Vec<(Text, Text)>,
}

impl NodeJob {
    /// Where it was last said to be.
    fn addresses(&self) -> Option<&[(Text, Text)]> {
        match &self.object {
            Some(object) => Some(&object.addresses),
            None if self.inventory.is_empty() => None,
            None => Some(&self.inventory),
        }
    }
}

/// What all workers share.
pub(super) struct Site {
    pub options: Arc<Options>,
    pub targets: Targets,
    pub masker: Arc<Masker>,
    pub outlet: Outlet,
    pub cancel: Arc<Cancel>,
    /// Nodes whose facts have been delivered: when they fail later, what was read stays.
    pub delivered: Mutex<HashSet<NodeName>>,
}

impl Site {
    /// Reads one node and sends everything that there is to say about it.
    pub fn collect(&self, ssh: &mut Either, job: &NodeJob) {
        let node = &job.node;
        if let Some(gap) = self.targets.closed(node, job.object.as_deref()) {
            self.deliver(node, HostFacts::gap(&gap), HostState::ApiOnly(gap));
            return;
        }
        self.host(node, HostState::Connecting);
        let start = Instant::now();
        // A parser that panics on a hostile answer costs this node, not the worker.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.read(ssh, job))).unwrap_or_else(|_| {
            Err(Gap::Node {
                class: FaultClass::Internal,
                detail: Text::new("reading the answer ended with a panic"),
            })
        });
        for text in ssh.complaints() {
            self.outlet.log(Level::Warn, None, Text::new(&text), None);
        }
        match outcome {
            Ok((facts, frame)) => {
                self.told(node, &frame, start);
                self.delivered().insert(node.clone());
                self.deliver(node, facts, HostState::Ok);
            }
            Err(gap) => self.failed(node, gap),
        }
    }

    fn read(&self, ssh: &mut Either, job: &NodeJob) -> Result<(HostFacts, Frame), Gap> {
        let bounds = &self.options.bounds;
        let object = job.object.as_deref();
        let target = self
            .targets
            .resolve(&job.node, job.addresses(), &self.cancel)?;
        if let Client::OpenSsh(why) = &target.client {
            let message = format!("through the system's ssh: {why}");
            self.outlet
                .log(Level::Info, Some(&job.node), Text::new(&message), None);
        }
        let frame = ssh.run(
            &target,
            &self.question(&job.node)?,
            &Ctl {
                connect: bounds.connect,
                handshake: bounds.handshake,
                auth: bounds.auth,
                script: bounds.script,
                deadline: Instant::now() + bounds.node,
                cap: bounds.cap,
                cancel: &self.cancel,
                progress: &|progress| self.progress(&job.node, &progress),
            },
        )?;
        let facts = probes::read_host(
            &frame,
            &Reading {
                at: now(),
                masker: &self.masker,
            },
        );
        if let Some(object) = object {
            same_machine(&facts, object)?;
        }
        Ok((facts, frame))
    }

    fn question(&self, node: &NodeName) -> Result<Collect, Gap> {
        let own = self.options.hosts.get(node).and_then(|host| host.rights);
        let way = match own.unwrap_or(self.options.rights) {
            Rights::Collector => WayIn::InstalledCollector,
            Rights::Never => WayIn::LoginOnly,
            Rights::Stream => WayIn::SudoStream,
        };
        let nonce = nonce().map_err(|error| Gap::Node {
            class: FaultClass::Internal,
            detail: Text::from(format!("no random numbers: {error}")),
        })?;
        let (command, stdin) = collector::job(way, &nonce);
        Ok(Collect {
            command,
            stdin,
            nonce,
            sections: collector::section_count(),
        })
    }

    fn progress(&self, node: &NodeName, progress: &Progress) {
        let of = collector::section_count();
        let state = match progress {
            Progress::Connected => return,
            Progress::Authenticated => HostState::Collecting { done: 0, of },
            Progress::Section { done, of } => HostState::Collecting {
                done: *done,
                of: *of,
            },
        };
        self.host(node, state);
    }

    fn failed(&self, node: &NodeName, gap: Gap) {
        if self.cancel.is_cancelled() {
            return;
        }
        self.outlet.warn(node, &gap);
        let wrong = matches!(gap, Gap::WrongMachine { .. });
        if !wrong && self.delivered().contains(node) {
            self.host(node, HostState::Stale(gap));
        } else {
            self.delivered().remove(node);
            self.deliver(node, HostFacts::gap(&gap), HostState::Failed(gap));
        }
    }

    fn told(&self, node: &NodeName, frame: &Frame, start: Instant) {
        let way = frame.way.unwrap_or(WayIn::ForcedCommand);
        let message = format!(
            "read {} sections, {} bytes in {:.1} s as uid {} by {}",
            frame.sections.len(),
            frame.bytes,
            start.elapsed().as_secs_f32(),
            frame.uid,
            serde_json::to_value(way)
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .unwrap_or_default(),
        );
        self.outlet
            .log(Level::Info, Some(node), Text::from(message), None);
        if let Some(cut) = &frame.cut {
            self.outlet.warn(node, cut);
        }
    }

    /// Facts first: whoever sees the state may look at them.
    fn deliver(&self, node: &NodeName, facts: HostFacts, state: HostState) {
        self.outlet
            .send(Update::Node(node.clone(), Arc::new(facts)));
        self.host(node, state);
    }

    pub fn host(&self, node: &NodeName, state: HostState) {
        self.outlet.send(Update::Host(node.clone(), state));
    }

    fn delivered(&self) -> std::sync::MutexGuard<'_, HashSet<NodeName>> {
        self.delivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// 32 hex digits that nobody can foresee.
fn nonce() -> Result<String, openssl::error::ErrorStack> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Whether the host that answered is the one that the kubelet reported.
fn same_machine(facts: &HostFacts, object: &NodeObject) -> Result<(), Gap> {
    // Without an identity nothing can be compared; the host key has spoken for the host.
    let Ok(identity) = facts.identity.get() else {
        return Ok(());
    };
    match identity
        .value
        .foreign(object)
        .or_else(|| identity.value.rebooted(object))
    {
        None => Ok(()),
        Some(detail) => Err(Gap::WrongMachine {
            detail: Text::from(detail),
        }),
    }
}
