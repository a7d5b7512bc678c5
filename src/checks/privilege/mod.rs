//! PRIV: what the containers of static pods may do, as their manifests say.

mod containers;
mod privileged;
mod read_only_root;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[&privileged::CHECK, &read_only_root::CHECK];
