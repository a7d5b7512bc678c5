use super::containers::{Around, each_pod, items, word};
use super::places::{holds, plain};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

/// Sockets behind which anybody can start a privileged container, or read every pod of the node.
const SOCKETS: &[&str] = &[
    "/run/buildkit/buildkitd.sock",
    "/run/containerd/containerd.sock",
    "/run/cri-dockerd.sock",
    "/run/crio/crio.sock",
    "/run/docker.sock",
    "/run/dockershim.sock",
    "/run/frakti.sock",
    "/run/k0s/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/var/lib/kubelet/pods-api/pods-api.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
];

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-010"),
    title: "No static pod has the container runtime's socket",
    why: "Whoever talks to the runtime starts a privileged container of their own choice: read-only mounts do not stop a socket.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Pss("baseline/hostPathVolumes"),
        Maps::Source("Kubescape C-0074"),
        Maps::Attack("T1611"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; remove the volume, or mount the one folder below it that is needed",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /var/lib/etcd}}, {name: unused, hostPath: {path: /run}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /var/run/docker.sock}}]}}}]",
            "FAIL critical: default/a has /run/docker.sock of the host (volume v)",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /run/containerd/}}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL critical: default/a has /run/containerd of the host, and in it containerd.sock (volume v); gap: the login may not read it",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {initContainers: [{name: i, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /}}]}}}]",
            "FAIL critical: default/a has / of the host, and in it every runtime socket (volume v)",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_pod(node, |around, tally| {
        for (volume, path) in around.host_paths() {
            let path = run(&plain(path));
            let reached: Vec<&str> = SOCKETS
                .iter()
                .copied()
                .filter(|socket| holds(&path, socket))
                .collect();
            let Some(first) = reached.first().filter(|_| is_mounted(&around, volume)) else {
                tally.good(around.at);
                continue;
            };
            let inside = match reached.len() {
                1 if *first == path => String::new(),
                1 => format!(", and in it {}", first.rsplit('/').next().unwrap_or(first)),
                _ => ", and in it every runtime socket".to_owned(),
            };
            let name = around.name();
            let message = format!("{name} has {path} of the host{inside} (volume {volume})");
            let subject = around.part(volume);
            tally.offence(offence(subject, Severity::Critical, message, [around.at]));
        }
    })
}

/// On every distribution with systemd `/var/run` is a link to `/run`; what holds the one holds the other.
fn run(path: &str) -> String {
    match path.strip_prefix("/var/run") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/run{rest}"),
        _ => path.to_owned(),
    }
}

fn is_mounted(around: &Around<'_>, volume: &str) -> bool {
    around.containers().any(|inside| {
        items(inside.container.get("volumeMounts")).any(|mount| word(mount.get("name")) == volume)
    })
}
