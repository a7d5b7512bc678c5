//! Private key files: which exist, which are encrypted, and what their public half is.

use std::path::Path;

use openssl::base64;

use crate::collect::known_hosts::Key;
use crate::disk;

use super::agent::string;

/// Largest key file that is read, in bytes.
const FILE: u64 = 64 * 1024;
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// A key file as far as it can be used.
#[derive(Debug, Default)]
pub(super) struct KeyFile {
    /// Known from the file itself, or from the `.pub` beside it.
    pub public: Option<Key>,
    /// The file's text; none where it is missing, encrypted or not a key.
    pub private: Option<String>,
    /// Why it cannot be offered, where it exists.
    pub skipped: Option<String>,
}

impl KeyFile {
    /// Reads `path` and the public key beside it. A missing file is an empty answer.
    pub fn read(path: &Path) -> Self {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".pub");
        let public = [path, Path::new(&beside)]
            .iter()
            .find_map(|path| public_key(&disk::read_text(path, FILE).ok()?));
        let skip = |reason: String| Self {
            skipped: Some(reason),
            ..Self::default()
        };
        let mut file = match disk::read_text(path, FILE) {
            Ok(text) => Self::parse(text, path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => skip(format!("{}: {error}", path.display())),
        };
        file.public = file.public.or(public);
        file
    }

    fn parse(text: String, path: &Path) -> Self {
        if public_key(&text).is_some() {
            return Self::default();
        }
        let encrypted = || Some(format!("{0} is encrypted: ssh-add {0}", path.display()));
        if let Some(key) = openssh(&text) {
            return match key {
                Some((true, public)) => Self {
                    public,
                    private: None,
                    skipped: encrypted(),
                },
                Some((false, public)) => Self {
                    public,
                    private: Some(text),
                    skipped: None,
                },
                None => Self {
                    skipped: Some(format!("{} cannot be parsed", path.display())),
                    ..Self::default()
                },
            };
        }
        if !text.contains("PRIVATE KEY-----") {
            return Self {
                skipped: Some(format!("{} is no private key", path.display())),
                ..Self::default()
            };
        }
        // RFC 1421 and PKCS #8 say it in the clear.
        if text.contains("ENCRYPTED") {
            return Self {
                skipped: encrypted(),
                ..Self::default()
            };
        }
        Self {
            private: Some(text),
            ..Self::default()
        }
    }
}

/// `Some(None)`: of OpenSSH's own format, but cut or damaged. Inside: whether it is encrypted, and its public key,
/// which is never encrypted (PROTOCOL.key).
#[expect(
    clippy::option_option,
    reason = "another format, a bad file, a good one"
)]
fn openssh(text: &str) -> Option<Option<(bool, Option<Key>)>> {
    let (_, rest) = text.split_once("-----BEGIN OPENSSH PRIVATE KEY-----")?;
    let body = || {
        let (body, _) = rest.split_once("-----END")?;
        let body: String = body.split_ascii_whitespace().collect();
        let bytes = base64::decode_block(&body).ok()?;
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
