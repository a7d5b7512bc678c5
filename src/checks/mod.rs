//! The checks: facts in, verdict out. Pure: no clock, no environment, no file, no async.
//!
//! One check, one file, one line in its family's sorted list. `grep 'fn judge'` is the list of checks.

pub mod access;
mod api_servers;
mod audit;
pub mod check;
mod component;
mod confinement;
mod control_plane;
mod declared;
pub mod example;
mod exposure;
mod files;
pub mod fix;
mod flags;
mod holders;
pub mod images;
mod isolation;
mod kubelet;
mod lsm;
mod maps;
pub mod merge;
mod mounted;
mod network;
mod policy;
mod privilege;
mod program;
mod pss;
pub mod reach;
mod role;
mod running;
pub mod tls;
mod version;

use check::Check;

use crate::model::fact::Need;
pub use kubelet::provenance;
pub use pss::{patch, standard};

/// Every check, sorted by id within its family; held by a test of the registry.
pub const ALL: &[&[&Check]] = &[
    audit::ALL,
    control_plane::ALL,
    files::ALL,
    images::ALL,
    isolation::ALL,
    kubelet::ALL,
    lsm::ALL,
    merge::ALL,
    network::ALL,
    policy::ALL,
    privilege::ALL,
    pss::ALL,
    tls::ALL,
];

/// All checks in registry order.
pub fn all() -> impl Iterator<Item = &'static Check> {
    ALL.iter().flat_map(|family| family.iter().copied())
}

/// Whether some check reads a fact: lists of objects that none reads are not asked for.
pub fn read(need: Need) -> bool {
    all().any(|check| check.needs.contains(&need) || check.helps.contains(&need))
}

/// A check by its id, case ignored, with or without `SP-`.
pub fn find(id: &str) -> Option<&'static Check> {
    let wanted = id.to_ascii_uppercase();
    all().find(|check| check.id.0 == wanted || check.id.0.strip_prefix("SP-") == Some(&wanted))
}
