//! What the command line offers: commands, names behind them, and what was typed before.

use ratatui::buffer::Buffer;

use super::pane::{ALL, Kind};
use super::theme::{BUILT_IN, Theme, Token};
use super::widget::modal;
use super::widget::strip::Strip;
use super::widget::words::{fit, middle};
use super::world::World;
use crate::model::name::NodeName;

/// A command, what stands behind it, and what it shows.
struct Offer {
    word: &'static str,
    with: &'static str,
    what: &'static str,
}

const fn offer(word: &'static str, with: &'static str, what: &'static str) -> Offer {
    Offer { word, with, what }
}

/// In the order of their names.
const COMMANDS: [Offer; 13] = [
    offer("certs", "[NODE|all]", "certificates, days left"),
    offer("check", "ID", "one check over all nodes"),
    offer("checks", "", "every check, failing nodes counted"),
    offer("cluster", "", "findings about the cluster"),
    offer("fleet", "", "every node, the worst first"),
    offer("help", "", "keys of this view"),
    offer("kubelet", "[NODE]", "kubelet settings and who set them"),
    offer("log", "[NODE]", "collection log"),
    offer("node", "NODE", "findings of a node"),
    offer(
        "paths",
        "[NODE|all]",
        "attack paths to and from static pods",
    ),
    offer("q", "", "quit"),
    offer("static", "[NODE]", "static pods: manifest, mirror, runtime"),
    offer("theme", "NAME", "colours"),
];

/// Rows of the box.
const ROWS: usize = 12;
/// Columns of a kind and of a command with what stands behind it.
const KIND: usize = 8;
const USAGE: usize = 22;

/// The finished words of a line, and the one that is typed.
pub fn split(text: &str) -> (&str, &str) {
    match text.rfind(' ') {
        Some(at) => text.split_at(at + 1),
        None => ("", text),
    }
}

/// What may stand in the place of the last word: what begins like it before what only holds its letters in order.
pub fn names(text: &str, world: &World) -> Vec<String> {
    let (start, part) = split(text);
    let nodes = || {
        let all = world.summaries();
        all.filter_map(|summary| summary.scope.node().map(NodeName::as_str))
    };
    let all: Vec<&str> = match start.trim() {
        "" => COMMANDS.iter().map(|offer| offer.word).collect(),
        "node" | "log" => nodes().collect(),
        "check" => world.registry.all().map(|check| check.id.0).collect(),
        "theme" => BUILT_IN.iter().map(|(name, _)| *name).collect(),
        word => match Kind::of(word) {
            Some(kind) if kind.is_of_all() => [ALL].into_iter().chain(nodes()).collect(),
            Some(_) => nodes().collect(),
            None => Vec::new(),
        },
    };
    let (first, rest): (Vec<&str>, Vec<&str>) =
        all.into_iter().partition(|name| name.starts_with(part));
    let loose = rest.into_iter().filter(|name| is_in(part, name));
    first.into_iter().chain(loose).map(str::to_owned).collect()
}

/// Whether the letters of `part` stand in `name` in their order, whatever their case.
fn is_in(part: &str, name: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    let mut wanted = part.chars().flat_map(char::to_lowercase);
    wanted.all(|c| letters.any(|letter| letter == c))
}

/// Draws the box: `typed` is what the offers fit, `shown` the line as it stands, `at` the offer that Tab has put there.
pub fn draw(
    (typed, shown, at): (&str, &str, Option<usize>),
    past: &[String],
    world: &World,
    (theme, buf): (&Theme, &mut Buffer),
) {
    let room = ROWS.min(modal::inner_height(buf.area).saturating_sub(3));
    let width = modal::inner_width(buf.area);
    let (start, _) = split(typed);
    let names = names(typed, world);
    let before: Vec<&String> = past.iter().rev().filter(|it| is_in(typed, it)).collect();
    let kept = before.len().min(room / 3);
    let space = room - kept;
    let first = at.map_or(0, |at| (at + 1).saturating_sub(space));
    let mut rows = Vec::new();
    for (index, name) in names.iter().enumerate().skip(first).take(space) {
        let mark = if at == Some(index) { ">" } else { " " };
        rows.push(row(mark, (start, name), (theme, width)));
    }
    for line in before.into_iter().take(kept) {
        let strip = Strip::of(" ", theme.style(Token::Text));
        let strip = strip.cell(KIND, "history", theme.style(Token::Muted));
        let text = fit(&format!(":{line}"), width.saturating_sub(KIND + 1));
        rows.push(strip.put(text, theme.style(Token::Text)));
    }
    if rows.is_empty() {
        rows.push(Strip::of("nothing fits", theme.style(Token::Muted)));
    }
    rows.push(Strip::new());
    let (key, text) = (theme.style(Token::Key), theme.style(Token::Text));
    let keys = [
        ("Enter", "run"),
        ("Tab", "complete"),
        ("Up", "history"),
        ("ctrl-u", "clear"),
        ("Esc", "close"),
    ];
    rows.push(keys.iter().fold(Strip::new(), |strip, (name, what)| {
        strip.put(*name, key).put(format!(" {what}  "), text)
    }));
    modal::draw(buf, theme, shown, rows);
}

fn row(mark: &str, (start, name): (&str, &str), (theme, width): (&Theme, usize)) -> Strip {
    let text = theme.style(Token::Text);
    let command = COMMANDS
        .iter()
        .find(|it| start.is_empty() && it.word == name);
    let word = start.trim();
    let kind = match (command, word) {
        (Some(_), _) => "view",
        (None, "check") => "check",
        (None, "theme") => "theme",
        (None, _) => "node",
    };
    let strip = Strip::of(mark, text).cell(KIND, kind, theme.style(Token::Muted));
    match command {
        Some(offer) => strip
            .cell(USAGE, &format!(":{} {}", offer.word, offer.with), text)
            .put(
                fit(offer.what, width.saturating_sub(KIND + USAGE + 1)),
                theme.style(Token::Muted),
            ),
        None => strip.put(
            middle(&format!(":{start}{name}"), width.saturating_sub(KIND + 1)),
            text,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_their_order_are_enough() {
        assert!(is_in("", "x") && is_in("MANI", "SP-manifest") && is_in("c1", "cp-1"));
        assert!(!is_in("1c", "cp-1"));
    }

    #[test]
    fn commands_are_in_order() {
        assert!(COMMANDS.is_sorted_by_key(|offer| offer.word));
    }
}
