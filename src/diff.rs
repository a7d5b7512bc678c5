//! What changed between two judged states: new, fixed, changed, incomparable.
//!
//! Identity is (cluster, check, node, subject); never a message, a time or a place in a list. Lives here: which pairs
//! there are and what they come to. Never lives here: a verdict, a file, a colour.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::checks::check::Check;
use crate::engine::Judged;
use crate::model::baseline::plain;
use crate::model::fact::{Fact, Gap};
use crate::model::link::HostState;
use crate::model::name::{CheckId, NodeName};
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::model::verdict::{Offence, Severity, Subject, Verdict};

/// What became of an offence, or of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// There now, and the state before knew that it was not.
    New,
    /// There on both sides, with another severity, message or acceptance; or another question to a person.
    Changed,
    /// There before, and the state after knows that it is not.
    Fixed,
    /// One side did not know.
    Incomparable,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::New, Self::Changed, Self::Fixed, Self::Incomparable];

    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Fixed => "fixed",
            Self::Incomparable => "incomparable",
        }
    }
}

/// One of the two states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Before,
    After,
}

impl Side {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// An offence as one side has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    pub severity: Severity,
    pub message: Text,
    /// A waiver accepts it.
    pub accepted: bool,
}

/// One difference.
#[derive(Clone, Debug)]
pub struct Change {
    pub kind: Kind,
    pub check: &'static Check,
    /// None: about the cluster.
    pub node: Option<NodeName>,
    /// None: about the verdict as a whole.
    pub subject: Option<Subject>,
    pub before: Option<State>,
    pub after: Option<State>,
    /// Which side did not know, and why; set where it is incomparable.
    pub unknown: Option<(Side, Gap)>,
}

impl Change {
    /// How bad it is, on the side where it is worse.
    pub fn severity(&self) -> Option<Severity> {
        let sides = self.before.iter().chain(&self.after);
        sides.map(|state| state.severity).max()
    }

    /// What fails a run that fails on what is new: new or worse, and accepted by nobody.
    pub fn is_worse(&self) -> bool {
        let Some(after) = self.after.as_ref().filter(|after| !after.accepted) else {
            return false;
        };
        match (self.kind, &self.before) {
            (Kind::New, _) => true,
            (Kind::Changed, Some(before)) => before.accepted || after.severity > before.severity,
            _ => false,
        }
    }
}

/// Every difference between two states.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// The cluster's own first, then node by node; of each the new first, then the worst.
    pub changes: Vec<Change>,
    /// Offences that are the same on both sides.
    pub same: usize,
    /// Both sides know that they are of one cluster.
    pub is_one_cluster: bool,
}

/// The two states are of different clusters, by the uid of the namespace kube-system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    pub before: Text,
    pub after: Text,
}

/// The checks and nodes that are compared.
pub type Wanted<'w> = &'w dyn Fn(CheckId, Option<&NodeName>) -> bool;

/// Compares two states that were judged by the same policy.
///
/// # Errors
/// Where they are of two clusters: nothing in them is the same thing then.
pub fn between(before: &Judged, after: &Judged, wanted: Wanted<'_>) -> Result<Diff, Foreign> {
    let uids = (&before.snapshot.cluster.uid, &after.snapshot.cluster.uid);
    let is_one_cluster = match uids {
        (Fact::Seen(before), Fact::Seen(after)) if before.value != after.value => {
            return Err(Foreign {
                before: before.value.clone(),
                after: after.value.clone(),
            });
        }
        (Fact::Seen(_), Fact::Seen(_)) => true,
        _ => false,
    };
    let mut diff = Diff {
        is_one_cluster,
        ..Diff::default()
    };
    let (old, new) = (index(before), index(after));
    let whole = (
        has_all_nodes(&before.snapshot),
        has_all_nodes(&after.snapshot),
    );
    let keys: BTreeSet<&Key<'_>> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let found = old.get(key).or_else(|| new.get(key));
        let Some((check, _)) = found.filter(|_| wanted(key.1, key.0)) else {
            continue;
        };
        let pair = Pair {
            check,
            node: key.0,
            before: Known::of((before, whole.0), key.0, old.get(key)),
            after: Known::of((after, whole.1), key.0, new.get(key)),
        };
        pair.compare(&mut diff);
    }
    diff.changes.sort_by(|a, b| {
        a.node
            .cmp(&b.node)
            .then_with(|| a.kind.cmp(&b.kind))
            .then_with(|| b.severity().cmp(&a.severity()))
            .then_with(|| (a.check.id, &a.subject).cmp(&(b.check.id, &b.subject)))
    });
    Ok(diff)
}

impl Diff {
    pub fn count(&self, kind: Kind) -> usize {
        self.changes.iter().filter(|it| it.kind == kind).count()
    }

    /// New or worse ones at or above a severity; info never counts.
    pub fn worse(&self, least: Severity) -> usize {
        let least = least.max(Severity::Low);
        let bad = |change: &&Change| {
            let after = change.after.as_ref();
            change.is_worse() && after.is_some_and(|after| after.severity >= least)
        };
        self.changes.iter().filter(bad).count()
    }

    /// Whether something is there now of which the state before did not know.
    pub fn is_open(&self) -> bool {
        let open = |it: &Change| it.kind == Kind::Incomparable && it.after.is_some();
        self.changes.iter().any(open)
    }

    /// What became of one offence; `None` where it is the same on both sides.
    pub fn of(
        &self,
        check: CheckId,
        node: Option<&NodeName>,
        subject: &Subject,
    ) -> Option<&Change> {
        // They are in the order of their nodes.
        let before = |change: &Change| change.node.as_ref() < node;
        let start = self.changes.partition_point(before);
        let rest = self.changes.get(start..).unwrap_or_default();
        rest.iter()
            .take_while(|change| change.node.as_ref() == node)
            .find(|it| it.check.id == check && it.subject.as_ref() == Some(subject))
    }
}

type Key<'a> = (Option<&'a NodeName>, CheckId);

fn index(judged: &Judged) -> BTreeMap<Key<'_>, (&'static Check, &Verdict)> {
    let findings = judged.findings();
    let pair = findings.map(|it| ((it.node, it.check.id), (it.check, it.verdict)));
    pair.collect()
}

/// What one side knows of a check on a node.
struct Known<'a> {
    offences: &'a [Offence],
    /// Set where there may be more than what is told.
    gap: Option<Gap>,
}

impl<'a> Known<'a> {
    fn of(
        (judged, has_all_nodes): (&Judged, bool),
        node: Option<&NodeName>,
        found: Option<&(&'static Check, &'a Verdict)>,
    ) -> Self {
        let Some((_, verdict)) = found else {
            // A node that is not there has no findings, where it is known not to be there.
            let gap = (!has_all_nodes).then_some(Gap::NotAsked);
            return Self { offences: &[], gap };
        };
        let gap = match verdict {
            Verdict::Pass { .. } | Verdict::NotApplicable { .. } => None,
            Verdict::Unknown { why } => Some(why.clone()),
            Verdict::Fail { gaps, .. } => gaps.first().cloned(),
        };
        // What passed when the node was last read is no pass of that moment.
        let stale = match node.and_then(|node| judged.hosts.get(node)) {
            Some(HostState::Stale(gap)) => Some(gap.clone()),
            _ => None,
        };
        Self {
            offences: verdict.offences(),
            gap: gap.or(stale),
        }
    }

    fn find(&self, subject: &Subject) -> Option<&'a Offence> {
        self.offences.iter().find(|it| it.subject == *subject)
    }
}

/// Whether every node of the cluster is in a snapshot.
fn has_all_nodes(snapshot: &Snapshot) -> bool {
    let objects = || {
        let nodes = snapshot.nodes.values();
        nodes.filter(|node| node.api.object.is_seen()).count()
    };
    match &snapshot.cluster.nodes {
        Fact::Seen(seen) => usize::try_from(seen.value).is_ok_and(|count| objects() >= count),
        Fact::Gap(_) => false,
    }
}

/// One check on one node, on both sides.
struct Pair<'a> {
    check: &'static Check,
    node: Option<&'a NodeName>,
    before: Known<'a>,
    after: Known<'a>,
}

impl Pair<'_> {
    fn compare(&self, diff: &mut Diff) {
        let sides = self.before.offences.iter().chain(self.after.offences);
        let subjects: BTreeSet<&Subject> = sides.map(|offence| &offence.subject).collect();
        let mut told = false;
        for subject in subjects {
            match self.subject(subject) {
                None => diff.same += 1,
                Some(change) => {
                    told |= change.kind == Kind::Incomparable;
                    diff.changes.push(change);
                }
            }
        }
        if !told {
            diff.changes.extend(self.rest());
        }
    }

    fn subject(&self, subject: &Subject) -> Option<Change> {
        let sides = (self.before.find(subject), self.after.find(subject));
        let (before, after) = (sides.0.map(state), sides.1.map(state));
        let (kind, unknown) = match sides {
            (Some(before), Some(after)) if is_same(before, after) => return None,
            (Some(_), Some(_)) => (Kind::Changed, None),
            (None, _) => match &self.before.gap {
                None => (Kind::New, None),
                Some(gap) => (Kind::Incomparable, Some((Side::Before, gap.clone()))),
            },
            (Some(_), None) => match &self.after.gap {
                None => (Kind::Fixed, None),
                Some(gap) => (Kind::Incomparable, Some((Side::After, gap.clone()))),
            },
        };
        Some(Change {
            subject: Some(subject.clone()),
            before,
            after,
            unknown,
            ..self.plain(kind)
        })
    }

    /// What is not told of any subject, where a side did not know.
    fn rest(&self) -> Option<Change> {
        let human = |gap: &Option<Gap>| matches!(gap, Some(Gap::NeedsHuman { .. }));
        let (before, after) = (&self.before.gap, &self.after.gap);
        let (kind, unknown) = match (before, after) {
            (None, None) => return None,
            // The same question to a person: facts are there on both sides.
            _ if before == after && human(before) => return None,
            _ if human(before) && human(after) => (Kind::Changed, None),
            (_, Some(gap)) => (Kind::Incomparable, Some((Side::After, gap.clone()))),
            (Some(gap), None) => (Kind::Incomparable, Some((Side::Before, gap.clone()))),
        };
        Some(Change {
            unknown,
            ..self.plain(kind)
        })
    }

    fn plain(&self, kind: Kind) -> Change {
        Change {
            kind,
            check: self.check,
            node: self.node.cloned(),
            subject: None,
            before: None,
            after: None,
            unknown: None,
        }
    }
}

/// Words that stand for secrets are of their run: they are no difference.
fn is_same(before: &Offence, after: &Offence) -> bool {
    before.severity == after.severity
        && before.waived.is_some() == after.waived.is_some()
        && plain(before.message.as_str()) == plain(after.message.as_str())
}

fn state(offence: &Offence) -> State {
    State {
        severity: offence.severity,
        message: offence.message.clone(),
        accepted: offence.waived.is_some(),
    }
}
