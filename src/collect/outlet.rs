//! The way out for plain threads: into the engine's bounded channel, and never stuck there after a cancellation.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use crate::model::fact::Gap;
use crate::model::link::{Level, LogLine, Update};
use crate::model::name::NodeName;
use crate::model::text::Text;

use super::cancel::{Cancel, Woken};
use super::clock::now;

/// Pause between two tries at a full channel.
const PAUSE: Duration = Duration::from_millis(5);

/// Where threads send.
#[derive(Clone)]
pub(super) struct Outlet {
    updates: SyncSender<Update>,
    cancel: Arc<Cancel>,
}

impl Outlet {
    pub fn new(updates: SyncSender<Update>, cancel: Arc<Cancel>) -> Self {
        Self { updates, cancel }
    }

    /// Waits while the engine is busy. After a cancellation, or when nobody listens any more, the update is dropped.
    pub fn send(&self, update: Update) {
        let mut update = update;
        loop {
            match self.updates.try_send(update) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => return,
                Err(TrySendError::Full(back)) => update = back,
            }
            if self.cancel.sleep(PAUSE) == Woken::Cancelled {
                return;
            }
        }
    }

    pub fn log(&self, level: Level, node: Option<&NodeName>, message: Text, next: Option<Text>) {
        self.send(Update::Log(LogLine {
            at: now(),
            level,
            node: node.cloned(),
            message,
            next,
        }));
    }

    /// A gap as it is met, with its next step.
    pub fn warn(&self, node: &NodeName, gap: &Gap) {
        self.log(
            Level::Warn,
            Some(node),
            Text::from(gap.to_string()),
            Some(gap.next_step_on(Some(node))),
        );
    }
}
