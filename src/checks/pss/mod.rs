//! PSS: Pod Security Standards around static pods.

pub(super) mod admission;
mod baseline_pods;
mod cost;
mod engine;
mod exceptions;
mod exemptions;
pub(super) mod judged;
mod label_values;
mod label_versions;
pub(super) mod labels;
mod namespace_labels;
pub mod patch;
mod plugin;
mod policies_before;
mod policy_gate;
mod restricted_pods;
pub mod standard;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &baseline_pods::CHECK,
    &restricted_pods::CHECK,
    &namespace_labels::CHECK,
    &label_versions::CHECK,
    &label_values::CHECK,
    &plugin::CHECK,
    &exemptions::CHECK,
    &policies_before::CHECK,
    &engine::CHECK,
    &policy_gate::CHECK,
];
