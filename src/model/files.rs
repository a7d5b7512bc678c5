//! Facts about files of a node beside its manifests: who is to be asked for each is in its [`Trail`].
//!
//! Contents of private keys and kubeconfigs are no facts: they never leave the node. Certificates are public.

use serde::{Deserialize, Serialize};

use super::fact::{Fact, Gap, Locator};
use super::name::Digest;
use super::paths::{Paths, Trail};
use super::text::Text;
use super::tree::Tree;
use super::unix::Walk;

/// What a file is to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileRole {
    /// The kubelet's configuration file, a folder of drop-ins, one of them.
    KubeletConfig,
    KubeletConfigDir,
    KubeletDropIn,
    /// `clientCAFile` of the kubelet.
    ClientCa,
    /// The kubelet's `rootDir`.
    RootDir,
    /// The kubelet's `certDirectory` and what lies in it.
    KubeletPki,
    /// The socket of the container runtime, of the kubelet's own pod list.
    RuntimeSocket,
    KubeletSocket,
    /// The program that the unit starts.
    Program,
    /// A unit of the service manager, its drop-ins and their folders, files of environment and of arguments.
    Unit,
    UnitDropIn,
    UnitDropInDir,
    Environment,
    /// A kubeconfig: of the kubelet, of its first start, of an administrator, of one who is above all rules,
    /// of a component, and a user's own.
    KubeletKubeconfig,
    BootstrapKubeconfig,
    AdminKubeconfig,
    SuperAdminKubeconfig,
    ComponentKubeconfig,
    UserKubeconfig,
    /// A folder of certificates and keys, and what lies in it.
    PkiDir,
    Certificate,
    PrivateKey,
    PublicKey,
    /// A file of several kinds, or of none that its name tells.
    PkiOther,
    /// A path of the host that a manifest mounts.
    HostPath,
    /// etcd's data, and files that hold a copy of it.
    EtcdData,
    EtcdConfig,
    SnapshotDir,
    Snapshot,
    /// Copies of manifests and keys, made by tools or by hand.
    BackupDir,
    /// Files that the API server's flags name.
    AuditPolicy,
    AuditLog,
    AuditWebhook,
    AdmissionConfig,
    AdmissionDir,
    EncryptionConfig,
    AuthenticationConfig,
    AuthorizationConfig,
    TokenFile,
    /// How the kubelet logs in to registries: its own and root's Docker files, and where credential providers are
    /// configured.
    PullCredential,
    #[serde(other)]
    Later,
}

/// A file or a folder, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAt {
    pub role: FileRole,
    pub path: Text,
    pub trail: Trail,
}

impl FileAt {
    /// `paths`: the table of the same node.
    pub fn walk(&self, paths: &Paths, at: Locator) -> Walk {
        paths.walk(&self.path, &self.trail, at)
    }
}

/// Files, and what may hide more of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Files {
    pub files: Vec<FileAt>,
    /// Folders that could not be listed whole, and questions that were not answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

impl Files {
    pub fn of(&self, role: FileRole) -> impl Iterator<Item = &FileAt> {
        self.files.iter().filter(move |file| file.role == role)
    }
}

/// What decides how the kubelet starts and what it may.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KubeletFiles {
    pub list: Files,
    /// Units that may run the kubelet; empty where no service manager was found.
    pub units: Vec<Unit>,
}

/// A unit of systemd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub name: Text,
    /// `ActiveState`.
    pub active: Text,
    /// Seconds since the epoch by the node's clock when it last became active.
    pub since: Option<i64>,
}

/// Certificates and keys, with the certificates' public content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pki {
    pub list: Files,
    /// One for each file that may hold certificates.
    pub certificates: Vec<CertificateFile>,
}

/// The certificates of one file, in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CertificateFile {
    /// The file, or the kubeconfig that holds it.
    pub path: Text,
    /// How the component that uses it names it: its flag, without dashes; empty where only its place tells.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub flag: Text,
    pub content: Fact<Vec<Certificate>>,
}

/// What a certificate says of itself (RFC 5280).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub common_name: Text,
    #[serde(default, skip_serializing_if = "<[Text]>::is_empty")]
    pub organizations: Box<[Text]>,
    /// The issuer as `O=a, CN=b`.
    pub issuer: Text,
    /// Signed with its own key.
    pub self_signed: bool,
    /// Upper-case hex.
    pub serial: Text,
    /// Seconds since the epoch.
    pub not_before: i64,
    pub not_after: i64,
    /// Alternative names as `DNS:a` and `IP:b`.
    #[serde(default, skip_serializing_if = "<[Text]>::is_empty")]
    pub names: Box<[Text]>,
    /// Its key usage lets it issue; where it has none, that it is signed by itself.
    pub ca: bool,
    /// Extended key usage: `client`, `server`.
    #[serde(default, skip_serializing_if = "<[Text]>::is_empty")]
    pub usages: Box<[Text]>,
    /// `RSA`, `EC`, `ED25519`, and its bits.
    pub key: Text,
    pub key_bits: u32,
    /// `sha256WithRSAEncryption`.
    pub signature: Text,
    /// SHA-256 of the public key.
    pub spki: Digest,
}

/// Kubeconfigs: where they lie, whom they name, and how they know the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kubeconfigs {
    pub list: Files,
    pub contents: Vec<Kubeconfig>,
}

/// The part of a kubeconfig that is no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kubeconfig {
    pub path: Text,
    pub content: Fact<KubeconfigContent>,
}

/// Whom a kubeconfig trusts and who it is; of several clusters or users all are listed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KubeconfigContent {
    pub servers: Vec<Text>,
    /// `insecure-skip-tls-verify: true` somewhere.
    pub skips_verification: bool,
    /// `certificate-authority` or its data is there.
    pub has_ca: bool,
    /// Certificates in `client-certificate-data`.
    pub clients: Vec<Certificate>,
    /// Paths of `client-certificate`.
    pub client_files: Vec<Text>,
    /// Other ways to log in that it names: `token`, `tokenFile`, `exec`, `auth-provider`, `password`.
    pub logins: Vec<Text>,
}

/// etcd's own files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EtcdFiles {
    /// Empty where no etcd was found on the node.
    pub list: Files,
    /// Bytes of the database file.
    pub size: Option<u64>,
}

/// Copies of what the node cannot do without, and what makes them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backups {
    /// Folders of snapshots and copies, and the newest of what lies in them.
    pub list: Files,
    pub jobs: Vec<BackupJob>,
}

/// A timer or a line of cron that mentions snapshots of etcd or the static pod folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupJob {
    /// The timer's unit, or the file of cron.
    pub origin: Text,
    /// What it says, secrets masked.
    pub line: Text,
}

/// What the API server's flags name, as far as it is no secret.
///
/// `None` inside: neither a static pod nor a running API server of the node has the flag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiServerFiles {
    pub list: Files,
    /// `--audit-policy-file`.
    pub audit_policy: Fact<Option<Configuration>>,
    /// `--encryption-provider-config`: who encrypts what, never a key.
    pub encryption: Fact<Option<Vec<EncryptionRule>>>,
    /// `--admission-control-config-file` first, then the files that it names, and those of its folder of policies.
    pub admission: Fact<Option<Vec<Fact<Configuration>>>>,
    /// `--authentication-config`.
    pub authentication: Fact<Option<Configuration>>,
    /// `--authorization-config`.
    pub authorization: Fact<Option<Configuration>>,
}

/// A configuration file as a tree, secrets masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    pub path: Text,
    pub content: Tree,
}

/// One entry of an EncryptionConfiguration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptionRule {
    pub resources: Vec<Text>,
    /// In their order: `identity`, `aescbc`, `aesgcm`, `secretbox`, `kms`.
    pub providers: Vec<Text>,
}

/// What on the node would notice that a file changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileWatches {
    /// Rules of the kernel's audit system, loaded (`auditctl -l`) or written.
    pub loaded: Option<Vec<Text>>,
    pub written: Vec<Text>,
    /// `auditd`, `aide`, `falco`, `osqueryd`, `tetragon` and their like: name and `runs`, `runs_in_pod` (where
    /// whoever makes the pod chooses the name) or `has`, with the path of its configuration.
    pub tools: Vec<(Text, Text)>,
    /// Rules that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// Lines of the kubelet's log that tell of static pods, of the last 24 hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KubeletLog {
    /// Oldest first, secrets masked.
    pub lines: Vec<LogLine>,
    /// There were more than are kept.
    pub more: bool,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Seconds since the epoch by the node's clock.
    pub at: Option<i64>,
    pub text: Text,
}

/// Room on a file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// What was asked for.
    pub path: Text,
    pub mount: Text,
    /// kB in all and free for root's processes.
    pub total: u64,
    pub free: u64,
    /// It was asked for and did not answer: then its numbers are zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}
