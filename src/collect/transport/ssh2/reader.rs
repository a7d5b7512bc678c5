//! Stands in for the frame reader of the probes until it lands: finds the first and the last line.

use crate::probes::frame::{Frame, Progress};

/// Bytes in, lines looked at.
#[derive(Debug, Default)]
pub(super) struct Reader {
    nonce: String,
    all: Vec<u8>,
    begun: bool,
    complete: bool,
}

impl Reader {
    pub fn new(nonce: &str) -> Self {
        Self {
            nonce: nonce.to_owned(),
            ..Self::default()
        }
    }

    pub fn push(&mut self, bytes: &[u8]) -> Vec<Progress> {
        self.all.extend(bytes);
        let has = |line: &str| {
            let line = format!("\n@STK1 {line} {}", self.nonce);
            self.all
                .windows(line.len())
                .any(|window| window == line.as_bytes())
        };
        self.begun = has("BEGIN");
        self.complete = self.begun && has("END");
        Vec::new()
    }

    pub fn bytes(&self) -> usize {
        self.all.len()
    }

    pub fn noise(&self) -> &[u8] {
        &self.all
    }

    pub fn has_begun(&self) -> bool {
        self.begun
    }

    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub fn finish(self) -> Frame {
        Frame {
            complete: self.complete,
            bytes: self.all.len(),
            ..Frame::default()
        }
    }
}
