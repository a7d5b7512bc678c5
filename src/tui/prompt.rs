//! The last row: a filter or a command that is being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::pane::Address;
use super::theme::BUILT_IN;
use super::world::{Scope, World};
use crate::model::name::NodeName;
use crate::model::text::Text;

/// Characters that a prompt takes.
const LIMIT: usize = 200;

const COMMANDS: [&str; 9] = [
    "check", "checks", "cluster", "fleet", "help", "log", "node", "q", "theme",
];

/// What is being typed, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Filter,
    Palette,
}

/// What a key did to a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Nothing,
    /// The filter changed: it applies while it is typed.
    Typed(String),
    Command(String),
    Closed,
    Cancelled,
}

/// A command of the palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A view, and the filter to set there.
    Open(Address, Option<String>),
    Theme(String),
    Quit,
    Nothing,
}

impl Prompt {
    pub fn filter(text: String) -> Self {
        Self {
            kind: Kind::Filter,
            text,
        }
    }

    pub fn palette() -> Self {
        Self {
            kind: Kind::Palette,
            text: String::new(),
        }
    }

    pub fn is_filter(&self) -> bool {
        self.kind == Kind::Filter
    }

    /// As it stands on the screen.
    pub fn shown(&self) -> String {
        let lead = if self.is_filter() { '/' } else { ':' };
        format!("{lead}{}", self.text)
    }

    pub fn key(&mut self, event: KeyEvent, world: &World) -> Said {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.code {
            KeyCode::Char('c') if ctrl => return Said::Cancelled,
            KeyCode::Esc => return Said::Cancelled,
            KeyCode::Char('u') if ctrl => self.text.clear(),
            KeyCode::Char('w') if ctrl => {
                let kept = self.text.trim_end().rfind(' ').map_or(0, |at| at + 1);
                self.text.truncate(kept);
            }
            KeyCode::Char('h') if ctrl => {
                self.text.pop();
            }
            KeyCode::Backspace if self.text.is_empty() => return Said::Cancelled,
            KeyCode::Backspace => {
                self.text.pop();
            }
            KeyCode::Tab if !self.is_filter() => self.complete(world),
            KeyCode::Enter if self.is_filter() => return Said::Closed,
            KeyCode::Enter => return Said::Command(std::mem::take(&mut self.text)),
            KeyCode::Char(c) if !ctrl && !event.modifiers.contains(KeyModifiers::ALT) => {
                self.push(&c.to_string());
            }
            _ => return Said::Nothing,
        }
        self.typed()
    }

    /// A paste is text, never a command: line breaks become blanks.
    pub fn paste(&mut self, text: &str) -> Said {
        self.push(&text.replace(['\n', '\r', '\t'], " "));
        self.typed()
    }

    fn typed(&self) -> Said {
        if self.is_filter() {
            Said::Typed(self.text.clone())
        } else {
            Said::Nothing
        }
    }

    fn push(&mut self, text: &str) {
        let clean = Text::new(text);
        let room = LIMIT.saturating_sub(self.text.chars().count());
        self.text.extend(clean.as_str().chars().take(room));
    }

    /// Completes the command, or the name behind it, as far as there is one way.
    fn complete(&mut self, world: &World) {
        let (start, part) = match self.text.rfind(' ') {
            Some(at) => self.text.split_at(at + 1),
            None => ("", self.text.as_str()),
        };
        let names: Vec<&str> = match start.trim() {
            "" => COMMANDS.to_vec(),
            "node" | "log" => world
                .summaries()
                .filter_map(|summary| summary.scope.node().map(NodeName::as_str))
                .collect(),
            "check" => world.registry.all().map(|check| check.id.0).collect(),
            "theme" => BUILT_IN.iter().map(|(name, _)| *name).collect(),
            _ => return,
        };
        let fitting: Vec<&str> = names
            .into_iter()
            .filter(|name| name.starts_with(part))
            .collect();
        let Some(first) = fitting.first() else {
            return;
        };
        let common = fitting.iter().fold(first.len(), |len, name| {
            let same = first.bytes().zip(name.bytes()).take_while(|(a, b)| a == b);
            len.min(same.count())
        });
        let done = if fitting.len() == 1 { " " } else { "" };
        self.text = format!("{start}{}{done}", first.get(..common).unwrap_or(first));
    }
}

/// Reads `node cp-1 /perm`.
///
/// # Errors
/// What is not known, and what there is.
pub fn parse(line: &str, world: &World) -> Result<Command, String> {
    let (line, filter) = match line.split_once(" /") {
        Some((line, filter)) => (line, Some(filter.trim().to_owned())),
        None => (line, None),
    };
    let mut words = line.split_whitespace();
    let Some(command) = words.next() else {
        return Ok(Command::Nothing);
    };
    let name = words.next();
    let address = match (command, name) {
        ("q" | "q!" | "quit", None) => return Ok(Command::Quit),
        ("theme", Some(name)) => return Ok(Command::Theme(name.to_owned())),
        ("theme", None) => {
            let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            return Err(format!("themes: {}", names.join(", ")));
        }
        ("fleet" | "nodes", None) => Address::Fleet,
        ("cluster", None) => Address::Node(Scope::Cluster),
        ("checks", None) => Address::Checks,
        ("help", None) => Address::Help,
        ("log", None) => Address::Log(None),
        ("log", Some(name)) => Address::Log(Some(node(name, world)?)),
        ("node", Some(name)) => Address::Node(Scope::Node(node(name, world)?)),
        ("check", Some(name)) => {
            let wanted = name.to_ascii_uppercase();
            let found = world.registry.all().find(|check| {
                check.id.0 == wanted || check.id.0.strip_prefix("SP-") == Some(&wanted)
            });
            Address::Check(found.ok_or_else(|| format!("no check {name}"))?.id)
        }
        _ => return Err(format!("no command {line}; ? lists keys, Tab completes")),
    };
    Ok(Command::Open(address, filter))
}

fn node(name: &str, world: &World) -> Result<NodeName, String> {
    world
        .summaries()
        .filter_map(|summary| summary.scope.node())
        .find(|node| node.as_str() == name)
        .cloned()
        .ok_or_else(|| format!("no node {name} in this view"))
}
