//! ISO: what keeps ordinary pods away from the static pods that matter.

mod blanket_toleration;
mod control_plane_taint;
mod dedicated_pool;
mod default_namespace;
mod foreign_workloads;
mod node_name;
mod placement;
mod priority;
mod requests;
mod spoofable_label;
mod spots;
mod static_affinity;
mod taint_removal;
mod worker_pod;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &control_plane_taint::CHECK,
    &foreign_workloads::CHECK,
    &blanket_toleration::CHECK,
    &worker_pod::CHECK,
    &dedicated_pool::CHECK,
    &spoofable_label::CHECK,
    &static_affinity::CHECK,
    &node_name::CHECK,
    &requests::CHECK,
    &priority::CHECK,
    &default_namespace::CHECK,
    &taint_removal::CHECK,
];
