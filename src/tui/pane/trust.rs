//! One host key that is not on file, and the question whether to trust exactly this one. Never more than one.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Address, Pane};
use crate::model::fact::{FaultClass, Gap};
use crate::model::hostkey::ShownKey;
use crate::model::link::Order;
use crate::model::name::NodeName;
use crate::model::text::Text;
use crate::tui::app::{Clip, Effect};
use crate::tui::keys::{Action, Binding, shown};
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::Strip;
use crate::tui::widget::words::{count, wrap};
use crate::tui::world::{Scope, World};

pub const KEYS: &[Binding] = &[
    shown("y", Action::Confirm, "trust this key", "trust this key"),
    shown(
        "c",
        Action::Copy,
        "copy",
        "copy the command that shows it there",
    ),
    shown("q Esc Left", Action::Back, "no", "back, and trust nothing"),
];

/// Columns of the words in front.
const LABEL: usize = 14;

/// A key and its question.
pub struct Trust {
    node: NodeName,
    /// What was there when the pane was opened: only this can be trusted here.
    key: Option<Arc<ShownKey>>,
    /// Whether the host still shows it, as far as is known.
    current: bool,
    /// Nodes whose way ended at this key: the node itself, or all behind one hop.
    nodes: Vec<NodeName>,
}

impl Trust {
    pub fn new(node: NodeName) -> Self {
        Self {
            node,
            key: None,
            current: false,
            nodes: Vec::new(),
        }
    }

    fn rows(&self, width: usize) -> Vec<(Token, &'static str, String)> {
        let Some(key) = &self.key else {
            let text = format!("{} shows no key that is not on file", self.node);
            return vec![(Token::Muted, "", text)];
        };
        let clean = |text: &str| Text::new(text).to_string();
        let mut out = vec![
            (Token::Header, "", "trust this host key?".to_owned()),
            (Token::Text, "", String::new()),
            (Token::Text, "host", clean(&key.name)),
            (Token::Text, "address", clean(&key.address)),
            (Token::Text, "type", clean(&key.kind)),
            (Token::Text, "fingerprint", clean(&key.fingerprint)),
            (Token::Text, "", String::new()),
        ];
        let mut say = |token, text: &str| {
            let lines = wrap(text, width);
            out.extend(lines.into_iter().map(|line| (token, "", line)));
        };
        say(
            Token::Text,
            "No known_hosts line names this host. Compare the fingerprint with what the host itself says, on \
             its console or by another way that you trust:",
        );
        say(Token::Key, key.command());
        say(Token::Text, "");
        say(
            Token::Text,
            &format!(
                "y writes one line for this key into a file of stakeout's own and reads {} again. If another key \
                 comes then, it is refused.",
                count(self.nodes.len(), "node")
            ),
        );
        if !self.current {
            say(
                Token::ToastWarn,
                "The host does not show this key any more, or is being read right now: nothing can be trusted here.",
            );
        }
        out
    }
}

impl Pane for Trust {
    fn address(&self) -> Address {
        Address::Trust(self.node.clone())
    }

    fn crumb(&self) -> String {
        format!("{} host key", self.node)
    }

    fn keys(&self) -> &'static [Binding] {
        KEYS
    }

    fn sync(&mut self, world: &World) {
        if self.key.is_none() {
            self.key = world.shown_key(&self.node).cloned();
        }
        self.current = self.key.is_some() && world.shown_key(&self.node) == self.key.as_ref();
        if let Some(key) = self.key.as_ref().filter(|_| self.current) {
            self.nodes = world.nodes_at(key);
        }
    }

    fn update(&mut self, action: Action, _: &World) -> Vec<Effect> {
        let Some(key) = &self.key else {
            return Vec::new();
        };
        match action {
            Action::Confirm if self.current => vec![
                Effect::Back,
                Effect::say(format!("trusting {} for {}", key.fingerprint, self.node)),
                Effect::Order(Order::Trust {
                    key: Arc::clone(key),
                    nodes: self.nodes.clone(),
                }),
            ],
            Action::Confirm => vec![Effect::warn("the host does not show this key now")],
            Action::Copy => vec![Effect::Copy(Clip {
                what: "command".to_owned(),
                text: key.command().to_owned(),
            })],
            _ => Vec::new(),
        }
    }

    fn view(&self, _: &World, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let rows = self.rows(usize::from(area.width));
        for ((token, label, text), y) in rows.into_iter().zip(area.y..area.bottom()) {
            let mut strip = Strip::new();
            if !label.is_empty() {
                strip = strip.cell(LABEL, label, theme.style(Token::Muted));
            }
            strip
                .put(text, theme.style(token))
                .draw(buf, (area.x, y), area.width);
        }
    }
}

/// What the key of the question does on a row: opens the question, or says why there is none.
pub(super) fn asked(scope: Option<&Scope>, world: &World) -> Vec<Effect> {
    let Some(scope) = scope else {
        return Vec::new();
    };
    let Some(node) = scope.node() else {
        return vec![Effect::warn("this row is not a node")];
    };
    if world.shown_key(node).is_some() {
        return vec![Effect::Open(Address::Trust(node.clone()))];
    }
    let class = match world.summary(scope).and_then(|summary| summary.gap()) {
        Some(Gap::Node { class, .. }) => Some(*class),
        _ => None,
    };
    vec![Effect::warn(match class {
        Some(FaultClass::HostkeyUnknown) => {
            format!("only ssh itself saw the key of {node}: ssh {node} true")
        }
        Some(
            FaultClass::HostkeyChanged
            | FaultClass::HostkeyRevoked
            | FaultClass::HostkeyCert
            | FaultClass::HostkeyNewType,
        ) => format!("the key of {node} is spoken against: it cannot be trusted here"),
        _ => format!("{node} shows no key that is not on file"),
    })]
}
