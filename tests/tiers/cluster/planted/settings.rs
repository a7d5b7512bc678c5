//! What a kubelet is told of itself: each of these is a wave of its own, because one kubelet has one configuration.

use stakeout::model::fact::Side::Node;

use super::{Flaw, Place, claim};

pub const MOVED: &[Flaw] = &[Flaw {
    name: "moved_by_drop_in",
    place: Place::Node("w-1"),
    plant: r#"
        cp -a /var/lib/kubelet/kubeadm-flags.env /root/flags.kept
        mkdir -m 0700 /etc/kubernetes/kubelet.conf.d /etc/kubernetes/elsewhere
        printf '%s\n' 'apiVersion: kubelet.config.k8s.io/v1beta1' 'kind: KubeletConfiguration' \
            'staticPodPath: /etc/kubernetes/elsewhere' >/etc/kubernetes/kubelet.conf.d/10-moved.conf
        echo 'KUBELET_KUBEADM_ARGS="--config-dir=/etc/kubernetes/kubelet.conf.d"' \
            >/var/lib/kubelet/kubeadm-flags.env
        renew_kubelet"#,
    undo: "
        mv /root/flags.kept /var/lib/kubelet/kubeadm-flags.env
        rm -r /etc/kubernetes/kubelet.conf.d /etc/kubernetes/elsewhere
        renew_kubelet",
    claims: &[claim(
        "SP-KUB-016",
        "w-1",
        "staticPodPath",
        "high",
        (
            &[Node],
            "the static pod folder is /etc/kubernetes/elsewhere by ",
        ),
    )],
    also: &[],
}];

/// The base is then the old one, in which everything is open.
pub const BARE: &[Flaw] = &[Flaw {
    name: "no_config_file",
    place: Place::Node("w-1"),
    plant: r#"
        cp -a /var/lib/kubelet/kubeadm-flags.env /root/flags.kept
        mkdir -m 0700 /etc/kubernetes/kubelet.conf.d
        grep -e '^apiVersion' -e '^kind' -e '^failCgroupV1' -e '^failSwapOn' -e '^cgroupDriver' \
            -e '^imageGC' -e '^containerRuntimeEndpoint' -e '^staticPodPath' /var/lib/kubelet/config.yaml \
            >/etc/kubernetes/kubelet.conf.d/10-needed.conf
        echo 'evictionHard: {nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%, imagefs.inodesFree: 0%}' \
            >>/etc/kubernetes/kubelet.conf.d/10-needed.conf
        echo 'KUBELET_KUBEADM_ARGS="--config= --config-dir=/etc/kubernetes/kubelet.conf.d"' \
            >/var/lib/kubelet/kubeadm-flags.env
        renew_kubelet"#,
    undo: "
        mv /root/flags.kept /var/lib/kubelet/kubeadm-flags.env
        rm -r /etc/kubernetes/kubelet.conf.d
        renew_kubelet",
    claims: &[
        claim(
            "SP-KUB-001",
            "w-1",
            "authentication.anonymous.enabled",
            "critical",
            (&[Node], "anonymous requests are accepted"),
        ),
        claim(
            "SP-KUB-002",
            "w-1",
            "authorization.mode",
            "critical",
            (&[Node], ""),
        ),
        claim(
            "SP-KUB-004",
            "w-1",
            "readOnlyPort",
            "high",
            (&[Node], "read-only port 10255 is on"),
        ),
        claim(
            "SP-KUB-004",
            "w-1",
            "[::]:10255",
            "high",
            (&[Node], "[::]:10255 accepts connections"),
        ),
    ],
    also: &[
        ("SP-KUB-003", "w-1"),
        ("SP-KUB-012", "w-1"),
        ("SP-KUB-020", "w-1"),
        ("SP-KUB-016", "w-1"),
    ],
}];
