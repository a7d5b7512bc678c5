//! Ways to a node. Every way runs the same script and brings the same frame.

pub mod either;
mod fault;
mod intake;
pub mod local;
pub mod openssh;
pub mod ssh2;
mod trust;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::fact::Gap;
use crate::model::name::NodeName;
use crate::probes::frame::{Frame, Progress};

use super::cancel::{Cancel, Woken};
use fault::Fault;

/// Where a node is reached and as whom. Addresses and names come from the API or the user and are checked data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    pub client: Client,
    /// Certificates beside those that lie next to their keys.
    pub certificates: Vec<PathBuf>,
    /// What the configuration provides for and only OpenSSH can do.
    pub beyond: Vec<Beyond>,
    /// The bastion before it, which may have one of its own.
    pub via: Option<Arc<NodeRef>>,
}

/// A way to log in that libssh2 does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Beyond {
    /// Kerberos tickets, where the host takes them.
    Gssapi,
    /// Keys of a PKCS #11 provider.
    Provider,
}

/// Which SSH client goes there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Client {
    /// The one inside the program.
    #[default]
    Libssh2,
    /// The system's `ssh`, and why.
    OpenSsh(String),
    /// The one inside the program, whatever it cannot do: the configuration says so.
    OnlyLibssh2,
}

impl NodeRef {
    /// Over which hosts and by which client it is reached, where that is not straight: `via b1, b2 (libssh2 lanes)`.
    pub fn route(&self) -> Option<String> {
        if let Client::OpenSsh(why) = &self.client {
            return Some(format!("system ssh: {why}"));
        }
        let hops = std::iter::successors(self.via.as_deref(), |hop| hop.via.as_deref());
        let mut names: Vec<&str> = hops.map(|hop| hop.node.as_str()).collect();
        names.reverse();
        match names.as_slice() {
            [] => None,
            [one] => Some(format!("via {one} (libssh2 lane)")),
            several => Some(format!("via {} (libssh2 lanes)", several.join(", "))),
        }
    }
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

/// Pauses before another attempt, each with up to half of it on top.
const PAUSES: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(1200)];

/// Makes attempts as long as the cause of the failure may be gone in a second.
fn retry<T>(ctl: &Ctl<'_>, mut attempt: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
    for pause in PAUSES {
        let fault = match attempt() {
            Err(fault) if fault.again => fault,
            outcome => return outcome,
        };
        let pause = jitter(pause);
        if Instant::now() + pause >= ctl.deadline {
            return Err(fault);
        }
        if ctl.cancel.sleep(pause) == Woken::Cancelled {
            return Err(Fault::cancelled());
        }
    }
    attempt()
}

/// Spreads retries, so that a fleet does not come back as one.
fn jitter(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without entropy the pause is what it is.
    let _ = openssl::rand::rand_bytes(&mut byte);
    pause + pause * u32::from(byte[0]) / 510
}

/// One way to a node.
pub trait Transport: Send {
    /// Connects, verifies the host, logs in, runs the job and returns what arrived.
    ///
    /// # Errors
    /// [`Gap::Node`] with the class of the fault; a frame that was cut is no error as long as a section is whole.
    fn run(&mut self, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Result<Frame, Gap>;
}
