//! The evidence of a finding at full length, source by source.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Address, Pane};
use crate::evidence;
use crate::model::name::NodeName;
use crate::model::verdict::Verdict;
use crate::tui::app::{Clip, Effect};
use crate::tui::keys::{Action, Binding, shown};
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::Strip;
use crate::tui::world::{Identity, World};

pub const KEYS: &[Binding] = &[
    shown("j Down", Action::Down, "down", "scroll down"),
    shown("PgDn", Action::PageDown, "page", "page down"),
    shown("c C", Action::Copy, "copy", "copy everything that is shown"),
    shown("z", Action::Zoom, "zoom", "zoom without frame"),
    shown("q Esc Left", Action::Back, "back", "back to the finding"),
];

/// A page of text.
pub struct Raw {
    id: Identity,
    rows: Vec<(Token, String)>,
    scroll: usize,
}

impl Raw {
    pub fn new(id: Identity) -> Self {
        Self {
            id,
            rows: Vec::new(),
            scroll: 0,
        }
    }
}

impl Pane for Raw {
    fn address(&self) -> Address {
        Address::Raw(self.id.clone())
    }

    fn crumb(&self) -> String {
        "evidence".to_owned()
    }

    fn position(&self) -> String {
        format!(
            "line {}/{}",
            (self.scroll + 1).min(self.rows.len()),
            self.rows.len()
        )
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn node(&self) -> Option<NodeName> {
        self.id.scope.node().cloned()
    }

    fn sync(&mut self, world: &World) {
        self.rows = rows(&self.id, world);
    }

    fn update(&mut self, action: Action, world: &World) -> Vec<Effect> {
        let page = usize::from(world.screen.height.saturating_sub(5)).max(1);
        let last = self.rows.len().saturating_sub(1);
        self.scroll = match action {
            Action::Down => self.scroll.saturating_add(1).min(last),
            Action::Up => self.scroll.saturating_sub(1),
            Action::PageDown => self.scroll.saturating_add(page).min(last),
            Action::PageUp => self.scroll.saturating_sub(page),
            Action::Top => 0,
            Action::Bottom => last,
            Action::Copy => {
                let lines: Vec<&str> = self.rows.iter().map(|(_, text)| text.as_str()).collect();
                return vec![Effect::Copy(Clip {
                    what: "evidence".to_owned(),
                    text: lines.join("\n"),
                })];
            }
            _ => return Vec::new(),
        };
        Vec::new()
    }

    fn view(&self, _: &World, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let from = self.scroll.min(self.rows.len().saturating_sub(1));
        for ((token, text), y) in self.rows.iter().skip(from).zip(area.y..area.bottom()) {
            Strip::of(text.clone(), theme.style(*token)).draw(buf, (area.x, y), area.width);
        }
    }
}

fn rows(id: &Identity, world: &World) -> Vec<(Token, String)> {
    let mut out = Vec::new();
    let Some((judged, finding)) = world.judged().zip(world.locate(id)) else {
        return vec![(
            Token::Muted,
            "nothing is known of this finding now".to_owned(),
        )];
    };
    let at: Vec<_> = match (world.offence(&finding), world.verdict(&finding)) {
        (Some(offence), _) => offence.evidence.iter().collect(),
        (None, Some(Verdict::Pass { evidence, .. } | Verdict::NotApplicable { evidence, .. })) => {
            evidence.iter().collect()
        }
        _ => Vec::new(),
    };
    let all = at.len();
    for (index, at) in at.into_iter().enumerate() {
        let Some(exhibit) =
            evidence::exhibit(&judged.snapshot, &judged.policy, id.scope.node(), at)
        else {
            out.push((
                Token::Muted,
                format!("[{}] {:?} is not in this snapshot", index + 1, at.need),
            ));
            continue;
        };
        let seen = exhibit
            .at
            .map_or_else(|| "-".to_owned(), |at| at.to_string());
        out.push((
            Token::Header,
            format!("[{}/{all}] {}  {}", index + 1, exhibit.side, exhibit.title),
        ));
        out.push((Token::Muted, format!("how   {}", exhibit.command)));
        out.push((Token::Muted, format!("seen  {seen}  {}", exhibit.remark)));
        if let Some(digest) = &exhibit.sha256 {
            out.push((Token::Muted, format!("sha256  {digest}")));
        }
        out.extend(
            exhibit
                .rows
                .iter()
                .map(|row| (Token::Text, row.text.to_string())),
        );
        out.push((Token::Text, String::new()));
    }
    if out.is_empty() {
        out.push((
            Token::Muted,
            "this verdict rests on no evidence: it is not known".to_owned(),
        ));
    }
    out
}
