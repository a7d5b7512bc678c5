//! What kubeadm 1.37 leaves on a clean node, seen on a real one.

use super::certs::{self, Request};
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

/// Where kubeadm's packages lay out how the unit starts the kubelet.
const DROP_IN: &str = "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf";
const DROP_IN_TEXT: &str = "\
[Service]
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
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

const PKI: &str = "/etc/kubernetes/pki";
/// Groups of kubeadm's own certificates.
const ADMINS: &str = "kubeadm:cluster-admins";

/// Who a certificate is for, and who says so.
fn request<'a>(common_name: &'a str, organization: &'a str, issuer: &'a str) -> Request<'a> {
    Request {
        common_name,
        organization,
        issuer,
        ..Request::default()
    }
}

fn client<'a>(common_name: &'a str, organization: &'a str, issuer: &'a str) -> Request<'a> {
    Request {
        client: true,
        ..request(common_name, organization, issuer)
    }
}

/// A certificate that everyone may read, and its key, which nobody may.
fn pair(tree: &mut Tree, path: &str, pem: &str) {
    tree.file(&format!("{path}.crt"), 0o644, pem);
    tree.file(&format!("{path}.key"), 0o600, "key\n");
}

/// An authority of the cluster: the same on every node.
fn authority(name: &str, installed: i64) -> String {
    certs::pem(request(name, "", ""), &[name], installed)
}

fn kubeconfig(user: &str) -> String {
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: Y2E=\n    server: \
         https://192.0.2.10:6443\n  name: kubernetes\nkind: Config\nusers:\n- name: user\n  user:\n{user}"
    )
}

/// A kubeconfig of kubeadm, with its certificate in it.
fn embedded(pem: &str) -> String {
    let data = openssl::base64::encode_block(pem.as_bytes()).replace('\n', "");
    kubeconfig(&format!(
        "    client-certificate-data: {data}\n    client-key-data: a2V5\n"
    ))
}

/// What every node has.
pub fn worker(tree: &mut Tree, name: &str, installed: i64, config: &str) {
    const CURRENT: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    let kubelet = "/var/lib/kubelet/pki/kubelet-client-2026-01-01-00-00-00.pem";
    let user = format!("    client-certificate: {CURRENT}\n    client-key: {CURRENT}\n");
    tree.file("/usr/lib/os-release", 0o644, OS_RELEASE);
    let link = Kind::Link("../usr/lib/os-release".to_owned());
    tree.put("/etc/os-release", Entry::new(link, 0o777, installed));
    tree.file("/etc/kubernetes/kubelet.conf", 0o600, &kubeconfig(&user));
    let ca = authority("kubernetes", installed);
    tree.file(&format!("{PKI}/ca.crt"), 0o644, &ca);
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
    let node = format!("system:node:{name}");
    let own = client(&node, "system:nodes", "kubernetes");
    let own = certs::pem(own, &[name, "kubelet"], installed);
    tree.file(kubelet, 0o600, &own);
    let link = Kind::Link(kubelet.to_owned());
    tree.put(CURRENT, Entry::new(link, 0o777, installed));
    // The kubelet signs it itself where nobody signs it.
    let serving = format!("{name}@1700000000");
    let serving = certs::pem(request(&serving, "", ""), &[name, "serving"], installed);
    pair(tree, "/var/lib/kubelet/pki/kubelet", &serving);
    tree.file("/usr/bin/kubelet", 0o755, "program\n");
    tree.file("/run/containerd/containerd.sock", 0o660, "");
    tree.file(
        "/usr/lib/systemd/system/kubelet.service",
        0o644,
        "[Service]\n",
    );
    tree.file(DROP_IN, 0o644, DROP_IN_TEXT);
    tree.folder("/var/lib/kubelet/pods", 0o750);
    tree.folder("/var/log/pods", 0o750);
    tree.file(
        "/etc/cni/net.d/10-calico.conflist",
        0o600,
        "{\"cniVersion\": \"1.0.0\", \"name\": \"pods\", \"plugins\": [{\"type\": \"calico\", \"ipam\": {\"type\": \"calico-ipam\"}}]}\n",
    );
    tree.file("/etc/containerd/config.toml", 0o644, "version = 2\n");
}

/// What a control plane has beside.
pub fn control_plane(tree: &mut Tree, name: &str, address: &str, installed: i64) {
    for (file, user, group) in [
        ("admin", "kubernetes-admin", ADMINS),
        ("super-admin", "kubernetes-super-admin", "system:masters"),
        ("controller-manager", "system:kube-controller-manager", ""),
        ("scheduler", "system:kube-scheduler", ""),
    ] {
        let pem = certs::pem(client(user, group, "kubernetes"), &[name, file], installed);
        let path = format!("/etc/kubernetes/{file}.conf");
        tree.file(&path, 0o600, &embedded(&pem));
    }
    for (path, authority_name) in [
        ("ca", "kubernetes"),
        ("front-proxy-ca", "front-proxy-ca"),
        ("etcd/ca", "etcd-ca"),
    ] {
        let pem = authority(authority_name, installed);
        pair(tree, &format!("{PKI}/{path}"), &pem);
    }
    for (path, request) in issued(name, &[&format!("DNS:{name}"), &format!("IP:{address}")]) {
        let pem = certs::pem(request, &[name, path], installed);
        pair(tree, &format!("{PKI}/{path}"), &pem);
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
    for folder in [
        "/etc/ssl/certs",
        "/etc/ca-certificates",
        "/usr/share/ca-certificates",
        "/usr/local/share/ca-certificates",
    ] {
        tree.folder(folder, 0o755);
    }
    tree.folder(MANIFESTS, 0o700);
    for (component, text) in COMPONENTS {
        let text = text.replace("{node}", name).replace("{address}", address);
        tree.file(&format!("{MANIFESTS}/{component}.yaml"), 0o600, &text);
    }
}

/// What the authorities of a control plane issue.
fn issued<'a>(name: &'a str, names: &'a [&'a str]) -> Vec<(&'static str, Request<'a>)> {
    let server = |request: Request<'a>| Request {
        server: true,
        names,
        ..request
    };
    vec![
        (
            "apiserver",
            server(request("kube-apiserver", "", "kubernetes")),
        ),
        (
            "apiserver-kubelet-client",
            client("kube-apiserver-kubelet-client", ADMINS, "kubernetes"),
        ),
        (
            "apiserver-etcd-client",
            client("kube-apiserver-etcd-client", "", "etcd-ca"),
        ),
        (
            "front-proxy-client",
            client("front-proxy-client", "", "front-proxy-ca"),
        ),
        (
            "etcd/healthcheck-client",
            client("kube-etcd-healthcheck-client", "", "etcd-ca"),
        ),
        ("etcd/peer", server(client(name, "", "etcd-ca"))),
        ("etcd/server", server(client(name, "", "etcd-ca"))),
    ]
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
