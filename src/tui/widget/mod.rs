//! Pieces of a screen without state: a row of cells, the heat strip, wrapped words.

pub mod heat;
pub mod modal;
pub mod strip;
pub mod words;
