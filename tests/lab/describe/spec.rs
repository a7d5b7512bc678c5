//! What may stand in a description, as `fleet.yaml` spells it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One node, or what a group of nodes has in common.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Description {
    pub template: Template,
    /// Merged into the kubelet's `config.yaml`.
    pub kubelet: Value,
    /// Further flags of the kubelet.
    pub flags: Vec<String>,
    /// By path; over what the template has there.
    pub files: BTreeMap<String, FileSpec>,
    /// Processes beside those of kubelet and pods.
    pub processes: Vec<ProcessSpec>,
    /// What containers of static pods really have, by `namespace/pod/container`, where it is not what they ask for.
    pub rights: BTreeMap<String, RightsSpec>,
    /// Further listening sockets, `address:port`.
    pub listeners: Vec<String>,
    /// Further names in `/var/log/pods`.
    pub logs: Vec<String>,
    /// Lines of the kubelet's log of the last hour that speak of static pods.
    pub journal: Vec<String>,
    /// Further lines of passwd and group.
    pub users: Vec<String>,
    pub groups: Vec<String>,
    /// Further lines of mountinfo.
    pub mounts: Vec<String>,
    /// What is out of the ordinary and needs no more words.
    pub twists: Vec<Twist>,
    /// Seconds that the node's clock is ahead.
    pub clock_offset: i64,
    pub login: LoginSpec,
    /// Tools that the node does not have: getfacl, stat, base64, getent, systemctl, coreutils.
    pub missing: Vec<String>,
    pub fault: FaultSpec,
    /// Over the Node object, as a JSON merge patch.
    pub object: Value,
    /// Over mirror pods, by `namespace/name` without the node's name: a merge patch, `absent`, or a mirror that has
    /// no static pod behind it.
    pub mirrors: BTreeMap<String, Value>,
    /// Ordinary pods, as `namespace/name`; a number for so many of no interest.
    pub workloads: Workloads,
    /// What stakeout is to find here: check ids, and the worst severity of each; nothing beside it.
    pub finds: BTreeMap<String, String>,
    /// Checks that stay open although the node was read whole: only a person can answer them.
    pub asks: Vec<String>,
}

/// What a node is made from.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Template {
    KubeadmControlPlane,
    #[default]
    KubeadmWorker,
}

/// A circumstance.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Twist {
    KubeletDown,
    /// Another machine than the one that the Node object speaks of.
    WrongMachine,
    /// `/proc` shows other users' processes to root only.
    Hidepid,
    /// Everybody reaches every port.
    NoFirewall,
    /// The kernel runs with neither AppArmor nor SELinux.
    NoApparmor,
}

/// A name in the node's file system.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileSpec {
    /// Octal digits, in quotes.
    pub mode: Option<String>,
    pub owner: Option<u32>,
    pub group: Option<u32>,
    /// `user:1001:rwx`, `group:50:rx`.
    pub acl: Vec<String>,
    pub link: Option<String>,
    pub kind: Option<KindSpec>,
    pub content: Option<String>,
    /// Content as that of another file.
    pub like: Option<String>,
    /// Lines that hold one of these words are left out.
    pub without: Vec<String>,
    /// Words and what stands in their place.
    pub replace: BTreeMap<String, String>,
    /// The same, after the kubelet has read the file: what runs is the text before.
    pub edited: BTreeMap<String, String>,
    /// Time since the last change: `90s`, `2h`, `3d`.
    pub age: Option<String>,
    pub absent: bool,
}

/// What is no regular file.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum KindSpec {
    Folder,
    Fifo,
}

/// Rights of a process, over those that its manifest leads to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RightsSpec {
    pub uid: Option<u32>,
    /// Hexadecimal digits, as `/proc/PID/status` has them.
    pub caps: Option<String>,
    pub no_new_privs: Option<bool>,
    pub seccomp: Option<u8>,
    pub label: Option<String>,
    pub read_only: Option<bool>,
}

/// A process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessSpec {
    pub argv: Vec<String>,
    #[serde(default)]
    pub uid: u32,
    pub cgroup: String,
    /// Time since its start.
    pub age: String,
}

/// The login that stakeout has on the node.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoginSpec {
    pub uid: u32,
    pub gids: Vec<u32>,
    pub access: Access,
}

impl Default for LoginSpec {
    fn default() -> Self {
        Self {
            uid: 990,
            gids: vec![990],
            access: Access::Collector,
        }
    }
}

/// What the login may do beyond its own rights.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// The collector is installed with its sudoers rule.
    #[default]
    Collector,
    /// Nothing.
    LoginOnly,
    /// The key may run the collector only.
    Forced,
    /// `sudo sh`.
    Stream,
}

/// How the node's SSH server misbehaves.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum FaultSpec {
    #[default]
    None,
    /// Nothing listens.
    Down,
    Silent,
    Denied,
    WrongKey,
    /// So many seconds before the answer.
    Slow(u64),
    /// A login shell that is none.
    NoShell,
    /// Another service answers.
    Http,
    /// The connection ends after so many bytes.
    Cut(usize),
    /// Zeros instead of an answer, so many.
    Garbage(usize),
}

/// What a login shell that is none says.
pub const NO_SHELL: &str = "This account is currently not available.\n";

/// Ordinary pods.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Workloads {
    Count(usize),
    Names(Vec<String>),
}

impl Default for Workloads {
    fn default() -> Self {
        Self::Count(3)
    }
}

/// Seconds of `90s`, `35m`, `2h`, `3d`.
pub fn seconds(age: &str) -> i64 {
    let (number, unit) = age.split_at(age.len().saturating_sub(1));
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => panic!("an age is a number and s, m, h or d: {age}"),
    };
    let number: i64 = number.parse().expect("an age begins with a number");
    number * unit
}
