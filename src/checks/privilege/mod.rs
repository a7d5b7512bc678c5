//! PRIV: what the containers of static pods may do, as their manifests say.

mod containers;
mod privileged;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[&privileged::CHECK];
