//! What the node under the cursor has, and what went wrong.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::pane::node;
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::Strip;
use crate::tui::widget::words::wrap;
use crate::tui::world::{Scope, Summary, World};

/// The findings of the node under the cursor in a few words.
pub(super) fn preview(scope: Option<&Scope>, world: &World, theme: &Theme) -> Strip {
    let Some(scope) = scope else {
        return Strip::new();
    };
    let mut findings = world.findings(scope);
    findings.retain(|finding| finding.standing.severity().is_some());
    findings.sort_by_key(|finding| finding.standing);
    let summary = world.summary(scope);
    let mut parts: Vec<String> = findings
        .iter()
        .take(3)
        .map(|finding| node::message(world, finding))
        .collect();
    if findings.len() > 3 {
        parts.push(format!("+{} more", findings.len() - 3));
    }
    let unknown = summary.map_or(0, |summary| summary.counts.unknown);
    if unknown > 0 {
        parts.push(format!("{unknown} not known"));
    }
    if parts.is_empty() {
        parts.push(summary.map_or("", quiet_words).to_owned());
    }
    let text = format!("{scope}: {}", parts.join(" | "));
    Strip::of(text, theme.style(Token::Text))
}

/// What went wrong: on the node under the cursor, with the API server, or on the first failed node.
pub(super) fn alert(scope: Option<&Scope>, world: &World, theme: &Theme) -> Strip {
    let here = scope.and_then(|scope| world.summary(scope));
    let first = || {
        let scope = world.totals.first_failed.as_ref()?;
        world.summary(scope)
    };
    let api = world
        .judged()
        .and_then(|judged| judged.snapshot.cluster.version.get().err());
    let found = here.filter(|summary| summary.gap().is_some());
    let text = if let Some((summary, gap)) = found.and_then(|found| Some((found, found.gap()?))) {
        format!(
            "! {}: {gap}  next: {}",
            summary.scope,
            gap.next_step_on(summary.scope.node())
        )
    } else if let Some(gap) = api.filter(|_| !matches!(world.api(), "ok" | "...")) {
        format!("! api: {gap}  next: {}", gap.next_step())
    } else if let Some((summary, gap)) = first().and_then(|found| Some((found, found.gap()?))) {
        format!("! {}: {gap}", summary.scope)
    } else {
        return Strip::new();
    };
    Strip::of(text, theme.style(Token::StateFailed))
}

/// Right of the list on wide screens: the findings of the node under the cursor.
pub(super) fn aside(
    scope: Option<&Scope>,
    world: &World,
    theme: &Theme,
    (area, buf): (Rect, &mut Buffer),
) {
    let Some(scope) = scope else {
        return;
    };
    let mut findings = world.findings(scope);
    findings.retain(|finding| finding.standing.is_problem());
    findings.sort_by_key(|finding| finding.standing);
    let width = usize::from(area.width);
    let rule = format!("-- findings of {scope} ");
    Strip::of(rule, theme.style(Token::Border))
        .fill(width, '-', theme.style(Token::Border))
        .draw(buf, (area.x, area.y), area.width);
    let mut y = area.y + 1;
    for finding in findings {
        let (letter, token) = node::letter(&finding);
        for (index, line) in wrap(&node::message(world, &finding), width.saturating_sub(3))
            .into_iter()
            .take(2)
            .enumerate()
        {
            if y >= area.bottom() {
                return;
            }
            let lead = if index == 0 { letter } else { ' ' };
            let chip = if index == 0 {
                theme.style(token)
            } else {
                theme.style(Token::Text)
            };
            Strip::of(lead.to_string(), chip)
                .gap(1)
                .put(line, theme.style(Token::Text))
                .draw(buf, (area.x, y), area.width);
            y += 1;
        }
    }
}

fn quiet_words(summary: &Summary) -> &'static str {
    match summary.letter() {
        '.' => "nothing found, everything known",
        'o' | '~' => "not collected yet",
        _ => "nothing known",
    }
}
