//! AUD: the record that the API server keeps of who did what.

mod backend;
mod blind_spots;
mod log_file;
mod mirror_records;
mod policy;
mod policy_file;
mod rotation;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &backend::CHECK,
    &policy_file::CHECK,
    &rotation::CHECK,
    &mirror_records::CHECK,
    &blind_spots::CHECK,
    &log_file::CHECK,
];
