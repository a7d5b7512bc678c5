//! The first tier: everything that needs no more than the toolchain.

#![allow(
    clippy::disallowed_methods,
    reason = "tests read the project, start processes and tell the time themselves"
)]

mod api;
mod compare;
mod collector;
mod engine;
#[path = "../lab/farm.rs"]
mod farm;
#[path = "../lab/api/mod.rs"]
mod lab_api;
mod frames;
mod layers;
mod pty;
#[path = "../lab/describe/mod.rs"]
mod describe;
mod engine;
#[path = "../lab/farm.rs"]
mod farm;
#[path = "../lab/fleet.rs"]
mod fleet;
mod lab;
mod layers;
#[path = "../lab/offline.rs"]
mod offline;
mod registry;
mod ssh;
mod yaml;
