//! Who is collected when: nodes are read as soon as their names are known, whoever names them.
//!
//! The API server is itself a static pod. When it does not answer, nodes come from the configuration, from
//! `--node` and from the inventory of the last run, so that the node side says what broke.

mod inputs;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::asking::Asking;
use super::cancel::Cancel;
use super::clock::now;
use super::inventory::Inventory;
use super::known_hosts::own;
use super::kube::{self, Mode};
use super::node::NodeJob;
use super::options::Options;
use super::pool::{self, Pool};
use super::route::{Claim, Claims};
use crate::model::hostkey::ShownKey;
use crate::model::link::{Level, LogLine, ObjectDelta, Order, Update};
use crate::model::name::NodeName;
use crate::model::node::NodeObject;
use crate::model::text::Text;
use crate::probes::mask::Masker;
use inputs::{Input, api_thread, forward};

/// Threads that wait for a resolver or an agent are not waited for any longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often answers are looked for while the last nodes are read.
const TICK: Duration = Duration::from_millis(20);
/// Longer than any run: every node has a deadline of its own.
const LONGEST: Duration = Duration::from_hours(24);

/// What to collect.
pub struct Plan {
    pub access: kube::Access,
    pub namespaces: Vec<String>,
    pub nodes: Arc<Options>,
    pub masker: Arc<Masker>,
    pub mode: Mode,
    /// Nodes that are known without the API server: configured, or named on the command line.
    pub known: Vec<NodeName>,
    /// Which nodes are read.
    pub only: Only,
    /// Sides that look for their node.
    pub claims: Vec<Claim>,
    /// Names and addresses of the last run.
    pub inventory: Inventory,
    /// Told once with the names and addresses of this run, to be kept for the next one.
    pub keep: Keep,
}

/// Which nodes are read; the others are known by what the API server says of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Only {
    /// All, or where names are given these.
    Named(Vec<NodeName>),
    /// The ones that a [`Claim`] found.
    Claimed,
}

/// Keeps names and addresses.
pub type Keep = Box<dyn FnOnce(&Inventory) + Send>;

/// A running collection. It ends by itself in [`Mode::Once`], and on [`Order::Stop`].
pub struct Collection {
    orders: Sender<Order>,
    desk: JoinHandle<()>,
}

impl Collection {
    /// Where to send orders.
    pub fn orders(&self) -> Sender<Order> {
        self.orders.clone()
    }

    /// Waits until every node has been read or given up.
    pub fn join(self) {
        drop(self.orders);
        // A thread that panicked has already said so through the panic hook.
        let _ = self.desk.join();
    }
}

/// Starts everything.
///
/// # Errors
/// Where no thread can be started, or no descriptors are left.
pub fn start(plan: Plan, updates: SyncSender<Update>) -> io::Result<Collection> {
    let cancel = Arc::new(Cancel::new()?);
    let (jobs, job_box) = channel();
    let masker = Arc::clone(&plan.masker);
    let pool = pool::spawn(
        Arc::clone(&plan.nodes),
        masker,
        job_box,
        updates.clone(),
        Arc::clone(&cancel),
    )?;
    let (inputs, inbox) = sync_channel(1024);
    let (orders, order_box) = channel();
    forward(order_box, inputs.clone())?;
    let live = plan.mode == Mode::Live;
    let (again, asked) = watch::channel(());
    api_thread(&plan, inputs, asked)?;
    let desk = Desk {
        asking: pool.asking(),
        jobs,
        updates,
        started: BTreeSet::new(),
        objects: BTreeMap::new(),
        known: plan.known,
        only: plan.only,
        claims: Claims::new(plan.claims),
        inventory: plan.inventory,
        keep: Some(plan.keep),
        own_known_hosts: plan.nodes.own_known_hosts.clone(),
        again,
    };
    let work = move || run(desk, pool, &cancel, &inbox, live);
    Ok(Collection {
        orders,
        desk: Builder::new().name("collect".into()).spawn(work)?,
    })
}

/// The thread `collect`: decides until nothing more can come, then waits for the workers.
fn run(mut desk: Desk, pool: Pool, cancel: &Cancel, inputs: &Receiver<Input>, live: bool) {
    let stopped = desk.work(inputs, live);
    let asking = Arc::clone(&desk.asking);
    drop(desk);
    if stopped || !answers_only(&asking, &pool, inputs) {
        cancel.cancel();
        pool.join(PATIENCE);
    }
}

/// Nothing is decided any more, but nodes may still wait for a person. False: it is told to stop.
fn answers_only(asking: &Asking, pool: &Pool, inputs: &Receiver<Input>) -> bool {
    let start = Instant::now();
    while !pool.ends_within(TICK) && start.elapsed() < LONGEST {
        for input in inputs.try_iter() {
            match input {
                Input::Order(Order::Answer { id, answer }) => asking.answer(id, answer),
                Input::Order(Order::Stop) => return false,
                _ => {}
            }
        }
    }
    true
}

/// The one who decides.
struct Desk {
    asking: Arc<Asking>,
    jobs: Sender<NodeJob>,
    updates: SyncSender<Update>,
    started: BTreeSet<NodeName>,
    objects: BTreeMap<NodeName, Arc<NodeObject>>,
    known: Vec<NodeName>,
    only: Only,
    claims: Claims,
    inventory: Inventory,
    keep: Option<Keep>,
    /// Where keys are kept that a person trusts.
    own_known_hosts: Option<PathBuf>,
    /// A person wants to see something new: a connection that could not be made is tried at once.
    again: watch::Sender<()>,
}

impl Desk {
    /// Works until the inputs end (false), or until it is told to stop or nobody listens (true).
    fn work(&mut self, inputs: &Receiver<Input>, live: bool) -> bool {
        for input in inputs {
            match input {
                Input::Api(update) => {
                    self.look(&update);
                    if self.updates.send(update).is_err() {
                        return true;
                    }
                }
                Input::Order(Order::Answer { id, answer }) => self.asking.answer(id, answer),
                Input::Order(Order::Recollect(nodes)) => {
                    self.asking.renew();
                    self.again.send_replace(());
                    for name in nodes {
                        self.collect(&name);
                    }
                }
                Input::Order(Order::Trust { key, nodes }) => self.trust(&key, &nodes),
                Input::Order(Order::Policy(file)) => {
                    if self.updates.send(Update::Policy(file)).is_err() {
                        return true;
                    }
                }
                Input::Order(Order::Stop) => return true,
                Input::ApiEnded if live => {}
                Input::ApiEnded => return false,
            }
        }
        false
    }

    /// What an update of the API server means for the collection of nodes.
    fn look(&mut self, update: &Update) {
        let Update::Object(delta) = update else {
            return;
        };
        match delta {
            ObjectDelta::Node(name, Some(object), _) => {
                self.objects
                    .insert(name.clone(), Arc::new((**object).clone()));
                self.claims.meet(name, object);
                if !self.started.contains(name) {
                    self.collect(name);
                }
            }
            ObjectDelta::Node(name, None, _) => {
                self.objects.remove(name);
                self.started.remove(name);
            }
            ObjectDelta::NodesListed => {
                self.settle_claims(true);
                self.start_known();
                self.keep_inventory();
            }
            ObjectDelta::NodesFailed(_) => {
                self.known.extend(self.inventory.names());
                self.settle_claims(false);
                self.start_known();
            }
            ObjectDelta::Namespaces(_)
            | ObjectDelta::Cluster(_)
            | ObjectDelta::Objects(..)
            | ObjectDelta::Fresh(..) => {}
        }
    }

    fn keep_inventory(&mut self) {
        if let Some(keep) = self.keep.take() {
            let mut inventory = Inventory::default();
            for (name, object) in &self.objects {
                inventory.put(name, &object.addresses);
            }
            keep(&inventory);
        }
    }

    /// Every node is known now, or none will be.
    fn settle_claims(&mut self, listed: bool) {
        for name in self.claims.settle(listed.then_some(&self.objects)) {
            if listed {
                self.collect(&name);
            } else {
                self.known.push(name);
            }
        }
        for claim in self.claims.left() {
            let line = LogLine {
                at: now(),
                level: Level::Error,
                node: None,
                message: Text::from(format!("no node is this machine: {claim}")),
                next: Some(Text::new("name the node: --node NAME")),
            };
            // Without an engine the next update ends the run.
            let _ = self.updates.send(Update::Log(line));
        }
    }

    /// Nodes that need no API server to be known.
    fn start_known(&mut self) {
        for name in std::mem::take(&mut self.known) {
            if !self.started.contains(&name) {
                // Without an engine the next update ends the run.
                let _ = self.updates.send(Update::Known(name.clone()));
                self.collect(&name);
            }
        }
    }

    /// Keeps a key and reads the nodes again; what comes of it is told in the log.
    fn trust(&mut self, key: &ShownKey, nodes: &[NodeName]) {
        let kept = match &self.own_known_hosts {
            Some(file) => own::keep(file, key).map(|()| file.display().to_string()),
            None => Err(io::Error::other("this run has no file to keep it in")),
        };
        let (level, message, next) = match &kept {
            Ok(file) => (
                Level::Info,
                format!(
                    "trusted {} for {}, kept in {file}",
                    key.fingerprint, key.name
                ),
                None,
            ),
            Err(error) => (
                Level::Error,
                format!("keep the key of {}: {error}", key.name),
                Some(Text::new("add the line to known_hosts by hand")),
            ),
        };
        // Without an engine the next update ends the run.
        let _ = self.updates.send(Update::Log(LogLine {
            at: now(),
            level,
            node: nodes.first().cloned(),
            message: Text::from(message),
            next,
        }));
        if kept.is_ok() {
            for name in nodes {
                self.collect(name);
            }
        }
    }

    fn collect(&mut self, name: &NodeName) {
        self.started.insert(name.clone());
        let route = self.claims.route(name).cloned();
        let wanted = match &self.only {
            Only::Named(names) => names.is_empty() || names.contains(name),
            Only::Claimed => route.is_some(),
        };
        if !wanted {
            return;
        }
        // The pool ends only after this sender.
        let _ = self.jobs.send(NodeJob {
            node: name.clone(),
            object: self.objects.get(name).cloned(),
            inventory: self.inventory.addresses(name),
            route,
        });
    }
}
