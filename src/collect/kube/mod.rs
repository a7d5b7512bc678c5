//! The API server's side: nodes, namespaces, pods and the server's identity, listed and watched.
//!
//! Lives here: the one maker of the kube client, the guard that lets nothing but reads out of the
//! process, paging, watching, and the words for what goes wrong. JSON becomes facts in `probes::api`.
//! Never lives here: a verb that writes.

pub mod client;
pub mod fault;
pub mod guard;
mod identity;
mod listing;
mod namespaces;
mod nodes;
mod objects;
mod pace;
mod pods;
mod proxy;
mod sink;
pub mod watch;
mod wire;

pub use client::{Access, Connection, connect, context, may_ask};
pub use watch::{Mode, Options, run, unreachable};
pub use wire::Patience;
