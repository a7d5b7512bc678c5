//! Why, fix, verify, undo, references: the lower half of a finding.

use crate::checks::check::Place;
use crate::checks::fix::{Filled, Line};
use crate::model::fact::Gap;
use crate::model::verdict::Verdict;
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::Strip;
use crate::tui::widget::words::wrap;
use crate::tui::world::{Finding, World};

/// Columns of the word in front of a paragraph.
const LEAD: usize = 7;

/// What is merged into a manifest, as it is copied.
const PATCH: &str = "patch";

/// What can be copied, in order, each with its name.
pub(super) fn copyable(filled: &Filled) -> Vec<(String, &Line)> {
    let steps = filled.steps.iter().enumerate();
    let named = steps.map(|(index, line)| (format!("step {}", index + 1), line));
    let patch = filled.patch.iter().map(|line| (PATCH.to_owned(), line));
    let verify = ("verify".to_owned(), &filled.verify);
    named
        .chain(patch)
        .chain([verify])
        .filter(|(_, line)| line.copyable)
        .collect()
}

/// What is not known beside or instead of the finding, each with its next step.
pub(super) fn gaps(finding: &Finding, world: &World, theme: &Theme, width: usize) -> Vec<Strip> {
    let (head, gaps): (&str, &[Gap]) = match world.verdict(finding) {
        Some(Verdict::Unknown { why }) => ("CAUSE", std::slice::from_ref(why)),
        Some(Verdict::Fail { gaps, .. }) => ("ALSO", gaps),
        _ => return Vec::new(),
    };
    let mut out = Vec::new();
    for gap in gaps {
        let text = if head == "ALSO" {
            format!("not known: {gap}")
        } else {
            gap.to_string()
        };
        out.extend(paragraph(head, &text, theme, width));
        let next = gap.next_step_on(finding.id.scope.node());
        out.extend(paragraph("NEXT", next.as_str(), theme, width));
    }
    out
}

/// The rest, from top to bottom.
pub(super) fn advice(
    filled: &Filled,
    finding: &Finding,
    (step, others): (usize, (usize, usize)),
    (theme, width): (&Theme, usize),
) -> Vec<Strip> {
    let mut out = Vec::new();
    if !finding.check.why.is_empty() {
        out.extend(paragraph("WHY", finding.check.why, theme, width));
    }
    if finding.standing.severity().is_some() && !filled.steps.is_empty() {
        out.extend(fix(filled, finding, step, (theme, width)));
    }
    let maps: Vec<String> = finding.check.maps.iter().map(ToString::to_string).collect();
    let (failing, all) = others;
    let also = if failing == 0 {
        format!("none of {all} others")
    } else {
        format!("{failing} of {all} others (u)")
    };
    let maps = if maps.is_empty() {
        "-".to_owned()
    } else {
        maps.join(", ")
    };
    out.extend(paragraph(
        "REF",
        &format!("{} | {maps} | also on: {also}", finding.check.id),
        theme,
        width,
    ));
    out
}

fn fix(
    filled: &Filled,
    finding: &Finding,
    step: usize,
    (theme, width): (&Theme, usize),
) -> Vec<Strip> {
    let node = &finding.id.scope;
    let restarts = if filled.restarts.is_empty() {
        String::new()
    } else {
        format!(" Restarts: {}.", filled.restarts)
    };
    let intro = format!("by hand on {node}; stakeout never runs it.{restarts}");
    let mut out = paragraph("FIX", &intro, theme, width);
    let copyable = copyable(filled);
    let next = copyable
        .get(step % copyable.len().max(1))
        .map(|(name, _)| name.clone());
    for (index, line) in filled.steps.iter().enumerate() {
        let name = format!("step {}", index + 1);
        let lead = if next.as_ref() == Some(&name) {
            '>'
        } else {
            ' '
        };
        out.extend(numbered(
            &format!(" {lead}{:>2}", index + 1),
            line,
            theme,
            width,
        ));
    }
    if let Some(patch) = &filled.patch {
        let mark = if next.as_deref() == Some(PATCH) {
            "PATCH>"
        } else {
            "PATCH"
        };
        out.extend(verbatim(mark, patch, theme));
    }
    let mark = if next.as_deref() == Some("verify") {
        "VERIFY>"
    } else {
        "VERIFY"
    };
    out.extend(command(mark, &filled.verify, theme, width));
    for line in &filled.undo {
        out.extend(command("UNDO", line, theme, width));
    }
    out
}

fn numbered(lead: &str, line: &Line, theme: &Theme, width: usize) -> Vec<Strip> {
    let note = match (line.place, line.copyable) {
        (Place::Editor, _) => "",
        (_, false) => "  (holds control characters: not copied)",
        (Place::Kubectl, _) => "  (with kubectl)",
        (Place::Node, _) => "",
    };
    block(
        lead,
        &format!("{}{note}", line.text),
        (theme, Token::Text),
        width,
    )
}

/// Lines whose indent counts.
fn verbatim(lead: &str, line: &Line, theme: &Theme) -> Vec<Strip> {
    let lines = line.text.as_str().lines().enumerate();
    lines
        .map(|(index, text)| {
            let lead = if index == 0 { lead } else { "" };
            Strip::new()
                .cell(LEAD, lead, theme.style(Token::Header))
                .put(text, theme.style(Token::Text))
        })
        .collect()
}

fn command(lead: &str, line: &Line, theme: &Theme, width: usize) -> Vec<Strip> {
    block(lead, line.text.as_str(), (theme, Token::Text), width)
}

fn paragraph(lead: &str, text: &str, theme: &Theme, width: usize) -> Vec<Strip> {
    block(lead, text, (theme, Token::Text), width)
}

/// A word and a wrapped text beside it.
fn block(lead: &str, text: &str, (theme, token): (&Theme, Token), width: usize) -> Vec<Strip> {
    wrap(text, width.saturating_sub(LEAD + 1))
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let lead = if index == 0 { lead } else { "" };
            Strip::new()
                .cell(LEAD, lead, theme.style(Token::Header))
                .put(line, theme.style(token))
        })
        .collect()
}
