//! PRIV: what the containers of static pods may do, as their manifests say.

mod added_capabilities;
pub(super) mod containers;
mod default_user;
mod escalation;
mod git_repo;
mod host_namespaces;
mod host_network;
mod kept_capabilities;
mod kernel_surface;
mod limits;
mod mount_propagation;
pub(super) mod places;
mod privileged;
mod probe_host;
mod read_only_root;
mod root_user;
pub(super) mod runtime_socket;
mod shells;
mod user_namespace;
mod writable_host_path;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &privileged::CHECK,
    &host_namespaces::CHECK,
    &host_network::CHECK,
    &added_capabilities::CHECK,
    &kept_capabilities::CHECK,
    &escalation::CHECK,
    &root_user::CHECK,
    &read_only_root::CHECK,
    &writable_host_path::CHECK,
    &runtime_socket::CHECK,
    &kernel_surface::CHECK,
    &mount_propagation::CHECK,
    &user_namespace::CHECK,
    &limits::CHECK,
    &git_repo::CHECK,
    &probe_host::CHECK,
    &shells::CHECK,
    &default_user::CHECK,
];
