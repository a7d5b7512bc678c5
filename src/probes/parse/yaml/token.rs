//! What the scanner hands to the grammar: `yaml_token_t` of go-yaml v2.

/// A place in the text, counted from 0 as libyaml counts.
#[derive(Clone, Copy, Default)]
pub(super) struct Mark {
    /// Characters since the start.
    pub(super) index: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    StreamStart,
    StreamEnd,
    Version,
    TagDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    PlainScalar,
    OtherScalar,
}

pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: Mark,
    /// Scalar text, anchor name, tag handle, or the major version.
    pub(super) text: Vec<u8>,
    /// Tag suffix, tag prefix, or the minor version.
    pub(super) rest: Vec<u8>,
}

impl Token {
    /// A token that is only punctuation.
    pub(super) fn bare(kind: Kind, start: Mark) -> Self {
        Self {
            kind,
            start,
            text: Vec::new(),
            rest: Vec::new(),
        }
    }
}
