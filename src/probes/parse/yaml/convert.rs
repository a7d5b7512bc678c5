//! Values to JSON: `convertToJSONableObject` of sigs.k8s.io/yaml and `encoding/json` behind it.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value as Json};

use super::decode::{Key, Table, Value};
use super::lines::Lines;
use super::resolve::Scalar;
use super::{DuplicateKey, Limits, YamlError};

/// What became of a value, beside the value.
pub(super) struct Converter<'a> {
    limits: &'a Limits,
    /// JSON pointer of the value at hand.
    path: String,
    pub(super) duplicates: Vec<DuplicateKey>,
    /// Bytes in the paths of `duplicates`.
    noted: usize,
}

impl<'a> Converter<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            path: String::new(),
            duplicates: Vec::new(),
            noted: 0,
        }
    }

    /// `line` is where the value (or its key) stands.
    pub(super) fn value(&mut self, value: Value, line: usize) -> Result<(Json, Lines), YamlError> {
        match value {
            Value::Scalar(scalar) => Ok((json_scalar(scalar, line)?, Lines::leaf(line))),
            Value::Sequence(items) => {
                let (mut list, mut lines) = (Vec::with_capacity(items.len()), Lines::leaf(line));
                for (at, item) in items.into_iter().enumerate() {
                    let (value, below) = self.below(&at.to_string(), item.value, item.line)?;
                    list.push(value);
                    lines.push(below);
                }
                Ok((Json::Array(list), lines))
            }
            Value::Mapping(table) => self.mapping(table, line),
        }
    }

    fn mapping(&mut self, table: Table, line: usize) -> Result<(Json, Lines), YamlError> {
        for (name, line) in table.repeated {
            self.note(&name, line)?;
        }
        // All names before any value: of two keys with one name Go keeps one at random, so whether the
        // value of the other could be refused does not matter.
        let mut named = BTreeMap::new();
        for (key, entry) in table.entries {
            let line = entry.item.line;
            if let Some(other) = named.insert(json_name(key, line)?, entry.item) {
                let what = format!("a key that becomes the same as that of line {}", other.line);
                return Err(YamlError::Differs { line, what });
            }
        }
        let (mut map, mut lines) = (Map::new(), Lines::leaf(line));
        for (name, item) in named {
            let (value, below) = self.below(&name, item.value, item.line)?;
            lines.insert(name.clone(), below);
            map.insert(name, value);
        }
        Ok((Json::Object(map), lines))
    }

    fn below(&mut self, name: &str, value: Value, line: usize) -> Result<(Json, Lines), YamlError> {
        let length = self.path.len();
        super::lines::push_pointer(&mut self.path, name);
        let result = self.value(value, line);
        self.path.truncate(length);
        result
    }

    /// Remembers a repeated key of the mapping at hand.
    fn note(&mut self, name: &str, line: usize) -> Result<(), YamlError> {
        let mut path = self.path.clone();
        super::lines::push_pointer(&mut path, name);
        self.noted += path.len();
        if self.noted > self.limits.text {
            return Err(YamlError::Limit {
                what: "bytes of repeated keys",
                max: self.limits.text,
            });
        }
        self.duplicates.push(DuplicateKey { path, line });
        Ok(())
    }
}

fn refused(line: usize, message: &str) -> YamlError {
    YamlError::Syntax {
        line,
        column: 1,
        message: message.to_owned(),
    }
}

fn json_name(key: Key, line: usize) -> Result<String, YamlError> {
    match key {
        Key::Text(text) => Ok(text),
        Key::Bool(value) => Ok(value.to_string()),
        Key::Int(value) => Ok(value.to_string()),
        Key::Float(bits) => Ok(float_name(f64::from_bits(bits))),
        Key::Null => Err(refused(line, "unsupported map key of type null")),
        Key::Uint(_) => Err(refused(line, "unsupported map key of type uint64")),
    }
}

fn json_scalar(scalar: Scalar, line: usize) -> Result<Json, YamlError> {
    Ok(match scalar {
        Scalar::Null => Json::Null,
        Scalar::Bool(value) => Json::Bool(value),
        Scalar::Int(value) => Json::from(value),
        Scalar::Uint(value) => Json::from(value),
        Scalar::Float(value) => {
            Json::Number(float(value).ok_or_else(|| {
                refused(line, "unsupported value: a number that JSON cannot hold")
            })?)
        }
        Scalar::Text(text) => Json::String(text),
        Scalar::Bytes(bytes) => Json::String(lossy(&bytes)),
    })
}

/// `encoding/json` writes a whole number below 1e21 as digits, so its reader sees an integer.
fn float(value: f64) -> Option<Number> {
    // Without a point if it is whole, and never with an exponent: for an integer that is Go's text.
    let digits = value.to_string();
    if digits == "-0" {
        return Number::from_f64(value);
    }
    let whole = digits
        .parse::<i64>()
        .map(Number::from)
        .or_else(|_| digits.parse::<u64>().map(Number::from));
    whole.ok().or_else(|| Number::from_f64(value))
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`, with the names of what is no number.
fn float_name(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the kubelet rounds the key to 32 bits too"
    )]
    let single = value as f32;
    if single.is_infinite() {
        return if single > 0.0 {
            ".inf".to_owned()
        } else {
            "-.inf".to_owned()
        };
    }
    let scientific = format!("{single:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => single.to_string(),
    }
}

/// Every byte that is no UTF-8 becomes one replacement character, as in Go.
pub(super) fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}
