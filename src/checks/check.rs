//! What a check is, and the words it judges with.

use std::cell::OnceCell;

use super::images::across::{self, Across};
pub use super::maps::Maps;
use super::pss::admission::{self, Admission};
use super::tls::keys::Keys;
use crate::model::Timestamp;
use crate::model::fact::{Fact, Gap, Locator, Need, Seen};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::policy::Policy;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Evidence, Offence, Severity, Subject, Verdict};

/// One check: metadata as data, judgement as one pure function.
pub struct Check {
    pub id: CheckId,
    /// The good state, as a sentence without a full stop.
    pub title: &'static str,
    /// The attack in one sentence.
    pub why: &'static str,
    /// The maximum over all failing cases.
    pub severity: Severity,
    pub since: &'static str,
    /// Facts without which it is Unknown.
    pub needs: &'static [Need],
    /// Facts that sharpen a verdict and are not required.
    pub helps: &'static [Need],
    pub maps: &'static [Maps],
    pub fix: Remediation,
    /// Facts (see `example.rs` for the language) and the verdict they lead to; the first word is the badge.
    pub examples: &'static [(&'static str, &'static str)],
    pub judge: Judge,
    /// `file!()`: where to edit it.
    pub file: &'static str,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id.0)
    }
}

/// How a person mends it. Templates over `{node} {path} {ns} {pod} {container} {flag} {resource} {name}`.
pub struct Remediation {
    pub steps: &'static [Step],
    /// What restarts, and for how long it is away.
    pub restarts: &'static str,
    pub undo: &'static [Step],
}

/// One line of a fix.
pub struct Step {
    /// Where it is typed.
    pub on: Place,
    /// A command, or a sentence for [`Place::Editor`].
    pub text: &'static str,
}

/// Where a step of a fix happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A shell on the node, as root.
    Node,
    /// A shell with kubectl.
    Kubectl,
    /// A change by hand in a file or a ticket.
    Editor,
}

impl Place {
    /// `node`, `kubectl` or `by hand`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Kubectl => "kubectl",
            Self::Editor => "by hand",
        }
    }
}

/// A command for a root shell on the node.
pub const fn on_node(text: &'static str) -> Step {
    Step {
        on: Place::Node,
        text,
    }
}

/// A command for a shell with kubectl.
pub const fn kubectl(text: &'static str) -> Step {
    Step {
        on: Place::Kubectl,
        text,
    }
}

/// A change by hand.
pub const fn by_hand(text: &'static str) -> Step {
    Step {
        on: Place::Editor,
        text,
    }
}

/// The judgement: per node, or once for the cluster.
pub enum Judge {
    /// Of a node by its own facts and those of the cluster.
    Node(fn(&NodeFacts, &View<'_>) -> Result<Verdict, Gap>),
    /// Of a node by facts of other nodes too: judged again when any node was read.
    Peers(fn(&NodeFacts, &View<'_>) -> Result<Verdict, Gap>),
    Cluster(fn(&View<'_>) -> Result<Verdict, Gap>),
}

/// What a judgement may look at beside its node.
pub struct View<'a> {
    pub snapshot: &'a Snapshot,
    pub policy: &'a Policy,
    pub now: Timestamp,
    /// What the cluster's API server was told about Pod Security; looked for once for all nodes.
    admission: OnceCell<Result<Admission, Gap>>,
    /// Which images run where; joined once for all nodes.
    images: OnceCell<Across>,
    /// Which private keys lie where; joined once for all nodes.
    keys: OnceCell<Keys>,
}

impl<'a> View<'a> {
    pub fn new(snapshot: &'a Snapshot, policy: &'a Policy, now: Timestamp) -> Self {
        Self {
            snapshot,
            policy,
            now,
            admission: OnceCell::new(),
            images: OnceCell::new(),
            keys: OnceCell::new(),
        }
    }

    /// What the cluster's API server was told about Pod Security.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn admission(&self) -> &Result<Admission, Gap> {
        self.admission.get_or_init(|| admission::of_cluster(self))
    }

    /// Which images the static pods of all nodes run.
    pub fn images(&self) -> &Across {
        self.images
            .get_or_init(|| across::of_cluster(self.snapshot))
    }

    /// Which private keys lie on which nodes.
    pub fn keys(&self) -> &Keys {
        self.keys.get_or_init(|| Keys::of_cluster(self.snapshot))
    }
}

/// The good state, proven by `evidence`.
pub fn pass(evidence: impl IntoIterator<Item = Locator>) -> Verdict {
    Verdict::Pass {
        evidence: evidence.into_iter().collect(),
        note: None,
    }
}

/// The good state with a remark that a reader should see.
pub fn pass_note(evidence: impl IntoIterator<Item = Locator>, note: impl Into<Text>) -> Verdict {
    Verdict::Pass {
        evidence: evidence.into_iter().collect(),
        note: Some(note.into()),
    }
}

/// A single breach.
pub fn fail(
    subject: Subject,
    severity: Severity,
    message: impl Into<Text>,
    evidence: impl IntoIterator<Item = Locator>,
) -> Verdict {
    Verdict::Fail {
        offences: vec![offence(subject, severity, message, evidence)],
        gaps: Vec::new(),
    }
}

/// The precondition is absent, proven by `evidence`.
pub fn not_applicable(
    evidence: impl IntoIterator<Item = Locator>,
    why: impl Into<Text>,
) -> Verdict {
    Verdict::NotApplicable {
        evidence: evidence.into_iter().collect(),
        why: why.into(),
    }
}

/// As [`not_applicable`], for what only a control plane has, with where that is.
pub fn no_control_plane(node: &NodeFacts, at: Locator, why: &str) -> Verdict {
    match super::role::elsewhere(node) {
        Some((words, shown)) => not_applicable([at, shown], format!("{why}: {words}")),
        None => not_applicable([at], why),
    }
}

/// A breach, to be gathered.
pub fn offence(
    subject: Subject,
    severity: Severity,
    message: impl Into<Text>,
    evidence: impl IntoIterator<Item = Locator>,
) -> Offence {
    Offence {
        subject,
        severity,
        message: message.into(),
        evidence: evidence.into_iter().collect(),
        compare: Vec::new(),
        waived: None,
    }
}

/// Adds what each source says of the fields at stake.
#[must_use]
pub fn comparing(mut offence: Offence, compare: Vec<Comparison>) -> Offence {
    offence.compare = compare;
    offence
}

/// At most three names, and how many more there are.
pub fn few(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(AsRef::as_ref).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Gathers what several independent sources prove, so that a gap never hides an offence.
///
/// Order of truth: any offence makes a Fail (gaps stand beside it); else any gap makes it Unknown;
/// else the evidence makes a Pass.
#[derive(Default)]
pub struct Tally {
    offences: Vec<Offence>,
    gaps: Vec<Gap>,
    evidence: Vec<Locator>,
    notes: Vec<String>,
}

impl Tally {
    pub fn new() -> Self {
        Self::default()
    }

    /// A source that was looked at and found good.
    pub fn good(&mut self, at: Locator) {
        self.evidence.push(at);
    }

    /// Sources that were looked at and found good.
    pub fn all_good(&mut self, places: &[Locator]) {
        self.evidence.extend_from_slice(places);
    }

    /// Keeps one offence per subject, since the subject is its identity: the worse one speaks first.
    pub fn offence(&mut self, offence: Offence) {
        let same = self
            .offences
            .iter_mut()
            .find(|have| have.subject == offence.subject);
        let Some(have) = same else {
            self.offences.push(offence);
            return;
        };
        let (mut worse, other) = if offence.severity > have.severity {
            (offence, have.clone())
        } else {
            (have.clone(), offence)
        };
        if worse.message != other.message {
            worse.message = Text::from(format!("{}; {}", worse.message, other.message));
        }
        worse.evidence = worse.evidence.iter().chain(other.evidence.iter()).collect();
        worse.compare.extend(other.compare);
        *have = worse;
    }

    pub fn gap(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// Everything that could not be told.
    pub fn gaps(&mut self, gaps: impl IntoIterator<Item = Gap>) {
        for gap in gaps {
            self.gap(gap);
        }
    }

    /// A remark for a pass.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// The value of a fact; a gap is kept and gives `None`.
    pub fn take<'f, T>(&mut self, fact: &'f Fact<T>) -> Option<&'f Seen<T>> {
        match fact {
            Fact::Seen(seen) => Some(seen),
            Fact::Gap(gap) => {
                self.gap(gap.clone());
                None
            }
        }
    }

    /// Everything that could not be told so far.
    pub fn into_gaps(self) -> Vec<Gap> {
        self.gaps
    }

    /// Takes the outcome of a part: an offence, the all-clear, or a gap.
    pub fn part(&mut self, at: Locator, outcome: Result<Option<Offence>, Gap>) {
        match outcome {
            Ok(Some(offence)) => self.offence(offence),
            Ok(None) => self.good(at),
            Err(gap) => self.gap(gap),
        }
    }

    /// Adds what a part came to as a whole, and draws the verdict.
    ///
    /// # Errors
    /// As [`Tally::verdict`].
    pub fn with(mut self, part: Verdict) -> Result<Verdict, Gap> {
        match part {
            Verdict::Pass { evidence, note } => {
                self.evidence.extend(evidence.iter());
                self.notes.extend(note.map(|note| note.to_string()));
            }
            Verdict::Fail { offences, gaps } => {
                for offence in offences {
                    self.offence(offence);
                }
                self.gaps(gaps);
            }
            Verdict::NotApplicable { evidence, .. } => self.evidence.extend(evidence.iter()),
            Verdict::Unknown { why } => self.gap(why),
        }
        self.verdict()
    }

    /// The verdict.
    ///
    /// # Errors
    /// The first gap, where nothing is proven; [`Gap::NotAsked`] where nothing was looked at at all.
    pub fn verdict(self) -> Result<Verdict, Gap> {
        if !self.offences.is_empty() {
            return Ok(Verdict::Fail {
                offences: self.offences,
                gaps: self.gaps,
            });
        }
        if let Some(gap) = self.gaps.into_iter().next() {
            return Err(gap);
        }
        let evidence: Evidence = self.evidence.into_iter().collect();
        if evidence.is_empty() {
            return Err(Gap::NotAsked);
        }
        let note = (!self.notes.is_empty()).then(|| Text::from(self.notes.join("; ")));
        Ok(Verdict::Pass { evidence, note })
    }
}

/// Judges a list item by item; `list` is the evidence that the list itself is whole, and is what an empty list passes on.
///
/// # Errors
/// As [`Tally::verdict`].
pub fn each<T>(
    list: Locator,
    items: &[Fact<T>],
    mut judge: impl FnMut(&Seen<T>) -> Result<Option<Offence>, Gap>,
) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    tally.good(list);
    for item in items {
        if let Some(seen) = tally.take(item) {
            let outcome = judge(seen);
            tally.part(seen.at, outcome);
        }
    }
    tally.verdict()
}
