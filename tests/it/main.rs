//! The first tier: everything that needs no more than the toolchain.

mod engine;
mod layers;
mod registry;
