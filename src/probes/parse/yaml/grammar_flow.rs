//! The states of `parserc.go` for `[...]` and `{...}`.

use super::YamlError;
use super::event::{Event, Shape};
use super::grammar::{Grammar, Place, State};
use super::token::{Kind, Mark};

impl Grammar<'_> {
    /// The start token (`first`) or the comma before the next entry.
    fn flow_separator(
        &mut self,
        first: bool,
        end: Kind,
        problem: &str,
    ) -> Result<(Kind, Mark), YamlError> {
        if first {
            self.scanner.take()?;
        }
        let (kind, mark) = self.scanner.peek()?;
        if first || kind == end {
            return Ok((kind, mark));
        }
        if kind != Kind::FlowEntry {
            return Err(YamlError::at(mark, problem));
        }
        self.scanner.take()?;
        self.scanner.peek()
    }

    pub(super) fn flow_sequence(&mut self, first: bool) -> Result<Event, YamlError> {
        let end = Kind::FlowSequenceEnd;
        let (kind, mark) = self.flow_separator(first, end, "did not find expected ',' or ']'")?;
        if kind == end {
            return self.end_collection();
        }
        if kind == Kind::Key {
            self.scanner.take()?;
            self.state = State::FlowPairKey;
            return Ok(Event::bare(Shape::MappingStart, mark));
        }
        self.node_then(State::FlowSequence, Place::Flow)
    }

    pub(super) fn flow_pair_key(&mut self) -> Result<Event, YamlError> {
        let (kind, mark) = self.scanner.peek()?;
        if matches!(kind, Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd) {
            // The original takes the token, whichever it is; so `[? ]` loses its bracket.
            self.scanner.take()?;
            return Ok(self.empty_at(State::FlowPairValue, mark));
        }
        self.node_then(State::FlowPairValue, Place::Flow)
    }

    pub(super) fn flow_pair_value(&mut self) -> Result<Event, YamlError> {
        if self.scanner.peek()?.0 == Kind::Value {
            self.scanner.take()?;
            if !matches!(
                self.scanner.peek()?.0,
                Kind::FlowEntry | Kind::FlowSequenceEnd
            ) {
                return self.node_then(State::FlowPairEnd, Place::Flow);
            }
        }
        self.empty(State::FlowPairEnd)
    }

    pub(super) fn flow_key(&mut self, first: bool) -> Result<Event, YamlError> {
        let end = Kind::FlowMappingEnd;
        let (kind, _) = self.flow_separator(first, end, "did not find expected ',' or '}'")?;
        if kind == end {
            return self.end_collection();
        }
        if kind != Kind::Key {
            return self.node_then(State::FlowEmptyValue, Place::Flow);
        }
        self.scanner.take()?;
        if matches!(
            self.scanner.peek()?.0,
            Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd
        ) {
            return self.empty(State::FlowValue);
        }
        self.node_then(State::FlowValue, Place::Flow)
    }

    pub(super) fn flow_value(&mut self) -> Result<Event, YamlError> {
        if self.scanner.peek()?.0 == Kind::Value {
            self.scanner.take()?;
            if !matches!(
                self.scanner.peek()?.0,
                Kind::FlowEntry | Kind::FlowMappingEnd
            ) {
                return self.node_then(State::FlowKey, Place::Flow);
            }
        }
        self.empty(State::FlowKey)
    }
}
