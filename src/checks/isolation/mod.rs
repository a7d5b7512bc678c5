//! ISO: what keeps ordinary pods away from the static pods that matter.

mod control_plane_taint;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[&control_plane_taint::CHECK];
