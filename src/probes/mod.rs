//! What to ask for, and how a reply becomes facts. Pure: no clock, no environment, no file, no async.

pub mod frame;
pub mod mask;
pub mod parse;
pub mod probe;

use probe::Probe;

/// Every probe, in the order in which the collector runs them.
pub const ALL: &[&Probe] = &[];
