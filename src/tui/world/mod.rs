//! What panes may read: the judged view, a summary per node, the log, and the time.
//!
//! Summaries are made when a view arrives, and only for nodes that changed; a frame only reads them.

mod finding;
mod heat;
mod summary;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use ratatui::layout::Size;

pub use finding::{Finding, Identity, Sources, Standing};
pub use heat::{Group, Spot};
pub use summary::{Counts, Summary};

use crate::checks::check::Check;
use crate::engine::Judged;
use crate::evaluate;
use crate::model::Timestamp;
use crate::model::ask::Question;
use crate::model::fact::{Fact, Gap};
use crate::model::hostkey::ShownKey;
use crate::model::link::{HostState, LogLine};
use crate::model::name::{CheckId, NodeName};
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Offence, Verdict};
use crate::tui::theme::Token;

/// Log lines that are kept.
const LOG_LINES: usize = 10_000;

/// What a verdict is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Cluster,
    Node(NodeName),
}

impl Scope {
    pub fn node(&self) -> Option<&NodeName> {
        match self {
            Self::Cluster => None,
            Self::Node(name) => Some(name),
        }
    }

    pub fn as_str(&self) -> &str {
        self.node().map_or("cluster", NodeName::as_str)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The checks in the order of the verdicts.
#[derive(Clone)]
pub struct Registry {
    pub node: Vec<&'static Check>,
    pub cluster: Vec<&'static Check>,
}

impl Registry {
    /// The checks of the program.
    pub fn built_in() -> Self {
        Self {
            node: evaluate::node_checks().map(|(check, _)| check).collect(),
            cluster: evaluate::cluster_checks().map(|(check, _)| check).collect(),
        }
    }

    fn of(&self, scope: &Scope) -> &[&'static Check] {
        match scope {
            Scope::Cluster => &self.cluster,
            Scope::Node(_) => &self.node,
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &'static Check> {
        self.node.iter().chain(&self.cluster).copied()
    }
}

/// Sums over the fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub counts: Counts,
    pub nodes: usize,
    pub queued: usize,
    pub connecting: usize,
    pub collecting: usize,
    pub ok: usize,
    pub failed: usize,
    pub stale: usize,
    pub api_only: usize,
    /// The first node by name that could not be read.
    pub first_failed: Option<Scope>,
    /// The newest answer of either side.
    pub newest: Option<Timestamp>,
    /// The newest answer of the API server.
    pub api_newest: Option<Timestamp>,
}

impl Totals {
    fn add(&mut self, summary: &Summary) {
        self.counts.add(&summary.counts);
        if summary.scope == Scope::Cluster {
            return;
        }
        self.nodes += 1;
        match &summary.host {
            None => {}
            Some(HostState::Queued) => self.queued += 1,
            Some(HostState::Connecting) => self.connecting += 1,
            Some(HostState::Collecting { .. }) => self.collecting += 1,
            Some(HostState::Ok) => self.ok += 1,
            Some(HostState::Failed(_)) => {
                self.failed += 1;
                self.first_failed
                    .get_or_insert_with(|| summary.scope.clone());
            }
            Some(HostState::Stale(_)) => self.stale += 1,
            Some(HostState::ApiOnly(_)) => self.api_only += 1,
        }
        self.newest = self.newest.max(summary.at);
        self.api_newest = self.api_newest.max(summary.api_at);
    }

    /// Nodes that are being read or wait for it.
    pub fn active(&self) -> usize {
        self.queued + self.connecting + self.collecting
    }
}

/// Everything that a pane may look at.
pub struct World {
    pub registry: Registry,
    /// What is connected to, until the cluster says its own name.
    pub context: Text,
    /// What the first view is waited for from.
    pub source: Text,
    pub now: Timestamp,
    pub screen: Size,
    pub totals: Totals,
    pub log: VecDeque<LogLine>,
    /// Rises when lines are dropped from the front of the log.
    pub log_dropped: usize,
    /// The groups of the heat strip.
    pub heat: Vec<Group>,
    judged: Option<Arc<Judged>>,
    summaries: BTreeMap<Scope, Summary>,
}

impl World {
    pub fn new(registry: Registry, context: Text, source: Text, now: Timestamp) -> Self {
        Self {
            registry,
            context,
            source,
            now,
            screen: Size::new(80, 24),
            totals: Totals::default(),
            log: VecDeque::new(),
            log_dropped: 0,
            heat: Vec::new(),
            judged: None,
            summaries: BTreeMap::new(),
        }
    }

    /// Takes views in their order: the log of each, the state of the last.
    pub fn take(&mut self, views: &[Arc<Judged>]) {
        for view in views {
            self.log.extend(view.log.iter().cloned());
        }
        while self.log.len() > LOG_LINES {
            self.log.pop_front();
            self.log_dropped += 1;
        }
        if let Some(last) = views.last() {
            self.summarise(last);
            self.judged = Some(last.clone());
        }
    }

    fn summarise(&mut self, view: &Arc<Judged>) {
        let mut old = std::mem::take(&mut self.summaries);
        let mut totals = Totals::default();
        let mut names: Vec<&NodeName> = view.snapshot.nodes.keys().collect();
        names.extend(
            view.hosts
                .keys()
                .filter(|name| !view.snapshot.nodes.contains_key(*name)),
        );
        for name in names {
            let scope = Scope::Node(name.clone());
            let summary = match old.remove(&scope) {
                Some(summary) if summary.is_of(view, name) => summary,
                _ => Summary::of_node(view, name),
            };
            totals.add(&summary);
            self.summaries.insert(scope, summary);
        }
        if !self.registry.cluster.is_empty() {
            let summary = Summary::of_cluster(view);
            totals.add(&summary);
            self.summaries.insert(Scope::Cluster, summary);
        }
        // A quiet cluster says nothing of its nodes for minutes, and is no older for that.
        if let Some(heard) = view.snapshot.cluster.heard {
            totals.api_newest = Some(heard);
            totals.newest = totals.newest.max(Some(heard));
        }
        self.totals = totals;
        self.heat = heat::groups(self.summaries.values());
    }

    /// What a person is asked now.
    pub fn questions(&self) -> &[Question] {
        self.judged.as_ref().map_or(&[], |judged| &judged.questions)
    }

    pub fn judged(&self) -> Option<&Judged> {
        self.judged.as_deref()
    }

    pub fn summaries(&self) -> impl Iterator<Item = &Summary> {
        self.summaries.values()
    }

    pub fn summary(&self, scope: &Scope) -> Option<&Summary> {
        self.summaries.get(scope)
    }

    /// The key that is not on file and at which the last way to a node ended.
    pub fn shown_key(&self, node: &NodeName) -> Option<&Arc<ShownKey>> {
        self.judged.as_ref()?.shown.get(node)
    }

    /// Nodes whose way ended at this key.
    pub fn nodes_at(&self, key: &ShownKey) -> Vec<NodeName> {
        let shown = self.judged.iter().flat_map(|judged| judged.shown.iter());
        shown
            .filter(|(_, shown)| ***shown == *key)
            .map(|(node, _)| node.clone())
            .collect()
    }

    pub fn facts(&self, scope: &Scope) -> Option<&NodeFacts> {
        let judged = self.judged.as_ref()?;
        judged
            .snapshot
            .nodes
            .get(scope.node()?)
            .map(std::convert::AsRef::as_ref)
    }

    /// The verdicts of a scope in the order of its checks.
    pub fn verdicts(&self, scope: &Scope) -> &[Verdict] {
        self.summaries
            .get(scope)
            .map_or(&[], |summary| summary.verdicts.as_slice())
    }

    /// One line per offence, one per check without: in the order of the checks.
    pub fn findings(&self, scope: &Scope) -> Vec<Finding> {
        let checks = self.registry.of(scope).iter();
        let verdicts = self.verdicts(scope).iter();
        checks
            .zip(verdicts)
            .enumerate()
            .flat_map(|(slot, (check, verdict))| Finding::of(scope, check, (slot, verdict)))
            .collect()
    }

    /// The findings of one check over every scope.
    pub fn findings_of(&self, id: CheckId) -> Vec<Finding> {
        let find = |scope: &Scope| {
            let checks = self.registry.of(scope);
            let slot = checks.iter().position(|check| check.id == id)?;
            Some((slot, checks[slot]))
        };
        self.summaries
            .values()
            .filter_map(|summary| {
                let (slot, check) = find(&summary.scope)?;
                let verdict = summary.verdicts.get(slot)?;
                Some(Finding::of(&summary.scope, check, (slot, verdict)))
            })
            .flatten()
            .collect()
    }

    /// The finding of that identity as it is now; where its subject is gone, what the check says instead.
    pub fn locate(&self, id: &Identity) -> Option<Finding> {
        let checks = self.registry.of(&id.scope);
        let slot = checks.iter().position(|check| check.id == id.check)?;
        let verdict = self.verdicts(&id.scope).get(slot)?;
        let mut all = Finding::of(&id.scope, checks[slot], (slot, verdict));
        let exact = all.iter().position(|finding| finding.id == *id);
        Some(all.swap_remove(exact.unwrap_or(0)))
    }

    /// On how many other nodes the check of that slot fails, of how many.
    pub fn failing(&self, slot: usize, scope: &Scope) -> (usize, usize) {
        if *scope == Scope::Cluster {
            return (0, 0);
        }
        let others = || {
            self.summaries
                .values()
                .filter(|summary| summary.scope != *scope && summary.scope != Scope::Cluster)
        };
        let failing = others()
            .filter(|summary| {
                summary
                    .verdicts
                    .get(slot)
                    .is_some_and(|it| it.open_severity().is_some())
            })
            .count();
        (failing, others().count())
    }

    pub fn verdict(&self, finding: &Finding) -> Option<&Verdict> {
        self.verdicts(&finding.id.scope).get(finding.slot)
    }

    /// The badge of a line: as its verdict, and ACCEPTED where a waiver accepts its offence.
    pub fn badge(&self, finding: &Finding) -> (&'static str, Token) {
        if self
            .offence(finding)
            .is_some_and(|offence| offence.waived.is_some())
        {
            return ("ACCEPTED", Token::VerdictAccepted);
        }
        self.verdict(finding)
            .map_or(("GONE", Token::Muted), |verdict| {
                (verdict.badge(), Token::verdict(verdict))
            })
    }

    pub fn offence(&self, finding: &Finding) -> Option<&Offence> {
        self.verdict(finding)?.offences().get(finding.offence)
    }

    /// How the API server stands: `ok`, a word for the gap, or `...` while nothing came.
    pub fn api(&self) -> &'static str {
        let Some(judged) = &self.judged else {
            return "...";
        };
        match &judged.snapshot.cluster.version {
            Fact::Seen(_) => "ok",
            Fact::Gap(Gap::NotAsked | Gap::Pending) if self.totals.api_newest.is_some() => "ok",
            Fact::Gap(Gap::NotAsked | Gap::Pending) => "...",
            Fact::Gap(Gap::Api { .. }) => "DOWN",
            Fact::Gap(gap) => gap.word(),
        }
    }

    /// Namespaces whose pods could not be listed, of how many; none where all could.
    pub fn unread_namespaces(&self) -> Option<(usize, usize)> {
        let cluster = &self.judged.as_ref()?.snapshot.cluster;
        let read = usize::try_from(cluster.read_namespaces?).ok()?;
        let all = cluster
            .namespaces
            .get()
            .map_or(read, |list| list.value.len());
        Some((all.saturating_sub(read), all))
    }

    /// The name of the cluster for the title row.
    pub fn name(&self) -> &Text {
        match &self.judged {
            Some(judged) if !judged.snapshot.cluster.context.is_empty() => {
                &judged.snapshot.cluster.context
            }
            _ => &self.context,
        }
    }

    /// How old something is, in seconds; negative ages (clocks that differ) count as none.
    pub fn age(&self, at: Timestamp) -> u64 {
        u64::try_from(self.now.as_second() - at.as_second()).unwrap_or(0)
    }
}
