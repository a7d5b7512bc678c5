//! The dashboard.

pub mod app;
mod frame;
pub mod keys;
mod pane;
mod prompt;
pub mod theme;
mod widget;
pub mod world;

pub use pane::Address;
