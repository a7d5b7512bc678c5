//! The first tier: everything that needs no more than the toolchain.

#![allow(
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "tests read the project, start processes and tell the time themselves"
)]

mod api;
mod clean_node;
mod cli;
mod collector;
mod collector_shell;
mod compare;
mod demo;
#[path = "../lab/describe/mod.rs"]
#[allow(dead_code, reason = "other targets use the rest")]
mod describe;
mod distributions;
mod docs;
mod engine;
#[path = "../lab/farm.rs"]
mod farm;
mod faults;
mod files;
#[path = "../lab/fleet.rs"]
#[allow(dead_code, reason = "other targets use the rest")]
mod fleet;
mod frames;
mod jump;
mod lab;
#[path = "../lab/api/mod.rs"]
mod lab_api;
mod layers;
mod lint;
mod login;
mod mutation;
mod objects;
#[path = "../lab/offline.rs"]
mod offline;
mod policy;
mod pty;
mod registry;
mod reports;
mod retry;
mod running;
mod scratch;
mod screenshots;
mod secrets;
mod snapshots;
mod ssh;
#[path = "../lab/stage.rs"]
mod stage;
mod trust;
mod ways;
mod yaml;
