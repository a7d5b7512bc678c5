//! stakeout: evidence about Kubernetes static pods from the API server and from the nodes themselves.

pub mod model;

pub mod disk;

pub mod checks;
pub mod probes;

pub mod engine;
pub mod evaluate;
pub mod evidence;
pub mod lint;

pub mod diff;

pub mod collect;
pub mod report;
pub mod tui;

pub mod cli;
pub mod config;
pub mod docs;
pub mod error;

mod run;

pub use run::run;
