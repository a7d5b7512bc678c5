//! NET: who is kept out of static pods, and what leads to them from outside.

mod cni;
mod default_deny;
mod exposed_service;
mod external_ips;
mod firewall;
mod host_network_policy;
mod host_port;
mod leads;
mod mesh;
mod metadata_egress;
mod plaintext_listener;
mod policies;
mod proxy_metrics;
mod public_address;
mod reachable_route;
mod unselected_pod;
mod wide_policy;
mod wildcard_listener;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &cni::CHECK,
    &default_deny::CHECK,
    &host_network_policy::CHECK,
    &unselected_pod::CHECK,
    &wide_policy::CHECK,
    &metadata_egress::CHECK,
    &host_port::CHECK,
    &exposed_service::CHECK,
    &reachable_route::CHECK,
    &wildcard_listener::CHECK,
    &plaintext_listener::CHECK,
    &firewall::CHECK,
    &public_address::CHECK,
    &proxy_metrics::CHECK,
    &mesh::CHECK,
    &external_ips::CHECK,
];
