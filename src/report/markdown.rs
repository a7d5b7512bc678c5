//! The report as Markdown, for a ticket or a merge request. Text of nodes is escaped: it never becomes markup.

use std::io::{self, Write};

use super::diff::{Since, totals as compared};
use super::{Row, Selection, Totals, fix_of, gaps, offences};
use crate::engine::Judged;
use crate::model::fact::Fact;
use crate::model::name::NodeName;
use crate::model::verdict::Severity;

/// Nodes that a line names before it counts the rest.
const NAMES: usize = 8;

/// Writes the report.
///
/// # Errors
/// As writing does.
pub fn write(
    judged: &Judged,
    selection: &Selection,
    since: Option<&Since>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let snapshot = &judged.snapshot;
    let version = match &snapshot.cluster.version {
        Fact::Seen(seen) => seen.value.to_string(),
        Fact::Gap(_) => "version unknown".to_owned(),
    };
    writeln!(
        out,
        "# stakeout: {}\n",
        escaped(snapshot.cluster.context.as_str())
    )?;
    let nodes = snapshot.nodes.len();
    writeln!(
        out,
        "{}, {nodes} nodes, taken {}\n",
        escaped(&version),
        snapshot.taken
    )?;
    table(&Totals::of(judged, selection), out)?;
    if let Some(since) = since {
        let (name, totals) = (escaped(since.before.name.as_str()), compared(&since.diff));
        writeln!(out, "Since {name}: {totals}.\n")?;
    }
    let rows = offences(judged, selection);
    for (index, row) in rows.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| rows.get(index));
        offence(judged, row, before, since, out)?;
    }
    unknown(judged, selection, out)
}

fn table(totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
    let heads = Severity::ALL.map(|severity| severity.to_string());
    writeln!(
        out,
        "| {} | accepted | unknown | pass | n/a |",
        heads.join(" | ")
    )?;
    writeln!(out, "|{}", " ---: |".repeat(heads.len() + 4))?;
    let counts = totals.offences.map(|count| count.to_string());
    writeln!(
        out,
        "| {} | {} | {} | {} | {} |\n",
        counts.join(" | "),
        totals.accepted,
        totals.unknown,
        totals.passed,
        totals.not_applicable
    )
}

fn offence(
    judged: &Judged,
    row: &Row<'_>,
    before: Option<&Row<'_>>,
    since: Option<&Since>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let check = row.finding.check;
    if before.is_none_or(|before| before.finding.check.id != check.id) {
        writeln!(out, "## {} {}\n", check.id, escaped(check.title))?;
        writeln!(out, "{}\n", escaped(check.why))?;
    }
    let node = row.finding.node.map_or("cluster", NodeName::as_str);
    let subject = code(row.offence.subject.key.as_str());
    let message = escaped(row.offence.message.as_str());
    let severity = row.offence.severity;
    let change = since.and_then(|since| {
        let subject = &row.offence.subject;
        since.diff.of(check.id, row.finding.node, subject)
    });
    let change = change.map_or(String::new(), |change| format!(" ({})", change.kind.name()));
    writeln!(out, "- **{severity}**{change} {node} {subject}: {message}")?;
    if let Some(waiver) = &row.offence.waived {
        let (owner, reason) = (waiver.owner.as_str(), waiver.reason.as_str());
        let (owner, reason) = (escaped(owner), escaped(reason));
        return writeln!(out, "  - accepted by {owner}: {reason}\n");
    }
    let fix = fix_of(judged, row);
    for step in &fix.steps {
        let (place, text) = (step.place.name(), step.text.as_str());
        writeln!(out, "  - {place}: {}", code(text))?;
    }
    writeln!(out, "  - restarts: {}", escaped(fix.restarts))?;
    writeln!(out, "  - verify: {}\n", code(fix.verify.text.as_str()))
}

fn unknown(judged: &Judged, selection: &Selection, out: &mut dyn Write) -> io::Result<()> {
    let gaps = gaps(judged, selection);
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Not known\n")?;
    for (gap, costs) in gaps {
        let mut checks: Vec<&str> = costs.iter().map(|(id, _)| id.0).collect();
        checks.dedup();
        checks.sort_unstable();
        checks.dedup();
        let mut nodes: Vec<&str> = costs
            .iter()
            .map(|(_, node)| node.map_or("cluster", NodeName::as_str))
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        let more = nodes.len().saturating_sub(NAMES);
        nodes.truncate(NAMES);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let (gap_text, nodes) = (escaped(&gap.to_string()), nodes.join(", "));
        writeln!(out, "- {gap_text}")?;
        writeln!(out, "  - on {nodes}{more}: {}", checks.join(", "))?;
        writeln!(out, "  - next: {}", code(gap.next_step().as_str()))?;
    }
    Ok(())
}

/// Text that is shown as it is (CommonMark 2.4): whatever could be markup gets a backslash.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' {
            out.push(' ');
            continue;
        }
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '/' | '-' | '\'' | '=' | ';' | '%')
        {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A code span (CommonMark 6.1): its fence is longer than any run of backticks inside.
fn code(text: &str) -> String {
    let text = text.replace('\n', " ");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_markup() {
        assert_eq!(
            escaped("a|b\n<img src=x> [x](y) `z` *"),
            r"a\|b \<img src=x\> \[x\]\(y\) \`z\` \*"
        );
        assert_eq!(code("a `` b`"), "``` a `` b` ```");
        assert_eq!(code("plain"), "`plain`");
    }
}
