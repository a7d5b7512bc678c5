//! From a value as it was parsed to the store.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{Kind, Slot, Store, Tree};

/// Deeper values are refused: parsers stop at 128, and what reads a tree may recurse.
const DEPTH: usize = 256;

/// A value that is not kept: it is too deep, or it takes more than half a gigabyte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oversized;

impl fmt::Display for Oversized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more or deeper JSON than any object has")
    }
}

impl std::error::Error for Oversized {}

impl TryFrom<&Value> for Tree {
    type Error = Oversized;

    fn try_from(value: &Value) -> Result<Self, Oversized> {
        let mut builder = Builder::default();
        let root = builder.slot(value, DEPTH)?;
        Ok(Self(Arc::new(Store {
            root,
            words: builder.words.into(),
            text: builder.text.into(),
            ends: builder.ends.into(),
        })))
    }
}

impl TryFrom<Value> for Tree {
    type Error = Oversized;

    fn try_from(value: Value) -> Result<Self, Oversized> {
        Self::try_from(&value)
    }
}

#[derive(Default)]
struct Builder<'v> {
    words: Vec<u32>,
    text: String,
    ends: Vec<u32>,
    known: HashMap<&'v str, u32>,
}

impl<'v> Builder<'v> {
    fn slot(&mut self, value: &'v Value, depth: usize) -> Result<Slot, Oversized> {
        let (kind, payload) = match value {
            Value::Null => (Kind::Word, 0),
            Value::Bool(on) => (Kind::Word, 1 + u32::from(*on)),
            Value::Number(number) => self.number(number)?,
            Value::String(text) => (Kind::String, self.string(text)?),
            Value::Array(items) => (Kind::Array, self.array(items, depth)?),
            Value::Object(map) => (Kind::Object, self.object(map, depth)?),
        };
        Slot::new(kind, payload).ok_or(Oversized)
    }

    fn number(&mut self, number: &serde_json::Number) -> Result<(Kind, u32), Oversized> {
        let (kind, bits) = match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(small), ..) if small <= u64::from(Slot::MOST) => {
                return Ok((Kind::Small, u32::try_from(small).map_err(|_| Oversized)?));
            }
            (Some(unsigned), ..) => (Kind::Unsigned, unsigned),
            (None, Some(signed), _) => (Kind::Signed, signed.cast_unsigned()),
            (None, None, Some(float)) => (Kind::Float, float.to_bits()),
            (None, None, None) => return Err(Oversized),
        };
        let at = self.reserve(2)?;
        let low = u32::try_from(bits & u64::from(u32::MAX)).map_err(|_| Oversized)?;
        let high = u32::try_from(bits >> 32).map_err(|_| Oversized)?;
        self.put(at, low);
        self.put(at + 1, high);
        place(at).map(|at| (kind, at))
    }

    fn string(&mut self, text: &'v str) -> Result<u32, Oversized> {
        if let Some(known) = self.known.get(text) {
            return Ok(*known);
        }
        let number = place(self.ends.len())?;
        self.text.push_str(text);
        self.ends.push(place(self.text.len())?);
        self.known.insert(text, number);
        Ok(number)
    }

    fn array(&mut self, items: &'v [Value], depth: usize) -> Result<u32, Oversized> {
        let depth = depth.checked_sub(1).ok_or(Oversized)?;
        let at = self.reserve(1 + items.len())?;
        self.put(at, place(items.len())?);
        for (item, at) in items.iter().zip(at + 1..) {
            let slot = self.slot(item, depth)?;
            self.put(at, slot.0);
        }
        place(at)
    }

    fn object(
        &mut self,
        map: &'v serde_json::Map<String, Value>,
        depth: usize,
    ) -> Result<u32, Oversized> {
        let depth = depth.checked_sub(1).ok_or(Oversized)?;
        let at = self.reserve(1 + 2 * map.len())?;
        self.put(at, place(map.len())?);
        let mut members: Vec<(&String, &Value)> = map.iter().collect();
        // Look-ups rely on it, and whether a map keeps them so is decided by features of other crates.
        members.sort_unstable_by_key(|(key, _)| *key);
        for ((key, item), at) in members.into_iter().zip((at + 1..).step_by(2)) {
            let key = self.string(key)?;
            self.put(at, key);
            let slot = self.slot(item, depth)?;
            self.put(at + 1, slot.0);
        }
        place(at)
    }

    fn reserve(&mut self, count: usize) -> Result<usize, Oversized> {
        let at = self.words.len();
        place(at + count)?;
        self.words.resize(at + count, 0);
        Ok(at)
    }

    fn put(&mut self, at: usize, word: u32) {
        if let Some(free) = self.words.get_mut(at) {
            *free = word;
        }
    }
}

/// A place or a count as slots hold it.
fn place(at: usize) -> Result<u32, Oversized> {
    u32::try_from(at)
        .ok()
        .filter(|at| *at <= Slot::MOST)
        .ok_or(Oversized)
}
