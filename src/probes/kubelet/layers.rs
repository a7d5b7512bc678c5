//! Layers put on each other, each key with the one that set it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::defaults::{is_zero, legacy, versioned as defaults};
use super::flags::{Flags, Kind};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::kubelet::{
    Given, Kubelet, KubeletProcess, Layer, LayerKind, Overridden, Setting, Settings, UnitFlags,
};
use crate::model::text::Text;
use crate::probes::mask::Masker;
use crate::probes::parse::yaml::{self, LineIndex};

/// Paths that the kubelet takes relative to the main file (`KubeletConfigurationPathRefs`).
const PATHS: &[&str] = &[
    "staticPodPath",
    "authentication.x509.clientCAFile",
    "tlsCertFile",
    "tlsPrivateKeyFile",
    "podLogsDir",
];

/// A configuration file, its secrets masked.
pub(super) struct Config {
    pub(super) value: Value,
    /// The text as it may be shown.
    pub(super) text: String,
    pub(super) masked: bool,
    lines: LineIndex,
}

impl Config {
    /// Reads a file as the kubelet does.
    ///
    /// # Errors
    /// [`Gap::Garbled`] where it is not one, or where it might be read in another way.
    pub(super) fn read(bytes: &[u8], path: &str, masker: &Masker) -> Result<Self, Gap> {
        let garbled = |what: &str| Gap::Garbled {
            what: Text::from(format!("{path}: {what}")),
        };
        let parsed = yaml::parse(bytes, &yaml::Limits::default())
            .map_err(|error| garbled(&error.to_string()))?;
        let mut value = parsed.value;
        let kind = value.get("kind").and_then(Value::as_str);
        if !value.is_object() || kind.is_some_and(|kind| kind != "KubeletConfiguration") {
            return Err(garbled("not a KubeletConfiguration"));
        }
        let mut masked = match value.get_mut("staticPodURLHeader") {
            Some(headers) => masker.mask_headers(headers),
            None => false,
        };
        if let Some(Value::String(url)) = value.get_mut("staticPodURL") {
            masked |= masker.mask_words(url);
        }
        masked |= masker.mask_document(&mut value);
        let text = if masked {
            serde_yaml::to_string(&value).unwrap_or_default()
        } else {
            String::from_utf8_lossy(bytes).into_owned()
        };
        // Comments are no part of the value, and an unknown key may hold anything.
        let (text, more) = masker.mask_lines(&text);
        masked |= more;
        Ok(Self {
            value,
            text,
            masked,
            lines: parsed.lines,
        })
    }
}

/// Holds a drop-in to what the kubelet asks of one.
///
/// # Errors
/// [`Gap::Garbled`] for a drop-in that would stop the kubelet, and for keys that differ from known ones in case
/// alone: the kubelet takes them, and which of two wins is left to chance.
pub(super) fn versioned(config: Config) -> Result<Config, Gap> {
    let word = |key: &str| config.value.get(key).and_then(Value::as_str);
    if word("kind").is_none() || word("apiVersion") != Some("kubelet.config.k8s.io/v1beta1") {
        return Err(Gap::Garbled {
            what: Text::new(
                "a drop-in without apiVersion and kind: the kubelet does not start with it",
            ),
        });
    }
    let mut keys = Vec::new();
    dotted(&config.value, "", &mut keys);
    let known: Vec<String> = defaults()
        .iter()
        .map(|default| default.key.to_owned())
        .chain(PATHS.iter().map(|key| (*key).to_owned()))
        .chain(["staticPodURL".to_owned(), "staticPodURLHeader".to_owned()])
        .flat_map(|key| prefixes(&key))
        .collect();
    let odd = keys.iter().find(|key| {
        !known.contains(*key) && known.iter().any(|other| other.eq_ignore_ascii_case(key))
    });
    match odd {
        Some(key) => Err(Gap::Garbled {
            what: Text::from(format!(
                "the key {key} differs from a known one in case alone"
            )),
        }),
        None => Ok(config),
    }
}

/// Which layer speaks, and where its keys stand.
#[derive(Clone, Copy)]
struct Speaker<'a> {
    layer: u16,
    lines: Option<&'a LineIndex>,
}

impl Speaker<'_> {
    fn line(self, pointer: &str) -> u32 {
        let line = self.lines.and_then(|lines| lines.line(pointer));
        line.and_then(|line| u32::try_from(line).ok()).unwrap_or(0)
    }
}

fn prefixes(key: &str) -> Vec<String> {
    key.match_indices('.')
        .map(|(at, _)| key[..at].to_owned())
        .chain([key.to_owned()])
        .collect()
}

fn dotted(value: &Value, prefix: &str, out: &mut Vec<String>) {
    for (key, item) in value.as_object().into_iter().flatten() {
        let key = join(prefix, key);
        dotted(item, &key, out);
        out.push(key);
    }
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_owned()
    } else {
        format!("{prefix}.{key}")
    }
}

/// The layers so far and what they say together.
pub(super) struct Stack {
    layers: Vec<Layer>,
    settings: BTreeMap<String, Setting>,
    /// Keys that a layer took away, with that layer: the default comes again.
    deleted: BTreeMap<String, (u16, u32)>,
    overridden: Vec<Overridden>,
}

impl Stack {
    /// Starts with the defaults.
    pub(super) fn new(base: LayerKind) -> Self {
        let mut stack = Self {
            layers: Vec::new(),
            settings: BTreeMap::new(),
            deleted: BTreeMap::new(),
            overridden: Vec::new(),
        };
        stack.push(base, None, 0, None);
        for default in defaults() {
            stack.set(default.key, default.value, (0, 0));
        }
        if base == LayerKind::LegacyDefaults {
            for (key, value) in legacy() {
                stack.set(key, value, (0, 0));
            }
        }
        stack
    }

    /// The evidence number of the layer that comes next.
    pub(super) fn next_item(&self) -> u32 {
        u32::try_from(self.layers.len()).unwrap_or(u32::MAX)
    }

    fn push(&mut self, kind: LayerKind, origin: Option<&str>, item: u32, gap: Option<Gap>) -> u16 {
        let index = u16::try_from(self.layers.len()).unwrap_or(u16::MAX);
        self.layers.push(Layer {
            kind,
            origin: origin.map(Text::new),
            at: Locator::new(Need::KubeletConfig, item),
            gap,
            given: None,
        });
        index
    }

    /// `from`: the layer, and the line in its file.
    fn set(&mut self, key: &str, value: Value, (layer, line): (u16, u32)) {
        let setting = Setting { value, layer, line };
        if let Some(old) = self.settings.insert(key.to_owned(), setting) {
            self.keep(key, &old);
        }
    }

    /// Remembers what a file or a flag said in vain.
    fn keep(&mut self, key: &str, old: &Setting) {
        if old.layer == 0 || self.overridden.len() >= Overridden::KEPT {
            return;
        }
        self.overridden.push(Overridden {
            key: Text::new(key),
            value: Overridden::words(&old.value),
            layer: old.layer,
            line: old.line,
        });
    }

    /// A layer that exists and was not read.
    pub(super) fn unread(&mut self, kind: LayerKind, origin: &str, gap: Gap) {
        // Evidence of what is not known is the command line.
        self.push(kind, Some(origin), 0, Some(gap));
    }

    /// Puts a file on top.
    pub(super) fn file(&mut self, kind: LayerKind, path: &str, config: Result<Config, Gap>) {
        let config = match config {
            Ok(config) => config,
            Err(gap) => return self.unread(kind, path, gap),
        };
        let item = self.next_item();
        let index = self.push(kind, Some(path), item, None);
        let speaker = Speaker {
            layer: index,
            lines: Some(&config.lines),
        };
        self.merge(("", ""), &config.value, speaker);
        if kind == LayerKind::File {
            let folder = path.rfind('/').map_or("", |slash| &path[..slash]);
            for key in PATHS {
                if let Some(Setting { value, layer, .. }) = self.settings.get_mut(*key)
                    && *layer == index
                    && let Value::String(text) = value
                    && !text.is_empty()
                    && !text.starts_with('/')
                {
                    *text = format!("{folder}/{text}");
                }
            }
        }
    }

    /// A JSON merge patch (RFC 7386) on dotted keys. `prefix`: as a dotted key and as a JSON pointer.
    fn merge(&mut self, (prefix, above): (&str, &str), patch: &Value, speaker: Speaker<'_>) {
        let Value::Object(map) = patch else { return };
        for (name, value) in map {
            if prefix.is_empty() && matches!(name.as_str(), "apiVersion" | "kind") {
                continue;
            }
            let key = join(prefix, name);
            let pointer = format!("{above}/{}", name.replace('~', "~0").replace('/', "~1"));
            let from = (speaker.layer, speaker.line(&pointer));
            match value {
                Value::Object(_) => {
                    if let Some(old) = self.settings.remove(&key) {
                        self.keep(&key, &old);
                    }
                    self.merge((&key, &pointer), value, speaker);
                }
                Value::Null => {
                    self.remove(&key);
                    self.deleted.insert(key, from);
                }
                value => {
                    self.remove(&key);
                    self.set(&key, value.clone(), from);
                }
            }
        }
    }

    fn remove(&mut self, key: &str) {
        // Of keys that begin with it those with a dot behind it are in one stretch: a slash comes next.
        let below = self
            .settings
            .range(format!("{key}.")..format!("{key}/"))
            .map(|(below, _)| below.clone());
        let gone: Vec<String> = below.chain([key.to_owned()]).collect();
        for key in gone {
            if let Some(old) = self.settings.remove(&key) {
                self.keep(&key, &old);
            }
        }
    }

    /// Defaults for what no file says, or says with a zero.
    pub(super) fn default_what_is_empty(&mut self) {
        for default in defaults() {
            let unset = match self.settings.get(default.key) {
                None => true,
                Some(setting) => {
                    setting.layer != 0 && default.zero_is_unset && is_zero(&setting.value)
                }
            };
            if unset {
                let by = prefixes(default.key)
                    .iter()
                    .find_map(|key| self.deleted.get(key))
                    .copied();
                self.set(default.key, default.value, by.unwrap_or_default());
            }
        }
    }

    /// Puts the flags on top, each as a layer of its own.
    pub(super) fn flags(&mut self, flags: &Flags, given: &[(String, Given)], masker: &Masker) {
        for (spelling, key, kind, mut value) in flags.settings() {
            let index = self.push(LayerKind::Flag, Some(&spelling), 0, None);
            if let Some(layer) = self.layers.last_mut() {
                let last = given.iter().rfind(|(name, _)| spelling[2..] == *name);
                layer.given = last.map(|(_, given)| given.clone());
            }
            let speaker = Speaker {
                layer: index,
                lines: None,
            };
            match kind {
                Kind::Gates => self.merge((key, ""), &value, speaker),
                Kind::Header => {
                    masker.mask_headers(&mut value);
                    self.remove(key);
                    self.merge((key, ""), &value, speaker);
                }
                _ => {
                    if let Value::String(text) = &mut value {
                        mask_flag(&spelling, text, masker);
                        if key == "staticPodURL" {
                            masker.mask_words(text);
                        }
                    }
                    self.remove(key);
                    self.set(key, value, (index, 0));
                }
            }
        }
    }

    /// What all layers say together.
    ///
    /// # Errors
    /// [`Gap::Garbled`] where that is more than is kept.
    pub(super) fn finish(
        self,
        process: Option<KubeletProcess>,
        unit: Option<UnitFlags>,
    ) -> Result<Kubelet, Gap> {
        let settings = Settings::new(self.settings).map_err(|error| Gap::Garbled {
            what: Text::from(format!("kubelet settings: {error}")),
        })?;
        Ok(Kubelet {
            layers: self.layers,
            settings,
            overridden: self.overridden,
            unit,
            process,
        })
    }
}

/// Masks a flag's value as it is masked where the command line is shown.
fn mask_flag(spelling: &str, text: &mut String, masker: &Masker) {
    let mut word = [format!("{spelling}={text}")];
    if masker.mask_args(&mut word)
        && let Some((_, masked)) = word[0].split_once('=')
    {
        masked.clone_into(text);
    }
}
