//! The kubelet's effective configuration: every key with the layer that set it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::fact::{Gap, Locator};
use super::text::Text;
use super::tree::{Branch, Members, Oversized, Tree};

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
    /// Of a flag: what gives it to the command line; none where that is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
}

/// A unit, a file of environment or of arguments that gives a flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// A path, or the name of the unit, whose drop-ins the service manager has merged.
    pub file: Text,
    /// From 1; 0 where it is not told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub line: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(line: &u32) -> bool {
    *line == 0
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

/// One effective key as it is put together.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Setting {
    /// After defaulting; secrets masked. Durations as the file spells them.
    pub value: Value,
    /// Index into [`Kubelet::layers`].
    pub layer: u16,
    /// Of the key in the layer's file, from 1; 0 where it has none.
    #[serde(default)]
    pub line: u32,
}

/// What a layer says of a key and a stronger one overrides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overridden {
    pub key: Text,
    /// As JSON, secrets masked, cut at [`Overridden::LENGTH`].
    pub value: Text,
    /// Index into [`Kubelet::layers`].
    pub layer: u16,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub line: u32,
}

impl Overridden {
    /// The bound of a value in bytes.
    pub const LENGTH: usize = 256;
    /// How many are kept of one kubelet.
    pub const KEPT: usize = 64;

    /// A value as it is kept and can be compared.
    pub fn words(value: &impl Serialize) -> Text {
        let mut json = serde_json::to_string(value).unwrap_or_default();
        if json.len() > Self::LENGTH {
            json.truncate(json.floor_char_boundary(Self::LENGTH));
            json.push_str("...");
        }
        Text::from(json)
    }
}

/// Effective keys with their layers; every node has some eighty, so they are kept as a [`Tree`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Dotted key to value.
    values: Tree,
    /// Index into [`Kubelet::layers`], in the order of the keys.
    layers: Box<[u16]>,
    /// Lines in the layer's file in the same order, 0 where there is none or beyond what fits.
    lines: Box<[u16]>,
}

/// One effective key with where it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'s> {
    pub key: &'s str,
    pub value: Branch<'s>,
    /// Index into [`Kubelet::layers`].
    pub layer: u16,
    /// In the layer's file, from 1; 0 where it has none.
    pub line: u32,
}

impl Settings {
    /// # Errors
    /// Where they are too large to be kept.
    pub fn new(settings: BTreeMap<String, Setting>) -> Result<Self, Oversized> {
        // A key is drawn, and of two that look the same one counts.
        let clean: BTreeMap<String, Setting> = settings
            .into_iter()
            .map(|(key, setting)| (Text::from(key).to_string(), setting))
            .collect();
        let layers = clean.values().map(|setting| setting.layer).collect();
        let line = |setting: &Setting| u16::try_from(setting.line).unwrap_or(0);
        let lines = clean.values().map(line).collect();
        let values: serde_json::Map<String, Value> = clean
            .into_iter()
            .map(|(key, setting)| (key, setting.value))
            .collect();
        Ok(Self {
            values: Tree::try_from(Value::Object(values))?,
            layers,
            lines,
        })
    }

    /// The value of a dotted key and the index of its layer.
    pub fn get(&self, key: &str) -> Option<(Branch<'_>, u16)> {
        let (place, value) = self.values.root().as_object()?.find(key)?;
        Some((value, self.layers.get(place).copied().unwrap_or_default()))
    }

    /// In the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        let members = self.values.root().as_object().into_iter();
        let values = members.flat_map(Members::iter);
        let places = self.layers.iter().zip(&self.lines);
        values
            .zip(places)
            .map(|((key, value), (layer, line))| Entry {
                key,
                value,
                layer: *layer,
                line: (*line).into(),
            })
    }
}

/// On disk: `{"key": {"value": ..., "layer": 0, "line": 3}}`.
impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Setting<'a> {
            value: Branch<'a>,
            layer: u16,
            #[serde(skip_serializing_if = "is_zero")]
            line: u32,
        }
        serializer.collect_map(self.iter().map(|entry| {
            let Entry {
                value, layer, line, ..
            } = entry;
            (entry.key, Setting { value, layer, line })
        }))
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(BTreeMap::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The kubelet of a node as it was started and configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kubelet {
    /// Weakest first.
    pub layers: Vec<Layer>,
    /// Dotted key (`authentication.anonymous.enabled`) to value; a list is one value. A flag that sets no key of the
    /// configuration stands under its own name, `--node-ip`.
    pub settings: Settings,
    /// What weaker layers say of keys, the built-in defaults aside; at most [`Overridden::KEPT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<Overridden>,
    /// How the unit would start it now; none where no unit was read, or what it says cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitFlags>,
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

/// Flags by name in which the unit and the running process differ, in value or at all. Empty: they agree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnitFlags {
    /// As the unit has them, and the process has not.
    pub unit: Vec<Text>,
    /// As the process has them, and the unit has not.
    pub process: Vec<Text>,
}

impl Kubelet {
    /// The effective value of a dotted key. `Ok(None)`: no layer sets it and it has no default.
    ///
    /// # Errors
    /// The gap of an unreadable layer that is stronger than the one that set the key.
    pub fn setting(&self, key: &str) -> Result<Option<(Branch<'_>, &Layer)>, Gap> {
        let found = self.settings.get(key);
        let from = found.map_or(0, |(_, layer)| usize::from(layer) + 1);
        if let Some(gap) = self
            .layers
            .iter()
            .skip(from)
            .find_map(|layer| layer.gap.as_ref())
        {
            return Err(gap.clone());
        }
        Ok(found.and_then(|(value, layer)| Some((value, self.layers.get(usize::from(layer))?))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_written_and_read_as_a_map_of_keys() {
        let disk = r#"{"a.b":{"value":true,"layer":1,"line":7},"a.c":{"value":["x"],"layer":0},"z":{"value":{"g":1},"layer":2}}"#;
        let settings: Settings = serde_json::from_str(disk).expect("JSON");
        assert_eq!(serde_json::to_string(&settings).expect("JSON"), disk);
        assert_eq!(settings.get("a.b"), Some((Branch::Bool(true), 1)));
        let (value, layer) = settings.get("z").expect("it is set");
        assert_eq!((Value::from(value), layer), (json!({"g": 1}), 2));
        assert_eq!(settings.get("a"), None);
        assert_eq!(
            serde_json::to_string(&Settings::default()).expect("JSON"),
            "{}"
        );
    }

    #[test]
    fn keys_are_safe_to_draw_and_the_layers_stay_with_them() {
        let disk = r#"{"b\u001b":{"value":1,"layer":1},"a":{"value":2,"layer":2},"b\\x1b":{"value":3,"layer":3}}"#;
        let settings: Settings = serde_json::from_str(disk).expect("JSON");
        let all: Vec<_> = settings
            .iter()
            .map(|entry| (entry.key, entry.value.as_u64(), entry.layer))
            .collect();
        assert_eq!(all, [("a", Some(2), 2), (r"b\x1b", Some(3), 3)]);
        serde_json::to_string(&settings).expect("a snapshot can be written");
    }
}
