//! Everything that touches the network or a process. It reaches the rest only through messages of `model::link`.

pub mod cancel;
pub mod clock;
pub mod known_hosts;
pub mod options;
pub mod ssh_config;
pub mod targets;
pub mod transport;
