//! Names, facts, evidence and verdicts: the words that every other layer speaks.
//!
//! Lives here: plain data with serde, and the small invariants that make it trustworthy
//! (cleaned text, facts that are either seen or a gap). Never lives here: a clock, a file,
//! a socket, an opinion about what is secure.

pub mod ask;
pub mod baseline;
pub mod cluster;
pub mod fact;
pub mod files;
pub mod gap;
pub mod hostkey;
pub mod known;
pub mod kubelet;
pub mod lines;
pub mod link;
pub mod lsm;
pub mod name;
pub mod network;
pub mod node;
pub mod objects;
pub mod offset;
pub mod paths;
pub mod pod;
pub mod policy;
pub mod process;
pub mod reports;
pub mod secret;
pub mod snapshot;
pub mod text;
mod traits;
pub mod tree;
pub mod unix;
pub mod uses;
pub mod verdict;

pub use jiff::Timestamp;
