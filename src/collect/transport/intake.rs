//! Both outputs of a command as they arrive: the frame, and what stood in its way.

use crate::model::fact::{FaultClass, Gap};
use crate::model::text::Text;
use crate::probes::frame::{Frame, FrameReader};

use super::fault::Fault;
use super::{Collect, Ctl};

/// How much of standard error is kept, and of that shown.
const STDERR: usize = 64 * 1024;
const SHOWN: usize = 200;

/// Takes bytes under caps.
pub(super) struct Intake {
    reader: FrameReader,
    /// Bytes of standard output so far.
    bytes: usize,
    stderr: Vec<u8>,
}

impl Intake {
    pub fn new(job: &Collect) -> Self {
        Self {
            reader: FrameReader::new(&job.nonce, job.sections),
            bytes: 0,
            stderr: Vec::new(),
        }
    }

    /// Standard output; progress is told on the way.
    ///
    /// # Errors
    /// More than the cap.
    pub fn output(&mut self, bytes: &[u8], ctl: &Ctl<'_>) -> Result<(), Fault> {
        self.bytes += bytes.len();
        for progress in self.reader.push(bytes) {
            (ctl.progress)(progress);
        }
        if self.bytes > ctl.cap && !self.reader.is_over() {
            return Err(Fault::new(
                FaultClass::OutputTooLarge,
                format!("more than {} bytes of output", ctl.cap),
            ));
        }
        Ok(())
    }

    /// Standard error; what is beyond the cap is read and dropped.
    pub fn error(&mut self, bytes: &[u8]) {
        let room = STDERR.saturating_sub(self.stderr.len()).min(bytes.len());
        self.stderr.extend(&bytes[..room]);
    }

    /// Nothing that could still arrive is of use.
    pub fn is_over(&self) -> bool {
        self.reader.is_over()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn stderr(&self) -> &[u8] {
        &self.stderr
    }

    /// The frame, with the connection's own reason where the answer was cut by it.
    ///
    /// # Errors
    /// Why there is no frame; what was written to standard error is then the best hint there is.
    pub fn finish(self, cut: Option<Fault>) -> Result<Frame, Gap> {
        let over = self.reader.is_over();
        match (self.reader.finish(), cut) {
            (Ok(frame), Some(cut)) if !over => Ok(Frame {
                cut: Some(cut.into()),
                ..frame
            }),
            (Ok(frame), _) => Ok(frame),
            (Err(_), Some(cut)) if !over => Err(with_complaint(&self.stderr, cut.into())),
            (Err(gap), _) => Err(with_complaint(&self.stderr, gap)),
        }
    }
}

fn with_complaint(stderr: &[u8], gap: Gap) -> Gap {
    let head = stderr[..stderr.len().min(SHOWN)].trim_ascii();
    match gap {
        // The way was chosen, and sudo is where it ended: a right is missing, not a node.
        Gap::Node {
            class: FaultClass::Disconnected,
            ..
        } if head.windows(5).any(|word| word == b"sudo:") => Gap::Denied {
            what: Text::from(format!("anything as root: {}", Text::from_bytes(head))),
        },
        Gap::Node { class, detail } if !head.is_empty() => Gap::Node {
            class,
            detail: Text::from(format!(
                "{detail}; standard error: {}",
                Text::from_bytes(head)
            )),
        },
        gap => gap,
    }
}
