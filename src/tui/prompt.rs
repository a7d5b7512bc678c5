//! The last row: a filter or a command that is being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;

use super::palette;
use super::pane::{ALL, Address, Kind};
use super::theme::{BUILT_IN, Theme};
use super::widget::typed::Typed;
use super::world::{Scope, World};
use crate::model::name::NodeName;

/// What is being typed, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    kind: For,
    text: Typed,
    /// Commands that were typed before, oldest first.
    past: Vec<String>,
    /// The one of them that is shown.
    at: Option<usize>,
    /// What was typed before Tab began to offer names, and the name that it offers.
    offered: Option<(String, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
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
            kind: For::Filter,
            text: Typed::from(text),
            past: Vec::new(),
            at: None,
            offered: None,
        }
    }

    /// `past`: commands that were typed before, oldest first.
    pub fn palette(past: &[String]) -> Self {
        Self {
            kind: For::Palette,
            text: Typed::default(),
            past: past.to_vec(),
            at: None,
            offered: None,
        }
    }

    pub fn is_filter(&self) -> bool {
        self.kind == For::Filter
    }

    /// As it stands on the screen.
    pub fn shown(&self) -> String {
        let lead = if self.is_filter() { '/' } else { ':' };
        format!("{lead}{}", self.text.as_str())
    }

    pub fn key(&mut self, event: KeyEvent, world: &World) -> Said {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.code {
            KeyCode::Char('c') if ctrl => return Said::Cancelled,
            KeyCode::Esc => return Said::Cancelled,
            KeyCode::Backspace if self.text.as_str().is_empty() => return Said::Cancelled,
            KeyCode::Tab if !self.is_filter() => {
                self.complete(world);
                return Said::Nothing;
            }
            KeyCode::Up if !self.is_filter() => self.recall(true),
            KeyCode::Down if !self.is_filter() => self.recall(false),
            KeyCode::Enter if self.is_filter() => return Said::Closed,
            KeyCode::Enter => return Said::Command(self.text.as_str().to_owned()),
            _ if self.text.key(event) => {}
            _ => return Said::Nothing,
        }
        self.offered = None;
        self.typed()
    }

    /// Shows the command before or after; behind the last one is an empty line.
    fn recall(&mut self, older: bool) {
        let all = self.past.len();
        let at = match (self.at, older) {
            (None, true) => all.checked_sub(1),
            (Some(at), true) => Some(at.saturating_sub(1)),
            (at, false) => at.map(|at| at + 1).filter(|at| *at < all),
        };
        self.text = at.map_or_else(Typed::default, |at| Typed::from(self.past[at].clone()));
        self.at = at;
    }

    pub fn paste(&mut self, text: &str) -> Said {
        self.text.paste(text);
        self.typed()
    }

    fn typed(&self) -> Said {
        if self.is_filter() {
            Said::Typed(self.text.as_str().to_owned())
        } else {
            Said::Nothing
        }
    }

    /// Completes as far as there is one way; from there on every press offers the next name.
    fn complete(&mut self, world: &World) {
        if let Some((typed, at)) = self.offered.take() {
            let names = palette::names(&typed, world);
            let next = if at + 1 < names.len() { at + 1 } else { 0 };
            self.offer(typed, &names, next);
            return;
        }
        let (start, part) = palette::split(self.text.as_str());
        let (start, part) = (start.to_owned(), part.to_owned());
        let names = palette::names(self.text.as_str(), world);
        let fitting: Vec<&String> = names.iter().filter(|it| it.starts_with(&part)).collect();
        let Some(first) = fitting.first() else {
            if !names.is_empty() {
                self.offer(self.text.as_str().to_owned(), &names, 0);
            }
            return;
        };
        let common = fitting.iter().fold(first.len(), |len, name| {
            let same = first.bytes().zip(name.bytes()).take_while(|(a, b)| a == b);
            len.min(same.count())
        });
        let common = first.get(..common).unwrap_or(first);
        if fitting.len() == 1 {
            self.text = Typed::from(format!("{start}{common} "));
        } else if common.len() > part.len() {
            self.text = Typed::from(format!("{start}{common}"));
        } else {
            self.offer(self.text.as_str().to_owned(), &names, 0);
        }
    }

    fn offer(&mut self, typed: String, names: &[String], at: usize) {
        if let Some(name) = names.get(at) {
            let (start, _) = palette::split(&typed);
            self.text = Typed::from(format!("{start}{name}"));
            self.offered = Some((typed, at));
        }
    }

    /// What the palette offers, over the view.
    pub fn view(&self, world: &World, theme: &Theme, buf: &mut Buffer) {
        if self.is_filter() {
            return;
        }
        let (typed, at) = match &self.offered {
            Some((typed, at)) => (typed.as_str(), Some(*at)),
            None => (self.text.as_str(), None),
        };
        palette::draw((typed, &self.shown(), at), &self.past, world, (theme, buf));
    }
}

/// Reads `node cp-1 /perm`. `focus`: the node that a command without a name means.
///
/// # Errors
/// What is not known, and what there is.
pub fn parse(line: &str, world: &World, focus: Option<&NodeName>) -> Result<Command, String> {
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
        (word, name) => match Kind::of(word) {
            Some(kind) => Address::Table(kind, table_of(kind, name, world, focus)?),
            None => return Err(format!("no command {line}; ? lists keys, Tab completes")),
        },
    };
    Ok(Command::Open(address, filter))
}

/// The node of a table; none for all of them.
fn table_of(
    kind: Kind,
    name: Option<&str>,
    world: &World,
    focus: Option<&NodeName>,
) -> Result<Option<NodeName>, String> {
    match (name, focus) {
        (Some(ALL), _) | (None, None) if kind.is_of_all() => Ok(None),
        (Some(name), _) => node(name, world).map(Some),
        (None, Some(focus)) => Ok(Some(focus.clone())),
        (None, None) => Err(format!("{0} of which node? next: :{0} NODE", kind.word())),
    }
}

fn node(name: &str, world: &World) -> Result<NodeName, String> {
    world
        .summaries()
        .filter_map(|summary| summary.scope.node())
        .find(|node| node.as_str() == name)
        .cloned()
        .ok_or_else(|| format!("no node {name} in this view"))
}
