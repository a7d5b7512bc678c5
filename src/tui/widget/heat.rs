//! The fleet at a glance: one letter per node, in groups, on two rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::strip::Strip;
use super::words::fit;
use crate::tui::theme::{Theme, Token};
use crate::tui::world::{Scope, Summary};

/// Groups that get a cell of their own; the rest stands together in the last one.
const GROUPS: usize = 4;
/// Columns of a group's name.
const NAME: usize = 8;

/// Draws on up to two rows of `area`; `cursor` is shown in reverse.
pub fn draw<'w>(
    summaries: impl Iterator<Item = &'w Summary>,
    cursor: Option<&Scope>,
    theme: &Theme,
    (area, buf): (Rect, &mut Buffer),
) {
    let groups = group(summaries);
    let rows = usize::from(area.height.min(2));
    let per_row = groups.len().div_ceil(rows.max(1)).max(1);
    for (row, cells) in groups.chunks(per_row).take(rows).enumerate() {
        let mut left = area.x;
        for (index, (name, nodes)) in cells.iter().enumerate() {
            let rest = area.right().saturating_sub(left);
            let last = index + 1 == cells.len();
            let width = if last { rest } else { share(area.width) };
            let y = area.y + u16::try_from(row).unwrap_or(0);
            let strip = cell(
                name,
                nodes,
                (cursor, usize::from(width) - usize::from(!last)),
                theme,
            );
            strip.draw(buf, (left, y), width);
            left += width;
            if !last {
                let bar = Strip::of("|", theme.style(Token::Border));
                bar.draw(buf, (left - 1, y), 1);
            }
        }
    }
}

/// The left cell takes less than half: the control plane stands there.
fn share(width: u16) -> u16 {
    u16::try_from(u32::from(width) * 9 / 20)
        .unwrap_or(width)
        .max(2)
}

/// The control plane first, then the groups by size of name order; what is too much goes into the last.
fn group<'w>(summaries: impl Iterator<Item = &'w Summary>) -> Vec<(String, Vec<&'w Summary>)> {
    let mut groups: std::collections::BTreeMap<(bool, &str), Vec<&Summary>> =
        std::collections::BTreeMap::new();
    for summary in summaries.filter(|summary| summary.scope != Scope::Cluster) {
        let key = (summary.control_plane != Some(true), summary.group.as_str());
        groups.entry(key).or_default().push(summary);
    }
    let mut out: Vec<(String, Vec<&Summary>)> = groups
        .into_iter()
        .map(|((_, name), nodes)| (name.to_owned(), nodes))
        .collect();
    if out.len() > GROUPS {
        let rest: Vec<&Summary> = out
            .drain(GROUPS - 1..)
            .flat_map(|(_, nodes)| nodes)
            .collect();
        out.push(("others".to_owned(), rest));
    }
    out
}

/// A group's name and one letter per node; where they do not fit, the worst of several per letter.
fn cell(
    name: &str,
    nodes: &[&Summary],
    (cursor, width): (Option<&Scope>, usize),
    theme: &Theme,
) -> Strip {
    let room = width.saturating_sub(NAME + 1).max(1);
    let step = if nodes.len() * 2 <= room { 2 } else { 1 };
    let bucket = nodes.len().div_ceil(room).max(1);
    let label = if bucket > 1 {
        format!("{} /{bucket}", fit(name, NAME.saturating_sub(4)))
    } else {
        name.to_owned()
    };
    let mut strip = Strip::new()
        .cell(NAME, &label, theme.style(Token::Header))
        .gap(1);
    for nodes in nodes.chunks(bucket) {
        let Some(worst) = nodes.iter().min_by_key(|summary| summary.rank()) else {
            continue;
        };
        let mut style = theme.style(letter_token(worst));
        if nodes.iter().any(|summary| Some(&summary.scope) == cursor) {
            style = style.patch(theme.style(Token::Cursor));
        }
        strip = strip.put(worst.letter().to_string(), style);
        if step == 2 {
            strip = strip.gap(1);
        }
    }
    strip
}

/// The token of a node's letter.
pub fn letter_token(summary: &Summary) -> Token {
    match summary.letter() {
        'x' => Token::StateFailed,
        '~' => Token::StateRunning,
        'o' | '?' => Token::StateQueued,
        'U' => Token::SevUnknown,
        '.' | ' ' => Token::StateOk,
        'u' => Token::StateStale,
        _ => summary.counts.worst().map_or(Token::Text, Token::severity),
    }
}
