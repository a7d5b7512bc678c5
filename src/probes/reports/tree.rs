//! JSON of any size and shape as a small tree, which stays as far as it was read when the file breaks off.
//!
//! Lives here: reading, bounds, where it broke. Never lives here: what a field means.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::text::Text;

/// Values that one file may hold of those that are kept.
const MOST_VALUES: usize = 1_000_000;
/// Bytes of a kept string: what is longer is prose.
const MOST_TEXT: usize = 512;
/// Keys whose objects are keyed by ids.
const BY_ID: &[&str] = &["packages", "vulnerabilities", "package_vulnerabilities"];
/// Keys that some format needs; what is under others is read over. Sorted.
const WANTED: &[&str] = &[
    "AVDID",
    "ArtifactName",
    "ArtifactType",
    "Class",
    "ClusterName",
    "Controls",
    "CreatedAt",
    "Error",
    "Findings",
    "FixedVersion",
    "ID",
    "ImageID",
    "InstalledVersion",
    "Kind",
    "Metadata",
    "Misconfigurations",
    "Name",
    "Namespace",
    "PkgName",
    "Reference",
    "RepoDigests",
    "RepoTags",
    "Resources",
    "Results",
    "RuleID",
    "Secrets",
    "Severity",
    "Status",
    "Target",
    "Title",
    "Trivy",
    "Type",
    "Version",
    "Vulnerabilities",
    "VulnerabilityID",
    "detected_version",
    "fixed_in_version",
    "id",
    "location",
    "manifest_hash",
    "name",
    "node_type",
    "nodes",
    "normalized_severity",
    "package_vulnerabilities",
    "packages",
    "results",
    "services",
    "severity",
    "status",
    "test_desc",
    "test_number",
    "tests",
    "text",
    "version",
    "vid",
    "vulnerabilities",
    "vulnerability",
];

/// A value. What was cut in the middle is an [`Object`] that is not whole, or [`Node::Null`].
#[derive(Debug, Default)]
pub(super) enum Node {
    #[default]
    Null,
    /// Under a key that nothing needs.
    Skipped,
    /// A string; numbers and booleans as they are written.
    Text(Box<str>),
    List(Vec<Node>),
    Object(Object),
}

#[derive(Debug, Default)]
pub(super) struct Object {
    members: Vec<(Box<str>, Node)>,
    /// Its end was read.
    whole: bool,
}

impl Node {
    pub(super) fn get(&self, key: &str) -> &Node {
        let members = self.members();
        let found = members.iter().find(|(name, _)| **name == *key);
        found.map_or(&Node::Null, |(_, value)| value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.members().iter().any(|(name, _)| **name == *key)
    }

    pub(super) fn members(&self) -> &[(Box<str>, Node)] {
        match self {
            Self::Object(object) => &object.members,
            _ => &[],
        }
    }

    /// Entries of a list; none of anything else, so `null` is an empty list.
    pub(super) fn items(&self) -> &[Node] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// Entries of a list, or the value itself: some formats wrote one object where they write a list today.
    pub(super) fn one_or_more(&self) -> &[Node] {
        match self {
            Self::List(items) => items,
            Self::Null | Self::Skipped => &[],
            one => std::slice::from_ref(one),
        }
    }

    /// A text that says something.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Whether its end was read; true of what has none.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Object(object) => object.whole,
            Self::Null => false,
            _ => true,
        }
    }
}

/// Where reading stopped.
pub(super) struct Broken {
    /// What is there, in the words of the reader.
    pub found: String,
    /// From 1.
    pub line: usize,
    /// From 0.
    pub byte: usize,
}

/// Every document of a file, the last one as far as it goes; and where and why it does not go on.
pub(super) fn read(bytes: &[u8]) -> (Vec<Node>, Option<Broken>) {
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let (mut documents, left) = (Vec::new(), Cell::new(MOST_VALUES));
    // Only the end of the file has no more characters: it is asked for before every document.
    while from.end().is_err() {
        let mut node = Node::Null;
        let slot = Slot {
            node: &mut node,
            left: &left,
            depth: 0,
            keys: Keys::Named,
        };
        let outcome = slot.deserialize(&mut from);
        if !matches!(node, Node::Null) {
            documents.push(node);
        }
        if let Err(error) = outcome {
            return (documents, Some(broken(bytes, &error)));
        }
    }
    (documents, None)
}

fn broken(bytes: &[u8], error: &serde_json::Error) -> Broken {
    let line = error.line().max(1);
    if error.is_eof() {
        return Broken {
            found: "the end of the file".to_owned(),
            line,
            byte: bytes.len(),
        };
    }
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let start = match line {
        1 => Some(0),
        line => ends.map(|(at, _)| at + 1).nth(line - 2),
    };
    // The column counts the character that is wrong.
    let byte = start.unwrap_or(bytes.len()) + error.column().saturating_sub(1);
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    let shown = bytes.get(byte).map(|byte| Text::from_bytes(&[*byte]));
    Broken {
        found: format!("{:?} ({words})", shown.unwrap_or_default().as_str()),
        line,
        byte,
    }
}

/// Which members of an object are kept.
#[derive(Clone, Copy, PartialEq)]
enum Keys {
    /// Those of [`WANTED`].
    Wanted,
    /// Those, and of the others that they are there: they tell which format it is.
    Named,
    /// All: they are ids.
    Ids,
}

/// Fills a node in place, so that what was read is there after an error too.
struct Slot<'t> {
    node: &'t mut Node,
    left: &'t Cell<usize>,
    depth: u32,
    keys: Keys,
}

impl Slot<'_> {
    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        let spent = || E::custom(format!("more than {MOST_VALUES} values in one file"));
        self.left.set(left.ok_or_else(spent)?);
        Ok(())
    }

    /// Of an object or list at this depth: what is kept of its members.
    fn inside(&self, key: &str) -> Keys {
        if self.depth == 0 && BY_ID.contains(&key) {
            Keys::Ids
        } else {
            Keys::Wanted
        }
    }

    /// Reads the value of a key into the object that the node is.
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, from: &mut A) -> Result<(), A::Error> {
        let is_read = self.keys == Keys::Ids || WANTED.binary_search(&key).is_ok();
        if !is_read && self.keys == Keys::Wanted {
            return from.next_value::<IgnoredAny>().map(drop);
        }
        self.count()?;
        let (keys, left, depth) = (self.inside(key), self.left, self.depth + 1);
        let Node::Object(object) = &mut *self.node else {
            return Err(A::Error::custom("no object"));
        };
        let start = if is_read { Node::Null } else { Node::Skipped };
        object.members.push((key.into(), start));
        match object.members.last_mut() {
            Some((_, node)) if is_read => from.next_value_seed(Slot {
                node,
                left,
                depth,
                keys,
            }),
            _ => from.next_value::<IgnoredAny>().map(drop),
        }
    }

    fn keep(self, text: &str) {
        let mut end = text.len().min(MOST_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        *self.node = Node::Text(text[..end].into());
    }
}

impl<'de> DeserializeSeed<'de> for Slot<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.count()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.keep(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.keep(&value.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.keep(&value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.keep(&value.to_string());
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.keep(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        // The formats that begin with a list are told by the keys of its entries.
        let keys = if self.depth == 0 {
            Keys::Named
        } else {
            Keys::Wanted
        };
        *self.node = Node::List(Vec::new());
        let Node::List(items) = self.node else {
            return Err(A::Error::custom("no list"));
        };
        loop {
            items.push(Node::Null);
            let Some(node) = items.last_mut() else {
                return Err(A::Error::custom("no entry"));
            };
            let (left, depth) = (self.left, self.depth + 1);
            let slot = Slot {
                node,
                left,
                depth,
                keys,
            };
            if from.next_element_seed(slot)?.is_none() {
                items.pop();
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        *self.node = Node::Object(Object::default());
        while let Some(key) = from.next_key::<Cow<'_, str>>()? {
            self.member(&key, &mut from)?;
        }
        if let Node::Object(object) = self.node {
            object.whole = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_keys_can_be_searched() {
        assert!(WANTED.is_sorted());
        assert!(BY_ID.iter().all(|key| WANTED.contains(key)));
    }

    #[test]
    fn what_was_read_stays() {
        let (documents, broken) = read(b"{\"Controls\": [{\"id\": \"1\"}, {\"id\": \"2\", \"te");
        let items = documents[0].get("Controls").items();
        assert_eq!(items[0].text("id"), Some("1"));
        assert!(items[0].is_whole() && !items[1].is_whole() && !documents[0].is_whole());
        let broken = broken.expect("it breaks off");
        assert_eq!((broken.line, broken.byte), (1, 42));
        let (_, broken) = read(b"{\"id\":\n \"1\"\n ; }");
        let broken = broken.expect("no JSON");
        assert_eq!((broken.line, broken.byte), (3, 13));
        assert!(broken.found.starts_with("\";\" ("), "{}", broken.found);
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep = "[".repeat(100_000);
        assert!(read(deep.as_bytes()).1.is_some());
        let many = format!("[{}1]", "1,".repeat(MOST_VALUES));
        let found = read(many.as_bytes()).1.expect("too many").found;
        assert!(found.contains("more than 1000000 values"), "{found}");
    }
}
