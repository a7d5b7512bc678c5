//! The tiers that need more than the toolchain: a trial whose machine lacks something is ignored and
//! says what it needs; `STAKEOUT_REQUIRE` names tiers whose trials must not be ignored.

#![allow(
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "tests make files and processes of their own; the bans are for the program"
)]

mod access_kernel;
mod cluster;
#[path = "../lab/describe/mod.rs"]
#[allow(dead_code, unused_imports, reason = "other targets use the rest")]
mod describe;
mod distributions;
#[path = "../lab/fleet.rs"]
#[allow(dead_code, reason = "other targets use the rest")]
mod fleet;
mod jump;
mod lab;
pub mod machine;
mod openssh;
mod pss_upstream;
mod ssh_config;
mod ssh_transport;
mod yaml_oracle;

use libtest_mimic::{Arguments, Trial};

/// One line a topic.
const TOPICS: &[fn() -> Vec<Trial>] = &[
    access_kernel::trials,
    lab::trials,
    openssh::trials,
    cluster::trials,
    distributions::trials,
    jump::trials,
    ssh_transport::trials,
    ssh_config::trials,
    yaml_oracle::trials,
    pss_upstream::trials,
];

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let trials = TOPICS.iter().flat_map(|topic| topic()).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    cluster::end();
    conclusion.exit_code()
}
