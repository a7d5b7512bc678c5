//! Credentials of the whole cluster that lie on a node, and the static pods that mount them.

use crate::checks::exposure::looked;
use crate::checks::privilege::containers::{Around, writes};
use crate::checks::privilege::places::{holds, plain};
use crate::model::fact::{Gap, Need};
use crate::model::files::{FileRole, Files};
use crate::model::node::NodeFacts;
use crate::model::unix::WalkEnd;
use crate::model::verdict::Severity;

/// Where kubeadm keeps the cluster's keys.
const PKI: &str = "/etc/kubernetes/pki";
/// Its administrators' kubeconfigs, and the keys of its CAs.
const ADMIN: &[&str] = &[
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/super-admin.conf",
];
const CA_KEYS: &[&str] = &[
    "/etc/kubernetes/pki/ca.key",
    "/etc/kubernetes/pki/etcd/ca.key",
    "/etc/kubernetes/pki/front-proxy-ca.key",
];

/// Signs the tokens of service accounts: with it anybody is every one of them.
const SIGNER: &str = "/etc/kubernetes/pki/sa.key";

/// What lies on a node.
pub struct Credentials {
    /// Kubeconfigs of administrators.
    admin: Vec<String>,
    /// Private keys of CAs.
    keys: Vec<String>,
    pub gaps: Vec<Gap>,
}

/// What a static pod has of them.
pub enum Holder<'m> {
    /// The component that has to.
    Meant {
        path: String,
    },
    Found(Found<'m>),
}

/// A credential in a pod that has no need of it.
pub struct Found<'m> {
    pub volume: &'m str,
    /// Mounted from the node.
    pub path: String,
    /// `has PATH, the key of a CA`.
    pub words: String,
    /// Whoever has it is administrator of the cluster.
    pub severity: Severity,
}

/// Reads what lies on the node; what kubeadm's usual places hold is thought to be there unless it is known not to be.
pub fn credentials(node: &NodeFacts) -> Credentials {
    let mut out = Credentials {
        admin: Vec::new(),
        keys: Vec::new(),
        gaps: Vec::new(),
    };
    let roles = [FileRole::AdminKubeconfig, FileRole::SuperAdminKubeconfig];
    match node.host.kubeconfigs.get() {
        Ok(seen) => {
            out.admin = present(node, &seen.value.list, Need::Kubeconfigs, &roles);
            out.gaps.extend(seen.value.list.gaps.iter().cloned());
        }
        Err(gap) => {
            out.admin
                .extend(ADMIN.iter().map(|path| (*path).to_owned()));
            out.gaps.push(gap);
        }
    }
    match node.host.pki.get() {
        Ok(seen) => {
            let roles = [FileRole::PrivateKey];
            let mut keys = present(node, &seen.value.list, Need::Pki, &roles);
            keys.retain(|path| is_ca(path));
            out.keys = keys;
            out.gaps.extend(seen.value.list.gaps.iter().cloned());
        }
        Err(gap) => {
            out.keys
                .extend(CA_KEYS.iter().map(|path| (*path).to_owned()));
            out.gaps.push(gap);
        }
    }
    out
}

fn present(node: &NodeFacts, list: &Files, need: Need, roles: &[FileRole]) -> Vec<String> {
    let all = looked(&node.host, list, need, roles);
    let there = all.iter().filter(|seen| seen.walk.end != WalkEnd::Absent);
    there.map(|seen| plain(seen.path.as_str())).collect()
}

/// Whether a key is named as those of CAs are.
fn is_ca(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name
        .strip_suffix(".key")
        .or_else(|| name.strip_suffix("-key.pem"));
    stem.is_some_and(|stem| stem == "ca" || stem.ends_with("-ca"))
}

/// What a pod mounts of them, one for each volume.
pub fn held<'m>(around: &Around<'m>, known: &Credentials) -> Vec<Holder<'m>> {
    let mut out = Vec::new();
    for (volume, path) in around.host_paths() {
        let path = plain(path);
        let containers = around.pod.containers();
        let access = containers.filter_map(|(_, container)| writes(container, volume));
        let Some(writable) = access.max() else {
            continue;
        };
        if let Some((words, severity)) =
            grave(&path, known).or_else(|| keys(&path, writable, known))
        {
            let meant = holds(PKI, &path) && is_meant(around, &path, writable);
            out.push(if meant {
                Holder::Meant { path }
            } else {
                Holder::Found(Found {
                    volume,
                    path,
                    words,
                    severity,
                })
            });
        }
    }
    out
}

/// An administrator's kubeconfig.
fn grave(path: &str, known: &Credentials) -> Option<(String, Severity)> {
    let what = "an administrator's kubeconfig";
    if ADMIN.contains(&path) {
        return Some((format!("has {path}, {what}"), Severity::Critical));
    }
    let inside = known.admin.iter().find(|admin| holds(path, admin))?;
    Some((brings(path, inside, what), Severity::Critical))
}

fn brings(path: &str, inside: &str, what: &str) -> String {
    if path == inside {
        format!("has {path}, {what}")
    } else {
        format!("has {path}, and in it {inside}, {what}")
    }
}

/// The keys of the cluster.
fn keys(path: &str, writable: bool, known: &Credentials) -> Option<(String, Severity)> {
    if writable && holds(path, PKI) {
        let words = format!("can write to {path}, the keys of the cluster");
        return Some((words, Severity::Critical));
    }
    let key = CA_KEYS.iter().find(|key| **key == path).copied();
    let inside = || {
        known
            .keys
            .iter()
            .map(String::as_str)
            .find(|key| holds(path, key))
    };
    if let Some(key) = key.or_else(inside) {
        return Some((brings(path, key, "the key of a CA"), Severity::Critical));
    }
    if path == SIGNER {
        let what = "the key that signs the tokens of service accounts";
        return Some((brings(path, SIGNER, what), Severity::Critical));
    }
    // What is known not to hold a key has none to give, but can be given one.
    if writable && holds(PKI, path) {
        let words = format!("can write to {path}, among the keys of the cluster");
        return Some((words, Severity::High));
    }
    // The whole folder, of which it is not known what lies in it.
    (path == PKI).then(|| {
        (
            format!("has {path}, the keys of the cluster"),
            Severity::Critical,
        )
    })
}

/// What kubeadm's own manifests mount.
fn is_meant(around: &Around<'_>, path: &str, writable: bool) -> bool {
    if !around.is_component(&[]) {
        return false;
    }
    match around.pod.name.as_str() {
        "etcd" => holds("/etc/kubernetes/pki/etcd", path),
        "kube-apiserver" | "kube-controller-manager" => !writable,
        _ => false,
    }
}
