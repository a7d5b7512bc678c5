//! MRG: manifests, mirror pods and what really runs, held against each other.

pub mod compare;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[];
