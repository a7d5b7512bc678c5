//! Manifests that begin with `{`: the kubelet takes them for JSON and nothing else.
//!
//! `ToJSON` of k8s.io/apimachinery hands them on unread, so `{kind: Pod}` and `{a: yes}` are refused and
//! no rule of YAML holds. Go's reader merges a repeated key into what the first one set (and a `null`
//! leaves it as it was), depending on types that are not known here, so a repeated key is never a value.

use serde_json::{Map, Number, Value as Json};

use super::convert::lossy;
use super::lines::Lines;
use super::scan_text::hex;
use super::{Limits, YamlError};

/// `IsJSONBuffer` of k8s.io/apimachinery.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    text.trim_start().starts_with('{')
}

/// Reads one JSON document that fills `bytes`.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<(Json, Lines), YamlError> {
    let mut reader = Reader {
        bytes,
        at: 0,
        line: 1,
        line_start: 0,
        depth: 0,
        nodes: 0,
        limits,
    };
    let result = reader.value()?;
    reader.skip_space();
    if reader.at < bytes.len() {
        return Err(reader.fault("invalid character after top-level value"));
    }
    Ok(result)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    line_start: usize,
    depth: usize,
    nodes: usize,
    limits: &'a Limits,
}

impl Reader<'_> {
    fn fault(&self, message: &str) -> YamlError {
        YamlError::Syntax {
            line: self.line,
            column: self.at - self.line_start + 1,
            message: message.to_owned(),
        }
    }

    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while let byte @ (b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.line_start = self.at;
            }
        }
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.bytes[self.at..].starts_with(text.as_bytes());
        if found {
            self.at += text.len();
        }
        found
    }

    fn value(&mut self) -> Result<(Json, Lines), YamlError> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes() {
            return Err(YamlError::Limit {
                what: "nodes",
                max: self.limits.nodes(),
            });
        }
        self.depth += 1;
        if self.depth > self.limits.depth() {
            return Err(YamlError::Limit {
                what: "levels of nesting",
                max: self.limits.depth(),
            });
        }
        self.skip_space();
        let lines = Lines::leaf(self.line);
        let result = match self.peek() {
            b'{' => self.object(lines),
            b'[' => self.array(lines),
            b'"' => self.string().map(|text| (Json::String(text), lines)),
            b'-' | b'0'..=b'9' => self.number().map(|number| (Json::Number(number), lines)),
            _ if self.take("true") => Ok((Json::Bool(true), lines)),
            _ if self.take("false") => Ok((Json::Bool(false), lines)),
            _ if self.take("null") => Ok((Json::Null, lines)),
            _ => Err(self.fault("invalid character looking for beginning of value")),
        };
        self.depth -= 1;
        result
    }

    /// After an opening bracket: whether an entry follows. After an entry: whether another one does.
    fn more(&mut self, first: bool, close: &str) -> Result<bool, YamlError> {
        self.skip_space();
        if self.take(close) {
            return Ok(false);
        }
        if first || self.take(",") {
            return Ok(true);
        }
        Err(self.fault("invalid character after an entry"))
    }

    fn object(&mut self, mut lines: Lines) -> Result<(Json, Lines), YamlError> {
        self.at += 1;
        let mut map = Map::new();
        while self.more(map.is_empty(), "}")? {
            self.skip_space();
            let line = self.line;
            if self.peek() != b'"' {
                return Err(
                    self.fault("invalid character looking for beginning of object key string")
                );
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(":") {
                return Err(self.fault("invalid character after object key"));
            }
            if map.contains_key(&name) {
                return Err(YamlError::Differs {
                    line,
                    what: format!("the repeated key {name:?} in JSON"),
                });
            }
            let (value, below) = self.value()?;
            lines.insert(name.clone(), below.starting(line));
            map.insert(name, value);
        }
        Ok((Json::Object(map), lines))
    }

    fn array(&mut self, mut lines: Lines) -> Result<(Json, Lines), YamlError> {
        self.at += 1;
        let mut list = Vec::new();
        while self.more(list.is_empty(), "]")? {
            let (value, below) = self.value()?;
            list.push(value);
            lines.push(below);
        }
        Ok((Json::Array(list), lines))
    }

    fn number(&mut self) -> Result<Number, YamlError> {
        let from = self.at;
        while matches!(self.peek(), b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') {
            self.at += 1;
        }
        let number = serde_json::from_slice::<Number>(&self.bytes[from..self.at]);
        number.map_err(|error| {
            if error.to_string().contains("out of range") {
                // Refused if the field is known and a number, else ignored.
                return YamlError::Differs {
                    line: self.line,
                    what: "a number that is out of range".to_owned(),
                };
            }
            self.fault("invalid character in numeric literal")
        })
    }

    /// A string as Go's `unquote` reads it: what is no Unicode becomes a replacement character.
    fn string(&mut self) -> Result<String, YamlError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let from = self.at;
            while !matches!(self.peek(), b'"' | b'\\' | 0..0x20) {
                self.at += 1;
            }
            text.push_str(&lossy(&self.bytes[from..self.at]));
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => self.escape(&mut text)?,
                _ => return Err(self.fault("invalid character in string literal")),
            }
        }
    }

    fn escape(&mut self, into: &mut String) -> Result<(), YamlError> {
        self.at += 1;
        let character = match self.peek() {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit(1).ok_or_else(|| {
                    self.fault("invalid character in \\u hexadecimal character escape")
                })?;
                self.at += 4;
                self.unicode(unit)
            }
            _ => return Err(self.fault("invalid character in string escape code")),
        };
        self.at += 1;
        into.push(character);
        Ok(())
    }

    /// The character of a `\u` escape whose last digit is at hand; takes the second half of a pair.
    fn unicode(&mut self, unit: u16) -> char {
        if let Some(character) = char::from_u32(u32::from(unit)) {
            return character;
        }
        let second = (self.bytes.get(self.at + 1..self.at + 3) == Some(b"\\u"))
            .then(|| self.unit(3))
            .flatten();
        let pair = second.and_then(|second| char::decode_utf16([unit, second]).next()?.ok());
        if pair.is_some() {
            self.at += 6;
        }
        pair.unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// Four hexadecimal digits.
    fn unit(&self, ahead: usize) -> Option<u16> {
        let digits = self.bytes.get(self.at + ahead..self.at + ahead + 4)?;
        digits
            .iter()
            .try_fold(0, |unit, &digit| Some(unit << 4 | u16::from(hex(digit)?)))
    }
}
