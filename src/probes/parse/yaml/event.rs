//! What the grammar hands to the tree builder: `yaml_event_t` of go-yaml v2.

use super::token::Mark;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    DocumentStart,
    DocumentEnd,
    StreamEnd,
    Alias,
    Scalar,
    SequenceStart,
    MappingStart,
    CollectionEnd,
}

/// `yaml_event_t`, reduced to what the decoder looks at.
pub(super) struct Event {
    pub(super) shape: Shape,
    pub(super) mark: Mark,
    pub(super) anchor: Option<Vec<u8>>,
    pub(super) tag: Vec<u8>,
    pub(super) text: Vec<u8>,
    /// Whether the text may be something else than a string without a tag that says so.
    pub(super) implicit: bool,
}

impl Event {
    pub(super) fn bare(shape: Shape, mark: Mark) -> Self {
        Self {
            shape,
            mark,
            anchor: None,
            tag: Vec::new(),
            text: Vec::new(),
            implicit: false,
        }
    }

    pub(super) fn empty_scalar(mark: Mark) -> Self {
        Self {
            implicit: true,
            ..Self::bare(Shape::Scalar, mark)
        }
    }
}
