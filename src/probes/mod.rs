//! What to ask for, and how a reply becomes facts. Pure: no clock, no environment, no file, no async.

pub mod api;
pub mod collector;
pub mod frame;
pub mod mask;
pub mod parse;
pub mod probe;
pub mod rights;

use probe::Probe;

/// Every probe, in the order in which the collector runs them.
pub const ALL: &[&Probe] = &[
    &api::NODE_OBJECT,
    &api::MIRROR_PODS,
    &api::POD_UIDS,
    &api::NAMESPACES,
];
