//! FILE: the static pod folder, the way to it, and every file that the kubelet loads from it.

mod ancestors;
mod folder_owner;
mod folder_writable;
mod leftovers;
mod manifest_mode;
mod manifest_owner;
mod not_a_pod;
mod owner;
mod scope;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &folder_writable::CHECK,
    &folder_owner::CHECK,
    &manifest_mode::CHECK,
    &manifest_owner::CHECK,
    &ancestors::CHECK,
    &leftovers::CHECK,
    &not_a_pod::CHECK,
];
