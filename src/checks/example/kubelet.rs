//! The kubelet of an example: its settings over the defaults, layer by layer.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::gap;
use crate::model::fact::{Locator, Need};
use crate::model::kubelet::{
    Given, Kubelet, KubeletProcess, Layer, LayerKind, Overridden, Setting, Settings, UnitFlags,
};
use crate::model::text::Text;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct KubeletWritten {
    legacy: bool,
    stopped: bool,
    started: Option<StartWritten>,
    command: Vec<String>,
    layers: Vec<LayerWritten>,
    lines: BTreeMap<String, u32>,
    unit: Option<UnitFlags>,
    #[serde(flatten)]
    settings: BTreeMap<String, Json>,
}

/// Seconds, or `untold`.
#[derive(Deserialize)]
#[serde(untagged)]
enum StartWritten {
    At(i64),
    Word(Untold),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Untold {
    Untold,
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
    "enableContentionProfiling",
    "featureGates.NodeLogQuery",
];

fn known_keys(written: &KubeletWritten) -> Result<(), String> {
    for key in written.settings.keys() {
        let known = DEFAULTS.iter().any(|(name, ..)| name == key);
        if !known && !BARE.contains(&key.as_str()) && !key.starts_with("staticPod") {
            return Err(format!("{key} is not a kubelet setting of examples"));
        }
    }
    Ok(())
}

pub(super) fn kubelet(written: KubeletWritten) -> Result<Kubelet, String> {
    known_keys(&written)?;
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
            started: match written.started {
                None => Some(100),
                Some(StartWritten::At(at)) => Some(at),
                Some(StartWritten::Word(Untold::Untold)) => None,
            },
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
