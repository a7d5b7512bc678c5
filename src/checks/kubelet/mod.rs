//! KUB: how the kubelet was started and configured, and who may call it.

mod anonymous_auth;
mod authorization;
mod read_only_port;
pub(super) mod setting;
mod static_pod_url;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &anonymous_auth::CHECK,
    &authorization::CHECK,
    &read_only_port::CHECK,
    &static_pod_url::CHECK,
];
