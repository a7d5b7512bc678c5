//! Where pods of the system are, and which static pods are part of it.

/// Namespaces that Kubernetes itself makes for itself.
pub fn is_system(namespace: &str) -> bool {
    ["kube-system", "kube-public", "kube-node-lease"].contains(&namespace)
}

/// Static pods that distributions put on their nodes beside the control plane's components.
const INFRASTRUCTURE: [&str; 10] = [
    "kube-proxy",
    "nginx-proxy",
    "haproxy",
    "keepalived",
    "kube-vip",
    "nllb",
    "etcd-manager",
    "kube-router",
    "cloud-controller-manager",
    "node-local-dns",
];

/// Whether a static pod is known infrastructure by namespace and name.
pub fn is_infrastructure(namespace: &str, name: &str) -> bool {
    is_system(namespace) && INFRASTRUCTURE.iter().any(|known| name.starts_with(known))
}
