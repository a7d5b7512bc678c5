//! IMG: the images of static pods, which no admission and often no scanner ever looks at.

pub(super) mod across;
mod digest;
mod each;
mod frozen_registry;
mod mutable_tag;
mod pull_credentials;
mod pull_policy;
pub mod reference;
mod registry;
mod same_tag;
mod signature;
mod skew;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &digest::CHECK,
    &mutable_tag::CHECK,
    &registry::CHECK,
    &frozen_registry::CHECK,
    &pull_policy::CHECK,
    &skew::CHECK,
    &same_tag::CHECK,
    &signature::CHECK,
    &pull_credentials::CHECK,
];
