//! Ways to a node. Every way runs the same script and brings the same frame.

mod fault;
mod intake;
pub mod ssh2;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::fact::Gap;
use crate::model::name::NodeName;
use crate::probes::frame::{Frame, Progress};

use super::cancel::Cancel;

/// Where a node is reached and as whom. Addresses and names come from the API or the user and are checked data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRef {
    pub node: NodeName,
    /// What `ssh` would connect to.
    pub host: String,
    pub port: u16,
    pub user: String,
    /// Under which names the host key may be on file, best first; `[host]:port` where the port is not 22.
    pub known_as: Vec<String>,
    /// Files of trusted host keys; those that do not exist count as empty.
    pub known_hosts: Vec<PathBuf>,
    /// Private keys, or public ones whose private half an agent holds.
    pub identities: Vec<PathBuf>,
    /// Offer no key of the agent beyond `identities`.
    pub identities_only: bool,
    /// The agent's socket; none: do not ask one.
    pub agent: Option<PathBuf>,
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
    /// Sections that the present script has, for the progress.
    pub sections: u16,
}

/// Bounds and the way to stop.
pub struct Ctl<'a> {
    pub connect: Duration,
    /// Banner and key exchange.
    pub handshake: Duration,
    pub auth: Duration,
    /// For the job itself.
    pub script: Duration,
    /// For the node as a whole.
    pub deadline: Instant,
    /// Bytes of standard output that are kept at most.
    pub cap: usize,
    pub cancel: &'a Arc<Cancel>,
    /// Told as sections arrive.
    pub progress: &'a dyn Fn(Progress),
}

impl Ctl<'_> {
    /// The end of a phase that starts now.
    fn until(&self, phase: Duration) -> Instant {
        (Instant::now() + phase).min(self.deadline)
    }
}

/// One way to a node.
pub trait Transport: Send {
    /// Connects, verifies the host, logs in, runs the job and returns what arrived.
    ///
    /// # Errors
    /// [`Gap::Node`] with the class of the fault; a frame that was cut is no error as long as a section is whole.
    fn run(&mut self, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Result<Frame, Gap>;
}
