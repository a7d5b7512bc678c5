//! Effective kubelet settings as typed values, with the words that name the layer they come from.

use std::time::Duration;

use crate::model::fact::{Gap, Locator, Seen};
use crate::model::kubelet::{Kubelet, Layer, LayerKind};
use crate::model::text::Text;
use crate::model::tree::Branch;

/// One effective key: its value, where it comes from in words, and the evidence.
pub struct Effective<'k> {
    pub value: Branch<'k>,
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

/// A key that is true or false.
///
/// # Errors
/// As [`required`], and where it is something else.
pub fn switch<'k>(kubelet: &'k Seen<Kubelet>, key: &str) -> Result<(bool, Effective<'k>), Gap> {
    let setting = required(kubelet, key)?;
    let on = setting.value.as_bool();
    let on = on.ok_or_else(|| garbled(key, "is not true or false"))?;
    Ok((on, setting))
}

/// A setting that does not have the shape it must have.
pub fn garbled(key: &str, what: &str) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("kubelet setting {key} {what}")),
    }
}

pub(super) fn origin(layer: &Layer) -> String {
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

/// How often the kubelet looks into the static pod folder: 20 s unless set; zero means the default too.
pub fn file_check_frequency(kubelet: &Kubelet) -> Duration {
    const DEFAULT: Duration = Duration::from_secs(20);
    let set = kubelet.setting("fileCheckFrequency").ok().flatten();
    set.and_then(|(value, _)| duration(value.as_str()?))
        .filter(|period| !period.is_zero())
        .unwrap_or(DEFAULT)
}

/// A duration as Go writes it: `1h2m3s`, `500ms`; whole seconds up to a day are all that matters here.
pub fn duration(raw: &str) -> Option<Duration> {
    let mut total = 0.0_f64;
    let mut rest = raw;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * seconds;
        rest = tail;
    }
    (!raw.is_empty() && total.is_finite())
        .then(|| Duration::from_secs_f64(total.clamp(0.0, 86_400.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (raw, seconds) in [
            ("20s", Some(20)),
            ("1m0s", Some(60)),
            ("1h2m3s", Some(3723)),
            ("1500ms", Some(1)),
            ("0s", Some(0)),
            ("9999999999h", Some(86_400)),
            ("", None),
            ("20", None),
            ("s", None),
            ("1x", None),
        ] {
            assert_eq!(duration(raw).map(|d| d.as_secs()), seconds, "{raw}");
        }
    }
}
