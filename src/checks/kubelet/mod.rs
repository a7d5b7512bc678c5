//! KUB: how the kubelet was started and configured, and who may call it.

mod anonymous_auth;
mod authorization;
mod config_files;
mod kubeconfig_file;
mod own_folder;
pub mod provenance;
mod read_only_port;
mod runtime_socket;
pub(super) mod setting;
mod static_pod_url;
mod unit_files;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &anonymous_auth::CHECK,
    &authorization::CHECK,
    &read_only_port::CHECK,
    &kubeconfig_file::CHECK,
    &config_files::CHECK,
    &unit_files::CHECK,
    &static_pod_url::CHECK,
    &own_folder::CHECK,
    &runtime_socket::CHECK,
];
