//! FILE: the static pod folder, the way to it, and every file that the kubelet loads from it.

mod access_lists;
mod admin_kubeconfigs;
mod ancestors;
mod baseline;
mod baseline_drift;
mod certificate_files;
mod cni_files;
mod component_account;
mod component_kubeconfigs;
mod etcd_data;
mod file_system;
mod folder_missing;
mod folder_owner;
mod folder_readable;
mod folder_writable;
mod group_members;
mod hard_links;
mod key_files;
mod leftovers;
mod links;
mod literals;
mod manifest_mode;
mod manifest_owner;
mod mounted_over;
mod not_a_pod;
mod odd_entries;
mod owner;
mod pki_owner;
mod recent_change;
mod scope;
mod set_back_times;
mod unloaded_names;

use super::check::Check;

pub(super) use scope::name as last;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &folder_writable::CHECK,
    &folder_readable::CHECK,
    &folder_owner::CHECK,
    &manifest_mode::CHECK,
    &manifest_owner::CHECK,
    &ancestors::CHECK,
    &links::CHECK,
    &access_lists::CHECK,
    &leftovers::CHECK,
    &unloaded_names::CHECK,
    &odd_entries::CHECK,
    &not_a_pod::CHECK,
    &literals::CHECK,
    &file_system::CHECK,
    &hard_links::CHECK,
    &group_members::CHECK,
    &recent_change::CHECK,
    &baseline_drift::CHECK,
    &set_back_times::CHECK,
    &pki_owner::CHECK,
    &certificate_files::CHECK,
    &key_files::CHECK,
    &admin_kubeconfigs::CHECK,
    &component_kubeconfigs::CHECK,
    &etcd_data::CHECK,
    &cni_files::CHECK,
    &folder_missing::CHECK,
    &mounted_over::CHECK,
];
