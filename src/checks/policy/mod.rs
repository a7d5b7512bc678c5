//! POL: the site's own policy file, held against what is there.

mod waivers;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[&waivers::CHECK];
