//! What kubeadm 1.37 leaves on a clean node, seen on a real one.

use super::tree::{Entry, Kind, Tree};

/// The static pods of a control plane.
pub const COMPONENTS: &[(&str, &str)] = &[
    ("etcd", include_str!("kubeadm/etcd.yaml")),
    (
        "kube-apiserver",
        include_str!("kubeadm/kube-apiserver.yaml"),
    ),
    (
        "kube-controller-manager",
        include_str!("kubeadm/kube-controller-manager.yaml"),
    ),
    (
        "kube-scheduler",
        include_str!("kubeadm/kube-scheduler.yaml"),
    ),
];

/// `/var/lib/kubelet/config.yaml`.
pub const KUBELET_CONFIG: &str = include_str!("kubeadm/kubelet-config.yaml");

pub const MANIFESTS: &str = "/etc/kubernetes/manifests";

/// The kubelet's command line as its unit makes it.
pub const KUBELET: &[&str] = &[
    "/usr/bin/kubelet",
    "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
    "--kubeconfig=/etc/kubernetes/kubelet.conf",
    "--config=/var/lib/kubelet/config.yaml",
];

/// `systemctl show kubelet -p ExecStart -p Environment -p EnvironmentFiles`.
pub const UNIT: &str = "\
ExecStart={ path=/usr/bin/kubelet ; argv[]=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }
Environment=\"KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf\" KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml
EnvironmentFiles=/var/lib/kubelet/kubeadm-flags.env (ignore_errors=yes)
EnvironmentFiles=/etc/default/kubelet (ignore_errors=yes)
";

pub const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
audit:x:990:990:reads for stakeout:/home/audit:/bin/sh
";

pub const GROUP: &str = "\
root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
sudo:x:27:
www-data:x:33:
nogroup:x:65534:
audit:x:990:
";

pub const MOUNTS: &str = "\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
24 22 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
25 22 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=4005372k,mode=755
26 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate
27 22 0:24 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=804520k,mode=755
28 22 254:2 / /var rw,relatime shared:30 - ext4 /dev/vda2 rw
";

const OS_RELEASE: &str = "\
PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"
NAME=\"Debian GNU/Linux\"
VERSION_ID=\"12\"
VERSION=\"12 (bookworm)\"
VERSION_CODENAME=bookworm
ID=debian
";

/// Certificates are readable by all, keys are not; a name stands for its pair.
const PAIRS: &[&str] = &[
    "apiserver",
    "apiserver-etcd-client",
    "apiserver-kubelet-client",
    "ca",
    "front-proxy-ca",
    "front-proxy-client",
    "etcd/ca",
    "etcd/healthcheck-client",
    "etcd/peer",
    "etcd/server",
];

/// What every node has.
pub fn worker(tree: &mut Tree, installed: i64, config: &str) {
    tree.file("/usr/lib/os-release", 0o644, OS_RELEASE);
    let link = Kind::Link("../usr/lib/os-release".to_owned());
    tree.put("/etc/os-release", Entry::new(link, 0o777, installed));
    tree.file("/etc/kubernetes/kubelet.conf", 0o600, "kubeconfig\n");
    tree.file("/etc/kubernetes/pki/ca.crt", 0o644, "certificate\n");
    tree.folder("/var/lib/kubelet", 0o700);
    tree.file("/var/lib/kubelet/config.yaml", 0o644, config);
    tree.file(
        "/var/lib/kubelet/instance-config.yaml",
        0o644,
        "containerRuntimeEndpoint: \"unix:///run/containerd/containerd.sock\"\n",
    );
    tree.file(
        "/var/lib/kubelet/kubeadm-flags.env",
        0o644,
        "KUBELET_KUBEADM_ARGS=\"\"\n",
    );
    tree.file("/var/lib/kubelet/pki/kubelet.crt", 0o644, "certificate\n");
    tree.file("/var/lib/kubelet/pki/kubelet.key", 0o600, "key\n");
    tree.folder("/var/lib/kubelet/pods", 0o750);
    tree.folder("/var/log/pods", 0o750);
}

/// What a control plane has beside.
pub fn control_plane(tree: &mut Tree, name: &str, address: &str) {
    for file in ["admin", "controller-manager", "scheduler", "super-admin"] {
        let path = format!("/etc/kubernetes/{file}.conf");
        tree.file(&path, 0o600, "kubeconfig\n");
    }
    for pair in PAIRS {
        let path = format!("/etc/kubernetes/pki/{pair}");
        tree.file(&format!("{path}.crt"), 0o644, "certificate\n");
        tree.file(&format!("{path}.key"), 0o600, "key\n");
    }
    tree.file("/etc/kubernetes/pki/sa.key", 0o600, "key\n");
    tree.file("/etc/kubernetes/pki/sa.pub", 0o600, "key\n");
    tree.folder("/etc/kubernetes/audit", 0o700);
    tree.file(
        "/etc/kubernetes/audit/policy.yaml",
        0o600,
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n",
    );
    tree.folder("/var/log/kubernetes/audit", 0o700);
    tree.folder("/var/lib/etcd", 0o700);
    tree.folder(MANIFESTS, 0o700);
    for (component, text) in COMPONENTS {
        let text = text.replace("{node}", name).replace("{address}", address);
        tree.file(&format!("{MANIFESTS}/{component}.yaml"), 0o600, &text);
    }
}

/// Where a node listens, `{address}` standing for its own.
pub fn listeners(control_plane: bool) -> Vec<&'static str> {
    let mut all = vec![
        "0.0.0.0:22",
        "[::]:22",
        "127.0.0.1:10248",
        "127.0.0.1:10249",
        "[::]:10250",
        "[::]:10256",
    ];
    if control_plane {
        all.extend([
            "127.0.0.1:2379",
            "{address}:2379",
            "{address}:2380",
            "127.0.0.1:2381",
            "127.0.0.1:10257",
            "127.0.0.1:10259",
            "[::]:6443",
        ]);
    }
    all
}
