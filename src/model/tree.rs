//! JSON that is read and never changed, in two blocks of memory.
//!
//! Lives here: the store and the view into it. Never lives here: parsing, and what any of it means.
//!
//! A fleet holds thousands of pods. `serde_json::Value` takes eight times the length of a pod's text, most of
//! it empty slots of map nodes; a [`Tree`] takes about as much as the text: each distinct string once, a word
//! for each value and one for each key. Nothing outside the tree is shared, so hostile keys fill nothing but
//! their own pod, and dropping it frees two blocks however deep it is.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

mod build;
mod view;

pub use build::Oversized;
pub use view::{Branch, Items, Members, Number};

/// A JSON value that is kept. Clones share it.
///
/// ```
/// use serde_json::json;
/// use stakeout::model::tree::{Branch, Tree};
/// let pod = Tree::try_from(&json!({"spec": {"hostPID": true, "containers": [{"name": "etcd"}]}}))?;
/// assert_eq!(pod.pointer("/spec/hostPID"), Some(Branch::Bool(true)));
/// assert_eq!(pod.pointer("/spec/containers/0/name").and_then(Branch::as_str), Some("etcd"));
/// # Ok::<(), stakeout::model::tree::Oversized>(())
/// ```
/// The default is null.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Tree(Arc<Store>);

/// Equal values are stored in the same way, so that stores can be compared as they are; `0.0` and `-0.0` differ.
#[derive(PartialEq, Eq, Default)]
struct Store {
    /// The root.
    root: Slot,
    /// What slots lead to. An array: its length, a slot each. An object: its length, then in the order of the
    /// keys the number of a string and a slot each. A number that does not fit a slot: two halves, low first.
    words: Box<[u32]>,
    /// Each distinct string once, in the order of first use.
    text: Box<str>,
    /// Where each string ends in `text`; it begins where the one before ends.
    ends: Box<[u32]>,
}

/// A value: what it is in the upper three bits, a small number or the place of the rest in the others.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Slot(u32);

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// 0 is null, 1 false, 2 true.
    Word,
    /// A number up to [`Slot::MOST`].
    Small,
    Unsigned,
    Signed,
    Float,
    String,
    Array,
    Object,
}

impl Slot {
    const BITS: u32 = 29;
    /// The greatest payload.
    const MOST: u32 = (1 << Self::BITS) - 1;

    /// None where the payload does not fit.
    fn new(kind: Kind, payload: u32) -> Option<Self> {
        (payload <= Self::MOST).then_some(Self(((kind as u32) << Self::BITS) | payload))
    }

    const fn kind(self) -> Kind {
        match self.0 >> Self::BITS {
            0 => Kind::Word,
            1 => Kind::Small,
            2 => Kind::Unsigned,
            3 => Kind::Signed,
            4 => Kind::Float,
            5 => Kind::String,
            6 => Kind::Array,
            _ => Kind::Object,
        }
    }

    const fn payload(self) -> u32 {
        self.0 & Self::MOST
    }
}

impl Store {
    fn word(&self, at: u32) -> u32 {
        let word = usize::try_from(at).ok().and_then(|at| self.words.get(at));
        word.copied().unwrap_or_default()
    }

    /// The `number`th string.
    fn string(&self, number: u32) -> &str {
        let end = |number: u32| Some(*self.ends.get(usize::try_from(number).ok()?)? as usize);
        let from = number.checked_sub(1).and_then(end).unwrap_or_default();
        let to = end(number).unwrap_or_default();
        self.text.get(from..to).unwrap_or_default()
    }
}

impl Tree {
    /// The whole value.
    pub fn root(&self) -> Branch<'_> {
        Branch::at(&self.0, self.0.root)
    }

    /// A field of the object.
    pub fn get(&self, key: &str) -> Option<Branch<'_>> {
        self.root().get(key)
    }

    /// The value at a JSON pointer (RFC 6901).
    pub fn pointer(&self, pointer: &str) -> Option<Branch<'_>> {
        self.root().pointer(pointer)
    }

    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        size_of::<Store>()
            + size_of_val(&*self.0.words)
            + size_of_val(&*self.0.ends)
            + self.0.text.len()
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.root(), f)
    }
}

/// As JSON without spaces.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.root(), f)
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.root().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Tree {
    /// As a [`Value`] is read: of a key that comes twice the last counts.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::try_from(&value).map_err(serde::de::Error::custom)
    }
}

impl From<&Tree> for Value {
    fn from(tree: &Tree) -> Self {
        tree.root().into()
    }
}

#[cfg(test)]
mod tests;
