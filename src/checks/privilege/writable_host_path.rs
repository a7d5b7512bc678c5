use super::containers::{Around, each_pod, items, word};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::flags::last_of;
use crate::checks::program::own_words;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Verdict};

use super::places::{holds, plain};

/// Who may write there is root of the node a moment later.
const DEADLY: &[&str] = &[
    "/boot",
    "/etc/cron.d",
    "/etc/kubernetes/manifests",
    "/etc/ld.so.preload",
    "/etc/passwd",
    "/etc/ssh",
    "/etc/sudoers.d",
    "/etc/systemd",
    "/proc",
    "/root",
    "/sys",
    "/usr/bin",
    "/usr/lib/systemd",
    "/usr/local/bin",
    "/usr/sbin",
    "/var/lib/kubelet",
];

/// What a component has to write: kubeadm's own manifests mount these.
const OWN: &[(&str, &str)] = &[
    ("etcd", "/var/lib/etcd"),
    ("etcd", "/etc/kubernetes/pki/etcd"),
    ("kube-apiserver", "/var/log/kubernetes"),
    ("kube-apiserver", "/var/log/kube-audit"),
    (
        "kube-controller-manager",
        "/usr/libexec/kubernetes/kubelet-plugins/volume/exec",
    ),
    ("kube-controller-manager", "/var/lib/kubelet/volumeplugins"),
];

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-009"),
    title: "No static pod can write to the host's files",
    why: "A writable path of the host survives the container: a changed binary, unit or manifest there runs as root on the node.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Cis("5.2.11"),
        Maps::Pss("baseline/hostPathVolumes"),
        Maps::Attack("T1611"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; set readOnly: true on the volumeMounts of that volume, or mount the one folder that is written instead of the one above it",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /etc}}, {name: unused, hostPath: {path: /}}, {name: e, emptyDir: {}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /var/lib/etcd}}]}}}]",
            "PASS: kube-system/etcd writes to /var/lib/etcd, as that component has to",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: x}, spec: {containers: [{name: c, command: [kube-apiserver, --audit-log-path=/srv/audit/a.log], volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /srv/audit}}]}}}]",
            "FAIL high: x/api can write to /srv/audit of the host (volume v, container c)",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, --audit-log-path=/srv/audit/a.log], volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /srv/audit/}}]}}}]",
            "PASS: kube-system/kube-apiserver writes to /srv/audit, as that component has to",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {initContainers: [{name: i, volumeMounts: [{name: v}]}], containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /var//lib/./kubelet/pods}}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL critical: default/a can write to /var/lib/kubelet/pods of the host (volume v, containers i, c); gap: the login may not read it",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /}}]}}}]",
            "FAIL critical: kube-system/etcd can write to / of the host (volume v, container c)",
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
            let writers = writers(&around, volume);
            if writers.is_empty() {
                tally.good(around.at);
                continue;
            }
            let (name, path) = (around.name(), plain(path));
            if is_own(&around, &path) {
                tally.good(around.at);
                tally.note(format!("{name} writes to {path}, as that component has to"));
                continue;
            }
            let deadly = DEADLY
                .iter()
                .any(|place| holds(&path, place) || holds(place, &path));
            let severity = if deadly {
                Severity::Critical
            } else {
                Severity::High
            };
            let word = if writers.len() == 1 {
                "container"
            } else {
                "containers"
            };
            let writers = writers.join(", ");
            let message = format!(
                "{name} can write to {path} of the host (volume {volume}, {word} {writers})"
            );
            tally.offence(offence(around.part(volume), severity, message, [around.at]));
        }
    })
}

/// Containers that mount a volume and may write to it.
fn writers(around: &Around<'_>, volume: &str) -> Vec<String> {
    let mounts = |container: Branch<'_>| {
        items(container.get("volumeMounts")).any(|mount| {
            let read_only = mount.get("readOnly") == Some(Branch::Bool(true));
            word(mount.get("name")) == volume && !read_only
        })
    };
    around
        .containers()
        .filter(|inside| mounts(inside.container))
        .map(|inside| inside.name.to_string())
        .collect()
}

/// Whether a component of the control plane has to write there.
fn is_own(around: &Around<'_>, path: &str) -> bool {
    if !around.is_component(&[]) {
        return false;
    }
    let name = around.pod.name.as_str();
    let known = OWN
        .iter()
        .any(|(component, place)| *component == name && holds(place, path));
    known || (name == "kube-apiserver" && audit_folder(around).is_some_and(|folder| folder == path))
}

/// The folder of `--audit-log-path`.
fn audit_folder(around: &Around<'_>) -> Option<String> {
    let words = own_words(around.pod, "kube-apiserver")?;
    let flag = last_of(&words, "audit-log-path")?;
    let (folder, _) = flag.rsplit_once('/')?;
    (!folder.is_empty()).then(|| plain(folder))
}
