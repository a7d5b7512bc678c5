//! What went wrong on the way, in the words of the fault table, and whether a second try makes sense.

use std::sync::Arc;

use crate::model::ask::QuestionId;
use crate::model::fact::{FaultClass, Gap};
use crate::model::hostkey::ShownKey;
use crate::model::text::Text;

/// A failed attempt.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub class: FaultClass,
    pub detail: String,
    /// The cause may be gone in a second: only for what a busy host does before anything was sent to it.
    pub again: bool,
    /// The key that the host showed, where it is neither on file nor spoken against: a person may trust it.
    pub shown: Option<Arc<ShownKey>>,
    /// Said before in the same words, for other nodes: it stands with the node, not in the log.
    pub told: bool,
    /// No fault yet: the attempt is to be made again when this ticket is settled.
    pub waits: Option<QuestionId>,
    /// The bastion whose fault it is; none: the node's own.
    pub hop: Option<String>,
}

impl Fault {
    pub fn new(class: FaultClass, detail: impl Into<String>) -> Self {
        Self {
            class,
            detail: detail.into(),
            again: false,
            shown: None,
            told: false,
            waits: None,
            hop: None,
        }
    }

    pub fn again(class: FaultClass, detail: impl Into<String>) -> Self {
        Self {
            again: true,
            ..Self::new(class, detail)
        }
    }

    /// The same as a fault of a bastion, unless one before it has it already.
    pub fn of(self, hop: &str) -> Self {
        Self {
            hop: self.hop.or_else(|| Some(hop.to_owned())),
            ..self
        }
    }

    /// An answer is needed first.
    pub fn waiting(id: QuestionId) -> Self {
        let text = "the login waits for an answer: press r";
        Self {
            waits: Some(id),
            ..Self::new(FaultClass::AuthDenied, text)
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
        let (class, detail) = (fault.class, Text::new(&fault.detail));
        match fault.hop {
            Some(hop) => Self::Bastion {
                hop: Text::new(&hop),
                class,
                detail,
            },
            None => Self::Node { class, detail },
        }
    }
}

/// The gap with the address that was tried, where its text does not have it: what stands in a log is read alone.
/// Refused logins are told by user and key: the same words for all hosts that refuse the same.
pub(super) fn on(host: &str, port: u16, gap: Gap) -> Gap {
    use FaultClass::{AgentUnreachable, AuthDenied, NeedsSystemSsh};
    match gap {
        Gap::Node { class, detail }
            if !matches!(class, AuthDenied | AgentUnreachable | NeedsSystemSsh)
                && !detail.as_str().contains(host) =>
        {
            let at = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.to_owned()
            };
            Gap::Node {
                class,
                detail: Text::from(format!("{at}:{port}: {detail}")),
            }
        }
        gap => gap,
    }
}
