//! Everything that touches the network or a process. It reaches the rest only through messages of `model::link`.

pub mod cancel;
pub mod clock;
pub mod known_hosts;
pub mod node;
pub mod options;
mod outlet;
pub mod pool;
pub mod ssh_config;
pub mod targets;
pub mod kube;
pub mod transport;
