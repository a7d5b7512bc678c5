//! The report for a person at a terminal or in a mail: worst first, each with evidence and a fix.

use std::io::{self, Write};

use super::diff::{self, Since};
use super::{Row, Selection, Totals, fix_of, gaps, offences, sources};
use crate::engine::Judged;
use crate::model::fact::{Fact, Gap, Source};
use crate::model::link::HostState;
use crate::model::name::{CheckId, NodeName};
use crate::model::node::WayIn;
use crate::model::verdict::{Side3, Verdict};

/// Lines of an excerpt that a terminal report shows; the JSON report has them all.
const EXCERPT_LINES: usize = 6;
/// Names that a list shows before it counts the rest.
const NAMES: usize = 6;

/// Writes the report as text.
///
/// # Errors
/// As writing does.
pub fn write(
    judged: &Judged,
    selection: &Selection,
    since: Option<&Since>,
    out: &mut dyn Write,
) -> io::Result<()> {
    head(judged, selection, out)?;
    let rows = offences(judged, selection);
    for (index, row) in rows.iter().enumerate() {
        let first = index == 0 || rows[index - 1].finding.check.id != row.finding.check.id;
        offence(judged, row, first, out)?;
    }
    unknown(judged, selection, out)?;
    if selection.all {
        good(judged, selection, out)?;
    }
    if let Some(since) = since {
        writeln!(out, "since the baseline {}", since.before.name)?;
        diff::body(&since.diff, false, out)?;
        writeln!(out, "{}\n", diff::totals(&since.diff))?;
    }
    totals(&Totals::of(judged, selection), out)
}

fn head(judged: &Judged, selection: &Selection, out: &mut dyn Write) -> io::Result<()> {
    let snapshot = &judged.snapshot;
    let version = match &snapshot.cluster.version {
        Fact::Seen(seen) => seen.value.to_string(),
        Fact::Gap(gap) => format!("version unknown: {gap}"),
    };
    let context = if snapshot.cluster.context.is_empty() {
        "(no context)"
    } else {
        snapshot.cluster.context.as_str()
    };
    writeln!(
        out,
        "{context}  {version}  {} nodes  taken {}",
        snapshot.nodes.len(),
        snapshot.taken
    )?;
    if !judged.hosts.is_empty() {
        writeln!(out, "{}", read(judged))?;
    }
    if let Some(ids) = &selection.checks {
        let ids: Vec<&str> = ids.iter().map(|id| id.0).collect();
        writeln!(out, "only: {}", ids.join(", "))?;
    }
    writeln!(out)
}

/// `read over ssh: 3 of 5 nodes, 1 failed; 1 imported`: how many nodes were read in which way.
fn read(judged: &Judged) -> String {
    let states = || judged.hosts.values();
    let failed = |state: &HostState| match state {
        HostState::Failed(_) => true,
        HostState::Stale(gap) => !matches!(gap, Gap::Imported { .. }),
        _ => false,
    };
    let by = |ways: &[WayIn]| {
        let read = judged.hosts.iter().filter(|(name, state)| {
            let facts = judged.snapshot.nodes.get(*name);
            let identity = facts.and_then(|facts| facts.host.identity.get().ok());
            !failed(state) && identity.is_some_and(|seen| ways.contains(&seen.value.way))
        });
        read.count()
    };
    let ok = states().filter(|state| **state == HostState::Ok).count();
    let (here, brought) = (by(&[WayIn::Local, WayIn::LocalRoot]), by(&[WayIn::Import]));
    let stale = states()
        .filter(|state| matches!(state, HostState::Stale(Gap::Imported { .. })))
        .count();
    let ssh = (ok + stale).saturating_sub(here + brought);
    let mut out = format!(
        "read over ssh: {ssh} of {} nodes, {} failed",
        judged.hosts.len(),
        states().filter(|state| failed(state)).count()
    );
    if here > 0 {
        out.push_str(&format!("; {here} read here"));
    }
    if brought > 0 {
        out.push_str(&format!("; {brought} imported"));
    }
    if stale > 0 {
        out.push_str(&format!(", {stale} of them too old to count as passed"));
    }
    out
}

fn offence(judged: &Judged, row: &Row<'_>, first: bool, out: &mut dyn Write) -> io::Result<()> {
    let check = row.finding.check;
    if first {
        writeln!(out, "{}  {}", check.id, check.title)?;
        writeln!(out, "  why   {}", check.why)?;
    }
    let node = row.finding.node.map_or("cluster", NodeName::as_str);
    let severity = row.offence.severity.to_string().to_uppercase();
    let severity = match row.offence.waived {
        Some(_) => format!("ACCEPTED {}", severity.to_lowercase()),
        None => severity,
    };
    writeln!(out, "  {severity:<8}  {node}  {}", row.offence.subject)?;
    writeln!(out, "        {}", row.offence.message)?;
    if let Some(waiver) = &row.offence.waived {
        let (owner, reason) = (&waiver.owner, &waiver.reason);
        return writeln!(
            out,
            "        accepted by {owner} until {}: {reason}\n",
            waiver.expires
        );
    }
    for comparison in &row.offence.compare {
        let side = |name: &str, side: &Side3| match side {
            Side3::Unasked => None,
            Side3::Absent => Some(format!("{name}: absent")),
            Side3::Value(value) => Some(format!("{name}: {value}")),
        };
        let sides = [
            side("manifest", &comparison.manifest),
            side("mirror", &comparison.mirror),
            side("runtime", &comparison.runtime),
        ];
        let sides: Vec<String> = sides.into_iter().flatten().collect();
        writeln!(out, "        {}  {}", comparison.field, sides.join("  |  "))?;
    }
    for source in sources(judged, row.finding.node, &row.offence.evidence) {
        evidence(&source, out)?;
    }
    fix(judged, row, out)
}

fn evidence(source: &Source, out: &mut dyn Write) -> io::Result<()> {
    let hash = source
        .sha256
        .as_ref()
        .map_or_else(String::new, |hash| format!("  sha256 {}", hash.short()));
    writeln!(
        out,
        "        {} {}  {}{hash}",
        source.need.side(),
        source.at,
        source.command
    )?;
    let lines: Vec<&str> = source.excerpt.as_str().lines().collect();
    for line in lines.iter().take(EXCERPT_LINES) {
        writeln!(out, "          | {line}")?;
    }
    if lines.len() > EXCERPT_LINES {
        writeln!(
            out,
            "          | ... {} more lines in --output json",
            lines.len() - EXCERPT_LINES
        )?;
    }
    Ok(())
}

fn fix(judged: &Judged, row: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let filled = fix_of(judged, row);
    for (index, step) in filled.steps.iter().enumerate() {
        let title = if index == 0 { "fix" } else { "" };
        writeln!(
            out,
            "        {title:<7} {}. [{}] {}",
            index + 1,
            step.place.name(),
            step.text
        )?;
    }
    for line in filled
        .patch
        .iter()
        .flat_map(|patch| patch.text.as_str().lines())
    {
        writeln!(out, "          + {line}")?;
    }
    writeln!(out, "        restart {}", filled.restarts)?;
    writeln!(out, "        verify  {}", filled.verify.text)?;
    for step in &filled.undo {
        writeln!(out, "        undo    [{}] {}", step.place.name(), step.text)?;
    }
    writeln!(out)
}

fn unknown(judged: &Judged, selection: &Selection, out: &mut dyn Write) -> io::Result<()> {
    let gaps = gaps(judged, selection);
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(out, "UNKNOWN")?;
    for (gap, cost) in gaps {
        writeln!(out, "  {gap}")?;
        writeln!(out, "        {}", costs(&cost))?;
        let one = match cost.as_slice() {
            [(_, first), rest @ ..] if rest.iter().all(|(_, node)| node == first) => *first,
            _ => None,
        };
        writeln!(out, "        next    {}", gap.next_step_on(one))?;
    }
    writeln!(out)
}

/// `22 checks on pool-a-07` or `SP-MRG-010 on 48 nodes`.
fn costs(cost: &[(CheckId, Option<&NodeName>)]) -> String {
    let mut checks: Vec<&str> = cost.iter().map(|(check, _)| check.0).collect();
    checks.sort_unstable();
    checks.dedup();
    let mut nodes: Vec<&str> = cost
        .iter()
        .map(|(_, node)| node.map_or("cluster", NodeName::as_str))
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    format!("{} on {}", list(&checks, "checks"), list(&nodes, "nodes"))
}

fn list(names: &[&str], what: &str) -> String {
    if names.len() <= NAMES {
        return names.join(", ");
    }
    format!(
        "{}, ... ({} {what})",
        names[..NAMES - 1].join(", "),
        names.len()
    )
}

fn good(judged: &Judged, selection: &Selection, out: &mut dyn Write) -> io::Result<()> {
    for finding in judged.findings().filter(|finding| selection.wants(finding)) {
        let remark = match finding.verdict {
            Verdict::Pass { note, .. } => {
                note.as_ref().map(ToString::to_string).unwrap_or_default()
            }
            Verdict::NotApplicable { why, .. } => why.to_string(),
            _ => continue,
        };
        let node = finding.node.map_or("cluster", NodeName::as_str);
        let check = finding.check;
        writeln!(
            out,
            "{:<4}  {}  {node}  {}  {remark}",
            finding.verdict.badge(),
            check.id,
            check.title
        )?;
    }
    writeln!(out)
}

fn totals(totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
    let [critical, high, medium, low, info] = totals.offences;
    let accepted = match totals.accepted {
        0 => String::new(),
        count => format!("{count} accepted, "),
    };
    writeln!(
        out,
        "{critical} critical, {high} high, {medium} medium, {low} low, {info} info; {accepted}{} unknown, {} passed, {} not applicable",
        totals.unknown, totals.passed, totals.not_applicable
    )
}
