//! Facts of an example that are neither files nor pods.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;

use crate::model::cluster::Namespace;
use crate::model::known::{PSA_AUDIT, PSA_ENFORCE, PSA_WARN};
use crate::model::node::{Identity, Listener, NodeObject, RuntimePod, RuntimePods, Taint, WayIn};
use crate::model::text::Text;
use crate::model::unix::{Accounts, Gid, Group, Uid, User};

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct IdentityWritten {
    clock: i64,
    os: String,
    uid: u32,
    way: WayIn,
}

impl Default for IdentityWritten {
    fn default() -> Self {
        Self {
            clock: 1000,
            os: "debian Debian GNU/Linux 12".to_owned(),
            uid: 0,
            way: WayIn::InstalledCollector,
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "readers share one shape")]
pub(super) fn identity(written: IdentityWritten) -> Result<Identity, String> {
    Ok(Identity {
        hostname: Text::new(super::NODE),
        machine_id: Some(Text::new("machine")),
        boot_id: Some(Text::new("boot")),
        os: Text::from(written.os),
        clock: written.clock,
        uid: written.uid,
        way: written.way,
        collector: Text::new("1"),
    })
}

pub(super) fn clock(clock: i64) -> Result<Identity, String> {
    identity(IdentityWritten {
        clock,
        ..IdentityWritten::default()
    })
}

pub(super) fn listeners(written: Vec<String>) -> Result<Vec<Listener>, String> {
    written
        .into_iter()
        .map(|raw| {
            let (raw, owner) = raw.split_once(' ').unwrap_or((&raw, ""));
            let socket: SocketAddr = raw.parse().map_err(|e| format!("{raw}: {e}"))?;
            Ok(Listener {
                address: socket.ip(),
                port: socket.port(),
                owner: super::running::owner(owner),
            })
        })
        .collect()
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AccountsWritten {
    users: Vec<String>,
    groups: Vec<String>,
}

pub(super) fn accounts(written: AccountsWritten) -> Result<Accounts, String> {
    let mut out = Accounts::default();
    for raw in written.users {
        let [name, uid, gid] = parts(&raw)?;
        out.users.push(User {
            uid: Uid(number(uid)?),
            gid: Gid(number(gid)?),
            name: Text::new(name),
        });
    }
    for raw in written.groups {
        let [name, gid, members] = parts(&raw)?;
        out.groups.push(Group {
            gid: Gid(number(gid)?),
            name: Text::new(name),
            members: members
                .split(',')
                .filter(|member| !member.is_empty())
                .map(Text::new)
                .collect(),
        });
    }
    Ok(out)
}

/// `a:b:c`.
pub(super) fn parts<const N: usize>(raw: &str) -> Result<[&str; N], String> {
    let parts: Vec<&str> = raw.split(':').collect();
    <[&str; N]>::try_from(parts).map_err(|_| format!("{raw}: want {N} parts with colons"))
}

pub(super) fn number(raw: &str) -> Result<u32, String> {
    raw.parse().map_err(|e| format!("{raw}: {e}"))
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RuntimeWritten {
    Pods(Vec<RuntimeWrittenPod>),
    Hidden {
        hidepid: bool,
        pods: Vec<RuntimeWrittenPod>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuntimeWrittenPod {
    uid: String,
    #[serde(default = "one")]
    pids: u32,
    log: Option<String>,
    started: Option<i64>,
    exe: Option<String>,
}

fn one() -> u32 {
    1
}

pub(super) fn runtime(written: RuntimeWritten) -> Result<RuntimePods, String> {
    let (hidepid, pods) = match written {
        RuntimeWritten::Pods(pods) => (false, pods),
        RuntimeWritten::Hidden { hidepid, pods } => (hidepid, pods),
    };
    let pods = pods.into_iter().map(|pod| {
        let log = match &pod.log {
            Some(log) => Some(super::pods::names(log)?),
            None => None,
        };
        Ok(RuntimePod {
            uid: Text::from(pod.uid),
            pids: pod.pids,
            log,
            started: (pod.pids > 0).then_some(pod.started.unwrap_or(100)),
            exe: pod.exe.map(Text::from),
        })
    });
    Ok(RuntimePods {
        pods: pods.collect::<Result<_, String>>()?,
        hidepid,
    })
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ObjectWritten {
    uid: Option<String>,
    labels: BTreeMap<Text, Text>,
    taints: Vec<String>,
    ready: Option<String>,
    version: Option<String>,
    /// From kind to address.
    addresses: BTreeMap<Text, Text>,
    allocatable: BTreeMap<Text, Text>,
    provider_id: Option<String>,
}

/// The uid of the Node object where an example gives none.
pub(super) const NODE_UID: &str = "node-uid";

pub(super) fn object(written: ObjectWritten) -> Result<NodeObject, String> {
    let taints = written.taints.iter().map(|raw| {
        let (head, effect) = raw
            .rsplit_once(':')
            .ok_or_else(|| format!("{raw}: want key=value:Effect"))?;
        let (key, value) = head.split_once('=').unwrap_or((head, ""));
        Ok(Taint {
            key: Text::new(key),
            value: Text::new(value),
            effect: Text::new(effect),
        })
    });
    Ok(NodeObject {
        uid: Text::from(written.uid.as_deref().unwrap_or(NODE_UID)),
        labels: written.labels,
        taints: taints.collect::<Result<_, String>>()?,
        ready: Some(Text::from(written.ready.as_deref().unwrap_or("True"))),
        addresses: written.addresses.into_iter().collect(),
        machine_id: Text::new("machine"),
        boot_id: Text::new("boot"),
        kubelet_version: Text::from(written.version.as_deref().unwrap_or("v1.37.2")),
        os_image: Text::new("Debian GNU/Linux 12"),
        resource_version: Text::new("1"),
        allocatable: written.allocatable.into(),
        provider_id: written.provider_id.map(Text::from).unwrap_or_default(),
    })
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NamespaceWritten {
    phase: Option<String>,
    labels: BTreeMap<Text, Text>,
    enforce: Option<String>,
    audit: Option<String>,
    warn: Option<String>,
}

#[expect(clippy::unnecessary_wraps, reason = "readers share one shape")]
pub(super) fn namespaces(
    written: BTreeMap<String, NamespaceWritten>,
) -> Result<Vec<Namespace>, String> {
    let namespaces = written.into_iter().map(|(name, written)| {
        let mut labels = written.labels;
        for (key, level) in [
            (PSA_ENFORCE, written.enforce),
            (PSA_AUDIT, written.audit),
            (PSA_WARN, written.warn),
        ] {
            if let Some(level) = level {
                labels.insert(Text::new(key), Text::from(level));
            }
        }
        Namespace {
            uid: Text::from(format!("{name}-uid")),
            name: Text::from(name),
            phase: Text::from(written.phase.as_deref().unwrap_or("Active")),
            labels,
        }
    });
    Ok(namespaces.collect())
}
