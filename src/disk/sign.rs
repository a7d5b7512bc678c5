//! Keys that vouch for snapshots: ed25519 in PEM files of the user, as `openssl genpkey` and `openssl pkey` write them.
//!
//! Never lives here: what is signed, and whom to trust.

use std::fmt;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::sha::sha256;
use openssl::sign::{Signer, Verifier};

/// A key in PEM is far below.
const CAP: u64 = 16 << 10;

/// The half that signs. Never printed, never logged.
pub struct SigningKey(PKey<Private>);

/// The half that verifies: 32 bytes (RFC 8032).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl SigningKey {
    /// Reads the key that a file holds.
    ///
    /// # Errors
    /// Says what is wrong with it: others may read it, it belongs to another user, it needs a passphrase, or it is
    /// of another kind.
    pub fn read(path: &Path) -> Result<Self, String> {
        let unreadable = |error: io::Error| format!("cannot be read: {error}");
        let file = fs::File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if !meta.is_file() {
            return Err("is no regular file".into());
        }
        if meta.mode() & 0o077 != 0 {
            let mode = meta.mode() & 0o7777;
            return Err(format!("may be used by others: its mode is {mode:04o}"));
        }
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(format!("belongs to another user: uid {}", meta.uid()));
        }
        let mut pem = zeroize::Zeroizing::new(Vec::new());
        file.take(CAP).read_to_end(&mut pem).map_err(unreadable)?;
        // Without an answer OpenSSL would ask the terminal for a passphrase.
        let key = PKey::private_key_from_pem_callback(&pem, |_| Ok(0))
            .map_err(|_| "holds no ed25519 key in PEM without a passphrase".to_owned())?;
        if key.id() != Id::ED25519 {
            return Err("holds a key that is not ed25519".into());
        }
        Ok(Self(key))
    }

    /// Makes a key and keeps it: `path` with mode 0600, and its public half beside it with the ending `.pub`.
    ///
    /// # Errors
    /// As making and writing do; [`io::ErrorKind::AlreadyExists`] where either file is there: it is untouched then.
    pub fn make(path: &Path) -> io::Result<(PublicKey, PathBuf)> {
        let key = Self(PKey::generate_ed25519()?);
        let mut named = path.as_os_str().to_owned();
        named.push(".pub");
        let beside = PathBuf::from(named);
        if super::exists(&beside) {
            let kind = io::ErrorKind::AlreadyExists;
            return Err(io::Error::new(kind, format!("{} exists", beside.display())));
        }
        let pem = zeroize::Zeroizing::new(key.0.private_key_to_pem_pkcs8()?);
        create(path, 0o600, &pem)?;
        let public = key.0.public_key_to_pem()?;
        if let Err(error) = create(&beside, 0o644, &public) {
            // A key whose public half is nowhere is of no use.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok((key.public()?, beside))
    }

    /// The half that others verify with.
    ///
    /// # Errors
    /// As the library does.
    pub fn public(&self) -> Result<PublicKey, ErrorStack> {
        Ok(PublicKey(bytes(&self.0.raw_public_key()?)))
    }

    /// Signs a message (RFC 8032, 5.1.6).
    ///
    /// # Errors
    /// As the library does.
    pub(super) fn sign(&self, message: &[u8]) -> Result<[u8; 64], ErrorStack> {
        let signature = Signer::new_without_digest(&self.0)?.sign_oneshot_to_vec(message)?;
        Ok(bytes(&signature))
    }
}

/// The key is never shown.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl PublicKey {
    pub(super) fn new(raw: [u8; 32]) -> Self {
        Self(raw)
    }

    pub(super) fn raw(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the key that a file holds.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let pem = super::read(path, CAP).map_err(|error| format!("cannot be read: {error}"))?;
        let key: PKey<Public> = PKey::public_key_from_pem(&pem)
            .map_err(|_| "holds no public key in PEM: name the .pub file".to_owned())?;
        if key.id() != Id::ED25519 {
            return Err("holds a key that is not ed25519".into());
        }
        let raw = key
            .raw_public_key()
            .map_err(|error| format!("cannot be used: {error}"))?;
        Ok(Self(bytes(&raw)))
    }

    /// As OpenSSH shows a key: `SHA256:` and base64 of the digest, here of the 32 bytes.
    pub fn fingerprint(&self) -> String {
        let digest = openssl::base64::encode_block(&sha256(&self.0));
        format!("SHA256:{}", digest.trim_end_matches('='))
    }

    /// Whether a signature is this key's of that message; a key or a signature that is none is not.
    pub(super) fn holds(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let verify = || -> Result<bool, ErrorStack> {
            let key = PKey::public_key_from_raw_bytes(&self.0, Id::ED25519)?;
            Verifier::new_without_digest(&key)?.verify_oneshot(signature, message)
        };
        verify().unwrap_or(false)
    }
}

/// A file that must not be there yet.
fn create(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(path);
    }
    written
}

/// What is shorter is filled up with zeros: it verifies nothing then.
fn bytes<const N: usize>(from: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(from) {
        *to = *from;
    }
    out
}
