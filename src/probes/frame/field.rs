//! Fields of a record: as they are, or encoded behind a percent sign.

/// How a node encodes: base64 where it can, hexadecimal otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Base64,
    Hex,
}

impl Encoding {
    pub(super) fn by_name(name: &str) -> Option<Self> {
        match name {
            "b64" => Some(Self::Base64),
            "hex" => Some(Self::Hex),
            _ => None,
        }
    }

    /// The field's bytes; none where it is not what the collector would print.
    pub(super) fn field(self, field: &[u8]) -> Option<Vec<u8>> {
        match (field.strip_prefix(b"%"), self) {
            (Some(encoded), Self::Base64) => base64(encoded),
            (Some(encoded), Self::Hex) => hex(encoded),
            (None, _) => field
                .iter()
                .all(|byte| matches!(byte, b' '..=b'~'))
                .then(|| field.to_vec()),
        }
    }
}

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
        .collect()
}

/// RFC 4648, standard alphabet, padded, no line breaks.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let quads = text.len() / 4;
    for (index, quad) in text.chunks_exact(4).enumerate() {
        let padding = quad.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 != quads) {
            return None;
        }
        let mut bits = 0u32;
        for byte in &quad[..4 - padding] {
            bits = bits << 6 | sextet(*byte)?;
        }
        bits <<= 6 * u32::try_from(padding).ok()?;
        out.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Some(out)
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_decode() {
        for (encoding, field, bytes) in [
            (Encoding::Base64, "%", Some(&b""[..])),
            (Encoding::Base64, "%YQ==", Some(b"a")),
            (Encoding::Base64, "%YWI=", Some(b"ab")),
            (Encoding::Base64, "%YWJj", Some(b"abc")),
            (Encoding::Base64, "%/+8=", Some(b"\xff\xef")),
            (Encoding::Base64, "%YQ=", None),
            (Encoding::Base64, "%YQ==YQ==", None),
            (Encoding::Base64, "%Y===", None),
            (Encoding::Base64, "%YQ\n=", None),
            (Encoding::Hex, "%00fF", Some(b"\x00\xff")),
            (Encoding::Hex, "%0", None),
            (Encoding::Hex, "%+1", None),
            (Encoding::Hex, "/etc", Some(b"/etc")),
            (Encoding::Hex, "\x1b", None),
        ] {
            assert_eq!(
                encoding.field(field.as_bytes()).as_deref(),
                bytes,
                "{field}"
            );
        }
    }
}
