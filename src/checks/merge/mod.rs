//! MRG: manifests, mirror pods and what really runs, held against each other.

mod apparmor_loaded;
pub mod compare;
mod drift;
mod duplicate_identity;
mod effective;
mod effective_rights;
mod forged_mirror;
mod hidden_pod;
mod host_path_source;
mod host_path_type;
mod missing_namespace;
mod orphan_pod;
pub mod pairs;
mod refused_mirror;
mod seccomp_file;
mod selinux_label;
mod settle;
mod unbacked_mirror;
mod undeclared_pod;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &hidden_pod::CHECK,
    &unbacked_mirror::CHECK,
    &missing_namespace::CHECK,
    &refused_mirror::CHECK,
    &drift::CHECK,
    &orphan_pod::CHECK,
    &duplicate_identity::CHECK,
    &forged_mirror::CHECK,
    &apparmor_loaded::CHECK,
    &seccomp_file::CHECK,
    &selinux_label::CHECK,
    &host_path_source::CHECK,
    &host_path_type::CHECK,
    &effective_rights::CHECK,
    &undeclared_pod::CHECK,
];
