//! Events to the nodes of the first document: the `parser` half of go-yaml v2 `decode.go`.

use std::collections::HashMap;

use super::event::{Event, Shape};
use super::grammar::Grammar;
use super::{Limits, YamlError};

pub(super) type NodeId = usize;

/// The tags that the resolver tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tag {
    None,
    Str,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
    Binary,
    Merge,
    /// `!`, `!local` and every other: the text stays a string.
    Other,
}

impl Tag {
    fn new(tag: &[u8]) -> Self {
        match tag.strip_prefix(b"tag:yaml.org,2002:") {
            _ if tag.is_empty() => Self::None,
            Some(b"str") => Self::Str,
            Some(b"bool") => Self::Bool,
            Some(b"int") => Self::Int,
            Some(b"float") => Self::Float,
            Some(b"null") => Self::Null,
            Some(b"timestamp") => Self::Timestamp,
            Some(b"binary") => Self::Binary,
            Some(b"merge") => Self::Merge,
            _ => Self::Other,
        }
    }
}

pub(super) enum Content {
    Scalar {
        text: String,
        tag: Tag,
        implicit: bool,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    Alias {
        name: String,
        target: NodeId,
    },
}

pub(super) struct Node {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) content: Content,
}

/// The first document of a stream.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// `None` if the stream holds no document.
    pub(super) root: Option<NodeId>,
    pub(super) ignored_documents: usize,
}

/// Reads the first document and counts the rest.
pub(super) fn build(input: &[u8], limits: &Limits) -> Result<Tree, YamlError> {
    let input = if input.is_empty() { b"\n" } else { input };
    let mut builder = Builder {
        grammar: Grammar::new(input),
        limits,
        nodes: Vec::new(),
        anchors: HashMap::new(),
    };
    if builder.grammar.next()?.shape == Shape::StreamEnd {
        return Ok(Tree {
            nodes: Vec::new(),
            root: None,
            ignored_documents: 0,
        });
    }
    let first = builder.grammar.next()?;
    let root = builder.node(first, 0)?;
    // The kubelet asks for the end of the document, and so stumbles over what directly follows it.
    builder.grammar.next()?;
    let ignored_documents = count_documents(&mut builder.grammar);
    Ok(Tree {
        nodes: builder.nodes,
        root: Some(root),
        ignored_documents,
    })
}

/// Documents with something in them; text that is no YAML is something and ends the count.
fn count_documents(grammar: &mut Grammar) -> usize {
    let mut counted = 0;
    let mut is_counted = false;
    loop {
        let Ok(event) = grammar.next() else {
            return counted + usize::from(!is_counted);
        };
        match event.shape {
            Shape::StreamEnd => return counted,
            Shape::DocumentStart | Shape::DocumentEnd => is_counted = false,
            Shape::Scalar if event.implicit && event.text.is_empty() => {}
            _ if is_counted => {}
            _ => {
                counted += 1;
                is_counted = true;
            }
        }
    }
}

struct Builder<'a> {
    grammar: Grammar<'a>,
    limits: &'a Limits,
    nodes: Vec<Node>,
    anchors: HashMap<Vec<u8>, NodeId>,
}

impl Builder<'_> {
    fn node(&mut self, event: Event, depth: usize) -> Result<NodeId, YamlError> {
        if depth > self.limits.depth() {
            return Err(YamlError::Limit {
                what: "levels of nesting",
                max: self.limits.depth(),
            });
        }
        if self.nodes.len() >= self.limits.nodes() {
            return Err(YamlError::Limit {
                what: "nodes",
                max: self.limits.nodes(),
            });
        }
        let line = event.mark.line + 1;
        let id = self.nodes.len();
        let content = match event.shape {
            Shape::Scalar => {
                let tag = Tag::new(&event.tag);
                Content::Scalar {
                    text: utf8(event.text, line)?,
                    tag,
                    implicit: event.implicit,
                }
            }
            Shape::Alias => {
                let name = event.anchor.clone().unwrap_or_default();
                let target = self.anchors.get(&name).copied();
                let name = utf8(name, line)?;
                let Some(target) = target else {
                    return Err(YamlError::at(
                        event.mark,
                        &format!("unknown anchor '{name}' referenced"),
                    ));
                };
                Content::Alias { name, target }
            }
            Shape::MappingStart => Content::Mapping(Vec::new()),
            _ => Content::Sequence(Vec::new()),
        };
        self.nodes.push(Node { line, content });
        // Before the children: they may refer to it, and the decoder then finds a cycle.
        if let (Some(anchor), true) = (event.anchor, event.shape != Shape::Alias) {
            self.anchors.insert(anchor, id);
        }
        self.fill(id, depth)?;
        Ok(id)
    }

    /// Reads the children of a collection.
    fn fill(&mut self, id: NodeId, depth: usize) -> Result<(), YamlError> {
        match self.nodes[id].content {
            Content::Mapping(_) => {
                let mut entries = Vec::new();
                while let Some(key) = self.child(depth)? {
                    // The grammar gives every key a value, an empty scalar at worst.
                    let Some(value) = self.child(depth)? else {
                        break;
                    };
                    entries.push((key, value));
                }
                self.nodes[id].content = Content::Mapping(entries);
            }
            Content::Sequence(_) => {
                let mut items = Vec::new();
                while let Some(item) = self.child(depth)? {
                    items.push(item);
                }
                self.nodes[id].content = Content::Sequence(items);
            }
            Content::Scalar { .. } | Content::Alias { .. } => {}
        }
        Ok(())
    }

    /// The next node of a collection, `None` at its end.
    fn child(&mut self, depth: usize) -> Result<Option<NodeId>, YamlError> {
        let event = self.grammar.next()?;
        match event.shape {
            Shape::CollectionEnd => Ok(None),
            Shape::Scalar | Shape::Alias | Shape::SequenceStart | Shape::MappingStart => {
                self.node(event, depth + 1).map(Some)
            }
            Shape::DocumentStart | Shape::DocumentEnd | Shape::StreamEnd => Err(YamlError::at(
                event.mark,
                "did not find expected end of collection",
            )),
        }
    }
}

/// The scanner only lets whole characters through, so the error is for a fault of ours.
fn utf8(bytes: Vec<u8>, line: usize) -> Result<String, YamlError> {
    String::from_utf8(bytes).map_err(|_| YamlError::Differs {
        line,
        what: "text that is not UTF-8".to_owned(),
    })
}
