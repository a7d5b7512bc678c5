//! Nodes to values, with aliases and merge keys followed: the `decoder` half of go-yaml v2 `decode.go`.
//!
//! Two things differ from what the YAML documents say. A merge key takes effect where it stands, so it
//! overwrites what the mapping said above it. And keys are compared as values, so `1` and `"1"` are two
//! keys here, which become one name in JSON (see `convert`).

use std::collections::{BTreeMap, HashSet};

use super::resolve::{Scalar, Unresolved, resolve};
use super::tree::{Content, Node, NodeId, Tag, Tree};
use super::{Limits, YamlError};

pub(super) enum Value {
    Scalar(Scalar),
    Sequence(Vec<Item>),
    Mapping(Table),
}

pub(super) struct Item {
    /// Counted from 1; of the key, if the item has one.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// A mapping key as Go compares it: by type and value.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    /// The bits. Neither -0 nor NaN gets here.
    Float(u64),
    Text(String),
}

pub(super) struct Entry {
    pub(super) item: Item,
    /// Whether the mapping itself set it, and not a merge.
    own: bool,
}

#[derive(Default)]
pub(super) struct Table {
    pub(super) entries: BTreeMap<Key, Entry>,
    /// Own keys that were set once more, with the line that did it.
    pub(super) repeated: Vec<(String, usize)>,
    /// Whether this is a copy that an alias made; the original tells what is repeated.
    copy: bool,
}

impl Table {
    /// `merged_at` is the line of the merge key that sets the entry, if any.
    fn set(&mut self, key: Key, item: Item, merged_at: Option<usize>) {
        let line = merged_at.unwrap_or(item.line);
        if !self.copy && self.entries.get(&key).is_some_and(|entry| entry.own) {
            self.repeated.push((label(&key), line));
        }
        self.entries.insert(
            key,
            Entry {
                item,
                own: merged_at.is_none(),
            },
        );
    }
}

/// Reads the value of a document.
pub(super) fn decode(tree: &Tree, limits: &Limits) -> Result<Value, YamlError> {
    let Some(root) = tree.root else {
        return Ok(Value::Scalar(Scalar::Null));
    };
    let mut decoder = Decoder {
        nodes: &tree.nodes,
        limits,
        // The document node itself.
        decoded: 1,
        aliased: 0,
        alias_depth: 0,
        depth: 0,
        text: 0,
        active: HashSet::new(),
    };
    decoder.value(root)
}

struct Decoder<'a> {
    nodes: &'a [Node],
    limits: &'a Limits,
    decoded: usize,
    aliased: usize,
    alias_depth: usize,
    depth: usize,
    text: usize,
    /// Aliases that are being followed.
    active: HashSet<NodeId>,
}

impl<'a> Decoder<'a> {
    fn node(&self, id: NodeId) -> &'a Node {
        &self.nodes[id]
    }

    fn enter(&mut self) -> Result<(), YamlError> {
        self.decoded += 1;
        if self.alias_depth > 0 {
            self.aliased += 1;
        }
        // `allowedAliasRatio` is 0.99 up to 400000 decoded nodes, which is beyond our own limit.
        if self.aliased > 100 && self.decoded > 1000 && self.aliased * 100 > self.decoded * 99 {
            return Err(refused(1, "document contains excessive aliasing"));
        }
        if self.decoded > self.limits.nodes() {
            return Err(YamlError::Limit {
                what: "nodes",
                max: self.limits.nodes(),
            });
        }
        self.depth += 1;
        if self.depth > self.limits.depth() {
            return Err(YamlError::Limit {
                what: "levels of nesting",
                max: self.limits.depth(),
            });
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn value(&mut self, id: NodeId) -> Result<Value, YamlError> {
        self.enter()?;
        let node = self.node(id);
        let value = match &node.content {
            Content::Scalar {
                text,
                tag,
                implicit,
            } => Value::Scalar(self.scalar(node.line, text, *tag, *implicit)?),
            Content::Sequence(items) => Value::Sequence(self.sequence(items)?),
            Content::Mapping(entries) => {
                let mut table = Table {
                    copy: self.alias_depth > 0,
                    ..Table::default()
                };
                self.fill(entries, &mut table, None)?;
                Value::Mapping(table)
            }
            Content::Alias { name, target } => {
                self.follow(id, name)?;
                let value = self.value(*target)?;
                self.unfollow(id);
                value
            }
        };
        self.leave();
        Ok(value)
    }

    fn follow(&mut self, id: NodeId, name: &str) -> Result<(), YamlError> {
        if !self.active.insert(id) {
            return Err(refused(
                self.node(id).line,
                &format!("anchor '{name}' value contains itself"),
            ));
        }
        self.alias_depth += 1;
        Ok(())
    }

    fn unfollow(&mut self, id: NodeId) {
        self.active.remove(&id);
        self.alias_depth -= 1;
    }

    fn scalar(
        &mut self,
        line: usize,
        text: &str,
        tag: Tag,
        implicit: bool,
    ) -> Result<Scalar, YamlError> {
        self.text += text.len();
        if self.text > self.limits.text {
            return Err(YamlError::Limit {
                what: "bytes of text",
                max: self.limits.text,
            });
        }
        if tag == Tag::None && !implicit {
            return Ok(Scalar::Text(text.to_owned()));
        }
        resolve(tag, text).map_err(|problem| match problem {
            Unresolved::Refused(message) => refused(line, &message),
            Unresolved::Unsure(what) => YamlError::Differs {
                line,
                what: what.to_owned(),
            },
        })
    }

    fn sequence(&mut self, items: &[NodeId]) -> Result<Vec<Item>, YamlError> {
        items
            .iter()
            .map(|&id| {
                Ok(Item {
                    line: self.node(id).line,
                    value: self.value(id)?,
                })
            })
            .collect()
    }

    /// Sets the entries of a mapping. `merged_at` is the line of the merge key that asks for it, if any.
    fn fill(
        &mut self,
        entries: &[(NodeId, NodeId)],
        table: &mut Table,
        merged_at: Option<usize>,
    ) -> Result<(), YamlError> {
        for &(key, value) in entries {
            let line = self.node(key).line;
            if self.is_merge(key) {
                self.merge(value, table, merged_at.unwrap_or(line))?;
                continue;
            }
            let name = key_of(self.value(key)?, line)?;
            let value = self.value(value)?;
            table.set(name, Item { line, value }, merged_at);
        }
        Ok(())
    }

    fn is_merge(&self, key: NodeId) -> bool {
        match &self.node(key).content {
            Content::Scalar {
                text,
                tag,
                implicit,
            } => text == "<<" && (*implicit || *tag == Tag::Merge),
            _ => false,
        }
    }

    fn merge(&mut self, id: NodeId, table: &mut Table, line: usize) -> Result<(), YamlError> {
        let Content::Sequence(items) = &self.node(id).content else {
            return self.merge_one(id, table, line);
        };
        // From the last to the first: the earlier ones take precedence.
        items
            .iter()
            .rev()
            .try_for_each(|&item| self.merge_one(item, table, line))
    }

    fn merge_one(&mut self, id: NodeId, table: &mut Table, line: usize) -> Result<(), YamlError> {
        self.enter()?;
        match &self.node(id).content {
            Content::Mapping(entries) => self.fill(entries, table, Some(line))?,
            Content::Alias { name, target }
                if matches!(self.node(*target).content, Content::Mapping(_)) =>
            {
                self.follow(id, name)?;
                self.merge_one(*target, table, line)?;
                self.unfollow(id);
            }
            _ => {
                return Err(refused(
                    line,
                    "map merge requires map or sequence of maps as the value",
                ));
            }
        }
        self.leave();
        Ok(())
    }
}

fn refused(line: usize, message: &str) -> YamlError {
    YamlError::Syntax {
        line,
        column: 1,
        message: message.to_owned(),
    }
}

fn key_of(value: Value, line: usize) -> Result<Key, YamlError> {
    let differs = |what: &str| {
        Err(YamlError::Differs {
            line,
            what: what.to_owned(),
        })
    };
    match value {
        Value::Scalar(Scalar::Null) => Ok(Key::Null),
        Value::Scalar(Scalar::Bool(value)) => Ok(Key::Bool(value)),
        Value::Scalar(Scalar::Int(value)) => Ok(Key::Int(value)),
        Value::Scalar(Scalar::Uint(value)) => Ok(Key::Uint(value)),
        Value::Scalar(Scalar::Float(value)) if value.is_nan() => {
            differs("a key that is not a number")
        }
        Value::Scalar(Scalar::Float(value)) if value == 0.0 && value.is_sign_negative() => {
            differs("a key that is -0")
        }
        Value::Scalar(Scalar::Float(value)) => Ok(Key::Float(value.to_bits())),
        Value::Scalar(Scalar::Text(text)) => Ok(Key::Text(text)),
        Value::Scalar(Scalar::Bytes(bytes)) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Key::Text(text)),
            Err(_) => differs("a key that is not UTF-8"),
        },
        Value::Sequence(_) | Value::Mapping(_) => Err(refused(line, "invalid map key")),
    }
}

fn label(key: &Key) -> String {
    match key {
        Key::Text(text) => text.clone(),
        Key::Null => "~".to_owned(),
        Key::Bool(value) => value.to_string(),
        Key::Int(value) => value.to_string(),
        Key::Uint(value) => value.to_string(),
        Key::Float(bits) => f64::from_bits(*bits).to_string(),
    }
}
