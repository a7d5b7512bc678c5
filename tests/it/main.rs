//! The first tier: everything that needs no more than the toolchain.

mod layers;
mod registry;
