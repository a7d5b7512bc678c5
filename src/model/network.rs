//! A node's network as the node has it: whose a listening socket is, what it shows in a TLS handshake, what the
//! firewall lets in, which CNI plugins there are.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::fact::{Fact, Locator};
use super::files::Certificate;
use super::paths::{Paths, Trail};
use super::text::Text;
use super::unix::Walk;

/// The process behind a listening socket; of several the one with the lowest number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketOwner {
    pub pid: u32,
    pub comm: Text,
    /// The pod's uid as the cgroup spells it; none for a process of the node itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<Text>,
}

/// The packet filter's way in. What a cloud or a switch filters before the node is not seen here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Firewall {
    /// Chains that packets for the node itself pass; empty: the node filters nothing.
    pub inputs: Vec<InputChain>,
}

/// A base chain at the `input` hook, with what its rules and the chains that they jump to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputChain {
    /// `ip`, `ip6` or `inet`.
    pub family: Text,
    pub table: Text,
    pub chain: Text,
    /// A new connection from anywhere to a port that no rule names is dropped or rejected: by the policy, or by a rule
    /// that matches everything.
    pub drops: bool,
    /// That hangs on what is not read: sets, maps, interfaces, marks.
    pub opaque: bool,
    /// Ports of Kubernetes with which it does another thing, or that some addresses reach.
    pub ports: Vec<PortRule>,
}

/// What becomes of new connections to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortRule {
    pub port: u16,
    pub verdict: PortVerdict,
    /// Only those from some addresses.
    pub narrowed: bool,
}

/// The last word of all rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortVerdict {
    Accept,
    /// Dropped or rejected.
    Drop,
    /// It hangs on what is not read.
    #[serde(other)]
    Other,
}

/// A folder of CNI configuration that the container runtime reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CniFolder {
    pub path: Text,
    pub trail: Trail,
    /// In byte order of their names, which is the order in which the runtime looks; the first one counts.
    pub files: Fact<Vec<CniFile>>,
}

impl CniFolder {
    /// `paths`: the table of the same node.
    pub fn walk(&self, paths: &Paths, at: Locator) -> Walk {
        paths.walk(&self.path, &self.trail, at)
    }
}

/// A file of CNI configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CniFile {
    pub path: Text,
    pub trail: Trail,
    /// Values of `type`, in the order of the file.
    pub types: Fact<Vec<Text>>,
}

impl CniFile {
    /// `paths`: the table of the same node.
    pub fn walk(&self, paths: &Paths, at: Locator) -> Walk {
        paths.walk(&self.path, &self.trail, at)
    }
}

/// The node's clock and the memory of its log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// Whether something keeps the clock right.
    pub clock: Clock,
    /// What told so: `timedatectl`, `chronyc`, `/run/systemd/timesync/synchronized`.
    pub told_by: Text,
    pub journal: Journal,
}

/// Whether the clock follows a reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    Synchronised,
    Free,
    /// Nothing on the node could tell.
    #[default]
    #[serde(other)]
    Untold,
}

/// Where journald keeps its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Journal {
    /// `/var/log/journal` exists and the configuration does not say `Storage=volatile` or `none`.
    Persistent,
    /// Lost at the next start.
    Volatile,
    /// No journald on the node.
    Absent,
    #[default]
    #[serde(other)]
    Untold,
}

/// A TLS port of Kubernetes that is listened on, and what it showed in one handshake from the node itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handshake {
    /// Where it was asked: an address that is listened on, 127.0.0.1 for all of them.
    pub address: IpAddr,
    pub port: u16,
    pub shown: Fact<Box<Shown>>,
}

impl Handshake {
    /// `127.0.0.1:6443`, `[::1]:6443`.
    pub fn place(&self) -> String {
        SocketAddr::new(self.address, self.port).to_string()
    }
}

/// What a server shows before it knows who asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// `TLSv1.3`; empty where nothing was agreed on, as without a certificate of the client.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub protocol: Text,
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub cipher: Text,
    /// The server's own, without those of its authorities.
    pub certificate: Certificate,
    /// The file of the node whose certificate has signed it, by the signature; none where no file that was read has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Text>,
}
