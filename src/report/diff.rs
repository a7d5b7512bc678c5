//! What changed between two states, for a person and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::diff::{Change, Diff, Kind, Side, State};
use crate::model::Timestamp;
use crate::model::fact::Gap;
use crate::model::name::NodeName;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::model::verdict::Subject;

/// Rises only when the meaning of a field changes; fields are only ever added.
pub const SCHEMA: u32 = 1;

/// Ids that a line shows before it leaves out the rest; the JSON has them all.
const IDS: usize = 8;

/// One of the two states, for the head of a report.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// A file, or what else it is.
    pub name: Text,
    taken: Timestamp,
    nodes: usize,
    /// Fingerprint of the key that signed it.
    signed_by: Option<Text>,
}

impl Head {
    pub fn new(name: Text, snapshot: &Snapshot, signed_by: Option<Text>) -> Self {
        Self {
            name,
            taken: snapshot.taken,
            nodes: snapshot.nodes.len(),
            signed_by,
        }
    }
}

/// A comparison with what it compares.
#[derive(Clone, Debug)]
pub struct Since {
    pub diff: Diff,
    pub before: Head,
    pub after: Head,
}

/// Writes the comparison for a person, node by node.
///
/// # Errors
/// As writing does.
pub fn text(since: &Since, out: &mut dyn Write) -> io::Result<()> {
    for (word, head) in [("before", &since.before), ("after ", &since.after)] {
        let by = match &head.signed_by {
            Some(key) => format!("signed by {key}"),
            None => "not signed".to_owned(),
        };
        let (name, taken, nodes) = (&head.name, head.taken, head.nodes);
        writeln!(out, "{word}  {name}  {nodes} nodes  taken {taken}  {by}")?;
    }
    if !since.diff.is_one_cluster {
        writeln!(out, "whether both are of one cluster is not known")?;
    }
    writeln!(out)?;
    body(&since.diff, true, out)?;
    writeln!(out, "{}", totals(&since.diff))
}

/// `1 new, 0 changed, 2 fixed, 3 incomparable, 40 the same`.
pub fn totals(diff: &Diff) -> String {
    let counts = Kind::ALL.map(|kind| format!("{} {}", diff.count(kind), kind.name()));
    format!("{}, {} the same", counts.join(", "), diff.same)
}

/// The changes, node by node; `all`: also verdicts that cannot be compared and are about no offence.
///
/// # Errors
/// As writing does.
pub fn body(diff: &Diff, all: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut groups: BTreeMap<Option<&NodeName>, Vec<&Change>> = BTreeMap::new();
    let wanted = |change: &&Change| all || change.subject.is_some();
    for change in diff.changes.iter().filter(wanted) {
        let group = groups.entry(change.node.as_ref()).or_default();
        group.push(change);
    }
    for (node, changes) in groups {
        writeln!(out, "{}", node.map_or("cluster", NodeName::as_str))?;
        let (whole, each): (Vec<&Change>, Vec<&Change>) = changes
            .into_iter()
            .partition(|change| change.subject.is_none() && change.unknown.is_some());
        for change in each {
            one(change, out)?;
        }
        incomparable(&whole, node, out)?;
        writeln!(out)?;
    }
    Ok(())
}

fn one(change: &Change, out: &mut dyn Write) -> io::Result<()> {
    let kind = change.kind.name().to_uppercase();
    let severity = change.severity().map(|severity| severity.to_string());
    let severity = severity.unwrap_or_default().to_uppercase();
    let id = change.check.id;
    let subject = change.subject.as_ref().map(|subject| &subject.key);
    let subject = subject.map_or(change.check.title, Text::as_str);
    writeln!(out, "  {kind:<12}  {severity:<8}  {id}  {subject}")?;
    let said = |state: &State| {
        let accepted = if state.accepted { ", accepted" } else { "" };
        format!("{}{accepted}: {}", state.severity, state.message)
    };
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            writeln!(out, "      was {}", said(before))?;
            writeln!(out, "      is  {}", said(after))?;
        }
        (Some(state), None) | (None, Some(state)) => writeln!(out, "      {}", said(state))?,
        (None, None) => {}
    }
    if let Some((side, gap)) = &change.unknown {
        writeln!(out, "      {} it was not known: {gap}", side.name())?;
    }
    Ok(())
}

/// Verdicts that cannot be compared, by the reason.
fn incomparable(
    changes: &[&Change],
    node: Option<&NodeName>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut causes: BTreeMap<(Side, &Gap), Vec<&str>> = BTreeMap::new();
    for change in changes {
        if let Some((side, gap)) = &change.unknown {
            let ids = causes.entry((*side, gap)).or_default();
            ids.push(change.check.id.0);
        }
    }
    for ((side, gap), ids) in causes {
        let count = ids.len();
        let mut ids: Vec<&str> = ids.into_iter().take(IDS).collect();
        if count > IDS {
            ids.push("...");
        }
        let ids = ids.join(", ");
        let checks = if count == 1 { "check" } else { "checks" };
        let side = side.name();
        writeln!(
            out,
            "  INCOMPARABLE  {count} {checks}, not known {side}: {gap}"
        )?;
        writeln!(out, "      {ids}")?;
        writeln!(out, "      next: {}", gap.next_step_on(node))?;
    }
    Ok(())
}

/// The comparison for programs.
#[derive(Serialize)]
pub struct Document<'a> {
    schema: u32,
    program: &'static str,
    before: &'a Head,
    after: &'a Head,
    /// False: one side does not say of which cluster it is.
    is_one_cluster: bool,
    totals: Totals,
    changes: Vec<Object<'a>>,
}

#[derive(Serialize)]
struct Totals {
    new: usize,
    changed: usize,
    fixed: usize,
    incomparable: usize,
    same: usize,
}

#[derive(Serialize)]
struct Object<'a> {
    change: Kind,
    check: &'static str,
    title: &'static str,
    node: Option<&'a NodeName>,
    subject: Option<&'a Subject>,
    before: Option<&'a State>,
    after: Option<&'a State>,
    /// New, or worse than before, and accepted by nobody.
    worse: bool,
    unknown: Option<Cause<'a>>,
}

#[derive(Serialize)]
struct Cause<'a> {
    side: Side,
    gap: &'a Gap,
    message: String,
    next: Text,
}

/// The comparison as one JSON object.
pub fn document(since: &Since) -> Document<'_> {
    let diff = &since.diff;
    Document {
        schema: SCHEMA,
        program: concat!("stakeout ", env!("CARGO_PKG_VERSION")),
        before: &since.before,
        after: &since.after,
        is_one_cluster: diff.is_one_cluster,
        totals: Totals {
            new: diff.count(Kind::New),
            changed: diff.count(Kind::Changed),
            fixed: diff.count(Kind::Fixed),
            incomparable: diff.count(Kind::Incomparable),
            same: diff.same,
        },
        changes: diff.changes.iter().map(object).collect(),
    }
}

fn object(change: &Change) -> Object<'_> {
    let node = change.node.as_ref();
    Object {
        change: change.kind,
        check: change.check.id.0,
        title: change.check.title,
        node,
        subject: change.subject.as_ref(),
        before: change.before.as_ref(),
        after: change.after.as_ref(),
        worse: change.is_worse(),
        unknown: change.unknown.as_ref().map(|(side, gap)| Cause {
            side: *side,
            gap,
            message: gap.to_string(),
            next: gap.next_step_on(node),
        }),
    }
}

/// Writes the comparison as one JSON document.
///
/// # Errors
/// As writing does.
pub fn json(since: &Since, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(since))?;
    out.write_all(b"\n")
}
