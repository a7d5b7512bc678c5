//! The collector's answer on the wire: sections between BEGIN and END, read as they arrive.

use crate::model::text::Text;

/// An answer, or as much of it as arrived.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Version of the script that answered.
    pub script: u32,
    /// The uid that it ran as.
    pub uid: u32,
    /// Sections whose END arrived; the others are missing.
    pub sections: Vec<Section>,
    /// The last line arrived and its count is right.
    pub complete: bool,
    /// What stood before BEGIN: banners and shell noise, at most 2 kB.
    pub noise: Text,
    /// Bytes received.
    pub bytes: usize,
}

/// One group of facts.
#[derive(Clone, Debug, Default)]
pub struct Section {
    pub name: String,
    pub records: Vec<Record>,
}

/// One line: a type and its fields, names decoded.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub kind: String,
    pub fields: Vec<Vec<u8>>,
}

/// Told while an answer arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Connected,
    Authenticated,
    Section { done: u16, of: u16 },
}
