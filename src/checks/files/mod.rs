//! FILE: the static pod folder, the way to it, and every file that the kubelet loads from it.

mod admin_kubeconfigs;
mod ancestors;
mod certificate_files;
mod component_kubeconfigs;
mod etcd_data;
mod folder_owner;
mod folder_writable;
mod key_files;
mod leftovers;
mod manifest_mode;
mod manifest_owner;
mod not_a_pod;
mod owner;
mod pki_owner;
mod scope;

use super::check::Check;

pub(super) use scope::name as last;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &folder_writable::CHECK,
    &folder_owner::CHECK,
    &manifest_mode::CHECK,
    &manifest_owner::CHECK,
    &ancestors::CHECK,
    &leftovers::CHECK,
    &not_a_pod::CHECK,
    &pki_owner::CHECK,
    &certificate_files::CHECK,
    &key_files::CHECK,
    &admin_kubeconfigs::CHECK,
    &component_kubeconfigs::CHECK,
    &etcd_data::CHECK,
];
