use super::containers::{Around, each_pod, items, word};
use super::places::{holds, plain};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::exposure::looked;
use crate::model::fact::{Fact, Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::unix::{FileKind, WalkEnd};
use crate::model::verdict::{Severity, Verdict};

/// Sockets behind which anybody can start a privileged container, or read every pod of the node.
pub(in crate::checks) const SOCKETS: &[&str] = &[
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
    helps: &[Need::KubeletConfig, Need::HostPaths],
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
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /var/lib/etcd}}, {name: unused, hostPath: {path: /run}}]}}}], kubelet: {}, host_paths: [{role: host_path, path: /var/lib/etcd}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /opt/cri/run}}]}}}], kubelet: {containerRuntimeEndpoint: 'unix:///opt/cri/run/own.sock'}, host_paths: [{role: host_path, path: /opt/cri/run}]}",
            "FAIL critical: default/a has /opt/cri/run of the host, and in it own.sock (volume v)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /srv/x}}]}}}], kubelet: {}, host_paths: [{role: host_path, path: /srv/x, link: /run/containerd}]}",
            "FAIL critical: default/a has /run/containerd of the host, and in it containerd.sock (volume v)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /srv/docker-rootless.sock}}]}}}], kubelet: {}, host_paths: [{role: host_path, path: /srv/docker-rootless.sock, kind: socket}]}",
            "FAIL critical: default/a has /srv/docker-rootless.sock of the host (volume v)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /srv/agent.sock}}]}}}], kubelet: {}, host_paths: [{role: host_path, path: /srv/agent.sock, kind: socket}]}",
            "MANUAL: does a container runtime listen on /srv/agent.sock, which default/a has?",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /srv/x}}]}}}], kubelet: {gap: denied}, host_paths: [{role: host_path, path: /srv/x}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /srv/x}}]}}}], kubelet: {}, host_paths: [{role: host_path, path: /srv/x, gap: denied}]}",
            "UNKNOWN: the login may not read it",
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

/// Words in the names of sockets on which container runtimes listen, wherever they lie.
const WORDS: [&str; 6] = ["containerd", "crio", "cri-", "docker", "podman", "buildkit"];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let endpoint = endpoint(node);
    let own = endpoint.as_ref().ok().and_then(Option::as_deref);
    let sockets: Vec<&str> = SOCKETS.iter().copied().chain(own).collect();
    each_pod(node, |around, tally| {
        for (volume, path) in around.host_paths() {
            if !is_mounted(&around, volume) {
                tally.good(around.at);
                continue;
            }
            let named = run(&plain(path));
            let mut kind = None;
            let mut found = inside(&named, &sockets).map(|inside| (named.clone(), inside));
            if found.is_none() {
                match real(node, path) {
                    Ok(Some((real, what))) => {
                        kind = Some(what);
                        found = inside(&real, &sockets).map(|inside| (real, inside));
                    }
                    Ok(None) => {}
                    Err(gap) => tally.gap(gap),
                }
            }
            let name = around.name();
            if let Some((path, inside)) = found {
                let message = format!("{name} has {path} of the host{inside} (volume {volume})");
                let subject = around.part(volume);
                tally.offence(offence(subject, Severity::Critical, message, [around.at]));
                continue;
            }
            if kind == Some(FileKind::Socket) || is_socket(&named) {
                tally.gap(Gap::NeedsHuman {
                    question: Text::from(format!(
                        "does a container runtime listen on {named}, which {name} has?"
                    )),
                });
            }
            tally.gaps(endpoint.as_ref().err().cloned());
            tally.good(around.at);
        }
    })
}

/// What of the runtime's sockets is at a place, in words; none where nothing is.
fn inside(place: &str, sockets: &[&str]) -> Option<String> {
    let reached: Vec<&&str> = sockets
        .iter()
        .filter(|socket| holds(place, socket))
        .collect();
    let (_, file) = place.rsplit_once('/')?;
    match reached.as_slice() {
        [] => {
            let named = WORDS.iter().any(|word| file.contains(word));
            (named && is_socket(place)).then(String::new)
        }
        [one] if **one == place => Some(String::new()),
        [one] => {
            let name = one.rsplit('/').next().unwrap_or(one);
            Some(format!(", and in it {name}"))
        }
        _ => Some(", and in it every runtime socket".to_owned()),
    }
}

/// The socket over which the kubelet talks to its runtime; none where no layer names one.
///
/// # Errors
/// Why it is not known.
fn endpoint(node: &NodeFacts) -> Result<Option<String>, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let found = kubelet.value.setting("containerRuntimeEndpoint")?;
    let value = found.and_then(|(value, _)| value.as_str());
    let path = value.map(|value| value.strip_prefix("unix://").unwrap_or(value));
    let path = path.filter(|path| path.starts_with('/'));
    Ok(path
        .map(|path| run(&plain(path)))
        .filter(|path| !SOCKETS.contains(&path.as_str())))
}

/// Where a path really leads on the node, and to what; none where nothing is there yet.
///
/// # Errors
/// Why it is not known.
fn real(node: &NodeFacts, path: &str) -> Result<Option<(String, FileKind)>, Gap> {
    let list = node.host.host_paths.get()?;
    let known = looked(
        &node.host,
        &list.value,
        Need::HostPaths,
        &[FileRole::HostPath],
    );
    let Some(seen) = known.iter().find(|seen| *seen.path == Text::new(path)) else {
        return Err(list.value.gaps.first().cloned().unwrap_or(Gap::Garbled {
            what: Text::from(format!("{} was not looked at", Text::new(path))),
        }));
    };
    if let (WalkEnd::Blocked, Some(Fact::Gap(gap))) = (seen.walk.end, seen.walk.hops.last()) {
        return Err(gap.clone());
    }
    let object = seen.walk.object();
    Ok(object.map(|hop| (run(hop.path.as_str()), hop.stat.kind)))
}

/// On every distribution with systemd `/var/run` is a link to `/run`; what holds the one holds the other.
pub(in crate::checks) fn run(path: &str) -> String {
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

/// Whether a path is named as sockets are.
fn is_socket(path: &str) -> bool {
    let name = std::path::Path::new(path).extension();
    name.is_some_and(|name| name.eq_ignore_ascii_case("sock"))
}
