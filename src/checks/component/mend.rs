//! How a flag of a static pod is changed: the same few steps around each.

use crate::checks::check::{Remediation, Step, on_node};

/// Keep the manifest before it is edited.
pub const KEEP_API_SERVER: Step =
    on_node("cp -p /etc/kubernetes/manifests/kube-apiserver.yaml /root/");
pub const KEEP_CONTROLLER_MANAGER: Step =
    on_node("cp -p /etc/kubernetes/manifests/kube-controller-manager.yaml /root/");
pub const KEEP_ETCD: Step = on_node("cp -p /etc/kubernetes/manifests/etcd.yaml /root/");

const UNDO_API_SERVER: &[Step] = &[on_node(
    "cp -p /root/kube-apiserver.yaml /etc/kubernetes/manifests/",
)];
const UNDO_CONTROLLER_MANAGER: &[Step] = &[on_node(
    "cp -p /root/kube-controller-manager.yaml /etc/kubernetes/manifests/",
)];
const UNDO_ETCD: &[Step] = &[on_node("cp -p /root/etcd.yaml /etc/kubernetes/manifests/")];

/// A change of kube-apiserver's manifest.
pub const fn api_server(steps: &'static [Step]) -> Remediation {
    Remediation {
        steps,
        restarts: "kube-apiserver of this node, for about 20 s; one control-plane node at a time",
        undo: UNDO_API_SERVER,
    }
}

/// A change of kube-controller-manager's manifest.
pub const fn controller_manager(steps: &'static [Step]) -> Remediation {
    Remediation {
        steps,
        restarts: "kube-controller-manager of this node, for a few seconds; another one leads meanwhile, where there is one",
        undo: UNDO_CONTROLLER_MANAGER,
    }
}

/// A change of etcd's manifest.
pub const fn etcd(steps: &'static [Step]) -> Remediation {
    Remediation {
        steps,
        restarts: "etcd of this node, for about 20 s, and with a single member the API server's answers; one control-plane node at a time",
        undo: UNDO_ETCD,
    }
}
