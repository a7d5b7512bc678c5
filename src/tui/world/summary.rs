//! One node in numbers, made once per change.

use std::sync::Arc;

use super::Scope;
use crate::engine::Judged;
use crate::model::Timestamp;
use crate::model::fact::{Fact, FaultClass, Gap};
use crate::model::link::HostState;
use crate::model::name::NodeName;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

/// Labels by which providers name the group of a node.
const POOL_LABELS: [&str; 4] = [
    "cloud.google.com/gke-nodepool",
    "eks.amazonaws.com/nodegroup",
    "kubernetes.azure.com/agentpool",
    "karpenter.sh/nodepool",
];

/// Offences and the rest, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    severity: [u32; 5],
    /// Not known, without those that only wait for the collection.
    pub unknown: u32,
    pub manual: u32,
    pub pending: u32,
    pub passed: u32,
    pub not_applicable: u32,
    pub failed: u32,
    /// Offences that a waiver accepts; they are in no severity.
    pub accepted: u32,
    /// Offences on which the sources differ.
    pub drift: u32,
}

impl Counts {
    fn of(verdicts: &[Verdict]) -> Self {
        let mut out = Self::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Pass { .. } => out.passed += 1,
                Verdict::NotApplicable { .. } => out.not_applicable += 1,
                Verdict::Unknown { why: Gap::Pending } => out.pending += 1,
                Verdict::Unknown {
                    why: Gap::NeedsHuman { .. },
                } => out.manual += 1,
                Verdict::Unknown { .. } => out.unknown += 1,
                Verdict::Fail { offences, .. } => {
                    out.failed += 1;
                    for offence in offences {
                        if offence.waived.is_some() {
                            out.accepted += 1;
                            continue;
                        }
                        out.severity[offence.severity as usize] += 1;
                        let differs = offence.compare.iter().any(|field| !field.agrees());
                        out.drift += u32::from(differs);
                    }
                }
            }
        }
        out
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (mine, more) in self.severity.iter_mut().zip(other.severity) {
            *mine += more;
        }
        self.unknown += other.unknown;
        self.manual += other.manual;
        self.pending += other.pending;
        self.passed += other.passed;
        self.not_applicable += other.not_applicable;
        self.failed += other.failed;
        self.drift += other.drift;
        self.accepted += other.accepted;
    }

    pub fn severity(&self, severity: Severity) -> u32 {
        self.severity[severity as usize]
    }

    pub fn worst(&self) -> Option<Severity> {
        Severity::ALL
            .into_iter()
            .find(|severity| self.severity(*severity) > 0)
    }

    /// Checks with a verdict that claims knowledge.
    pub fn known(&self) -> u32 {
        self.passed + self.failed + self.not_applicable
    }

    /// All checks.
    pub fn all(&self) -> u32 {
        self.known() + self.unknown + self.manual + self.pending
    }
}

/// One row of the fleet.
#[derive(Clone, Debug)]
pub struct Summary {
    pub scope: Scope,
    /// `None`: the Node object is not known.
    pub control_plane: Option<bool>,
    /// The group in the heat strip.
    pub group: String,
    pub counts: Counts,
    pub host: Option<HostState>,
    /// When the node, or without it the API server, last answered.
    pub at: Option<Timestamp>,
    pub api_at: Option<Timestamp>,
    pub verdicts: Arc<Vec<Verdict>>,
    facts: Option<Arc<NodeFacts>>,
}

impl Summary {
    pub(super) fn of_node(view: &Judged, name: &NodeName) -> Self {
        let facts = view.snapshot.nodes.get(name).cloned();
        let verdicts = view.nodes.get(name).cloned().unwrap_or_default();
        let object = facts.as_ref().and_then(|facts| match &facts.api.object {
            Fact::Seen(seen) => Some(&seen.value),
            Fact::Gap(_) => None,
        });
        let control_plane = object.map(crate::model::node::NodeObject::is_control_plane);
        let pool = object.and_then(|object| {
            POOL_LABELS
                .iter()
                .find_map(|label| object.labels.get(*label))
        });
        let group = match (control_plane, pool) {
            (Some(true), _) => "cp".to_owned(),
            (_, Some(pool)) => pool.to_string(),
            _ => stem(name.as_str()).to_owned(),
        };
        let host_at = facts.as_ref().and_then(|facts| facts.host.at);
        let api_at = facts.as_ref().and_then(|facts| facts.api.at);
        Self {
            control_plane,
            group,
            counts: Counts::of(&verdicts),
            host: view
                .hosts
                .get(name)
                .cloned()
                .or_else(|| facts.as_ref().and_then(|facts| recorded(facts))),
            at: host_at.or(api_at),
            api_at,
            scope: Scope::Node(name.clone()),
            verdicts,
            facts,
        }
    }

    pub(super) fn of_cluster(view: &Judged) -> Self {
        Self {
            scope: Scope::Cluster,
            control_plane: None,
            group: String::new(),
            counts: Counts::of(&view.cluster),
            host: None,
            at: None,
            api_at: None,
            verdicts: view.cluster.clone(),
            facts: None,
        }
    }

    /// Whether this summary still holds: same facts, same verdicts, same state.
    pub(super) fn is_of(&self, view: &Judged, name: &NodeName) -> bool {
        let same_facts = match (&self.facts, view.snapshot.nodes.get(name)) {
            (Some(mine), Some(new)) => Arc::ptr_eq(mine, new),
            (None, None) => true,
            _ => false,
        };
        let same_verdicts = match view.nodes.get(name) {
            Some(new) => Arc::ptr_eq(&self.verdicts, new),
            None => self.verdicts.is_empty(),
        };
        let same_host = match view.hosts.get(name) {
            Some(new) => self.host.as_ref() == Some(new),
            None => self.host == self.facts.as_ref().and_then(|facts| recorded(facts)),
        };
        same_facts && same_verdicts && same_host
    }

    /// `cp`, `worker`, or `-` where the Node object is not known.
    pub fn role(&self) -> &'static str {
        match self.control_plane {
            Some(true) => "cp",
            Some(false) => "worker",
            None => "-",
        }
    }

    /// Where the collection stands, in at most 16 columns.
    pub fn collect(&self) -> String {
        let known = format!("{}/{}", self.counts.known(), self.counts.all());
        match &self.host {
            None => String::new(),
            Some(HostState::Queued) => "queued".to_owned(),
            Some(HostState::Connecting) => "connecting".to_owned(),
            Some(HostState::Collecting { done, of }) => format!("collecting {done}/{of}"),
            Some(HostState::Ok) => format!("ok     {known}"),
            Some(HostState::Stale(_)) => format!("stale  {known}"),
            Some(HostState::Failed(gap)) => format!("FAILED {}", cause(gap)),
            Some(HostState::ApiOnly(_)) => "api only".to_owned(),
        }
    }

    /// What stands in the way of the node's side.
    pub fn gap(&self) -> Option<&Gap> {
        match &self.host {
            Some(HostState::Failed(gap) | HostState::Stale(gap) | HostState::ApiOnly(gap)) => {
                Some(gap)
            }
            _ => None,
        }
    }

    /// Whether what is shown is older than the last try to read it.
    pub fn is_stale(&self) -> bool {
        matches!(self.host, Some(HostState::Stale(_)))
    }

    /// The letter of the heat strip: the worst severity, in lower case when stale; without one the state.
    pub fn letter(&self) -> char {
        if let Some(worst) = self.counts.worst().filter(|worst| *worst > Severity::Info) {
            let letter = worst.letter();
            return if self.is_stale() {
                letter.to_ascii_lowercase()
            } else {
                letter
            };
        }
        match &self.host {
            Some(HostState::Queued) => 'o',
            Some(HostState::Connecting | HostState::Collecting { .. }) => '~',
            Some(HostState::Failed(_)) => 'x',
            Some(HostState::ApiOnly(_)) => '?',
            Some(HostState::Stale(_)) => 'u',
            _ if self.counts.unknown + self.counts.pending > 0 => 'U',
            None if self.counts.all() == 0 => ' ',
            _ if self.counts.severity(Severity::Info) > 0 => 'I',
            _ => '.',
        }
    }

    /// For sorting: the worst node first, by severity, then by count, then what is not known.
    pub fn rank(&self) -> [u32; 7] {
        let mut out = [0; 7];
        for (slot, severity) in out.iter_mut().zip(&Severity::ALL[..4]) {
            *slot = u32::MAX - self.counts.severity(*severity);
        }
        out[4] = match &self.host {
            Some(HostState::Connecting | HostState::Collecting { .. }) => 0,
            Some(HostState::Queued) => 1,
            Some(HostState::Failed(_)) => 2,
            Some(HostState::Stale(_)) => 3,
            Some(HostState::ApiOnly(_)) => 4,
            Some(HostState::Ok) | None => 5,
        };
        out[5] = u32::MAX - self.counts.unknown;
        out[6] = u32::MAX - self.counts.severity(Severity::Info);
        out
    }
}

/// The state of a node in a recorded view, which brings facts and no progress.
fn recorded(facts: &NodeFacts) -> Option<HostState> {
    if facts.host.at.is_some() {
        return Some(HostState::Ok);
    }
    match &facts.host.identity {
        Fact::Gap(Gap::NotAsked | Gap::Pending) | Fact::Seen(_) => None,
        Fact::Gap(gap) => Some(match gap {
            Gap::Node {
                class: FaultClass::NoTarget | FaultClass::NoSshOs | FaultClass::NoShell,
                ..
            } => HostState::ApiOnly(gap.clone()),
            _ => HostState::Failed(gap.clone()),
        }),
    }
}

/// The class of a fault in few letters: its first word, where that says it.
fn cause(gap: &Gap) -> String {
    let (Gap::Node { class, .. } | Gap::Bastion { class, .. }) = gap else {
        return gap.word().to_owned();
    };
    let class = class.to_string();
    match class.split_once('-') {
        Some((first, _)) if !matches!(first, "no" | "not" | "needs" | "output") => first.to_owned(),
        _ => class,
    }
}

/// A node's name without the part that counts.
fn stem(name: &str) -> &str {
    let short = name.split('.').next().unwrap_or(name);
    let stem = short.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    if stem.is_empty() { short } else { stem }
}
