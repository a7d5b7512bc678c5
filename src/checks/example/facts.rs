//! Facts of an example that are neither files nor pods.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::Value as Json;

use super::gap;
use crate::model::cluster::Namespace;
use crate::model::fact::{Locator, Need};
use crate::model::known::{PSA_AUDIT, PSA_ENFORCE, PSA_WARN};
use crate::model::kubelet::{
    Given, Kubelet, KubeletProcess, Layer, LayerKind, Overridden, Setting, Settings, UnitFlags,
};
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

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct KubeletWritten {
    legacy: bool,
    stopped: bool,
    started: Option<i64>,
    untold: bool,
    command: Vec<String>,
    layers: Vec<LayerWritten>,
    lines: BTreeMap<String, u32>,
    unit: Option<UnitFlags>,
    #[serde(flatten)]
    settings: BTreeMap<String, Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerWritten {
    kind: LayerKind,
    origin: Option<String>,
    #[serde(default)]
    set: BTreeMap<String, Json>,
    #[serde(default)]
    lines: BTreeMap<String, u32>,
    given: Option<Given>,
    gap: Option<String>,
}

/// Keys with a default, by `--config` file and without one (applyLegacyDefaults in options.go).
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("authentication.anonymous.enabled", "false", "true"),
    ("authentication.webhook.enabled", "true", "false"),
    ("authorization.mode", "\"Webhook\"", "\"AlwaysAllow\""),
    ("enableContentionProfiling", "false", "false"),
    ("enableSystemLogQuery", "false", "false"),
    ("eventRecordQPS", "50", "50"),
    ("fileCheckFrequency", "\"20s\"", "\"20s\""),
    ("makeIPTablesUtilChains", "true", "true"),
    ("podPidsLimit", "-1", "-1"),
    ("protectKernelDefaults", "false", "false"),
    ("readOnlyPort", "0", "10255"),
    ("rotateCertificates", "false", "false"),
    ("seccompDefault", "false", "false"),
    ("streamingConnectionIdleTimeout", "\"4h0m0s\"", "\"4h0m0s\""),
];

/// Keys without a default.
const BARE: &[&str] = &[
    "address",
    "allowedUnsafeSysctls",
    "authentication.x509.clientCAFile",
    "containerRuntimeEndpoint",
    "featureGates.NodeLogQuery",
];

pub(super) fn kubelet(written: KubeletWritten) -> Result<Kubelet, String> {
    for key in written.settings.keys() {
        let known = DEFAULTS.iter().any(|(name, ..)| name == key);
        if !known && !BARE.contains(&key.as_str()) && !key.starts_with("staticPod") {
            return Err(format!("{key} is not a kubelet setting of examples"));
        }
    }
    let mut out = Kubelet {
        layers: Vec::new(),
        settings: Settings::default(),
        overridden: Vec::new(),
        unit: written.unit,
        process: None,
    };
    let mut settings = BTreeMap::new();
    let base = if written.legacy {
        LayerKind::LegacyDefaults
    } else {
        LayerKind::Defaults
    };
    let defaults = DEFAULTS.iter().map(|(key, file, legacy)| {
        let text = if written.legacy { legacy } else { file };
        let value = serde_json::from_str(text).unwrap_or(Json::Null);
        ((*key).to_owned(), value)
    });
    let plain = |kind, origin: Option<&str>, set, lines| LayerWritten {
        kind,
        origin: origin.map(str::to_owned),
        set,
        lines,
        given: None,
        gap: None,
    };
    let mut layers = vec![plain(base, None, defaults.collect(), BTreeMap::new())];
    if !written.legacy {
        let file = Some("/var/lib/kubelet/config.yaml");
        layers.push(plain(
            LayerKind::File,
            file,
            written.settings,
            written.lines,
        ));
    }
    layers.extend(written.layers);
    for layer in layers {
        add_layer((&mut out, &mut settings), layer)?;
    }
    out.settings = Settings::new(settings).map_err(|error| error.to_string())?;
    if !written.stopped {
        let command = match written.command {
            command if command.is_empty() => vec!["/usr/bin/kubelet".to_owned()],
            command => command,
        };
        out.process = Some(KubeletProcess {
            pid: 700,
            started: (!written.untold).then_some(written.started.unwrap_or(100)),
            command: command.into_iter().map(Text::from).collect(),
        });
    }
    Ok(out)
}

fn add_layer(
    (kubelet, settings): (&mut Kubelet, &mut BTreeMap<String, Setting>),
    written: LayerWritten,
) -> Result<(), String> {
    let index = u16::try_from(kubelet.layers.len()).unwrap_or(u16::MAX);
    kubelet.layers.push(Layer {
        kind: written.kind,
        origin: written.origin.as_deref().map(Text::new),
        at: Locator::new(Need::KubeletConfig, u32::from(index)),
        gap: written.gap.as_deref().map(gap).transpose()?,
        given: written.given,
    });
    for (key, value) in written.set {
        let setting = Setting {
            value,
            layer: index,
            line: written.lines.get(&key).copied().unwrap_or(0),
        };
        let old = settings.insert(key.clone(), setting);
        if let Some(old) = old.filter(|old| old.layer != 0) {
            kubelet.overridden.push(Overridden {
                key: Text::from(key),
                value: Overridden::words(&old.value),
                layer: old.layer,
                line: old.line,
            });
        }
    }
    Ok(())
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
