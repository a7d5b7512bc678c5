//! Everything that is known of one node: one field per need, each side replaced as one.

mod withhold;

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::fact::{Fact, Gap, Locator, Source};
use super::files::{
    ApiServerFiles, Backups, Disk, EtcdFiles, FileWatches, Files, Kubeconfigs, KubeletFiles,
    KubeletLog, Pki,
};
use super::kubelet::Kubelet;
use super::lsm::Lsm;
use super::name::NodeName;
use super::network::{CniFolder, Firewall, Handshake, SocketOwner, Timeline};
use super::objects::Labels;
use super::offset::Offset;
use super::paths::Paths;
use super::pod::{Manifest, Mirror, PodId};
use super::process::Processes;
use super::text::Text;
use super::unix::{Accounts, FileKind, Walk};

/// Both halves of the truth about one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeFacts {
    pub name: NodeName,
    /// What the node itself says, read over SSH in one go.
    #[serde(default)]
    pub host: Arc<HostFacts>,
    /// What the API server says of the node.
    #[serde(default)]
    pub api: Arc<ApiFacts>,
}

impl NodeFacts {
    /// A node of which nothing is known yet.
    pub fn unknown(name: NodeName) -> Self {
        Self {
            name,
            host: Arc::default(),
            api: Arc::default(),
        }
    }
}

/// The node's own side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostFacts {
    pub identity: Fact<Identity>,
    pub accounts: Fact<Accounts>,
    pub kubelet: Fact<Kubelet>,
    pub listeners: Fact<Vec<Listener>>,
    /// `None` inside: the kubelet's configuration names no static pod folder.
    pub manifest_dir: Fact<Option<ManifestDir>>,
    /// One entry per file that the kubelet loads; a file that cannot be looked at is a gap of its own.
    pub manifests: Fact<Vec<Fact<Manifest>>>,
    pub runtime_pods: Fact<RuntimePods>,
    pub kubelet_files: Fact<KubeletFiles>,
    pub pki: Fact<Pki>,
    pub kubeconfigs: Fact<Kubeconfigs>,
    /// Paths of the host that manifests mount.
    pub host_paths: Fact<Files>,
    pub etcd_files: Fact<EtcdFiles>,
    pub api_server_files: Fact<ApiServerFiles>,
    pub file_watches: Fact<FileWatches>,
    pub kubelet_log: Fact<KubeletLog>,
    pub backups: Fact<Backups>,
    /// Room on the file systems that etcd, logs and the kubelet need.
    pub disks: Fact<Vec<Disk>>,
    /// Every name that the facts about files lead over.
    pub paths: Paths,
    pub processes: Fact<Processes>,
    pub lsm: Fact<Box<Lsm>>,
    pub firewall: Fact<Firewall>,
    /// Folders that exist, of those that the container runtime may read.
    pub cni: Fact<Vec<CniFolder>>,
    pub timeline: Fact<Timeline>,
    /// What the TLS ports of Kubernetes show, one entry for each that is listened on.
    pub handshakes: Fact<Vec<Handshake>>,
    /// Evidence, looked up by locator.
    pub sources: Vec<Source>,
    /// When the answer was complete here, UTC.
    pub at: Option<Timestamp>,
    /// The node's clock against this machine's, where it was measured: not for what was brought as a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<Offset>,
    /// Over which hosts and by which client it was read, where that was not straight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<Text>,
}

impl HostFacts {
    /// A host of which every fact is missing for one reason.
    pub fn gap(gap: &Gap) -> Self {
        Self {
            identity: Fact::Gap(gap.clone()),
            accounts: Fact::Gap(gap.clone()),
            kubelet: Fact::Gap(gap.clone()),
            listeners: Fact::Gap(gap.clone()),
            manifest_dir: Fact::Gap(gap.clone()),
            manifests: Fact::Gap(gap.clone()),
            runtime_pods: Fact::Gap(gap.clone()),
            kubelet_files: Fact::Gap(gap.clone()),
            pki: Fact::Gap(gap.clone()),
            kubeconfigs: Fact::Gap(gap.clone()),
            host_paths: Fact::Gap(gap.clone()),
            etcd_files: Fact::Gap(gap.clone()),
            api_server_files: Fact::Gap(gap.clone()),
            file_watches: Fact::Gap(gap.clone()),
            kubelet_log: Fact::Gap(gap.clone()),
            backups: Fact::Gap(gap.clone()),
            disks: Fact::Gap(gap.clone()),
            paths: Paths::default(),
            processes: Fact::Gap(gap.clone()),
            lsm: Fact::Gap(gap.clone()),
            firewall: Fact::Gap(gap.clone()),
            cni: Fact::Gap(gap.clone()),
            timeline: Fact::Gap(gap.clone()),
            handshakes: Fact::Gap(gap.clone()),
            sources: Vec::new(),
            at: None,
            clock: None,
            via: None,
        }
    }

    /// When it was taken, where it is a file that was brought here.
    pub fn imported(&self) -> Option<Timestamp> {
        let identity = self.identity.get().ok()?;
        self.at.filter(|_| identity.value.way == WayIn::Import)
    }

    /// [`HostFacts::imported`] as the reason for not knowing what came after.
    pub fn aged(&self) -> Option<Gap> {
        let taken = Timestamp::from_second(self.imported()?.as_second()).ok()?;
        Some(Gap::Imported {
            taken: Text::from(taken.to_string()),
        })
    }

    /// The evidence behind a locator.
    pub fn source(&self, at: Locator) -> Option<&Source> {
        self.sources
            .iter()
            .find(|source| source.need == at.need && source.item == at.item)
    }
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub hostname: Text,
    /// `/etc/machine-id`.
    pub machine_id: Option<Text>,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: Option<Text>,
    /// `/etc/os-release` `ID` and `PRETTY_NAME`.
    pub os: Text,
    /// The node's clock when the collector ran, seconds since the epoch.
    pub clock: i64,
    /// The uid that the collector ran as.
    pub uid: u32,
    /// How it got that uid.
    pub way: WayIn,
    /// Version of the collector that answered.
    pub collector: Text,
}

impl WayIn {
    /// As it is shown behind "uid N by".
    pub const fn words(self) -> &'static str {
        match self {
            Self::LoginOnly => "login only",
            Self::InstalledCollector => "installed collector",
            Self::ForcedCommand => "forced command",
            Self::SudoStream => "sudo stream (root-equivalent login)",
            Self::Local => "local run",
            Self::LocalRoot => "local run in the mounted root",
            Self::Import => "import",
            Self::Later => "another way",
        }
    }
}

impl Identity {
    /// `uid 0 by installed collector v1`: as whom, by which right and with which script the host was read.
    pub fn reading(&self) -> String {
        format!(
            "uid {} by {} v{}",
            self.uid,
            self.way.words(),
            self.collector
        )
    }

    /// How this host is another machine than the one that the kubelet reported, where it is.
    pub fn foreign(&self, object: &NodeObject) -> Option<String> {
        let own = unequal(self.machine_id.as_ref(), &object.machine_id)?;
        Some(format!(
            "the host {} has machine id {own}, the kubelet reported {}",
            self.hostname, object.machine_id
        ))
    }

    /// How this host runs another boot than the one that the kubelet reported, where it does.
    pub fn rebooted(&self, object: &NodeObject) -> Option<String> {
        let own = unequal(self.boot_id.as_ref(), &object.boot_id)?;
        Some(format!(
            "the host {} has boot id {own}, the kubelet reported {}: another machine, or restarted without its kubelet",
            self.hostname, object.boot_id
        ))
    }
}

/// The host's own value where both sides have one and they differ.
fn unequal<'a>(own: Option<&'a Text>, reported: &Text) -> Option<&'a Text> {
    own.filter(|own| !own.is_empty() && !reported.is_empty() && *own != reported)
}

/// By which right the collector ran (contracts of the node side).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WayIn {
    /// The login's own rights.
    LoginOnly,
    /// The installed collector through its sudoers rule.
    InstalledCollector,
    /// A forced command in authorized_keys.
    ForcedCommand,
    /// Streamed through `sudo sh`: equals root.
    SudoStream,
    /// Started on the node itself, with the rights of whoever started it.
    Local,
    /// As [`WayIn::Local`], inside the node's root that was mounted elsewhere, as in a debug pod.
    LocalRoot,
    /// By hand, and brought as a file: its age is its own.
    Import,
    #[serde(other)]
    Later,
}

/// A TCP socket in state LISTEN, in the network of the node itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    pub address: IpAddr,
    pub port: u16,
    /// Root sees it; [`Gap::NotAsked`] of a collector that did not look.
    #[serde(default, skip_serializing_if = "is_unasked")]
    pub owner: Fact<SocketOwner>,
}

fn is_unasked<T>(fact: &Fact<T>) -> bool {
    matches!(fact, Fact::Gap(Gap::NotAsked))
}

/// The static pod folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestDir {
    /// `staticPodPath` as configured; relative paths resolved as the kubelet does.
    pub path: Text,
    pub walk: Walk,
    /// Its entries, loaded or not, in byte order of their names; a gap where it cannot be listed.
    pub entries: Fact<Vec<DirEntry>>,
}

/// A name in the static pod folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirEntry {
    pub name: Text,
    pub kind: FileKind,
    /// Whether the kubelet loads it: any file whose name does not start with a dot (pkg/kubelet/config/file.go).
    pub loaded: bool,
    /// Of the entry itself, a link not followed: seconds since the epoch by the node's clock; none where the node's
    /// tools round it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ctime: Option<i64>,
    /// Names of the same object; 0 where it was not told.
    #[serde(default)]
    pub nlink: u32,
}

/// Pods that leave traces on the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimePods {
    pub pods: Vec<RuntimePod>,
    /// `/proc` hides other users' processes: what is missing here may run all the same.
    pub hidepid: bool,
}

/// One pod uid with its traces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimePod {
    /// As the cgroup or log folder spells it: 32 hex digits, a dashed UUID, or what a manifest pinned.
    pub uid: Text,
    /// Live processes in its cgroup.
    pub pids: u32,
    /// From `/var/log/pods/<namespace>_<name>_<uid>`; a log folder outlives its pod.
    pub log: Option<(Text, Text)>,
    /// Seconds since the epoch when its oldest process started; none without a process.
    pub started: Option<i64>,
    /// Program of its oldest process.
    pub exe: Option<Text>,
}

/// The API server's side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiFacts {
    pub object: Fact<NodeObject>,
    pub mirrors: Fact<Vec<Mirror>>,
    pub pods: Fact<Vec<PodId>>,
    /// Pods that the API server no longer has and may have had when the host was read: their traces on the
    /// host are no riddle. Emptied by a reading of the host that began after they had gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<PodId>,
    /// Set where pods of some namespaces could not be listed: what is missing in the lists may exist all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Gap>,
    /// When the API server last said something of this node, UTC.
    pub at: Option<Timestamp>,
}

impl ApiFacts {
    /// Everything asked for and nothing answered yet.
    pub fn pending() -> Self {
        Self {
            object: Fact::Gap(Gap::Pending),
            mirrors: Fact::Gap(Gap::Pending),
            pods: Fact::Gap(Gap::Pending),
            gone: Vec::new(),
            unread: None,
            at: None,
        }
    }
}

/// What a check reads of a Node object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeObject {
    pub uid: Text,
    pub labels: std::collections::BTreeMap<Text, Text>,
    pub taints: Vec<Taint>,
    /// `Ready` condition: `True`, `False`, `Unknown`, or none.
    pub ready: Option<Text>,
    /// `(type, address)`.
    pub addresses: Vec<(Text, Text)>,
    pub machine_id: Text,
    pub boot_id: Text,
    pub kubelet_version: Text,
    pub os_image: Text,
    pub resource_version: Text,
    /// `status.allocatable` of cpu and memory, as written; empty where the kubelet has not told.
    #[serde(default)]
    pub allocatable: Labels,
    /// `spec.providerID`, which a cloud's controller sets; empty elsewhere.
    #[serde(default)]
    pub provider_id: Text,
}

/// A taint of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taint {
    pub key: Text,
    pub value: Text,
    pub effect: Text,
}

impl NodeObject {
    /// Whether a role label marks it as control plane.
    pub fn is_control_plane(&self) -> bool {
        self.labels.contains_key(super::known::CONTROL_PLANE_LABEL)
            || self.labels.contains_key(super::known::MASTER_LABEL)
    }
}
