//! MRG: manifests, mirror pods and what really runs, held against each other.

mod admin_credential;
mod api_references;
mod apparmor_loaded;
pub mod blockers;
pub mod compare;
pub(super) mod credentials;
mod declared_ports;
mod drift;
mod duplicate_identity;
mod effective;
mod effective_rights;
mod ending_pod;
mod false_health;
mod folder_writers;
mod forged_mirror;
mod hidden_pod;
pub(super) mod host_path_source;
mod host_path_type;
mod kubelet_pods;
mod live_certificate;
mod missing_namespace;
mod orphan_pod;
mod other_admission;
pub mod pairs;
mod peers;
mod pinned_uid;
pub(super) mod pod_reach;
pub mod references;
mod refused_mirror;
pub mod rows;
pub(super) mod running_image;
mod running_revision;
mod seccomp_file;
mod selinux_label;
pub mod settle;
mod source_mismatch;
mod unapplied_edit;
mod unbacked_mirror;
mod undeclared_pod;
pub mod why;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &hidden_pod::CHECK,
    &unbacked_mirror::CHECK,
    &missing_namespace::CHECK,
    &refused_mirror::CHECK,
    &api_references::CHECK,
    &other_admission::CHECK,
    &drift::CHECK,
    &unapplied_edit::CHECK,
    &running_revision::CHECK,
    &orphan_pod::CHECK,
    &duplicate_identity::CHECK,
    &forged_mirror::CHECK,
    &pinned_uid::CHECK,
    &source_mismatch::CHECK,
    &apparmor_loaded::CHECK,
    &seccomp_file::CHECK,
    &selinux_label::CHECK,
    &host_path_source::CHECK,
    &host_path_type::CHECK,
    &folder_writers::CHECK,
    &running_image::CHECK,
    &declared_ports::CHECK,
    &effective_rights::CHECK,
    &kubelet_pods::CHECK,
    &peers::CHECK,
    &undeclared_pod::CHECK,
    &false_health::CHECK,
    &ending_pod::CHECK,
    &live_certificate::CHECK,
    &admin_credential::CHECK,
];
