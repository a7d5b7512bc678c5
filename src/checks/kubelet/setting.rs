//! Effective kubelet settings as typed values, with the words that name the layer they come from.

use serde_json::Value;

use crate::model::fact::{Gap, Locator, Seen};
use crate::model::kubelet::{Kubelet, Layer, LayerKind};
use crate::model::text::Text;

/// One effective key: its value, where it comes from in words, and the evidence.
pub struct Effective<'k> {
    pub value: &'k Value,
    /// `set in FILE`, `set by --flag`, `the default without a --config file`.
    pub origin: String,
    pub evidence: [Locator; 2],
}

/// A key that is set or has a default; `None` where neither.
///
/// # Errors
/// The gap of an unreadable layer that may override it.
pub fn effective<'k>(kubelet: &'k Seen<Kubelet>, key: &str) -> Result<Option<Effective<'k>>, Gap> {
    let found = kubelet.value.setting(key)?;
    Ok(found
        .filter(|(value, _)| !value.is_null())
        .map(|(value, layer)| Effective {
            value,
            origin: origin(layer),
            evidence: [kubelet.at, layer.at],
        }))
}

/// A key that always has a value, because the kubelet has a default for it.
///
/// # Errors
/// As [`effective`], and where the key is missing all the same: then it is not known.
pub fn required<'k>(kubelet: &'k Seen<Kubelet>, key: &str) -> Result<Effective<'k>, Gap> {
    effective(kubelet, key)?.ok_or_else(|| garbled(key, "has no value"))
}

/// A setting that does not have the shape it must have.
pub fn garbled(key: &str, what: &str) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("kubelet setting {key} {what}")),
    }
}

fn origin(layer: &Layer) -> String {
    match (layer.kind, &layer.origin) {
        (LayerKind::LegacyDefaults, _) => "the default without a --config file".to_owned(),
        (LayerKind::Defaults, _) => "the default".to_owned(),
        (LayerKind::File | LayerKind::DropIn, Some(file)) => format!("set in {file}"),
        (LayerKind::Flag, Some(flag)) => format!("set by {flag}"),
        (LayerKind::File, None) => "set in the configuration file".to_owned(),
        (LayerKind::DropIn, None) => "set in a drop-in".to_owned(),
        (LayerKind::Flag, None) => "set by a flag".to_owned(),
    }
}
