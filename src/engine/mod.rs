//! The one thread that owns the model: deltas in, judged views out. Nothing else evaluates.

mod model;
mod pods;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::checks::check::{Check, View};
use crate::checks::patch;
use crate::evaluate;
use crate::model::Timestamp;
use crate::model::ask::Question;
use crate::model::fact::{Fact, FaultClass, Gap};
use crate::model::hostkey::ShownKey;
use crate::model::link::{HostState, LogLine, Update};
use crate::model::name::NodeName;
use crate::model::node::NodeFacts;
use crate::model::policy::Policy;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::model::verdict::{Subject, Verdict};

use model::Model;

/// What the engine knew and concluded at one moment. Cheap to clone and to send.
#[derive(Clone, Debug)]
pub struct Judged {
    pub snapshot: Arc<Snapshot>,
    /// Per node, in the order of `evaluate::node_checks`.
    pub nodes: BTreeMap<NodeName, Arc<Vec<Verdict>>>,
    /// In the order of `evaluate::cluster_checks`.
    pub cluster: Arc<Vec<Verdict>>,
    pub hosts: BTreeMap<NodeName, HostState>,
    /// The site's policy that it was judged by.
    pub policy: Arc<Policy>,
    /// Keys that are not on file, by the node whose way ended there.
    pub shown: Arc<BTreeMap<NodeName, Arc<ShownKey>>>,
    /// Log lines that came since the view before this one.
    pub log: Arc<Vec<LogLine>>,
    /// What a person is asked at this moment, the oldest first. Answers never come this way.
    pub questions: Arc<Vec<Question>>,
    /// Rises with every view.
    pub generation: u64,
    /// No more updates will come.
    pub complete: bool,
}

/// One verdict with what it is about.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'a> {
    pub check: &'static Check,
    /// None: about the cluster.
    pub node: Option<&'a NodeName>,
    pub verdict: &'a Verdict,
}

impl Judged {
    /// Judges a snapshot as it is, with nothing more to come.
    pub fn of(snapshot: Arc<Snapshot>, policy: &Policy, now: Timestamp) -> Self {
        let view = View::new(&snapshot, policy, now);
        let nodes = snapshot
            .nodes
            .iter()
            .map(|(name, facts)| (name.clone(), Arc::new(evaluate::node(facts, &view))))
            .collect();
        let cluster = Arc::new(evaluate::cluster(&view));
        let hosts = snapshot
            .nodes
            .iter()
            .map(|(name, facts)| (name.clone(), host_state(facts)))
            .collect();
        let mut judged = Self {
            nodes,
            cluster,
            snapshot,
            hosts,
            policy: Arc::new(policy.clone()),
            shown: Arc::default(),
            log: Arc::default(),
            questions: Arc::default(),
            generation: 1,
            complete: true,
        };
        judged.judge_waivers(now);
        judged
    }

    /// Says how each waiver stands, and judges the cluster again where that is known only now.
    fn judge_waivers(&mut self, now: Timestamp) {
        if self.policy.waivers().is_empty() {
            return;
        }
        let today = self.policy.today.unwrap_or(now);
        let nodes = match &self.snapshot.cluster.nodes {
            Fact::Seen(_) => Ok(()),
            Fact::Gap(gap) => Err(gap.clone()),
        };
        let all = self
            .findings()
            .map(|finding| (finding.check, finding.node, finding.verdict));
        let standing = evaluate::standing(&self.policy, today, &nodes, all);
        Arc::make_mut(&mut self.policy).standing = standing;
        self.cluster = Arc::new(evaluate::cluster(&View::new(
            &self.snapshot,
            &self.policy,
            now,
        )));
    }

    /// The lines to merge into a manifest that mend an offence of a check, where there are such.
    pub fn patch(&self, check: &'static Check, node: &NodeName, subject: &Subject) -> Option<Text> {
        let facts = self.snapshot.nodes.get(node)?;
        let view = View::new(&self.snapshot, &self.policy, self.snapshot.taken);
        patch::of(check, facts, &view, subject)
    }

    /// Every verdict: the cluster's first, then node by node in name order.
    pub fn findings(&self) -> impl Iterator<Item = Finding<'_>> {
        let cluster =
            evaluate::cluster_checks()
                .zip(self.cluster.iter())
                .map(|((check, _), verdict)| Finding {
                    check,
                    node: None,
                    verdict,
                });
        let nodes = self.nodes.iter().flat_map(|(node, verdicts)| {
            evaluate::node_checks()
                .zip(verdicts.iter())
                .map(move |((check, _), verdict)| Finding {
                    check,
                    node: Some(node),
                    verdict,
                })
        });
        cluster.chain(nodes)
    }
}

/// How the collection of a node ended, as far as its facts tell.
pub fn host_state(facts: &NodeFacts) -> HostState {
    match (&facts.host.identity, facts.host.at) {
        (_, Some(_)) | (Fact::Seen(_), None) => HostState::Ok,
        (
            Fact::Gap(
                gap @ (Gap::NotAsked
                | Gap::Node {
                    class: FaultClass::NoSshOs,
                    ..
                }),
            ),
            None,
        ) => HostState::ApiOnly(gap.clone()),
        (Fact::Gap(gap), None) => HostState::Failed(gap.clone()),
    }
}

/// What the engine is told once.
pub struct Options {
    pub policy: Policy,
    /// What is known before the first update: empty, or the facts to start from.
    pub start: Snapshot,
    /// The time that judgements are made at.
    pub now: Box<dyn Fn() -> Timestamp + Send>,
    /// Views are sent at most this often.
    pub interval: Duration,
}

/// Starts the engine. It ends when the last sender of `updates` is gone, after a view that says `complete`,
/// or when nobody receives views any more.
pub fn spawn(
    options: Options,
    updates: Receiver<Update>,
    views: Sender<Arc<Judged>>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("engine".into())
        .spawn(move || run(&options, &updates, &views))
}

/// More than this is never applied between two views, so that a storm cannot hold the screen back.
const BATCH: usize = 20_000;

/// Judgements about the whole cluster look at every node: at most once in this time.
const CLUSTER: Duration = Duration::from_secs(1);

fn run(options: &Options, updates: &Receiver<Update>, views: &Sender<Arc<Judged>>) {
    let mut model = Model::new(options.start.clone());
    let mut policy = Arc::new(options.policy.clone());
    let started = Instant::now();
    let mut last: Option<Instant> = None;
    let mut last_cluster: Option<Instant> = None;
    loop {
        let wait = match (model.is_dirty(), model.is_cluster_dirty()) {
            (true, _) => left(last, options.interval),
            (false, true) => left(last_cluster, CLUSTER),
            (false, false) => Duration::from_hours(1),
        };
        let mut open = true;
        match updates.recv_timeout(wait) {
            Ok(update) => apply(&mut model, &mut policy, update),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => open = false,
        }
        open &= drain(&mut model, &mut policy, updates);
        let cluster_due = !open || left(last_cluster, CLUSTER).is_zero();
        let due = model.is_dirty() || (model.is_cluster_dirty() && cluster_due);
        if !open || (due && left(last, options.interval).is_zero()) {
            pass_time(&mut policy, options.policy.today, started);
            model.lapse(&policy, (options.now)());
            model.judge_nodes(&policy, (options.now)());
            if cluster_due {
                policy = model.judge_cluster(&policy, (options.now)());
                last_cluster = Some(Instant::now());
            }
            last = Some(Instant::now());
            if views.send(Arc::new(model.view(&policy, !open))).is_err() || !open {
                return;
            }
        }
    }
}

/// Moves the wall clock of the policy on, so that waivers lapse while nothing else happens.
fn pass_time(policy: &mut Arc<Policy>, from: Option<Timestamp>, started: Instant) {
    let passed = jiff::SignedDuration::try_from(started.elapsed()).unwrap_or_default();
    if let Some(from) = from
        && !policy.waivers().is_empty()
    {
        Arc::make_mut(policy).today = from.checked_add(passed).ok();
    }
}

fn left(last: Option<Instant>, interval: Duration) -> Duration {
    last.map_or(Duration::ZERO, |last| {
        interval.saturating_sub(last.elapsed())
    })
}

/// What is known is the model's, what is allowed is not.
fn apply(model: &mut Model, policy: &mut Arc<Policy>, update: Update) {
    if let Update::Policy(file) = &update {
        *policy = Arc::new(policy.with(Arc::clone(file)));
    }
    model.apply(update);
}

/// Applies what is waiting; false when no sender is left.
fn drain(model: &mut Model, policy: &mut Arc<Policy>, updates: &Receiver<Update>) -> bool {
    for _ in 0..BATCH {
        match updates.try_recv() {
            Ok(update) => apply(model, policy, update),
            Err(std::sync::mpsc::TryRecvError::Empty) => return true,
            Err(std::sync::mpsc::TryRecvError::Disconnected) => return false,
        }
    }
    true
}
