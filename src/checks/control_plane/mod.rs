//! CPL: flags of the control plane's components.

mod always_admit;
mod always_pull;
mod anonymous;
mod authorization;
mod controller_accounts;
mod event_rate_limit;
mod feature_gates;
mod human_credentials;
mod needed_plugins;
mod pod_collection;
mod powers;
mod profiling;
mod removed_flags;
mod request_timeout;
mod service_account_lookup;
mod serving_rotation;
mod token_expiration;
mod token_file;
mod wide_rights;

use super::check::Check;

/// Sorted by id.
pub const ALL: &[&Check] = &[
    &anonymous::CHECK,
    &token_file::CHECK,
    &authorization::CHECK,
    &event_rate_limit::CHECK,
    &always_admit::CHECK,
    &always_pull::CHECK,
    &needed_plugins::CHECK,
    &profiling::CHECK,
    &request_timeout::CHECK,
    &service_account_lookup::CHECK,
    &token_expiration::CHECK,
    &pod_collection::CHECK,
    &controller_accounts::CHECK,
    &serving_rotation::CHECK,
    &human_credentials::CHECK,
    &wide_rights::CHECK,
    &removed_flags::CHECK,
    &feature_gates::CHECK,
];
