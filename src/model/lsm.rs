//! Security modules of a node's kernel, and what confines containers there.

use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::text::Text;
use super::unix::Walk;

/// What the kernel enforces beside file modes, and how the container runtime makes use of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lsm {
    /// `/sys/kernel/security/lsm`: the active modules; `None` inside: securityfs is not mounted.
    pub active: Fact<Option<Vec<Text>>>,
    /// `/sys/module/apparmor/parameters/enabled`; false where the kernel has no such module.
    pub apparmor: Fact<bool>,
    pub profiles: Fact<Profiles>,
    pub selinux: Selinux,
    /// Settings of the container runtime that turn confinement on or off.
    pub runtime: Fact<Runtime>,
    pub seccomp: Fact<Seccomp>,
    /// `/sys/kernel/security/lockdown`, the word in brackets; `None` inside: the kernel has no lockdown.
    pub lockdown: Fact<Option<Text>>,
    /// Kernel settings that exist, by their dotted name.
    pub sysctls: Vec<(Text, Text)>,
}

impl Lsm {
    /// Whether SELinux is part of the running kernel: its file system is mounted.
    ///
    /// # Errors
    /// The gap where that could not be looked at.
    pub fn has_selinux(&self) -> Result<bool, super::fact::Gap> {
        Ok(self.selinux.enforce.get()?.value.is_some())
    }

    pub fn sysctl(&self, name: &str) -> Option<&str> {
        let found = self.sysctls.iter().find(|(key, _)| *key == *name);
        found.map(|(_, value)| value.as_str())
    }
}

/// AppArmor profiles that the kernel has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profiles {
    /// Those that a manifest or a process of a static pod names, and those of container runtimes.
    pub named: Vec<Profile>,
    pub enforce: u16,
    pub complain: u16,
    /// Any other mode: kill, prompt, unconfined.
    pub other: u16,
}

impl Profiles {
    /// A profile by its name.
    pub fn find(&self, name: &str) -> Option<&Profile> {
        self.named.iter().find(|profile| profile.name == *name)
    }
}

/// One AppArmor profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub name: Text,
    /// `enforce`, `complain`, `kill`, `unconfined`.
    pub mode: Text,
}

/// SELinux as the kernel runs it and as it is to be after the next start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selinux {
    /// `/sys/fs/selinux/enforce`; `None` inside: SELinux is not part of the running kernel.
    pub enforce: Fact<Option<bool>>,
    /// `SELINUX=` of `/etc/selinux/config`, lower case; `None` inside: no such file, or no such line.
    pub configured: Fact<Option<Text>>,
    /// `SELINUXTYPE=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Text>,
    /// Label of the static pod folder; `None` inside: it has none, or there is no folder.
    pub manifest_dir: Fact<Option<Text>>,
}

/// What the configuration of the container runtime says of confinement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Runtime {
    /// `containerd`, `crio`, `dockerd`: by its process.
    pub name: Text,
    /// Files that were read, the weakest first.
    pub files: Vec<Text>,
    /// `enable_selinux` of containerd, `selinux` of CRI-O; none where no file sets it: then it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selinux: Option<bool>,
    /// `disable_apparmor` of containerd; none where no file sets it: then AppArmor is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_apparmor: Option<bool>,
}

/// The folder from which the kubelet takes `Localhost` seccomp profiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seccomp {
    /// `seccomp` below the kubelet's root folder.
    pub path: Text,
    /// Those that a manifest names.
    pub profiles: Vec<SeccompFile>,
}

/// A seccomp profile that a manifest names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeccompFile {
    /// As `localhostProfile` names it: relative to the folder.
    pub name: Text,
    pub walk: Walk,
    /// `None` inside: there is no such file.
    pub content: Fact<Option<SeccompContent>>,
}

/// What a seccomp profile says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeccompContent {
    Profile {
        /// `SCMP_ACT_ERRNO` and the like; empty where it names none.
        default: Text,
        /// Entries of `syscalls`.
        rules: u16,
    },
    /// Not JSON, or not a profile: no container starts with it.
    Broken { message: Text },
}
