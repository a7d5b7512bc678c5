//! Tokens to events: go-yaml v2 `parserc.go`, state by state.

use super::YamlError;
use super::event::{Event, Shape};
use super::scanner::Scanner;
use super::token::{Kind, Mark};

/// Tag directives of one document. Every node with a tag walks the list.
const MAX_TAG_DIRECTIVES: usize = 64;
/// Bytes of a resolved tag. Nodes multiply the prefix of a directive.
const MAX_TAG: usize = 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    StreamStart,
    Document,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequence,
    IndentlessSequence,
    BlockKey,
    BlockValue,
    FlowSequenceFirst,
    FlowSequence,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowKeyFirst,
    FlowKey,
    FlowValue,
    FlowEmptyValue,
    End,
}

/// Where a node may stand: what its content can be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Block,
    BlockOrIndentless,
    Flow,
}

pub(super) struct Grammar<'a> {
    pub(super) scanner: Scanner<'a>,
    pub(super) state: State,
    states: Vec<State>,
    /// Handle and prefix.
    directives: Vec<(Vec<u8>, Vec<u8>)>,
}

impl<'a> Grammar<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            scanner: Scanner::new(input),
            state: State::StreamStart,
            states: Vec::new(),
            directives: Vec::new(),
        }
    }

    pub(super) fn next(&mut self) -> Result<Event, YamlError> {
        match self.state {
            State::StreamStart => {
                self.scanner.take()?;
                self.document_start(true)
            }
            State::Document => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(Place::Block),
            State::BlockSequence => self.block_sequence(),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockKey => self.block_key(),
            State::BlockValue => self.block_value(),
            State::FlowSequenceFirst => self.flow_sequence(true),
            State::FlowSequence => self.flow_sequence(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                self.state = State::FlowSequence;
                let (_, mark) = self.scanner.peek()?;
                Ok(Event::bare(Shape::CollectionEnd, mark))
            }
            State::FlowKeyFirst => self.flow_key(true),
            State::FlowKey => self.flow_key(false),
            State::FlowValue => self.flow_value(),
            State::FlowEmptyValue => self.empty(State::FlowKey),
            State::End => Ok(Event::bare(Shape::StreamEnd, self.scanner.mark)),
        }
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// An empty scalar at the next token, then `state`.
    pub(super) fn empty(&mut self, state: State) -> Result<Event, YamlError> {
        let (_, mark) = self.scanner.peek()?;
        Ok(self.empty_at(state, mark))
    }

    /// A node, then `state`.
    pub(super) fn node_then(&mut self, state: State, place: Place) -> Result<Event, YamlError> {
        self.states.push(state);
        self.node(place)
    }

    pub(super) fn end_collection(&mut self) -> Result<Event, YamlError> {
        let token = self.scanner.take()?;
        self.pop();
        Ok(Event::bare(Shape::CollectionEnd, token.start))
    }

    fn document_start(&mut self, implicit: bool) -> Result<Event, YamlError> {
        let (mut kind, start) = self.scanner.peek()?;
        if !implicit {
            while kind == Kind::DocumentEnd {
                self.scanner.take()?;
                (kind, _) = self.scanner.peek()?;
            }
        }
        let explicit = matches!(
            kind,
            Kind::Version | Kind::TagDirective | Kind::DocumentStart
        );
        if kind == Kind::StreamEnd {
            self.scanner.take()?;
            self.state = State::End;
            return Ok(Event::bare(Shape::StreamEnd, start));
        }
        self.process_directives()?;
        if implicit && !explicit {
            self.state = State::BlockNode;
        } else {
            let (kind, mark) = self.scanner.peek()?;
            if kind != Kind::DocumentStart {
                return Err(YamlError::at(
                    mark,
                    "did not find expected <document start>",
                ));
            }
            self.state = State::DocumentContent;
            self.scanner.take()?;
        }
        self.states.push(State::DocumentEnd);
        Ok(Event::bare(Shape::DocumentStart, start))
    }

    fn document_content(&mut self) -> Result<Event, YamlError> {
        let (kind, mark) = self.scanner.peek()?;
        let empty = matches!(
            kind,
            Kind::Version
                | Kind::TagDirective
                | Kind::DocumentStart
                | Kind::DocumentEnd
                | Kind::StreamEnd
        );
        if empty {
            self.pop();
            return Ok(Event::empty_scalar(mark));
        }
        self.node(Place::Block)
    }

    fn document_end(&mut self) -> Result<Event, YamlError> {
        let (kind, mark) = self.scanner.peek()?;
        if kind == Kind::DocumentEnd {
            self.scanner.take()?;
        }
        self.directives.clear();
        self.state = State::Document;
        Ok(Event::bare(Shape::DocumentEnd, mark))
    }

    fn process_directives(&mut self) -> Result<(), YamlError> {
        let mut version = false;
        loop {
            let (kind, mark) = self.scanner.peek()?;
            if !matches!(kind, Kind::Version | Kind::TagDirective) {
                break;
            }
            let token = self.scanner.take()?;
            if kind == Kind::TagDirective {
                if self
                    .directives
                    .iter()
                    .any(|(handle, _)| *handle == token.text)
                {
                    return Err(YamlError::at(mark, "found duplicate %TAG directive"));
                }
                self.directives.push((token.text, token.rest));
            } else if version {
                return Err(YamlError::at(mark, "found duplicate %YAML directive"));
            } else if token.text != [1] || token.rest != [1] {
                return Err(YamlError::at(mark, "found incompatible YAML document"));
            } else {
                version = true;
            }
            if self.directives.len() > MAX_TAG_DIRECTIVES {
                return Err(YamlError::Limit {
                    what: "tag directives",
                    max: MAX_TAG_DIRECTIVES,
                });
            }
        }
        let defaults: [(&[u8], &[u8]); 2] = [(b"!", b"!"), (b"!!", b"tag:yaml.org,2002:")];
        for (handle, prefix) in defaults {
            if !self.directives.iter().any(|(known, _)| known == handle) {
                self.directives.push((handle.to_vec(), prefix.to_vec()));
            }
        }
        Ok(())
    }

    fn resolve_tag(
        &self,
        mark: Mark,
        handle: &[u8],
        suffix: Vec<u8>,
    ) -> Result<Vec<u8>, YamlError> {
        let tag = if handle.is_empty() {
            suffix
        } else {
            let prefix = self
                .directives
                .iter()
                .find(|(known, _)| known == handle)
                .map(|(_, prefix)| prefix);
            let tag = prefix
                .map(|prefix| [prefix.as_slice(), &suffix].concat())
                .unwrap_or_default();
            if tag.is_empty() {
                return Err(YamlError::at(mark, "found undefined tag handle"));
            }
            tag
        };
        if tag.len() > MAX_TAG {
            return Err(YamlError::Limit {
                what: "bytes in a tag",
                max: MAX_TAG,
            });
        }
        Ok(tag)
    }

    /// Anchor and tag, in either order.
    fn properties(&mut self) -> Result<(Option<Vec<u8>>, Vec<u8>), YamlError> {
        let (mut anchor, mut tag) = (None, Vec::new());
        let mut before = None;
        for _ in 0..2 {
            let (kind, mark) = self.scanner.peek()?;
            if !matches!(kind, Kind::Anchor | Kind::Tag) || before == Some(kind) {
                break;
            }
            let token = self.scanner.take()?;
            if kind == Kind::Anchor {
                anchor = Some(token.text);
            } else {
                // An undefined handle is a fault only behind the next token; the difference does not show.
                tag = self.resolve_tag(mark, &token.text, token.rest)?;
            }
            before = Some(kind);
        }
        Ok((anchor, tag))
    }

    fn node(&mut self, place: Place) -> Result<Event, YamlError> {
        let (kind, start) = self.scanner.peek()?;
        if kind == Kind::Alias {
            let token = self.scanner.take()?;
            self.pop();
            return Ok(Event {
                anchor: Some(token.text),
                ..Event::bare(Shape::Alias, start)
            });
        }
        let (anchor, tag) = self.properties()?;
        let (kind, mark) = self.scanner.peek()?;
        let event = |shape| Event {
            anchor,
            tag,
            ..Event::bare(shape, start)
        };
        let collection = match kind {
            Kind::BlockEntry if place == Place::BlockOrIndentless => {
                Some((Shape::SequenceStart, State::IndentlessSequence))
            }
            Kind::FlowSequenceStart => Some((Shape::SequenceStart, State::FlowSequenceFirst)),
            Kind::FlowMappingStart => Some((Shape::MappingStart, State::FlowKeyFirst)),
            Kind::BlockSequenceStart if place != Place::Flow => {
                Some((Shape::SequenceStart, State::BlockSequence))
            }
            Kind::BlockMappingStart if place != Place::Flow => {
                Some((Shape::MappingStart, State::BlockKey))
            }
            _ => None,
        };
        if let Some((shape, state)) = collection {
            if matches!(state, State::BlockSequence | State::BlockKey) {
                self.scanner.take()?;
            }
            self.state = state;
            return Ok(event(shape));
        }
        let mut scalar = event(Shape::Scalar);
        if matches!(kind, Kind::PlainScalar | Kind::OtherScalar) {
            scalar.text = self.scanner.take()?.text;
            scalar.implicit =
                (scalar.tag.is_empty() && kind == Kind::PlainScalar) || scalar.tag == b"!";
        } else if scalar.anchor.is_some() || !scalar.tag.is_empty() {
            scalar.implicit = scalar.tag.is_empty();
        } else {
            return Err(YamlError::at(mark, "did not find expected node content"));
        }
        self.pop();
        Ok(scalar)
    }

    fn block_sequence(&mut self) -> Result<Event, YamlError> {
        let (kind, mark) = self.scanner.peek()?;
        match kind {
            Kind::BlockEntry => {
                self.scanner.take()?;
                match self.scanner.peek()?.0 {
                    Kind::BlockEntry | Kind::BlockEnd => {
                        Ok(self.empty_at(State::BlockSequence, mark))
                    }
                    _ => self.node_then(State::BlockSequence, Place::Block),
                }
            }
            Kind::BlockEnd => self.end_collection(),
            _ => Err(YamlError::at(mark, "did not find expected '-' indicator")),
        }
    }

    fn indentless_sequence(&mut self) -> Result<Event, YamlError> {
        let (kind, mark) = self.scanner.peek()?;
        if kind != Kind::BlockEntry {
            self.pop();
            return Ok(Event::bare(Shape::CollectionEnd, mark));
        }
        self.scanner.take()?;
        match self.scanner.peek()?.0 {
            Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => {
                Ok(self.empty_at(State::IndentlessSequence, mark))
            }
            _ => self.node_then(State::IndentlessSequence, Place::Block),
        }
    }

    pub(super) fn empty_at(&mut self, state: State, mark: Mark) -> Event {
        self.state = state;
        Event::empty_scalar(mark)
    }

    fn block_key(&mut self) -> Result<Event, YamlError> {
        let (kind, mark) = self.scanner.peek()?;
        match kind {
            Kind::Key => {
                self.scanner.take()?;
                self.block_part(State::BlockValue, mark)
            }
            Kind::BlockEnd => self.end_collection(),
            _ => Err(YamlError::at(mark, "did not find expected key")),
        }
    }

    fn block_value(&mut self) -> Result<Event, YamlError> {
        let (kind, mark) = self.scanner.peek()?;
        if kind != Kind::Value {
            return Ok(self.empty_at(State::BlockKey, mark));
        }
        self.scanner.take()?;
        self.block_part(State::BlockKey, mark)
    }

    /// What stands behind `?` or `:` of a block mapping.
    fn block_part(&mut self, then: State, mark: Mark) -> Result<Event, YamlError> {
        match self.scanner.peek()?.0 {
            Kind::Key | Kind::Value | Kind::BlockEnd => Ok(self.empty_at(then, mark)),
            _ => self.node_then(then, Place::BlockOrIndentless),
        }
    }
}
