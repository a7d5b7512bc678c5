//! What a scalar means: go-yaml v2 `resolve.go`, with the corners of Go's `strconv` that it shows.

use super::tree::Tag;

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Above the largest `Int`.
    Uint(u64),
    Float(f64),
    Text(String),
    /// From `!!binary`; may be no UTF-8.
    Bytes(Vec<u8>),
}

pub(super) enum Unresolved {
    /// The kubelet refuses it: why.
    Refused(String),
    /// Not known what the kubelet makes of it: what it is.
    Unsure(&'static str),
}

/// Digits beyond which Go's float reader rounds in its own way.
const MAX_NUMBER: usize = 700;

/// A scalar that is not a quoted or block string without a tag.
pub(super) fn resolve(tag: Tag, text: &str) -> Result<Scalar, Unresolved> {
    match tag {
        Tag::Str | Tag::Other | Tag::Merge => return Ok(Scalar::Text(text.to_owned())),
        Tag::Binary => {
            return base64(text.as_bytes()).map(Scalar::Bytes).ok_or_else(|| {
                Unresolved::Refused("!!binary value contains invalid base64 data".to_owned())
            });
        }
        Tag::Timestamp if text.starts_with(|first: char| first.is_ascii_digit()) => {
            return Err(Unresolved::Unsure("an explicit !!timestamp"));
        }
        _ => {}
    }
    if text.len() > MAX_NUMBER
        && text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
    {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if digits > MAX_NUMBER {
            return Err(Unresolved::Unsure("a very long number"));
        }
    }
    let found = guess(text);
    match (tag, &found) {
        (Tag::None, _)
        | (Tag::Bool, Scalar::Bool(_))
        | (Tag::Int, Scalar::Int(_) | Scalar::Uint(_))
        | (Tag::Float, Scalar::Float(_))
        | (Tag::Null, Scalar::Null) => Ok(found),
        #[expect(
            clippy::cast_precision_loss,
            reason = "Go's conversion rounds in the same way"
        )]
        (Tag::Float, Scalar::Int(value)) => Ok(Scalar::Float(*value as f64)),
        _ => Err(Unresolved::Refused(format!(
            "cannot decode `{text}` as its tag says"
        ))),
    }
}

/// The meaning of a plain scalar without a tag. Timestamps stay text.
fn guess(text: &str) -> Scalar {
    let first = text.bytes().next();
    match first {
        None | Some(b'+' | b'-' | b'0'..=b'9' | b'.' | b'~') => {}
        Some(letter) if b"yYnNtTfFoO".contains(&letter) => {}
        Some(_) => return Scalar::Text(text.to_owned()),
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Scalar::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let number = match first {
        Some(b'.') if underscores_separate_digits(text) => float(&text.replace('_', "")),
        Some(b'+' | b'-' | b'0'..=b'9') => number(&text.replace('_', "")),
        _ => None,
    };
    number.unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

/// `underscoreOK` of Go's `strconv` for a text that starts with a point.
fn underscores_separate_digits(text: &str) -> bool {
    let digit = |at: Option<usize>| {
        at.and_then(|at| text.as_bytes().get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let mut underscores = text.bytes().enumerate().filter(|&(_, byte)| byte == b'_');
    underscores.all(|(at, _)| digit(at.checked_sub(1)) && digit(at.checked_add(1)))
}

/// A text that starts with a sign or a digit, without its underscores.
fn number(plain: &str) -> Option<Scalar> {
    integer(plain, None).or_else(|| float(plain)).or_else(|| {
        // `0b-1`: only the digits behind the prefix are read as a number with a sign.
        let digits = plain.strip_prefix("0b").map(str::to_owned);
        let digits =
            digits.or_else(|| plain.strip_prefix("-0b").map(|digits| format!("-{digits}")))?;
        integer(&digits, Some(2))
    })
}

/// `strconv.ParseInt`, then `ParseUint`; without a base the prefix gives it.
fn integer(text: &str, base: Option<u32>) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'+' => (false, &text[1..]),
        b'-' => (true, &text[1..]),
        _ => (false, text),
    };
    let (base, digits) = match (base, digits.as_bytes()) {
        (Some(base), _) => (base, digits),
        (None, [b'0', b'b' | b'B', _, ..]) => (2, &digits[2..]),
        (None, [b'0', b'o' | b'O', _, ..]) => (8, &digits[2..]),
        (None, [b'0', b'x' | b'X', _, ..]) => (16, &digits[2..]),
        (None, [b'0', _, ..]) => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.bytes().all(|digit| char::from(digit).is_digit(base)) {
        return None;
    }
    let value = u64::from_str_radix(digits, base).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(value).map(Scalar::Int);
    }
    match i64::try_from(value) {
        Ok(value) => Some(Scalar::Int(value)),
        // ParseUint takes no sign.
        Err(_) if text.starts_with('+') => None,
        Err(_) => Some(Scalar::Uint(value)),
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$` with a finite value.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let shaped = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    if !shaped {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(Scalar::Float(value))
}

/// `base64.StdEncoding.DecodeString`: line breaks are skipped, padding is required.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let symbols: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    if !symbols.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(symbols.len() / 4 * 3);
    let groups = symbols.len() / 4;
    for (at, group) in symbols.chunks_exact(4).enumerate() {
        let padding = group
            .iter()
            .rev()
            .take_while(|&&symbol| symbol == b'=')
            .count();
        if padding > 2 || (padding > 0 && at + 1 != groups) {
            return None;
        }
        let mut bits = 0_u32;
        for &symbol in &group[..4 - padding] {
            bits = bits << 6 | sextet(symbol)?;
        }
        bits <<= 6 * padding;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Some(bytes)
}

fn sextet(symbol: u8) -> Option<u32> {
    let value = match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}
