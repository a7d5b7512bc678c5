//! Where the values of a manifest stand in its text.

use std::collections::BTreeMap;

/// The source lines of a value and of what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    line: usize,
    below: BTreeMap<String, Lines>,
    items: Vec<Lines>,
}

impl Lines {
    pub(super) fn leaf(line: usize) -> Self {
        Self {
            line,
            ..Self::default()
        }
    }

    /// The same, seen from the key at `line`.
    pub(super) fn starting(self, line: usize) -> Self {
        Self { line, ..self }
    }

    pub(super) fn push(&mut self, item: Self) {
        self.items.push(item);
    }

    pub(super) fn insert(&mut self, name: String, value: Self) {
        self.below.insert(name, value);
    }
}

/// From a JSON pointer (RFC 6901, as [`serde_json::Value::pointer`] takes it) to a source line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineIndex(Lines);

impl LineIndex {
    pub(super) fn new(lines: Lines) -> Self {
        Self(lines)
    }

    /// The line, counted from 1, of the key that holds the value, or of the item of a list. A value that
    /// came through an alias or a merge has the line where it is written.
    pub fn line(&self, pointer: &str) -> Option<usize> {
        let mut at = &self.0;
        for step in pointer.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            at = match at.below.get(&name) {
                Some(below) => below,
                None => at.items.get(name.parse::<usize>().ok()?)?,
            };
        }
        Some(at.line)
    }
}

/// Adds one step to a JSON pointer.
pub(super) fn push_pointer(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
}
