//! A run against a cluster and its nodes: collectors, engine and whoever looks at the result.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::time::Duration;

use super::progress::Progress;
use super::settings::Settings;
use super::sides::Sides;
use super::teletype::{self, Teletype};
use crate::collect::kube::Mode;
use crate::collect::options::Audience;
use crate::collect::{self, clock, inventory, supervisor};
use crate::engine::{self, Judged};
use crate::error::Failure;
use crate::model::fact::Fact;
use crate::model::link::Order;
use crate::model::snapshot::Snapshot;
use crate::probes::mask::Masker;

/// Updates that may wait for the engine before the collectors have to.
const WAITING: usize = 4096;
/// A person sees ten views a second as one movement.
const INTERVAL: Duration = Duration::from_millis(100);

/// A run that goes on.
pub struct Live {
    views: Receiver<Arc<Judged>>,
    collection: supervisor::Collection,
}

/// Ends a run.
pub struct Stopper(supervisor::Collection);

impl Live {
    /// What is shown, and what ends it.
    pub fn into_parts(self) -> (Receiver<Arc<Judged>>, Stopper) {
        (self.views, Stopper(self.collection))
    }
}

impl Stopper {
    /// Where to send orders.
    pub fn orders(&self) -> Sender<Order> {
        self.0.orders()
    }

    /// Ends the collection and waits for its threads.
    pub fn stop(self) {
        // A collection that has ended by itself takes no orders.
        let _ = self.0.orders().send(Order::Stop);
        self.0.join();
    }
}

/// Starts collectors and engine.
///
/// # Errors
/// Where no thread can be started, or no random key be made.
pub fn start(settings: &Settings, mode: Mode) -> Result<Live, Failure> {
    let failed = |error: String| {
        let message = format!("cannot start the collection: {error}");
        Failure::new(message, "ulimit -u; ulimit -n")
    };
    let sides = Sides::find(settings)?;
    let masker = Arc::new(collect::masker().map_err(|error| failed(error.to_string()))?);
    let (updates, inbox) = sync_channel(WAITING);
    let (views_out, views) = channel();
    let mut start = Snapshot::empty(clock::now());
    start.taken_by = settings.taken_by();
    let options = engine::Options {
        policy: settings.policy.clone(),
        start,
        now: Box::new(clock::now),
        interval: INTERVAL,
    };
    engine::spawn(options, inbox, views_out).map_err(|error| failed(error.to_string()))?;
    let plan = plan(settings, mode, masker, sides);
    let collection = supervisor::start(plan, updates).map_err(|error| failed(error.to_string()))?;
    Ok(Live { views, collection })
}

fn plan(settings: &Settings, mode: Mode, masker: Arc<Masker>, sides: Sides) -> supervisor::Plan {
    let mut known: Vec<_> = settings.config.hosts.keys().cloned().collect();
    known.extend(settings.nodes.iter().cloned());
    let place = settings.inventory();
    let mut options = settings.collect();
    // The dashboard has a dialog of its own.
    if mode == Mode::Live || teletype::is_there() {
        options.audience = Audience::Person;
    }
    sides.route(&mut options);
    supervisor::Plan {
        access: settings.access(mode == Mode::Once),
        namespaces: Vec::new(),
        nodes: Arc::new(options),
        masker,
        mode,
        known,
        only: sides.only,
        claims: sides.claims,
        inventory: inventory::read(&place),
        keep: Box::new(move |inventory| {
            // A run without the inventory of the last one is only less comfortable.
            let _ = inventory::write(&place, inventory);
        }),
    }
}

/// Collects once, with progress on standard error where that is a terminal.
///
/// # Errors
/// Where there is nothing to look at: no API server and no node that is known without it.
pub fn once(settings: &Settings) -> Result<Arc<Judged>, Failure> {
    let Live { views, collection } = start(settings, Mode::Once)?;
    let mut progress = Progress::new();
    let mut teletype = Teletype::new(collection.orders());
    let mut last = None;
    let mut waiting = VecDeque::new();
    while let Some(view) = waiting.pop_front().or_else(|| views.recv().ok()) {
        progress.show(&view);
        if let Some(question) = teletype.next(&view) {
            progress.end();
            teletype.ask(question, &mut || {
                waiting.extend(views.try_iter());
                let newest = waiting.back().unwrap_or(&view);
                newest.questions.iter().any(|open| open.id == question.id)
            });
        }
        last = Some(view);
    }
    progress.end();
    drop(teletype);
    collection.join();
    let judged: Arc<Judged> = last
        .ok_or_else(|| Failure::new("the run was ended before its first view", "stakeout scan"))?;
    if judged.snapshot.nodes.is_empty() {
        return Err(nothing(&judged));
    }
    if settings.is_local() && judged.hosts.is_empty() {
        return Err(Failure::new(
            "no node of the API server is this machine",
            "kubectl get nodes -o custom-columns=NAME:.metadata.name,ID:.status.nodeInfo.machineID; then stakeout scan --local --node NAME",
        ));
    }
    Ok(judged)
}

/// Why there is no node at all.
fn nothing(judged: &Judged) -> Failure {
    match &judged.snapshot.cluster.namespaces {
        Fact::Gap(gap) => Failure::new(
            format!("no node is known: {gap}"),
            format!(
                "{}; or name a node: stakeout scan --node NAME",
                gap.next_step()
            ),
        ),
        Fact::Seen(_) => Failure::new(
            "no node is known: the API server lists none",
            "kubectl get nodes; or name one: stakeout scan --node NAME",
        ),
    }
}
