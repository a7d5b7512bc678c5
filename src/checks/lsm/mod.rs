//! LSM: what the kernel enforces beside file modes, and whether static pods make use of it.

mod apparmor_annotation;
mod apparmor_profile;
mod effective_label;
mod kernel_hardening;
mod mandatory_access;
mod manifest_label;
mod runtime_selinux;
mod seccomp_profile;
mod selinux_drift;
mod selinux_type;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &mandatory_access::CHECK,
    &apparmor_profile::CHECK,
    &apparmor_annotation::CHECK,
    &selinux_type::CHECK,
    &selinux_drift::CHECK,
    &runtime_selinux::CHECK,
    &effective_label::CHECK,
    &manifest_label::CHECK,
    &seccomp_profile::CHECK,
    &kernel_hardening::CHECK,
];
