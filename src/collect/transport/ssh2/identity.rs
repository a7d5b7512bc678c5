//! Key files: which exist, which are encrypted, what their public half is, and which certificates belong to them.

use std::path::Path;

use openssl::base64;

use crate::collect::known_hosts::{CERTIFIED, Key};
use crate::disk;
use crate::model::secret::Secret;

use super::agent::string;
use super::unlock::{BEGIN, MAGIC, decode};

/// Largest key file that is read, in bytes.
const FILE: u64 = 64 * 1024;

/// A key file as far as it can be used.
#[derive(Default)]
pub(super) struct KeyFile {
    /// Known from the file itself, or from the `.pub` beside it.
    pub public: Option<Key>,
    pub private: Private,
    /// The certificate beside it.
    pub certificate: Option<Key>,
    /// Why it cannot be offered, where it exists.
    pub skipped: Option<String>,
}

/// The private half.
#[derive(Default)]
pub(super) enum Private {
    /// No file, no key, or one that only OpenSSH can use.
    #[default]
    None,
    Open(Secret),
    /// A passphrase protects it.
    Locked(Secret),
}

impl KeyFile {
    /// Reads `path` and what lies beside it. A missing file is an empty answer.
    pub fn read(path: &Path) -> Self {
        let beside = |suffix: &str| {
            let mut beside = path.as_os_str().to_owned();
            beside.push(suffix);
            public_key(&disk::read_text(Path::new(&beside), FILE).ok()?)
        };
        let mut file = match disk::read_text(path, FILE) {
            Ok(text) => Self::parse(text, path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => Self::skip(format!("{}: {error}", path.display())),
        };
        file.public = file.public.or_else(|| beside(".pub"));
        file.certificate = beside("-cert.pub").filter(is_certificate);
        if file.needs_openssh() {
            file.private = Private::None;
        }
        file
    }

    /// Whether the key lives in a device: libssh2 cannot ask that.
    pub fn needs_openssh(&self) -> bool {
        let keys = self.public.iter().chain(&self.certificate);
        keys.into_iter().any(|key| key.kind.starts_with("sk-"))
    }

    fn parse(text: String, path: &Path) -> Self {
        if let Some(public) = public_key(&text) {
            return Self {
                public: Some(public),
                ..Self::default()
            };
        }
        if let Some(key) = openssh(&text) {
            return match key {
                Some((encrypted, public)) => Self {
                    public,
                    private: Private::new(text, encrypted),
                    ..Self::default()
                },
                None => Self::skip(format!("{} cannot be parsed", path.display())),
            };
        }
        if !text.contains("PRIVATE KEY-----") {
            return Self::skip(format!("{} is no private key", path.display()));
        }
        // RFC 1421 and PKCS #8 say it in the clear.
        let encrypted = text.contains("ENCRYPTED");
        Self {
            private: Private::new(text, encrypted),
            ..Self::default()
        }
    }

    fn skip(reason: String) -> Self {
        Self {
            skipped: Some(reason),
            ..Self::default()
        }
    }
}

impl Private {
    fn new(text: String, encrypted: bool) -> Self {
        let text = Secret::new(text);
        if encrypted {
            Self::Locked(text)
        } else {
            Self::Open(text)
        }
    }
}

/// A certificate that the configuration names.
pub(super) fn certificate(path: &Path) -> Option<Key> {
    public_key(&disk::read_text(path, FILE).ok()?).filter(is_certificate)
}

pub(super) fn is_certificate(key: &Key) -> bool {
    key.kind.ends_with(CERTIFIED)
}

/// The key that a certificate is about: its own fields follow type and nonce, one for ed25519, two for others.
pub(super) fn certified(certificate: &Key) -> Option<Key> {
    let plain = certificate.kind.strip_suffix(CERTIFIED)?;
    let mut rest = &*certificate.blob;
    let (_kind, _nonce) = (string(&mut rest)?, string(&mut rest)?);
    let fields = if plain == "ssh-ed25519" { 1 } else { 2 };
    let before = rest;
    for _ in 0..fields {
        string(&mut rest)?;
    }
    let own = &before[..before.len() - rest.len()];
    let length = u32::try_from(plain.len()).ok()?;
    Key::from_blob(&[&length.to_be_bytes(), plain.as_bytes(), own].concat())
}

/// As a `.pub` file has it.
pub(super) fn public_line(key: &Key) -> String {
    format!("{} {}", key.kind, base64::encode_block(&key.blob))
}

/// `Some(None)`: of OpenSSH's own format, but cut or damaged. Inside: whether it is encrypted, and its public key,
/// which is never encrypted (PROTOCOL.key).
#[expect(
    clippy::option_option,
    reason = "another format, a bad file, a good one"
)]
fn openssh(text: &str) -> Option<Option<(bool, Option<Key>)>> {
    let (_, rest) = text.split_once(BEGIN)?;
    let body = || {
        let bytes = decode(rest)?;
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let cipher = string(&mut rest)?;
        let (_kdf, _options) = (string(&mut rest)?, string(&mut rest)?);
        let (_count, mut rest) = rest.split_first_chunk::<4>()?;
        let public = Key::from_blob(string(&mut rest)?);
        Some((cipher != b"none", public))
    };
    Some(body())
}

/// The one line of a `.pub` file.
fn public_key(text: &str) -> Option<Key> {
    let mut words = text.split_ascii_whitespace();
    let kind = words.next()?;
    let key = Key::from_blob(&base64::decode_block(words.next()?).ok()?)?;
    (*key.kind == *kind).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(parts: &[&[u8]]) -> Vec<u8> {
        let put = |part: &&[u8]| {
            let length = u32::try_from(part.len()).expect("short");
            [&length.to_be_bytes(), *part].concat()
        };
        parts.iter().flat_map(put).collect()
    }

    #[test]
    fn a_certificate_belongs_to_its_key() {
        let kind = "ssh-ed25519-cert-v01@openssh.com";
        let cert = blob(&[kind.as_bytes(), b"nonce", b"the key", b"serial"]);
        let cert = Key::from_blob(&cert).expect("a key");
        assert!(is_certificate(&cert));
        let plain = Key::from_blob(&blob(&[b"ssh-ed25519", b"the key"]));
        assert_eq!(certified(&cert), plain);
        let kind = "ecdsa-sha2-nistp256-cert-v01@openssh.com";
        let cert = blob(&[kind.as_bytes(), b"nonce", b"curve", b"point", b"serial"]);
        let plain = Key::from_blob(&blob(&[b"ecdsa-sha2-nistp256", b"curve", b"point"]));
        assert_eq!(
            Key::from_blob(&cert).and_then(|cert| certified(&cert)),
            plain
        );
        let cut = blob(&[kind.as_bytes(), b"nonce", b"curve"]);
        assert_eq!(Key::from_blob(&cut).and_then(|cert| certified(&cert)), None);
    }
}
