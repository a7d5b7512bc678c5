//! Components of the control plane as a node has them: what their manifest says, and what the running process was
//! really started with.
//!
//! Lives here: finding them, and the frame that judges both and tells where they differ. Never lives here: an
//! opinion about a flag.

mod given;
pub mod mend;
mod named;
mod place;

pub use given::{Given, asks, garbled, not_set, without_tls};
pub use named::only;

use super::check::{Tally, not_applicable, offence};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};
use place::{Instance, find};

/// What every check of a flag reads.
pub const NEEDS: &[Need] = &[Need::Manifests, Need::Processes];
/// What tells who runs the control plane of a node that has none.
pub const HELPS: &[Need] = &[Need::NodeObject];

/// A component of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    ApiServer,
    ControllerManager,
    Scheduler,
    Etcd,
}

impl Component {
    /// The program's name.
    pub const fn program(self) -> &'static str {
        match self {
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Etcd => "etcd",
        }
    }
}

/// What is wrong with a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// As it is given, with its dashes.
    pub flag: String,
    pub severity: Severity,
    pub message: String,
    /// Beside the manifest and the process.
    pub evidence: Vec<Locator>,
}

impl Fault {
    /// `flag`: without dashes.
    pub fn new(flag: &str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            flag: format!("--{flag}"),
            severity,
            message: message.into(),
            evidence: Vec::new(),
        }
    }

    /// The same, told apart from that of another component.
    #[must_use]
    pub fn of(mut self, component: Component) -> Self {
        self.flag = format!("{} {}", component.program(), self.flag);
        self
    }

    /// The same with evidence of its own.
    #[must_use]
    pub fn by(mut self, at: Locator) -> Self {
        self.evidence.push(at);
        self
    }
}

/// What a rule says of one command line.
pub enum Said {
    Good {
        note: Option<String>,
        evidence: Vec<Locator>,
    },
    Bad(Vec<Fault>),
    /// There is nothing to judge, and why.
    Moot(String),
}

/// The good state.
pub fn good() -> Said {
    Said::Good {
        note: None,
        evidence: Vec::new(),
    }
}

/// The good state, by a file that a flag names.
pub fn good_by(at: Locator) -> Said {
    Said::Good {
        note: None,
        evidence: vec![at],
    }
}

/// The good state with a remark.
pub fn noted(note: impl Into<String>) -> Said {
    Said::Good {
        note: Some(note.into()),
        evidence: Vec::new(),
    }
}

/// One fault.
pub fn bad(flag: &str, severity: Severity, message: impl Into<String>) -> Said {
    Said::Bad(vec![Fault::new(flag, severity, message)])
}

/// All that was found; nothing is the good state.
pub fn faults(found: Vec<Fault>) -> Said {
    if found.is_empty() {
        good()
    } else {
        Said::Bad(found)
    }
}

/// Judges a component by every command line that the node has of it.
///
/// # Errors
/// The first gap, where no offence is proven.
pub fn judge(
    node: &NodeFacts,
    component: Component,
    mut rule: impl FnMut(&Given<'_>) -> Result<Said, Gap>,
) -> Result<Verdict, Gap> {
    judge_all(node, &[component], |_, given| rule(given))
}

/// The same of several components; one that the node does not have is passed over.
///
/// # Errors
/// As [`judge`].
pub fn judge_all(
    node: &NodeFacts,
    components: &[Component],
    mut rule: impl FnMut(Component, &Given<'_>) -> Result<Said, Gap>,
) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    let mut evidence = Vec::new();
    let mut whys: Vec<String> = Vec::new();
    let mut absent = Vec::new();
    let mut open = false;
    for component in components {
        let place = find(node, *component);
        evidence.extend(place.evidence);
        open |= !place.gaps.is_empty();
        tally.gaps(place.gaps);
        if place.instances.is_empty() {
            absent.push((component.program(), place.why));
        }
        for instance in &place.instances {
            let moot = tell(instance, |given| rule(*component, given), &mut tally);
            open |= moot.is_none();
            whys.extend(moot);
        }
    }
    if !open {
        whys.extend(nowhere(&absent));
        whys.dedup();
        return Ok(not_applicable(evidence, whys.join("; ")));
    }
    tally.all_good(&evidence);
    tally.verdict()
}

/// Why components are not on the node, those with one reason in one sentence.
fn nowhere(absent: &[(&str, String)]) -> Vec<String> {
    let bare = |(program, why): &(&str, String)| why.replacen(program, "", 1);
    let names: Vec<&str> = absent.iter().map(|(program, _)| *program).collect();
    match (absent.first(), names.split_last()) {
        (Some(first), Some((last, rest)))
            if !rest.is_empty() && absent.iter().all(|one| bare(one) == bare(first)) =>
        {
            let all = format!("{} or {last}", rest.join(", "));
            vec![first.1.replacen(first.0, &all, 1)]
        }
        _ => absent.iter().map(|(_, why)| why.clone()).collect(),
    }
}

/// What the first instance of a component was started with, its process before its manifest; none where the node has
/// none of it.
///
/// # Errors
/// Why it is not known.
pub fn first<T>(
    node: &NodeFacts,
    component: Component,
    read: impl Fn(&Given<'_>) -> Result<Option<T>, Gap>,
) -> Result<Option<T>, Gap> {
    let place = find(node, component);
    match place.instances.first().and_then(|first| first.sides.last()) {
        Some(Ok(given)) => read(given),
        Some(Err(gap)) => Err(gap.clone()),
        None => place.gaps.into_iter().next().map_or(Ok(None), Err),
    }
}

/// Judges one instance by its manifest and its processes; why there is nothing to judge, where there is not.
fn tell(
    instance: &Instance<'_>,
    mut rule: impl FnMut(&Given<'_>) -> Result<Said, Gap>,
    tally: &mut Tally,
) -> Option<String> {
    let mut sides = Vec::new();
    let mut gaps = Vec::new();
    let mut moot = None;
    for side in &instance.sides {
        match side
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|given| Ok((given, rule(given)?)))
        {
            Err(gap) => gaps.push((side.as_ref().is_ok_and(Given::is_written), gap)),
            Ok((_, Said::Moot(why))) => moot = Some(why),
            Ok((given, Said::Bad(found))) => sides.push((given, found)),
            Ok((given, Said::Good { note, evidence })) => {
                tally.all_good(&evidence);
                if let Some(note) = note.filter(|_| given.counts(instance)) {
                    tally.note(note);
                }
                sides.push((given, Vec::new()));
            }
        }
    }
    // What a variable hides in the manifest, the process shows.
    let seen = sides.iter().any(|(given, _)| !given.is_written());
    gaps.retain(|(written, _)| !(*written && seen));
    let quiet = sides.is_empty() && gaps.is_empty();
    tally.gaps(gaps.into_iter().map(|(_, gap)| gap));
    gather(&sides, tally);
    moot.filter(|_| quiet)
}

/// One offence for each fault, with the sides that have it; where not all have it, that is told.
fn gather(sides: &[(&Given<'_>, Vec<Fault>)], tally: &mut Tally) {
    let mut told: Vec<&Fault> = Vec::new();
    for fault in sides.iter().flat_map(|(_, found)| found) {
        if told.contains(&fault) {
            continue;
        }
        told.push(fault);
        let having: Vec<&Given<'_>> = sides
            .iter()
            .filter(|(_, found)| found.contains(fault))
            .map(|(given, _)| *given)
            .collect();
        let differs = if having.len() == sides.len() {
            ""
        } else if having.iter().any(|given| given.is_written()) {
            "; so in its manifest, the running process was started otherwise"
        } else {
            "; so it runs, its manifest says otherwise"
        };
        let places = having.iter().map(|given| given.at);
        tally.offence(offence(
            Subject::setting(&fault.flag),
            fault.severity,
            format!("{}{differs}", fault.message),
            places.chain(fault.evidence.iter().copied()),
        ));
    }
}

#[cfg(test)]
mod tests;
