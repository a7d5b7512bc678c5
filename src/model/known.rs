//! Names that Kubernetes defines, each with where it comes from.

/// Set by the kubelet on a mirror pod only; its value is the hash of the static pod (pkg/kubelet/types/pod_update.go).
pub const CONFIG_MIRROR: &str = "kubernetes.io/config.mirror";
/// The static pod's uid as the kubelet computed it.
pub const CONFIG_HASH: &str = "kubernetes.io/config.hash";
/// `file`, `http` or `api`.
pub const CONFIG_SOURCE: &str = "kubernetes.io/config.source";
/// When the kubelet process that made the mirror first saw the static pod.
pub const CONFIG_SEEN: &str = "kubernetes.io/config.seen";

/// Role label of control-plane nodes.
pub const CONTROL_PLANE_LABEL: &str = "node-role.kubernetes.io/control-plane";
/// Its name before Kubernetes 1.24.
pub const MASTER_LABEL: &str = "node-role.kubernetes.io/master";

/// The four components that make a node a control plane when they run there as static pods.
pub const CONTROL_PLANE_COMPONENTS: [&str; 4] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
];

/// Labels of Pod Security Admission (kubernetes/pod-security-admission api/constants.go).
pub const PSA_ENFORCE: &str = "pod-security.kubernetes.io/enforce";
pub const PSA_AUDIT: &str = "pod-security.kubernetes.io/audit";
pub const PSA_WARN: &str = "pod-security.kubernetes.io/warn";
