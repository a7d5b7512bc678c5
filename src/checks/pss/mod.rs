//! PSS: Pod Security Standards around static pods.

mod baseline;
pub(super) mod judged;
mod namespace_labels;
pub mod standard;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[&namespace_labels::CHECK];
