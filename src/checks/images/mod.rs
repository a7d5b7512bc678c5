//! IMG: the images of static pods, which no admission and often no scanner ever looks at.

mod digest;
mod each;
mod frozen_registry;
mod mutable_tag;
mod pull_policy;
pub mod reference;
mod registry;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &digest::CHECK,
    &mutable_tag::CHECK,
    &registry::CHECK,
    &frozen_registry::CHECK,
    &pull_policy::CHECK,
];
