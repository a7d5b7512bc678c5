//! AUD: the record that the API server keeps of who did what.

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[];
