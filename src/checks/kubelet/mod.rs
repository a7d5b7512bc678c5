//! KUB: how the kubelet was started and configured, and who may call it.

mod anonymous_auth;
mod authorization;
mod bootstrap_tokens;
mod certificate_approval;
mod client_ca;
mod client_identity;
mod config_files;
mod debug_handlers;
mod event_rate;
mod hostname_override;
mod kernel_defaults;
mod kubeconfig_file;
mod moved_folder;
mod node_authorizer;
mod node_proxy;
mod node_rights;
mod node_role;
mod own_confinement;
mod own_folder;
mod pid_limit;
mod process;
pub mod provenance;
mod read_only_port;
mod rotation;
mod running_config;
mod runtime_socket;
mod seccomp_default;
mod serving_certificate;
pub(super) mod setting;
mod static_pod_url;
mod unit_files;
mod unsafe_sysctls;
mod url_header;
mod version;
mod worker_folder;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &anonymous_auth::CHECK,
    &authorization::CHECK,
    &client_ca::CHECK,
    &read_only_port::CHECK,
    &node_role::CHECK,
    &node_rights::CHECK,
    &node_authorizer::CHECK,
    &client_identity::CHECK,
    &kubeconfig_file::CHECK,
    &config_files::CHECK,
    &unit_files::CHECK,
    &running_config::CHECK,
    &worker_folder::CHECK,
    &static_pod_url::CHECK,
    &url_header::CHECK,
    &moved_folder::CHECK,
    &node_proxy::CHECK,
    &certificate_approval::CHECK,
    &bootstrap_tokens::CHECK,
    &rotation::CHECK,
    &serving_certificate::CHECK,
    &debug_handlers::CHECK,
    &pid_limit::CHECK,
    &seccomp_default::CHECK,
    &kernel_defaults::CHECK,
    &unsafe_sysctls::CHECK,
    &event_rate::CHECK,
    &hostname_override::CHECK,
    &own_folder::CHECK,
    &runtime_socket::CHECK,
    &version::CHECK,
    &own_confinement::CHECK,
];
