//! What is read of a tree: a value and what is below it, without a copy.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Kind, Slot, Store};

/// A value within a tree. Named and asked as [`serde_json::Value`] is.
#[derive(Clone, Copy, PartialEq)]
pub enum Branch<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(&'a str),
    Array(Items<'a>),
    Object(Members<'a>),
}

/// A number as JSON has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Unsigned(u64),
    /// Below zero.
    Signed(i64),
    /// Finite.
    Float(f64),
}

/// The elements of an array.
#[derive(Clone, Copy)]
pub struct Items<'a> {
    store: &'a Store,
    /// Of the length.
    at: u32,
}

/// The fields of an object, in the order of their keys.
#[derive(Clone, Copy)]
pub struct Members<'a> {
    store: &'a Store,
    /// Of the length.
    at: u32,
}

impl<'a> Branch<'a> {
    pub(super) fn at(store: &'a Store, slot: Slot) -> Self {
        let at = slot.payload();
        let bits = || u64::from(store.word(at)) | (u64::from(store.word(at + 1)) << 32);
        match slot.kind() {
            Kind::Word if at == 0 => Self::Null,
            Kind::Word => Self::Bool(at == 2),
            Kind::Small => Self::Number(Number::Unsigned(at.into())),
            Kind::Unsigned => Self::Number(Number::Unsigned(bits())),
            Kind::Signed => Self::Number(Number::Signed(bits().cast_signed())),
            Kind::Float => Self::Number(Number::Float(f64::from_bits(bits()))),
            Kind::String => Self::String(store.string(at)),
            Kind::Array => Self::Array(Items { store, at }),
            Kind::Object => Self::Object(Members { store, at }),
        }
    }

    /// A field of an object.
    pub fn get(self, key: &str) -> Option<Self> {
        self.as_object()?.get(key)
    }

    /// The value at a JSON pointer (RFC 6901).
    pub fn pointer(self, pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut here = self;
        for step in pointer.strip_prefix('/')?.split('/') {
            let step = step.replace("~1", "/").replace("~0", "~");
            here = match here {
                Self::Object(members) => members.get(&step)?,
                Self::Array(items) => items.get(index(&step)?)?,
                _ => return None,
            };
        }
        Some(here)
    }

    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(self) -> Option<bool> {
        match self {
            Self::Bool(on) => Some(on),
            _ => None,
        }
    }

    pub fn as_u64(self) -> Option<u64> {
        match self {
            Self::Number(Number::Unsigned(number)) => Some(number),
            _ => None,
        }
    }

    pub fn as_i64(self) -> Option<i64> {
        match self {
            Self::Number(Number::Unsigned(number)) => number.try_into().ok(),
            Self::Number(Number::Signed(number)) => Some(number),
            _ => None,
        }
    }

    pub fn as_array(self) -> Option<Items<'a>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_object(self) -> Option<Members<'a>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }
}

/// An array index as RFC 6901 writes it.
fn index(step: &str) -> Option<usize> {
    let padded = step.starts_with('0') && step.len() > 1;
    if padded || !step.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    step.parse().ok()
}

impl<'a> Items<'a> {
    pub fn len(self) -> usize {
        self.count() as usize
    }

    pub fn is_empty(self) -> bool {
        self.count() == 0
    }

    pub fn get(self, index: usize) -> Option<Branch<'a>> {
        let index = u32::try_from(index).ok()?;
        (index < self.count()).then(|| self.item(index))
    }

    pub fn iter(self) -> impl DoubleEndedIterator<Item = Branch<'a>> + ExactSizeIterator {
        (0..self.count()).map(move |index| self.item(index))
    }

    fn count(self) -> u32 {
        self.store.word(self.at)
    }

    fn item(self, index: u32) -> Branch<'a> {
        Branch::at(self.store, Slot(self.store.word(self.at + 1 + index)))
    }
}

impl<'a> Members<'a> {
    pub fn len(self) -> usize {
        self.count() as usize
    }

    pub fn is_empty(self) -> bool {
        self.count() == 0
    }

    pub fn get(self, key: &str) -> Option<Branch<'a>> {
        self.find(key).map(|(_, value)| value)
    }

    /// The place of a key among the keys, and its value.
    pub fn find(self, key: &str) -> Option<(usize, Branch<'a>)> {
        let (mut from, mut to) = (0, self.count());
        while from < to {
            let middle = from + (to - from) / 2;
            match self.key(middle).cmp(key) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
                std::cmp::Ordering::Equal => return Some((middle as usize, self.item(middle))),
            }
        }
        None
    }

    pub fn iter(
        self,
    ) -> impl DoubleEndedIterator<Item = (&'a str, Branch<'a>)> + ExactSizeIterator {
        (0..self.count()).map(move |index| (self.key(index), self.item(index)))
    }

    fn count(self) -> u32 {
        self.store.word(self.at)
    }

    fn key(self, index: u32) -> &'a str {
        self.store.string(self.store.word(self.at + 1 + 2 * index))
    }

    fn item(self, index: u32) -> Branch<'a> {
        Branch::at(self.store, Slot(self.store.word(self.at + 2 + 2 * index)))
    }
}

impl PartialEq for Items<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl PartialEq for Members<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Branch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As JSON without spaces.
impl fmt::Display for Branch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Branch<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(on) => serializer.serialize_bool(on),
            Self::Number(Number::Unsigned(number)) => serializer.serialize_u64(number),
            Self::Number(Number::Signed(number)) => serializer.serialize_i64(number),
            Self::Number(Number::Float(number)) => serializer.serialize_f64(number),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items.iter()),
            Self::Object(members) => serializer.collect_map(members.iter()),
        }
    }
}

impl From<Branch<'_>> for Value {
    fn from(branch: Branch<'_>) -> Self {
        match branch {
            Branch::Null => Self::Null,
            Branch::Bool(on) => Self::Bool(on),
            Branch::Number(Number::Unsigned(number)) => number.into(),
            Branch::Number(Number::Signed(number)) => number.into(),
            Branch::Number(Number::Float(number)) => number.into(),
            Branch::String(text) => text.into(),
            Branch::Array(items) => items.iter().map(Self::from).collect(),
            Branch::Object(members) => members
                .iter()
                .map(|(key, item)| (key.to_owned(), Self::from(item)))
                .collect(),
        }
    }
}
