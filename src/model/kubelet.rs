//! The kubelet's effective configuration: every key with the layer that set it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fact::{Gap, Locator};
use super::text::Text;

/// Where a key can come from, weakest first: defaults, main file, drop-ins in lexical order, flags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    pub kind: LayerKind,
    /// The file, or the flag's spelling; none for defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Text>,
    pub at: Locator,
    /// Set where the layer exists and could not be read: whatever it may override is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// The kinds of layers, in the order in which they are applied (cmd/kubelet/app/server.go).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// No `--config` file: anonymous on, AlwaysAllow, read-only port open (applyLegacyDefaults in options.go).
    LegacyDefaults,
    /// With a `--config` file: the v1beta1 defaults.
    Defaults,
    File,
    DropIn,
    Flag,
}

/// One effective key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// After defaulting; secrets masked. Durations as the file spells them.
    pub value: Value,
    /// Index into [`Kubelet::layers`].
    pub layer: u16,
}

/// The kubelet of a node as it was started and configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kubelet {
    /// Weakest first.
    pub layers: Vec<Layer>,
    /// Dotted key (`authentication.anonymous.enabled`) to value; a list is one value.
    pub settings: BTreeMap<Text, Setting>,
    /// None: no kubelet process was found, files and units were read all the same.
    pub process: Option<KubeletProcess>,
}

/// The running kubelet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubeletProcess {
    pub pid: u32,
    /// Seconds since the epoch by the node's clock; none where it could not be told.
    pub started: Option<i64>,
    /// Program and arguments, secrets masked.
    pub command: Vec<Text>,
}

impl Kubelet {
    /// The effective value of a dotted key. `Ok(None)`: no layer sets it and it has no default.
    ///
    /// # Errors
    /// The gap of an unreadable layer that is stronger than the one that set the key.
    pub fn setting(&self, key: &str) -> Result<Option<(&Value, &Layer)>, Gap> {
        let found = self.settings.get(key);
        let from = found.map_or(0, |setting| usize::from(setting.layer) + 1);
        if let Some(gap) = self
            .layers
            .iter()
            .skip(from)
            .find_map(|layer| layer.gap.as_ref())
        {
            return Err(gap.clone());
        }
        Ok(found.and_then(|setting| {
            Some((&setting.value, self.layers.get(usize::from(setting.layer))?))
        }))
    }
}
