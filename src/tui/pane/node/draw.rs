//! Rows of a list of findings, and what stands above and below them.

use super::about::{counts, describe, letter, message, subject};
use super::{Node, Of};
use crate::model::verdict::Verdict;
use crate::tui::pane::fleet::state_token;
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::Strip;
use crate::tui::widget::words::{age, count, middle};
use crate::tui::world::{Finding, Sources, Summary, World};

impl Node {
    pub(super) fn head(&self, world: &World, theme: &Theme) -> [Strip; 2] {
        let header = theme.style(Token::Header);
        let text = theme.style(Token::Text);
        let shown = if self.filter.is_empty() {
            if self.problems { "problems" } else { "-" }
        } else {
            self.filter.text()
        };
        let list = format!("{}  filter: {shown}", count(self.rows.len(), "row"));
        match &self.of {
            Of::Check(id) => {
                let check = world.registry.all().find(|check| check.id == *id);
                let title = check.map_or("", |check| check.title);
                [
                    Strip::of(id.0, header).gap(2).put(title, text),
                    Strip::of(list, theme.style(Token::Muted)),
                ]
            }
            Of::Scope(scope) => {
                let summary = world.summary(scope);
                let state = summary.map(Summary::collect).unwrap_or_default();
                let token = summary.map_or(Token::Muted, state_token);
                let at = summary.and_then(|summary| summary.at);
                let seen = at.map_or_else(String::new, |at| format!(" {} ago", age(world.age(at))));
                let about = world.facts(scope).map(describe).unwrap_or_default();
                [
                    Strip::of(scope.to_string(), header).gap(2).put(about, text),
                    Strip::of(format!("{state}{seen}"), theme.style(token))
                        .gap(if state.is_empty() { 0 } else { 2 })
                        .put(counts(summary), text)
                        .gap(2)
                        .put(list, theme.style(Token::Muted)),
                ]
            }
        }
    }

    /// What the finding under the cursor comes to, on two rows.
    pub(super) fn foot(&self, world: &World, theme: &Theme) -> [Strip; 2] {
        let Some(finding) = self.current() else {
            return [Strip::new(), Strip::new()];
        };
        let text = theme.style(Token::Text);
        let muted = theme.style(Token::Muted);
        let lead = Strip::of(
            format!("{}: ", finding.check.id),
            theme.style(Token::Header),
        );
        match world.verdict(finding) {
            Some(Verdict::Unknown { why }) => [
                lead.put(why.to_string(), text),
                Strip::of(
                    format!("next: {}", why.next_step_on(finding.id.scope.node())),
                    muted,
                ),
            ],
            Some(Verdict::NotApplicable { why, .. }) => {
                [lead.put(why.as_str(), text), Strip::new()]
            }
            Some(Verdict::Pass {
                note: Some(note), ..
            }) => [
                lead.put(finding.check.title, text),
                Strip::of(note.as_str(), muted),
            ],
            _ => [
                lead.put(finding.check.title, text),
                Strip::of(subject(finding), muted),
            ],
        }
    }

    pub(super) fn columns(width: usize) -> (usize, usize) {
        let rest = width.saturating_sub(2 + 2 + 10 + 13 + 1 + 10);
        let subject = rest * 2 / 5;
        (rest - subject, subject)
    }

    pub(super) fn row(
        &self,
        world: &World,
        theme: &Theme,
        (finding, width): (&Finding, usize),
    ) -> Strip {
        let text = theme.style(Token::Text);
        let (wide, narrow) = Self::columns(width);
        let (letter, chip) = letter(finding);
        let (badge, token) = world.badge(finding);
        let badge = match world.verdict(finding) {
            Some(Verdict::Unknown { why }) if badge == "UNKNOWN" => format!("U {}", why.word()),
            _ => badge.to_owned(),
        };
        let name = match &self.of {
            Of::Scope(_) => finding.check.id.0.to_owned(),
            Of::Check(_) => middle(finding.id.scope.as_str(), 12),
        };
        let drift = match finding.sources {
            Sources::Disagree => Token::SrcDisagree,
            Sources::Agree => Token::SrcAgree,
            _ => Token::Muted,
        };
        Strip::of(letter.to_string(), theme.style(chip))
            .gap(1)
            .cell(10, &badge, theme.style(token))
            .cell(13, &name, text)
            .cell(wide, &message(world, finding), text)
            .gap(1)
            .cell(
                narrow,
                &middle(&subject(finding), narrow.saturating_sub(1)),
                theme.style(Token::Muted),
            )
            .put(finding.sources.word(), theme.style(drift))
    }

    pub(super) fn header(&self, theme: &Theme, width: usize) -> Strip {
        let header = theme.style(Token::Header);
        let (wide, narrow) = Self::columns(width);
        let name = if matches!(self.of, Of::Scope(_)) {
            "CHECK"
        } else {
            "NODE"
        };
        Strip::of("  S VERDICT   ", header)
            .cell(13, name, header)
            .cell(wide, "FINDING", header)
            .gap(1)
            .cell(narrow, "SUBJECT", header)
            .put("SOURCES", header)
    }
}
