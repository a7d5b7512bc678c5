//! One line of a known_hosts file, as sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT" describes it. Pure.

use openssl::base64;
use openssl::sha::Sha1;

use crate::collect::wildcard;

/// Longest line that is looked at, in bytes: the longest RSA key with its names is a tenth of this.
const LINE: usize = 16 * 1024;

/// A line that names hosts and a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub marker: Marker,
    pub names: Names,
    pub key: Key,
}

/// The first word of a line, where it starts with `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    None,
    CertAuthority,
    Revoked,
}

/// Which hosts a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// Patterns, lower case; a negated one that matches takes the line out.
    Listed(Vec<Pattern>),
    /// `|1|salt|hash`: HMAC-SHA1 of the name under the salt.
    Hashed { salt: [u8; 20], hash: [u8; 20] },
}

/// One name of a list, with `*` and `?` as wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pub text: Box<str>,
    pub negated: bool,
}

/// A public key in its wire form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`: as the blob itself says.
    pub kind: Box<str>,
    pub blob: Box<[u8]>,
}

impl Line {
    /// Reads a line without its line break; `None` for blank lines and comments.
    ///
    /// # Errors
    /// Why the line cannot be used, in a few words.
    pub fn parse(raw: &[u8]) -> Result<Option<Self>, &'static str> {
        let raw = raw.trim_ascii();
        if raw.is_empty() || raw.starts_with(b"#") {
            return Ok(None);
        }
        if raw.len() > LINE {
            return Err("longer than 16 kB");
        }
        let text = std::str::from_utf8(raw).map_err(|_| "not UTF-8")?;
        let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
        let mut next = || words.next().ok_or("ends before the key");
        let mut first = next()?;
        let marker = match first {
            "@cert-authority" => Marker::CertAuthority,
            "@revoked" => Marker::Revoked,
            word if word.starts_with('@') => return Err("unknown marker"),
            _ => Marker::None,
        };
        if marker != Marker::None {
            first = next()?;
        }
        let names = Names::parse(first)?;
        let kind = next()?;
        let key = Key::parse(kind, next()?)?;
        Ok(Some(Self { marker, names, key }))
    }
}

impl Names {
    fn parse(field: &str) -> Result<Self, &'static str> {
        let Some(hashed) = field.strip_prefix('|') else {
            // OpenSSH reads past empty names.
            let patterns: Vec<_> = field.split(',').filter_map(Pattern::parse).collect();
            return if patterns.is_empty() {
                Err("no name in the list")
            } else {
                Ok(Self::Listed(patterns))
            };
        };
        let hashed = hashed
            .strip_prefix("1|")
            .ok_or("unknown hash of the name")?;
        let (salt, hash) = hashed
            .split_once('|')
            .ok_or("hashed name without its hash")?;
        let decode = |word| {
            let bytes = base64::decode_block(word).map_err(|_| "hashed name is not base64")?;
            <[u8; 20]>::try_from(bytes).map_err(|_| "hashed name of the wrong length")
        };
        Ok(Self::Hashed {
            salt: decode(salt)?,
            hash: decode(hash)?,
        })
    }

    /// Whether the line is about `host`: lower case, `[host]:port` where the port is not 22.
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Listed(patterns) => {
                let mut found = false;
                for pattern in patterns {
                    if pattern.matches(host) {
                        if pattern.negated {
                            return false;
                        }
                        found = true;
                    }
                }
                found
            }
            Self::Hashed { salt, hash } => hmac_sha1(salt, host) == *hash,
        }
    }

    /// The names, where each is one host and none is negated: such a line can be looked up.
    pub fn literal(&self) -> Option<impl Iterator<Item = &str>> {
        match self {
            Self::Listed(patterns) if patterns.iter().all(Pattern::is_literal) => {
                Some(patterns.iter().map(|pattern| &*pattern.text))
            }
            _ => None,
        }
    }
}

impl Pattern {
    fn parse(word: &str) -> Option<Self> {
        let (negated, text) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        (!text.is_empty()).then(|| Self {
            text: text.to_ascii_lowercase().into(),
            negated,
        })
    }

    fn is_literal(&self) -> bool {
        !self.negated && !self.text.contains(['*', '?'])
    }

    fn matches(&self, host: &str) -> bool {
        wildcard::matches(host, &self.text)
    }
}

impl Key {
    /// From the two words of a line; the type inside the key must be the one beside it.
    fn parse(kind: &str, encoded: &str) -> Result<Self, &'static str> {
        if kind.bytes().all(|c| c.is_ascii_digit()) {
            return Err("a key of SSH protocol 1");
        }
        let blob = base64::decode_block(encoded).map_err(|_| "the key is not base64")?;
        let key = Self::from_blob(&blob).ok_or("the key has no type inside")?;
        if &*key.kind != kind {
            return Err("the key is of another type than the line says");
        }
        Ok(key)
    }

    /// From the wire form that a server sends (RFC 4253 6.6); `None` where no type can be read.
    pub fn from_blob(blob: &[u8]) -> Option<Self> {
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let kind = std::str::from_utf8(rest.get(..length)?).ok()?;
        let plain = |c: u8| c.is_ascii_graphic() && c != b',';
        (length <= 64 && !kind.is_empty() && kind.bytes().all(plain) && rest.len() > length).then(
            || Self {
                kind: kind.into(),
                blob: blob.into(),
            },
        )
    }

    /// `SHA256:` and base64 without padding, as ssh-keygen -l prints it.
    pub fn fingerprint(&self) -> String {
        let encoded = base64::encode_block(&openssl::sha::sha256(&self.blob));
        format!("SHA256:{}", encoded.trim_end_matches('='))
    }
}

/// RFC 2104 over the bare digest: a file of thousands of hashed names costs one of these a line, and the
/// general interface costs ten times as much.
pub(super) fn hmac_sha1(key: &[u8; 20], text: &str) -> [u8; 20] {
    let mut block = [0; 64];
    block[..20].copy_from_slice(key);
    let pass = |pad: u8, message: &[u8]| {
        let mut digest = Sha1::new();
        digest.update(&block.map(|byte| byte ^ pad));
        digest.update(message);
        digest.finish()
    };
    pass(0x5c, &pass(0x36, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_is_that_of_rfc_2202() {
        let mac = hmac_sha1(&[0x0b; 20], "Hi There");
        assert_eq!(
            &mac,
            b"\xb6\x17\x31\x86\x55\x05\x72\x64\xe2\x8b\xc0\xb6\xfb\x37\x8c\x8e\xf1\x46\xbe\x00"
        );
    }

    #[test]
    fn a_blob_without_a_type_is_no_key() {
        for blob in [
            &b""[..],
            b"\0\0\0\x02a",
            b"\0\0\0\x00x",
            b"\xff\xff\xff\xffx",
            b"\0\0\0\x01\nx",
        ] {
            assert_eq!(Key::from_blob(blob), None);
        }
        let key = Key::from_blob(b"\0\0\0\x01xrest").expect("a key of type x");
        assert_eq!(&*key.kind, "x");
    }
}
