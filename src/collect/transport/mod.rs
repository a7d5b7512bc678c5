//! Ways to a node. Every way runs the same script and brings the same frame.

use std::time::Duration;

use crate::model::fact::Gap;
use crate::model::name::NodeName;
use crate::probes::frame::{Frame, Progress};

/// Where a node is reached and as whom. Addresses and names come from the API or the user and are checked data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRef {
    pub node: NodeName,
    /// What `ssh` would be given.
    pub host: String,
    pub port: u16,
    pub user: String,
    /// Under which names the host key may be on file, best first.
    pub known_as: Vec<String>,
    pub identities: Vec<std::path::PathBuf>,
    pub identities_only: bool,
}

/// What is run there.
#[derive(Clone, Debug)]
pub struct Collect {
    /// The exec request of the first line.
    pub command: String,
    /// What goes to its standard input: nonce, and where the tier asks for it the script.
    pub stdin: Vec<u8>,
    /// `[0-9a-f]{32}`: the frame must carry it.
    pub nonce: String,
}

/// Bounds and the way to stop.
pub struct Ctl<'a> {
    pub connect: Duration,
    pub handshake: Duration,
    pub auth: Duration,
    /// For the node as a whole.
    pub deadline: std::time::Instant,
    /// Bytes of standard output that are kept at most.
    pub cap: usize,
    pub cancelled: &'a std::sync::atomic::AtomicBool,
    /// Told as sections arrive.
    pub progress: &'a dyn Fn(Progress),
}

/// One way to a node.
pub trait Transport: Send {
    /// Connects, verifies the host, logs in, runs the job and returns what arrived.
    ///
    /// # Errors
    /// [`Gap::Node`] with the class of the fault; a frame that was cut is no error as long as a section is whole.
    fn run(&mut self, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Result<Frame, Gap>;
}
