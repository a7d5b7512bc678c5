//! Rows of the list of nodes.

use crate::model::link::HostState;
use crate::model::verdict::Severity;
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::heat;
use crate::tui::widget::strip::Strip;
use crate::tui::widget::words::{age, middle};
use crate::tui::world::{Summary, World};

pub(super) fn header(theme: &Theme) -> Strip {
    let style = theme.style(Token::Header);
    let mut strip = Strip::of("  W NODE", style).to(26).cell(6, "ROLE", style);
    for letter in ["C", "H", "M", "L", "U"] {
        strip = strip.right(3, letter, style);
    }
    strip
        .gap(2)
        .cell(16, "COLLECT", style)
        .right(5, "AGE", style)
        .gap(2)
        .put("DRIFT", style)
}

pub(super) fn row(summary: &Summary, world: &World, theme: &Theme, here: bool) -> Strip {
    let text = theme.style(Token::Text);
    let muted = theme.style(Token::Muted);
    let mut strip = Strip::of(if here { "> " } else { "  " }, text)
        .put(
            summary.letter().to_string(),
            theme.style(heat::letter_token(summary)),
        )
        .gap(1)
        .cell(21, &middle(summary.scope.as_str(), 21), text)
        .gap(1)
        .cell(6, summary.role(), muted);
    for severity in &Severity::ALL[..4] {
        strip = number(strip, summary.counts.severity(*severity), theme);
    }
    strip = number(strip, summary.counts.unknown, theme);
    let age = summary
        .at
        .map_or_else(|| "-".to_owned(), |at| age(world.age(at)));
    strip
        .gap(2)
        .cell(16, &summary.collect(), theme.style(state_token(summary)))
        .right(5, &age, muted)
        .gap(2)
        .put(dash(summary.counts.drift), text)
}

fn number(strip: Strip, value: u32, theme: &Theme) -> Strip {
    let token = if value == 0 {
        Token::Muted
    } else {
        Token::Text
    };
    strip.right(3, &dash(value), theme.style(token))
}

fn dash(value: u32) -> String {
    if value == 0 {
        "-".to_owned()
    } else {
        value.to_string()
    }
}

pub fn state_token(summary: &Summary) -> Token {
    match &summary.host {
        Some(HostState::Queued | HostState::ApiOnly(_)) | None => Token::StateQueued,
        Some(HostState::Connecting | HostState::Collecting { .. }) => Token::StateRunning,
        Some(HostState::Ok) => Token::StateOk,
        Some(HostState::Failed(_)) => Token::StateFailed,
        Some(HostState::Stale(_)) => Token::StateStale,
    }
}
