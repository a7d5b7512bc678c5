//! Pieces of a screen that know nothing of the world: a row of cells, the heat strip, wrapped words, a typed line.

pub mod heat;
pub mod modal;
pub mod strip;
pub mod typed;
pub mod words;
