//! Nodes that are described, not programmed: from a few lines of YAML to what the collector prints there.
//!
//! A description names a template and what differs from it. The node that is built from it has files, processes,
//! sockets and pods that fit together: what the kubelet would load from the described folder runs, leaves its
//! traces and has its mirror pod, unless the description says otherwise. No shell, no file and no process of this
//! machine is behind it.

mod api;
mod build;
mod certs;
mod files;
mod handshakes;
mod kubeadm;
mod kubelet;
mod listing;
mod pods;
mod running;
mod sections;
mod shell;
pub mod spec;
pub mod tree;
mod upkeep;

use std::net::SocketAddr;

use serde_json::Value;
use stakeout::probes::probe::Ask;
use stakeout::probes::{self, collector};

#[allow(unused_imports, reason = "not every target scales the fleet")]
pub use api::{Place, workload};
pub use pods::{StaticPod, Workload};
use spec::Access;
pub use spec::Description;
use tree::{Login, Tree};

use shell::Shell;

/// When a described world stands, seconds since the epoch; all of its times follow from it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub now: i64,
}

impl Clock {
    const DAY: i64 = 86_400;

    /// Nodes were set up so long ago.
    pub fn installed(self) -> i64 {
        self.now - 41 * Self::DAY
    }

    /// And started last so long ago.
    pub fn booted(self) -> i64 {
        self.now - 12 * Self::DAY
    }
}

/// What is built from a description.
#[derive(Clone, Debug)]
pub struct Node {
    pub name: String,
    pub address: String,
    pub spec: Description,
    pub clock: Clock,
    pub hostname: String,
    pub machine_id: Option<String>,
    pub boot_id: String,
    pub booted: i64,
    /// Added to this machine's clock.
    pub clock_offset: i64,
    /// `/proc` shows other users' processes to root only.
    pub hidepid: bool,
    pub tree: Tree,
    /// As `getent` prints them.
    pub passwd: String,
    pub group: String,
    /// `/proc/self/mountinfo`.
    pub mounts: String,
    /// `systemctl show kubelet`.
    pub unit: String,
    pub listeners: Vec<SocketAddr>,
    pub processes: Vec<Process>,
    /// Names in `/var/log/pods`.
    pub logs: Vec<String>,
    /// Names in `/var/log/containers`.
    pub containers: Vec<String>,
    /// Tools that the node does not have.
    pub missing: Vec<String>,
    /// What the kubelet runs from files.
    pub pods: Vec<StaticPod>,
    /// What the API server put there.
    pub workloads: Vec<Workload>,
}

/// A process.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: u32,
    pub comm: String,
    pub argv: Vec<String>,
    pub uid: u32,
    /// As in `/proc/PID/cgroup` with cgroup v2, without `0::`.
    pub cgroup: String,
    /// Seconds since the epoch by the node's clock.
    pub start: i64,
    pub rights: running::Rights,
}

impl Node {
    /// Start of a process in clock ticks since the node started.
    pub fn jiffies(&self, process: &Process) -> i64 {
        (process.start - self.booted) * 100
    }

    /// The Node object.
    pub fn object(&self) -> Value {
        api::node(self)
    }

    /// Mirror pods and workloads as the API server has them.
    pub fn api_pods(&self, namespaces: &[String]) -> Vec<Value> {
        api::pods(self, namespaces)
    }
}

/// By which right the collector runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The installed collector, as root.
    Installed,
    LoginOnly,
    /// `sudo sh`.
    Stream,
}

/// What the collector prints on the node; `now`: this machine's clock.
pub fn answer(node: &Node, nonce: &str, way: Way, now: i64) -> Vec<u8> {
    let login = match way {
        Way::LoginOnly => Login {
            uid: node.spec.login.uid,
            gids: node.spec.login.gids.clone(),
        },
        Way::Installed | Way::Stream => Login::ROOT,
    };
    let mut sh = Shell::new(node, login, now);
    sh.begin(nonce, collector::VERSION);
    for probe in probes::ALL {
        for ask in probe.asks {
            if let Ask::Shell { section, .. } = ask {
                sh.section(section, sections::by_name(section));
            }
        }
    }
    sh.end(nonce);
    sh.into_answer()
}

/// Standard output, standard error, exit status.
pub type Reply = (Vec<u8>, String, u32);

/// What the node's login shell makes of an exec request.
pub fn respond(node: &Node, command: &str, stdin: &[u8], now: i64) -> Reply {
    let first = stdin.split(|byte| *byte == b'\n').next().unwrap_or(stdin);
    let nonce = String::from_utf8_lossy(first);
    let nonce = nonce.strip_prefix("STK_NONCE=").unwrap_or(&nonce);
    let access = node.spec.login.access;
    let way = match access {
        Access::Forced => return (answer(node, nonce, Way::Installed, now), String::new(), 0),
        Access::Collector if command.contains(collector::PATH) => Way::Installed,
        Access::Stream if command.contains("sudo -n /bin/sh -s") => Way::Stream,
        _ if command.contains("sudo -n /bin/sh -s") => {
            let said = b"\n@STK1 WAY sudo-stream\n".to_vec();
            return (said, "sudo: a password is required\n".to_owned(), 1);
        }
        _ if command.contains("/bin/sh -s") => Way::LoginOnly,
        _ => {
            let word = command.split(' ').next().unwrap_or(command);
            return (Vec::new(), format!("sh: 1: {word}: not found\n"), 127);
        }
    };
    (reply(node, nonce, way, now), String::new(), 0)
}

/// The command line's word on its rights, then the answer.
pub fn reply(node: &Node, nonce: &str, way: Way, now: i64) -> Vec<u8> {
    let mut stdout = format!("\n@STK1 WAY {}\n", sections::way(way)).into_bytes();
    stdout.extend(answer(node, nonce, way, now));
    stdout
}

/// 32 hexadecimal digits that follow from the parts: pod hashes, machine ids, container ids.
pub fn hex32(parts: &[&str]) -> String {
    let digest = openssl::sha::sha256(parts.join("\0").as_bytes());
    digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A dashed UUID that follows from the parts.
pub fn uuid(parts: &[&str]) -> String {
    let hex = hex32(parts);
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}
