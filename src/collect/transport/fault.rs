//! What went wrong on the way, in the words of the fault table, and whether a second try makes sense.

use std::sync::Arc;

use crate::model::fact::{FaultClass, Gap};
use crate::model::hostkey::ShownKey;
use crate::model::text::Text;

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Fault {
    pub class: FaultClass,
    pub detail: String,
    /// The cause may be gone in a second: only for what a busy host does before anything was sent to it.
    pub again: bool,
    /// The key that the host showed, where it is neither on file nor spoken against: a person may trust it.
    pub shown: Option<Arc<ShownKey>>,
}

impl Fault {
    pub fn new(class: FaultClass, detail: impl Into<String>) -> Self {
        Self {
            class,
            detail: detail.into(),
            again: false,
            shown: None,
        }
    }

    pub fn again(class: FaultClass, detail: impl Into<String>) -> Self {
        Self {
            again: true,
            ..Self::new(class, detail)
        }
    }

    pub fn cancelled() -> Self {
        Self::new(
            FaultClass::Cancelled,
            "stopped before the node had answered",
        )
    }
}

impl From<Fault> for Gap {
    fn from(fault: Fault) -> Self {
        Self::Node {
            class: fault.class,
            detail: Text::new(&fault.detail),
        }
    }
}
