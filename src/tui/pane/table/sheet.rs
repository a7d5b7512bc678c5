//! What an adapter makes of facts, and a table shows: rows, gaps, and what stands behind each.

use crate::model::fact::Gap;
use crate::model::name::NodeName;
use crate::tui::theme::Token;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub name: &'static str,
    pub width: Width,
    /// Screens that are narrower do not show it.
    pub from: u16,
}

/// How wide a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Fixed(usize),
    /// So many parts of what the fixed ones leave.
    Share(usize),
}

/// A fixed column on every screen.
pub const fn fixed(name: &'static str, width: usize) -> Column {
    Column {
        name,
        width: Width::Fixed(width),
        from: 0,
    }
}

/// A column that takes its share on every screen.
pub const fn share(name: &'static str, parts: usize) -> Column {
    Column {
        name,
        width: Width::Share(parts),
        from: 0,
    }
}

/// The same column on wide screens only.
pub const fn wide(column: Column, from: u16) -> Column {
    Column { from, ..column }
}

/// How a row stands; the order is that of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Bad,
    Warning,
    Unknown,
    Neutral,
    Good,
}

impl Standing {
    pub fn token(self) -> Token {
        match self {
            Self::Bad => Token::StateFailed,
            Self::Warning => Token::SrcDisagree,
            Self::Unknown => Token::SevUnknown,
            Self::Neutral => Token::Text,
            Self::Good => Token::VerdictPass,
        }
    }

    pub fn is_problem(self) -> bool {
        self < Self::Neutral
    }
}

/// One cell: its text, and a number where numbers sort it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    pub text: String,
    pub rank: Option<i64>,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, rank: None }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl Cell {
    pub fn number(text: impl Into<String>, rank: i64) -> Self {
        Self {
            text: text.into(),
            rank: Some(rank),
        }
    }
}

/// One row, without its node.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What the cursor follows; once per node.
    pub key: String,
    /// As many as there are columns; the last one is not shown where a column is missing.
    pub cells: Vec<Cell>,
    pub standing: Standing,
    /// For `state=` of a filter: what `standing` means here.
    pub state: &'static str,
    pub detail: Vec<Line>,
}

/// One paragraph of what stands behind a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Head(String),
    Text(Token, String),
    /// A word in front, and what belongs to it.
    Named(&'static str, String),
    /// A field with what the three sources say of it; true where they differ.
    Sides {
        field: String,
        sides: [String; 3],
        differs: bool,
    },
}

/// Rows of one node, and what is not known of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// One line above the list.
    pub about: String,
    pub rows: Vec<Row>,
    pub holes: Vec<Hole>,
}

/// Something that is not known: what, why, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Hole {
    pub what: String,
    pub why: String,
    pub next: String,
}

impl Sheet {
    /// Nothing is known, for one reason.
    pub fn hole(what: &str, gap: &Gap, node: &NodeName) -> Self {
        Self {
            holes: vec![Hole::of(what, gap, node)],
            ..Self::default()
        }
    }
}

impl Hole {
    pub fn of(what: impl Into<String>, gap: &Gap, node: &NodeName) -> Self {
        Self {
            what: what.into(),
            why: gap.to_string(),
            next: gap.next_step_on(Some(node)).to_string(),
        }
    }

    /// As a row among the others.
    pub fn row(&self, number: usize) -> Row {
        Row {
            key: format!("gap {number} {}", self.what),
            cells: vec![Cell::from(format!("{}: {}", self.what, self.why))],
            standing: Standing::Unknown,
            state: "unknown",
            detail: vec![
                Line::Named("WHAT", self.what.clone()),
                Line::Named("CAUSE", self.why.clone()),
                Line::Named("NEXT", self.next.clone()),
            ],
        }
    }
}
