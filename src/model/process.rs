//! What really runs: processes of static pods and of the node's own components, with the rights that they have.

use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::text::Text;

/// Processes that matter to static pods: those in their cgroups, and the components of Kubernetes beside them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Processes {
    /// By process id.
    pub list: Vec<Process>,
    /// Containers by id, as the links in `/var/log/containers` name them.
    pub containers: Fact<Vec<ContainerName>>,
    /// More processes run in pods than are read: what is missing here may run all the same.
    pub more: bool,
    /// `/proc` hides other users' processes: what is missing here may run all the same.
    pub hidepid: bool,
}

impl Processes {
    /// The name of a container by its id.
    pub fn container(&self, id: &str) -> Option<&ContainerName> {
        let Fact::Seen(names) = &self.containers else {
            return None;
        };
        names.value.iter().find(|name| *name.id == *id)
    }
}

/// Which container of which pod an id stands for: `<pod>_<namespace>_<container>-<id>.log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerName {
    /// 64 hex digits.
    pub id: Box<str>,
    pub namespace: Text,
    /// As the API server has it: with the node's name.
    pub pod: Text,
    pub container: Text,
}

/// One process as `/proc` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    pub pid: u32,
    /// The kernel's word for the program: 15 bytes, and the process may change it.
    pub comm: Text,
    /// None: it runs on the node, in no pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<InPod>,
    /// Seconds since the epoch by the node's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<i64>,
    pub rights: Fact<Rights>,
    /// The label of the security module; `None` inside: no module of the node labels processes.
    pub label: Fact<Option<Text>>,
    /// Whether its `/` is mounted read-only.
    pub root_read_only: Fact<bool>,
    /// First line of its map of user ids.
    pub users: Fact<UserMap>,
    /// `oom_score_adj`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oom: Option<i16>,
    /// The file that it was started from.
    pub exe: Fact<Text>,
    /// Program and arguments, secrets masked; only of the components whose flags are judged.
    pub command: Fact<Vec<Text>>,
}

/// Where a process of a pod sits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InPod {
    /// The pod's uid as the cgroup spells it.
    pub uid: Text,
    /// 64 hex digits; none for what a runtime runs beside the containers, such as conmon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Box<str>>,
}

/// Ids and rights of `/proc/PID/status` (proc(5)), ids as the node sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    pub uid: Ids,
    pub gid: Ids,
    pub permitted: Caps,
    pub effective: Caps,
    pub bounding: Caps,
    pub no_new_privs: bool,
    /// 0 off, 1 strict, 2 filter; none where the kernel does not say.
    pub seccomp: Option<u8>,
}

/// Real and effective id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    pub real: u32,
    pub effective: u32,
}

/// A set of capabilities, one bit each (capabilities(7)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps(pub u64);

impl Caps {
    /// As `include/uapi/linux/capability.h` numbers them.
    pub const NAMES: [&'static str; 41] = [
        "CHOWN",
        "DAC_OVERRIDE",
        "DAC_READ_SEARCH",
        "FOWNER",
        "FSETID",
        "KILL",
        "SETGID",
        "SETUID",
        "SETPCAP",
        "LINUX_IMMUTABLE",
        "NET_BIND_SERVICE",
        "NET_BROADCAST",
        "NET_ADMIN",
        "NET_RAW",
        "IPC_LOCK",
        "IPC_OWNER",
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYS_CHROOT",
        "SYS_PTRACE",
        "SYS_PACCT",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_NICE",
        "SYS_RESOURCE",
        "SYS_TIME",
        "SYS_TTY_CONFIG",
        "MKNOD",
        "LEASE",
        "AUDIT_WRITE",
        "AUDIT_CONTROL",
        "SETFCAP",
        "MAC_OVERRIDE",
        "MAC_ADMIN",
        "SYSLOG",
        "WAKE_ALARM",
        "BLOCK_SUSPEND",
        "AUDIT_READ",
        "PERFMON",
        "BPF",
        "CHECKPOINT_RESTORE",
    ];
    /// What containerd and Docker give a container that asks for nothing; CRI-O gives less.
    pub const USUAL: Self = Self(0xa804_25fb);
    pub const ALL: Self = Self(u64::MAX);

    /// One capability by its name, with or without `CAP_`, in any case.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let name = name.strip_prefix("CAP_").unwrap_or(&name);
        let index = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self(1 << index))
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names, in the order of their numbers; of one that has none its number.
    pub fn names(self) -> Vec<String> {
        let held = (0..64).filter(|bit| self.0 >> bit & 1 == 1);
        held.map(|bit| {
            let name = Self::NAMES.get(bit).map(|name| (*name).to_owned());
            name.unwrap_or_else(|| format!("capability {bit}"))
        })
        .collect()
    }
}

/// The first line of `/proc/PID/uid_map`: from `inside` on, `count` ids are those from `outside` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserMap {
    pub inside: u32,
    pub outside: u32,
    pub count: u32,
}

impl UserMap {
    /// Ids mean inside what they mean on the node.
    pub const HOST: Self = Self {
        inside: 0,
        outside: 0,
        count: u32::MAX,
    };

    /// An id of the node as the process sees it; none where it has no name for it.
    pub fn inside(self, id: u32) -> Option<u32> {
        let offset = id.checked_sub(self.outside)?;
        (offset < self.count).then(|| self.inside.checked_add(offset))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_have_names() {
        assert_eq!(Caps::by_name("cap_sys_admin"), Some(Caps(1 << 21)));
        assert_eq!(Caps::by_name("NET_RAW"), Some(Caps(1 << 13)));
        assert_eq!(Caps::by_name("ALL"), None);
        let usual = Caps::USUAL.names();
        assert_eq!(usual.len(), 14);
        assert_eq!(usual.first().map(String::as_str), Some("CHOWN"));
        assert_eq!(Caps(1 << 50).names(), ["capability 50"]);
        let left = Caps::USUAL.without(Caps(0xa804_25fa));
        assert_eq!(left.names(), ["CHOWN"]);
    }

    #[test]
    fn ids_are_seen_from_inside() {
        let map = UserMap {
            inside: 0,
            outside: 65_536,
            count: 65_536,
        };
        assert_eq!(map.inside(65_536), Some(0));
        assert_eq!(map.inside(0), None);
        assert_eq!(map.inside(131_072), None);
        assert_eq!(UserMap::HOST.inside(u32::MAX), None);
        assert_eq!(UserMap::HOST.inside(7), Some(7));
    }
}
