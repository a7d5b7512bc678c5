//! The first tier: everything that needs no more than the toolchain.

mod engine;
#[path = "../lab/farm.rs"]
mod farm;
mod layers;
mod registry;
mod ssh;
