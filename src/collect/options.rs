//! What this layer is told about the user's wishes: plain values, filled in by whoever read the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::name::NodeName;

use super::route::Route;

/// This program as the kernel knows it, whatever became of its file.
pub const PROGRAM: &str = "/proc/self/exe";

/// How nodes are reached. `Default` is what holds where the user said nothing.
#[derive(Clone, Debug)]
pub struct Options {
    /// The login name for every node; over what ssh_config says.
    pub user: Option<String>,
    /// The port for every node; over what ssh_config says.
    pub port: Option<u16>,
    /// Key files instead of those of ssh_config; with any, no other key of the agent is offered.
    pub identities: Vec<PathBuf>,
    /// Files of host keys instead of those of ssh_config.
    pub known_hosts: Vec<PathBuf>,
    /// The file of keys that a person has trusted through the program, read besides the others.
    pub own_known_hosts: Option<PathBuf>,
    /// Settings of single nodes; also the list to start from while the API server is down.
    pub hosts: BTreeMap<NodeName, Host>,
    /// How rights beyond the login's own are taken.
    pub rights: Rights,
    /// Which SSH client goes to nodes.
    pub program: Program,
    pub place: Place,
    pub bounds: Bounds,
    pub audience: Audience,
}

/// One node of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    pub address: Option<String>,
    pub port: Option<u16>,
    pub user: Option<String>,
    /// The name under which its host key is on file.
    pub known_as: Option<String>,
    pub rights: Option<Rights>,
    /// No way in by choice.
    pub api_only: bool,
    /// Another way than SSH.
    pub route: Option<Route>,
}

/// By which right the collector runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rights {
    /// The installed collector where there is one, else the login's own rights.
    #[default]
    Collector,
    /// The login's own rights only.
    Never,
    /// Through `sudo sh`: equals root.
    Stream,
}

/// Which SSH client goes to nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Program {
    /// The one inside, and OpenSSH for what that cannot do.
    #[default]
    Auto,
    /// The one inside only.
    Libssh2,
    /// The system's `ssh` only.
    OpenSsh,
}

/// Whether a person is there to type a passphrase or a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// Nothing is asked: what would need an answer is a gap with its next step.
    #[default]
    Nobody,
    Person,
}

/// Where the program runs: what it would otherwise ask the environment.
#[derive(Clone, Debug)]
pub struct Place {
    /// The user's home folder.
    pub home: PathBuf,
    /// The user's name here, which is the login name where nothing else is said.
    pub login: String,
    /// `SSH_AUTH_SOCK`; none where it is not set, or where the agent shall not be asked.
    pub agent: Option<PathBuf>,
    /// An ssh_config to read instead of the user's and the system's.
    pub ssh_config: Option<PathBuf>,
    /// The client whose reading of ssh_config counts.
    pub ssh: PathBuf,
    /// This program, to be started again where a root has to be entered.
    pub program: PathBuf,
}

/// Numbers and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Nodes at once, 1 to 256.
    pub workers: usize,
    pub connect: Duration,
    /// Banner and key exchange.
    pub handshake: Duration,
    pub auth: Duration,
    /// For the collector on a node.
    pub script: Duration,
    /// For one node as a whole.
    pub node: Duration,
    /// Bytes that one node may answer.
    pub cap: usize,
    /// Logins at one bastion at the same time, 1 to 8.
    pub lanes: usize,
    /// Connections over one of them, 1 to 256; sshd gives a session 1,024 descriptors.
    pub channels: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user: None,
            port: None,
            identities: Vec::new(),
            known_hosts: Vec::new(),
            own_known_hosts: None,
            hosts: BTreeMap::new(),
            rights: Rights::default(),
            program: Program::default(),
            place: Place {
                home: "/".into(),
                login: "root".to_owned(),
                agent: None,
                ssh_config: None,
                ssh: "ssh".into(),
                program: PROGRAM.into(),
            },
            bounds: Bounds::default(),
            audience: Audience::default(),
        }
    }
}

impl Default for Bounds {
    /// Measured: 64 at once read 5,000 nodes of 300 ms in 25 s with 22 MiB.
    fn default() -> Self {
        Self {
            workers: 64,
            connect: Duration::from_secs(5),
            handshake: Duration::from_secs(8),
            auth: Duration::from_secs(8),
            script: Duration::from_secs(25),
            node: Duration::from_secs(40),
            cap: 4 << 20,
            lanes: 4,
            channels: 32,
        }
    }
}
