//! One finding: what both sides say, whether they agree, why it matters, how it is mended.

mod advice;
mod sides;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::fleet::on_node;
use super::node::{message, subject};
use super::{Address, Pane};
use crate::checks::fix::{self, Filled};
use crate::model::name::NodeName;
use crate::model::verdict::Verdict;
use crate::tui::app::{Clip, Effect};
use crate::tui::keys::{Action, Binding, quiet, shown};
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::Strip;
use crate::tui::widget::words::{count, middle, wrap};
use crate::tui::world::{self, Identity, World};

pub const KEYS: &[Binding] = &[
    shown(
        "c",
        Action::Copy,
        "copy step",
        "copy the marked step, then the next",
    ),
    shown(
        "C",
        Action::CopyAll,
        "copy all",
        "copy all steps as one block",
    ),
    shown(
        "e Enter Right",
        Action::Raw,
        "raw",
        "evidence at full length",
    ),
    shown(
        "a",
        Action::Accept,
        "accept",
        "accept the risk: a waiver in the policy file",
    ),
    shown("n", Action::Next, "next", "next finding"),
    shown("p", Action::Previous, "previous", "previous finding"),
    shown("r", Action::Recollect, "re-read", "collect this node again"),
    shown(
        "u v",
        Action::Pivot,
        "same check",
        "the check over all nodes",
    ),
    shown("o", Action::NodeOf, "node", "the node of the finding"),
    shown("l", Action::Log, "log", "log of the node"),
    quiet("s", Action::Ssh, "copy its ssh command"),
];

/// Rows of evidence that stay, however long the advice below is.
const LEAST: usize = 8;

/// A view of one finding.
pub struct Finding {
    id: Identity,
    /// Walks the nodes of its check instead of the checks of its node.
    of_check: bool,
    now: Option<world::Finding>,
    /// Findings of the same node or check, in the order of its list.
    siblings: Vec<Identity>,
    /// Other scopes on which the same check fails, of how many.
    others: (usize, usize),
    scroll: usize,
    /// The step that `c` copies next.
    step: usize,
}

impl Finding {
    pub fn new(id: Identity, of_check: bool) -> Self {
        Self {
            id,
            of_check,
            now: None,
            siblings: Vec::new(),
            others: (0, 0),
            scroll: 0,
            step: 0,
        }
    }

    fn place(&self) -> Option<usize> {
        let id = self.now.as_ref().map_or(&self.id, |finding| &finding.id);
        self.siblings.iter().position(|sibling| sibling == id)
    }

    fn walk(&mut self, world: &World, forward: bool) {
        let last = self.siblings.len().saturating_sub(1);
        let at = match (self.place(), forward) {
            (Some(at), true) => (at + 1).min(last),
            (Some(at), false) => at.saturating_sub(1),
            (None, _) => 0,
        };
        if let Some(id) = self.siblings.get(at) {
            self.id = id.clone();
            self.scroll = 0;
            self.step = 0;
            self.sync(world);
        }
    }

    /// The fix with names filled in.
    fn filled(finding: &world::Finding, world: &World) -> Filled {
        let (check, node) = (finding.check, finding.id.scope.node());
        let subject = finding.id.subject.as_ref();
        fix::fill(check, node, subject).with_patch(world.patch(finding))
    }

    fn copy(&mut self, world: &World) -> Effect {
        let Some(finding) = &self.now else {
            return Effect::warn("this finding is gone");
        };
        if let Some(Verdict::Unknown { why }) = world.verdict(finding) {
            return Effect::Copy(Clip {
                what: "next step".to_owned(),
                text: why.next_step_on(finding.id.scope.node()).to_string(),
            });
        }
        let filled = Self::filled(finding, world);
        let steps = advice::copyable(&filled);
        let Some((number, line)) = steps.get(self.step % steps.len().max(1)) else {
            return Effect::warn(
                "no step here can be copied: it is done by hand, or a name holds control characters",
            );
        };
        self.step = (self.step + 1) % steps.len();
        Effect::Copy(Clip {
            what: number.clone(),
            text: line.text.to_string(),
        })
    }

    fn copy_all(&self, world: &World) -> Effect {
        let Some(finding) = &self.now else {
            return Effect::warn("this finding is gone");
        };
        let filled = Self::filled(finding, world);
        let unsafe_step = filled
            .steps
            .iter()
            .any(|line| !line.copyable && line.place != crate::checks::check::Place::Editor);
        if unsafe_step {
            return Effect::warn("not copied: a name in these steps holds control characters");
        }
        let mut out = Vec::new();
        for line in &filled.steps {
            out.push(if line.copyable {
                line.text.to_string()
            } else {
                format!("# {}", line.text)
            });
        }
        let patch = filled
            .patch
            .iter()
            .flat_map(|patch| patch.text.as_str().lines());
        out.extend(patch.map(|line| format!("# {line}")));
        out.push(filled.verify.text.to_string());
        Effect::Copy(Clip {
            what: "all steps".to_owned(),
            text: out.join("\n"),
        })
    }

    /// Badge, message and subject the message wrapped beside the badge.
    fn head(finding: &world::Finding, world: &World, theme: &Theme, width: usize) -> Vec<Strip> {
        let (badge, token) = world.badge(finding);
        let mut strip = Strip::of(badge, theme.style(token)).gap(1);
        if let Some(severity) = finding.standing.severity() {
            let word = severity.to_string().to_uppercase();
            strip = strip
                .put(word, theme.style(Token::severity(severity)))
                .gap(1);
        }
        let text = message(world, finding);
        let subject = subject(finding);
        let room = width.saturating_sub(strip.used() + 1);
        let indent = strip.used();
        let title = theme.style(Token::Title);
        let mut lines = wrap(&text, room).into_iter();
        let mut out = vec![strip.put(lines.next().unwrap_or_default(), title)];
        out.extend(lines.map(|line| Strip::new().gap(indent).put(line, title)));
        out.truncate(3);
        if let Some(waiver) = world.offence(finding).and_then(|it| it.waived.as_ref()) {
            let day = waiver.expires.to_string();
            let day = day.split('T').next().unwrap_or_default();
            let text = format!(
                "accepted by {} until {day}: {}",
                waiver.owner, waiver.reason
            );
            out.push(Strip::of(text, theme.style(Token::VerdictAccepted)));
        }
        if subject != "-" && !text.contains(&subject) {
            let subject = middle(&subject, width.saturating_sub(3));
            out.push(Strip::of(format!("on {subject}"), theme.style(Token::Text)));
        }
        out
    }

    /// Every row of the view; evidence gets what the rest leaves, at least a few rows.
    fn rows(&self, world: &World, theme: &Theme, (width, height): (usize, usize)) -> Vec<Strip> {
        let Some(finding) = &self.now else {
            let text = format!("{} is not judged in this view", self.id.check);
            return vec![Strip::of(text, theme.style(Token::Muted))];
        };
        let mut out = Self::head(finding, world, theme, width);
        let mut below = advice::gaps(finding, world, theme, width);
        below.extend(advice::advice(
            &Self::filled(finding, world),
            finding,
            (self.step, self.others),
            (theme, width),
        ));
        let room = height
            .saturating_sub(out.len() + below.len() + 2)
            .max(LEAST);
        out.extend(sides::sides(finding, world, theme, (width, room)));
        out.append(&mut below);
        out
    }
}

impl Pane for Finding {
    fn address(&self) -> Address {
        Address::Finding(self.id.clone())
    }

    fn crumb(&self) -> String {
        if self.of_check {
            self.id.scope.to_string()
        } else {
            self.id.check.to_string()
        }
    }

    fn position(&self) -> String {
        match self.place() {
            Some(at) => format!("finding {}/{}", at + 1, self.siblings.len()),
            None => String::new(),
        }
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn node(&self) -> Option<NodeName> {
        self.id.scope.node().cloned()
    }

    fn sync(&mut self, world: &World) {
        self.now = world.locate(&self.id);
        let mut all = if self.of_check {
            world.findings_of(self.id.check)
        } else {
            world.findings(&self.id.scope)
        };
        all.sort_by_key(|finding| finding.standing);
        self.siblings = all.into_iter().map(|finding| finding.id).collect();
        let slot = self.now.as_ref().map(|finding| finding.slot);
        self.others = slot.map_or((0, 0), |slot| world.failing(slot, &self.id.scope));
    }

    fn update(&mut self, action: Action, world: &World) -> Vec<Effect> {
        let page = usize::from(world.screen.height.saturating_sub(6)).max(1);
        match action {
            Action::Next => self.walk(world, true),
            Action::Previous => self.walk(world, false),
            Action::Down => self.scroll = self.scroll.saturating_add(1).min(500),
            Action::Up => self.scroll = self.scroll.saturating_sub(1),
            Action::PageDown => self.scroll = self.scroll.saturating_add(page).min(500),
            Action::PageUp => self.scroll = self.scroll.saturating_sub(page),
            Action::Top => self.scroll = 0,
            Action::Copy => return vec![self.copy(world)],
            Action::CopyAll => return vec![self.copy_all(world)],
            Action::Raw => return vec![Effect::Open(Address::Raw(self.id.clone()))],
            Action::Pivot => return vec![Effect::Open(Address::Check(self.id.check))],
            Action::Accept => {
                let id = self.now.as_ref().map_or(&self.id, |finding| &finding.id);
                return vec![Effect::Accept(id.clone())];
            }
            other => return on_node(other, Some(&self.id.scope)),
        }
        Vec::new()
    }

    fn view(&self, world: &World, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let size = (usize::from(area.width), usize::from(area.height));
        let rows = self.rows(world, theme, size);
        let most = rows.len().saturating_sub(size.1);
        let from = self.scroll.min(most);
        let hidden = most - from;
        let last = area.bottom().saturating_sub(1);
        for (mut strip, y) in rows.into_iter().skip(from).zip(area.y..area.bottom()) {
            if hidden > 0 && y == last {
                let text = format!(".. {} more, j scrolls", count(hidden + 1, "row"));
                strip = Strip::of(text, theme.style(Token::Muted));
            }
            strip.draw(buf, (area.x, y), area.width);
        }
    }
}
