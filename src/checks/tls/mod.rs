//! TLS: certificates, and who is asked for one.

mod authority_expiry;
pub mod certificates;
mod client_authority;
mod encryption;
mod etcd_authority;
mod etcd_client;
mod etcd_listener;
mod etcd_peer;
mod etcd_server;
mod expiry;
pub mod keys;
mod kubeconfig_trust;
pub mod kubeconfigs;
mod kubelet_client;
mod names;
mod plain_probe;
mod serving_certificate;
mod shared_key;
mod versions;
mod weak_keys;

use super::check::Check;
pub use certificates::{SOON, days_left};

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &serving_certificate::CHECK,
    &client_authority::CHECK,
    &etcd_client::CHECK,
    &kubelet_client::CHECK,
    &etcd_server::CHECK,
    &etcd_peer::CHECK,
    &etcd_authority::CHECK,
    &versions::CHECK,
    &expiry::CHECK,
    &authority_expiry::CHECK,
    &weak_keys::CHECK,
    &kubeconfig_trust::CHECK,
    &names::CHECK,
    &plain_probe::CHECK,
    &shared_key::CHECK,
    &encryption::CHECK,
];
