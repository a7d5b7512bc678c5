//! One node: find it, read it, make sure that it is the machine it should be, and say what came of it.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use jiff::SignedDuration;

use crate::model::ask::QuestionId;
use crate::model::fact::{FaultClass, Gap};
use crate::model::link::{HostState, Level, Update};
use crate::model::name::NodeName;
use crate::model::node::{HostFacts, NodeObject, WayIn};
use crate::model::offset::Offset;
use crate::model::text::Text;
use crate::probes::frame::{Frame, Progress};
use crate::probes::identity::{Who, who};
use crate::probes::mask::Masker;
use crate::probes::probe::Reading;
use crate::probes::{self, collector};

use super::cancel::Cancel;
use super::clock::now;
use super::options::{Bounds, Options, Rights};
use super::outlet::Outlet;
use super::route::Route;
use super::targets::Targets;
use super::transport::either::Either;
use super::transport::{Collect, Ctl, Transport as _, local};

/// An import that is older than this is stale: its passes are no passes of now.
const FRESH: SignedDuration = SignedDuration::from_hours(1);

/// A node to read, and what the API server says of it where it says anything.
#[derive(Clone, Debug)]
pub struct NodeJob {
    pub node: NodeName,
    pub object: Option<Arc<NodeObject>>,
    /// `(type, address)` of an earlier run, for a node that the API server says nothing of now.
    pub inventory: Vec<(Text, Text)>,
    /// Another way than the configured one.
    pub route: Option<Route>,
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
    /// Reads one node and sends everything that there is to say about it. A ticket: it is to be read again when
    /// that is settled, and nothing is said yet.
    pub fn collect(&self, ssh: &mut Either, job: &NodeJob) -> Option<QuestionId> {
        let node = &job.node;
        let closed = self.targets.closed(node, job.object.as_deref());
        if let Some(gap) = closed.filter(|_| job.route.is_none()) {
            self.deliver(node, HostFacts::gap(&gap), HostState::ApiOnly(gap));
            return None;
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
        if let Some(key) = ssh.shown(node).filter(|_| outcome.is_err()) {
            self.outlet.send(Update::Shown(node.clone(), key));
        }
        if let Some(why) = ssh.detour() {
            let message = Text::from(format!("through the system's ssh: {why}"));
            self.outlet.log(Level::Info, Some(node), message, None);
        }
        let (waits, told) = ssh.aftermath();
        match outcome {
            Err(_) if waits.is_some() => {
                self.host(node, HostState::Queued);
                return waits;
            }
            Ok((facts, frame)) => {
                self.told(node, &frame, start);
                self.delivered().insert(node.clone());
                let state = state(&facts);
                self.deliver(node, facts, state);
            }
            Err(gap) => self.failed(node, gap, !told),
        }
        None
    }

    fn read(&self, ssh: &mut Either, job: &NodeJob) -> Result<(HostFacts, Frame), Gap> {
        let route = self.route(job);
        // Between these the node told its clock, which is in its first section.
        let (begun, told) = (OnceLock::new(), OnceLock::new());
        let progress = |progress| {
            match &progress {
                Progress::Connected => {}
                Progress::Authenticated => drop(begun.set(now())),
                Progress::Section { .. } => drop(told.set(now())),
            }
            self.progress(&job.node, &progress);
        };
        let ctl = ctl(&self.options.bounds, &self.cancel, &progress);
        let (frame, at) = match route {
            None => (self.over_ssh(ssh, job, &ctl)?, now()),
            Some(Route::Here(root)) => {
                let rights = self.rights(&job.node);
                let frame = here(&self.options, (root.as_deref(), rights), &ctl)?;
                (frame, now())
            }
            Some(Route::Import(import)) => import.read()?,
        };
        let reading = Reading {
            at,
            masker: &self.masker,
        };
        let mut facts = probes::read_host(&frame, &reading);
        if let (Some(begun), Ok(identity)) = (begun.get(), facts.identity.get()) {
            let told = told.get().copied().unwrap_or(at);
            facts.clock = Some(Offset::measured(identity.value.clock, *begun, told));
        }
        same_machine(&facts, job.object.as_deref(), route)?;
        Ok((facts, frame))
    }

    fn over_ssh(&self, ssh: &mut Either, job: &NodeJob, ctl: &Ctl<'_>) -> Result<Frame, Gap> {
        let target = self
            .targets
            .resolve(&job.node, job.addresses(), &self.cancel)?;
        if let Some(route) = target.route() {
            self.outlet
                .log(Level::Info, Some(&job.node), Text::new(&route), None);
        }
        ssh.run(&target, &question(self.rights(&job.node))?, ctl)
    }

    /// Another way than SSH, where this run or the configuration names one.
    fn route<'a>(&'a self, job: &'a NodeJob) -> Option<&'a Route> {
        let own = self.options.hosts.get(&job.node);
        job.route
            .as_ref()
            .or_else(|| own.and_then(|host| host.route.as_ref()))
    }

    fn rights(&self, node: &NodeName) -> Rights {
        let own = self.options.hosts.get(node).and_then(|host| host.rights);
        own.unwrap_or(self.options.rights)
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

    fn failed(&self, node: &NodeName, gap: Gap, aloud: bool) {
        if self.cancel.is_cancelled() {
            return;
        }
        if aloud {
            self.outlet.warn(node, &gap);
        }
        let wrong = matches!(gap, Gap::WrongMachine { .. });
        if !wrong && self.delivered().contains(node) {
            self.host(node, HostState::Stale(gap));
        } else {
            self.delivered().remove(node);
            self.deliver(node, HostFacts::gap(&gap), HostState::Failed(gap));
        }
    }

    fn told(&self, node: &NodeName, frame: &Frame, start: Instant) {
        let by_hand = frame.by_hand.then_some(WayIn::Import);
        let way = by_hand.or(frame.way).unwrap_or(WayIn::ForcedCommand);
        let message = format!(
            "read {} sections, {} bytes in {:.1} s as uid {} by {} v{}",
            frame.sections.len(),
            frame.bytes,
            start.elapsed().as_secs_f32(),
            frame.uid,
            way.words(),
            frame.script,
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

/// What is run on a node.
fn question(rights: Rights) -> Result<Collect, Gap> {
    let way = match rights {
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

/// Reads this machine. Root needs no installed collector, and has the present one.
fn here(
    options: &Options,
    (root, rights): (Option<&Path>, Rights),
    ctl: &Ctl<'_>,
) -> Result<Frame, Gap> {
    let own = root.is_some() || rustix::process::geteuid().is_root();
    let rights = if own { Rights::Never } else { rights };
    local::run(&options.place.program, root, &question(rights)?, ctl)
}

/// The bounds of one reading that starts now.
fn ctl<'a>(bounds: &Bounds, cancel: &'a Arc<Cancel>, progress: &'a dyn Fn(Progress)) -> Ctl<'a> {
    Ctl {
        connect: bounds.connect,
        handshake: bounds.handshake,
        auth: bounds.auth,
        script: bounds.script,
        deadline: Instant::now() + bounds.node,
        cap: bounds.cap,
        cancel,
        progress,
    }
}

/// Who this machine is.
///
/// # Errors
/// As reading it does; [`Gap::WrongMachine`] for one that cannot be a node.
pub fn look_here(options: &Options, root: Option<&Path>) -> Result<Who, Gap> {
    let failed = |error: std::io::Error| Gap::Node {
        class: FaultClass::Internal,
        detail: Text::from(error.to_string()),
    };
    let cancel = Arc::new(Cancel::new().map_err(failed)?);
    let ctl = ctl(&options.bounds, &cancel, &|_| {});
    let who = who(&here(options, (root, options.rights), &ctl)?);
    match who.machine_id {
        Some(_) => Ok(who),
        None => Err(nobody()),
    }
}

/// A container has the boot id of its node and no machine id.
fn nobody() -> Gap {
    Gap::WrongMachine {
        detail: Text::new(
            "this system has no machine id; from inside a container the node's root is elsewhere: --root /host",
        ),
    }
}

/// An import that is too old for its passes to count as such is stale.
fn state(facts: &HostFacts) -> HostState {
    match (facts.imported(), facts.aged()) {
        (Some(taken), Some(gap)) if now().duration_since(taken) > FRESH => HostState::Stale(gap),
        _ => HostState::Ok,
    }
}

/// 32 hex digits that nobody can foresee.
fn nonce() -> Result<String, openssl::error::ErrorStack> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Whether the host that answered is the one that the kubelet reported.
fn same_machine(
    facts: &HostFacts,
    object: Option<&NodeObject>,
    route: Option<&Route>,
) -> Result<(), Gap> {
    let wrong = |detail: String| Gap::WrongMachine {
        detail: Text::from(detail),
    };
    let identity = match (facts.identity.get(), route) {
        (Ok(identity), _) => &identity.value,
        // Without an identity nothing can be compared; the host key has spoken for the host.
        (Err(_), None) => return Ok(()),
        (Err(gap), Some(_)) => return Err(gap),
    };
    if matches!(route, Some(Route::Here(_))) && identity.machine_id.is_none() {
        return Err(nobody());
    }
    let Some(object) = object else { return Ok(()) };
    let other = identity.foreign(object);
    // A file may be older than the boot.
    let imported = matches!(route, Some(Route::Import(_)));
    match other.or_else(|| identity.rebooted(object).filter(|_| !imported)) {
        None => Ok(()),
        Some(detail) => Err(wrong(detail)),
    }
}
