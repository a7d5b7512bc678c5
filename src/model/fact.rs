//! Facts: a value with its evidence, or a gap with its cause and next step.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Timestamp;
pub use super::gap::{FaultClass, Gap};
use super::name::Digest;
use super::text::Text;

/// Something that was looked for: seen, or not known and why.
///
/// Absence is a value (`Fact<Option<T>>`), ignorance is a [`Gap`]. A fact that a snapshot does not
/// bring reads as [`Gap::NotAsked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    Seen(Seen<T>),
    Gap(Gap),
}

/// A value and where its evidence is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen<T> {
    pub value: T,
    pub at: Locator,
}

impl<T> Fact<T> {
    pub fn seen(value: T, at: Locator) -> Self {
        Self::Seen(Seen { value, at })
    }

    pub fn gap(gap: Gap) -> Self {
        Self::Gap(gap)
    }

    /// The value, or the gap to leave a check with `?`.
    ///
    /// # Errors
    /// The gap that stands in place of the value.
    pub fn get(&self) -> Result<&Seen<T>, Gap> {
        match self {
            Self::Seen(seen) => Ok(seen),
            Self::Gap(gap) => Err(gap.clone()),
        }
    }

    pub fn is_seen(&self) -> bool {
        matches!(self, Self::Seen(_))
    }
}

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self::Gap(Gap::NotAsked)
    }
}

/// Evidence by reference: rendered from the snapshot when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Locator {
    pub need: Need,
    pub item: u32,
}

impl Locator {
    pub const fn new(need: Need, item: u32) -> Self {
        Self { need, item }
    }

    /// A list as a whole, where its items count from 0: that it is complete, or that something is not in it.
    pub const fn list(need: Need) -> Self {
        Self::new(need, u32::MAX)
    }
}

/// What a check can read: one word per probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Machine id, boot id, host name and clock of the host that answered.
    Identity,
    /// Users and groups as the node resolves them.
    Accounts,
    /// The kubelet's effective configuration with the layer of each key.
    KubeletConfig,
    /// Listening TCP sockets.
    Listeners,
    /// The static pod folder: every hop to it, and its entries.
    ManifestDir,
    /// Every file that the kubelet loads from the static pod folder.
    Manifests,
    /// Pod uids that really run, by cgroup and log folder.
    RuntimePods,
    /// The Node object.
    NodeObject,
    /// Mirror pods of the node.
    MirrorPods,
    /// Uids of all pods that the API server has on the node.
    PodUids,
    /// Namespaces with phase and labels.
    Namespaces,
    /// The site's own policy file.
    Policy,
    /// The kubelet's configuration, credentials, unit and program as files.
    KubeletFiles,
    /// Certificates and keys of the control plane and the kubelet: files, and what certificates say.
    Pki,
    /// Kubeconfigs that lie on the node: files, and what in them is no secret.
    Kubeconfigs,
    /// Paths of the host that manifests mount.
    HostPaths,
    /// etcd's data folder and configuration file.
    EtcdFiles,
    /// Audit policy and log, encryption and admission configuration of the API server.
    ApiServerFiles,
    /// What on the node would notice that a file changes.
    FileWatches,
    /// Lines of the kubelet's log that tell of static pods.
    KubeletLog,
    /// Snapshots of etcd, copies of manifests, and what makes them.
    Backups,
    /// Room on the file systems that etcd, logs and the kubelet need.
    Disks,
    /// Processes of static pods and of the node's components, with the rights that they have.
    Processes,
    /// Security modules of the kernel, and the settings that make containers use them.
    Lsm,
    /// What the node's packet filter lets in.
    Firewall,
    /// Files of CNI configuration.
    Cni,
    /// Clock and journal.
    Timeline,
    /// Services with selector, ports and outside addresses.
    Services,
    /// EndpointSlices that do not follow from a selector.
    EndpointSlices,
    /// NetworkPolicies: whom they select and what they let through.
    NetworkPolicies,
    /// Ingresses with their backends.
    Ingresses,
    /// HTTPRoutes of the Gateway API.
    HttpRoutes,
    /// GRPCRoutes of the Gateway API.
    GrpcRoutes,
    /// TLSRoutes of the Gateway API.
    TlsRoutes,
    /// TCPRoutes of the Gateway API.
    TcpRoutes,
    /// UDPRoutes of the Gateway API.
    UdpRoutes,
    /// PriorityClasses.
    PriorityClasses,
    /// ResourceQuotas.
    ResourceQuotas,
    /// LimitRanges.
    LimitRanges,
    /// MutatingWebhookConfigurations.
    MutatingWebhooks,
    /// ValidatingWebhookConfigurations.
    ValidatingWebhooks,
    /// ValidatingAdmissionPolicies.
    ValidatingPolicies,
    /// ValidatingAdmissionPolicyBindings.
    ValidatingPolicyBindings,
    /// MutatingAdmissionPolicies.
    MutatingPolicies,
    /// MutatingAdmissionPolicyBindings.
    MutatingPolicyBindings,
    /// ClusterRoles with their rules.
    ClusterRoles,
    /// ClusterRoleBindings.
    ClusterRoleBindings,
    /// Roles with the rules that are of interest.
    Roles,
    /// RoleBindings.
    RoleBindings,
    /// DaemonSets: network plugins and kube-proxy are known by them.
    DaemonSets,
    /// Names of CustomResourceDefinitions.
    CustomResources,
    /// Bootstrap tokens: expiration and usages, never the token.
    BootstrapTokens,
    /// PersistentVolumes, and which of them are paths of a node.
    PersistentVolumes,
    /// A snapshot of earlier that the user keeps as approved.
    Baseline,
    /// What the TLS ports of the node's components show in a handshake.
    Handshakes,
    /// Written by a later version: evidence that this one cannot render.
    #[serde(other)]
    Later,
}

/// Which half of the truth a need belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Api,
    Node,
    /// A file of the user's own.
    Own,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Api => "API",
            Self::Node => "NODE",
            Self::Own => "OWN",
        })
    }
}

impl Need {
    /// Every need that this version can collect.
    pub const ALL: &'static [Self] = &[
        Self::Identity,
        Self::Accounts,
        Self::KubeletConfig,
        Self::Listeners,
        Self::ManifestDir,
        Self::Manifests,
        Self::RuntimePods,
        Self::NodeObject,
        Self::MirrorPods,
        Self::PodUids,
        Self::Namespaces,
        Self::Policy,
        Self::KubeletFiles,
        Self::Pki,
        Self::Kubeconfigs,
        Self::HostPaths,
        Self::EtcdFiles,
        Self::ApiServerFiles,
        Self::FileWatches,
        Self::KubeletLog,
        Self::Backups,
        Self::Disks,
        Self::Processes,
        Self::Lsm,
        Self::Firewall,
        Self::Cni,
        Self::Timeline,
        Self::Services,
        Self::EndpointSlices,
        Self::NetworkPolicies,
        Self::Ingresses,
        Self::HttpRoutes,
        Self::GrpcRoutes,
        Self::TlsRoutes,
        Self::TcpRoutes,
        Self::UdpRoutes,
        Self::PriorityClasses,
        Self::ResourceQuotas,
        Self::LimitRanges,
        Self::MutatingWebhooks,
        Self::ValidatingWebhooks,
        Self::ValidatingPolicies,
        Self::ValidatingPolicyBindings,
        Self::MutatingPolicies,
        Self::MutatingPolicyBindings,
        Self::ClusterRoles,
        Self::ClusterRoleBindings,
        Self::Roles,
        Self::RoleBindings,
        Self::DaemonSets,
        Self::CustomResources,
        Self::BootstrapTokens,
        Self::PersistentVolumes,
        Self::Baseline,
        Self::Handshakes,
    ];

    /// As it is written in examples, plans and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Accounts => "accounts",
            Self::KubeletConfig => "kubelet_config",
            Self::Listeners => "listeners",
            Self::ManifestDir => "manifest_dir",
            Self::Manifests => "manifests",
            Self::RuntimePods => "runtime_pods",
            Self::NodeObject => "node_object",
            Self::MirrorPods => "mirror_pods",
            Self::PodUids => "pod_uids",
            Self::Namespaces => "namespaces",
            Self::Policy => "policy",
            Self::KubeletFiles => "kubelet_files",
            Self::Pki => "pki",
            Self::Kubeconfigs => "kubeconfigs",
            Self::HostPaths => "host_paths",
            Self::EtcdFiles => "etcd_files",
            Self::ApiServerFiles => "api_server_files",
            Self::FileWatches => "file_watches",
            Self::KubeletLog => "kubelet_log",
            Self::Backups => "backups",
            Self::Disks => "disks",
            Self::Processes => "processes",
            Self::Lsm => "lsm",
            Self::Firewall => "firewall",
            Self::Cni => "cni",
            Self::Timeline => "timeline",
            Self::Services => "services",
            Self::EndpointSlices => "endpoint_slices",
            Self::NetworkPolicies => "network_policies",
            Self::Ingresses => "ingresses",
            Self::HttpRoutes => "http_routes",
            Self::GrpcRoutes => "grpc_routes",
            Self::TlsRoutes => "tls_routes",
            Self::TcpRoutes => "tcp_routes",
            Self::UdpRoutes => "udp_routes",
            Self::PriorityClasses => "priority_classes",
            Self::ResourceQuotas => "resource_quotas",
            Self::LimitRanges => "limit_ranges",
            Self::MutatingWebhooks => "mutating_webhooks",
            Self::ValidatingWebhooks => "validating_webhooks",
            Self::ValidatingPolicies => "validating_policies",
            Self::ValidatingPolicyBindings => "validating_policy_bindings",
            Self::MutatingPolicies => "mutating_policies",
            Self::MutatingPolicyBindings => "mutating_policy_bindings",
            Self::ClusterRoles => "cluster_roles",
            Self::ClusterRoleBindings => "cluster_role_bindings",
            Self::Roles => "roles",
            Self::RoleBindings => "role_bindings",
            Self::DaemonSets => "daemon_sets",
            Self::CustomResources => "custom_resources",
            Self::BootstrapTokens => "bootstrap_tokens",
            Self::PersistentVolumes => "persistent_volumes",
            Self::Baseline => "baseline",
            Self::Handshakes => "handshakes",
            Self::Later => "later",
        }
    }

    /// Whether it is a list of [`super::objects::Objects`].
    pub const fn is_object(self) -> bool {
        let (this, first, last) = (
            self as u8,
            Self::Services as u8,
            Self::PersistentVolumes as u8,
        );
        first <= this && this <= last
    }

    pub const fn side(self) -> Side {
        match self {
            Self::NodeObject | Self::MirrorPods | Self::PodUids | Self::Namespaces => Side::Api,
            Self::Policy | Self::Baseline => Side::Own,
            need if need.is_object() => Side::Api,
            _ => Side::Node,
        }
    }
}

/// One piece of evidence as it is shown: what was asked, when, and what came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub need: Need,
    pub item: u32,
    /// The command on the node, or the request to the API server.
    pub command: Text,
    /// When the answer arrived here, UTC.
    pub at: Timestamp,
    /// Of the raw bytes; none where the excerpt holds masked values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// At most [`Source::EXCERPT`] bytes, cut at a line where possible.
    pub excerpt: Text,
}

impl Source {
    /// The bound of an excerpt in bytes.
    pub const EXCERPT: usize = 2048;

    /// Cuts at the last line break before the bound, or at a character where there is none.
    pub fn excerpt(raw: &str) -> Text {
        if raw.len() <= Self::EXCERPT {
            return Text::block(raw);
        }
        let mut end = Self::EXCERPT;
        while !raw.is_char_boundary(end) {
            end -= 1;
        }
        let head = &raw[..end];
        let head = head.rfind('\n').map_or(head, |line| &head[..=line]);
        Text::block(&format!(
            "{head}... ({} bytes more)",
            raw.len() - head.len()
        ))
    }
}
