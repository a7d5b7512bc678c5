//! The `stakeout` program: everything is in the library.
fn main() {}
