//! The one place of this layer that asks what time it is: everything else is told.

use crate::model::Timestamp;

/// Now, UTC, by the clock of this machine.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this layer that reads the clock"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}
