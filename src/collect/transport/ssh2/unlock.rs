//! Opening a private key that a passphrase protects: once, for all nodes. What comes out is a text that needs none.
//!
//! OpenSSH's own format (PROTOCOL.key) here; PEM and PKCS #8 through OpenSSL.

use openssl::base64;
use openssl::pkey::PKey;
use openssl::symm::{self, Cipher};
use zeroize::{Zeroize as _, Zeroizing};

use crate::model::secret::Secret;

use super::agent::string;

pub(super) const MAGIC: &[u8] = b"openssh-key-v1\0";
pub(super) const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
/// ssh-keygen takes 16 unless it is told otherwise; this many take minutes.
const ROUNDS: u32 = 10_000;
/// Columns of a line of base64.
const COLUMNS: usize = 70;

/// Why a key stays closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    WrongPassphrase,
    /// Nothing that is typed would help.
    Unusable(&'static str),
}

/// The key as a text without a passphrase.
pub(super) fn open(text: &Secret, passphrase: &Secret) -> Result<Secret, Closed> {
    match text.reveal().split_once(BEGIN) {
        Some((_, rest)) => own_format(rest, passphrase),
        None => pem(text, passphrase),
    }
}

fn pem(text: &Secret, passphrase: &Secret) -> Result<Secret, Closed> {
    let (text, passphrase) = (text.reveal().as_bytes(), passphrase.reveal().as_bytes());
    let key = PKey::private_key_from_pem_passphrase(text, passphrase)
        .map_err(|_| Closed::WrongPassphrase)?;
    let opened = key
        .private_key_to_pem_pkcs8()
        .map_err(|_| Closed::Unusable("OpenSSL cannot write it"))?;
    String::from_utf8(opened).map(Secret::new).map_err(|error| {
        error.into_bytes().zeroize();
        Closed::Unusable("OpenSSL cannot write it")
    })
}

fn own_format(rest: &str, passphrase: &Secret) -> Result<Secret, Closed> {
    let damaged = Closed::Unusable("it cannot be parsed");
    let bytes = decode(rest).ok_or(damaged.clone())?;
    let file = Envelope::parse(&bytes).ok_or(damaged)?;
    let plain = file.decrypt(passphrase)?;
    // Two equal numbers at the front tell a right passphrase from a wrong one.
    if plain.len() < 8 || plain[..4] != plain[4..8] {
        return Err(Closed::WrongPassphrase);
    }
    let mut out = Zeroizing::new(Vec::with_capacity(plain.len() + file.public.len() + 64));
    out.extend_from_slice(MAGIC);
    for part in [&b"none"[..], b"none", b""] {
        put(&mut out, part);
    }
    out.extend_from_slice(&1_u32.to_be_bytes());
    put(&mut out, file.public);
    put(&mut out, &plain);
    Ok(armour(&Zeroizing::new(base64::encode_block(&out))))
}

/// The bytes between the lines of a file in OpenSSH's own format; a key that nothing protects lies in them open.
pub(super) fn decode(rest: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (body, _) = rest.split_once("-----END")?;
    // The room is taken at once: a text that grows would leave copies behind.
    let mut packed = Zeroizing::new(String::with_capacity(body.len()));
    packed.extend(body.split_ascii_whitespace());
    base64::decode_block(&packed).ok().map(Zeroizing::new)
}

/// The room is taken at once: a text that grows would leave copies behind.
fn armour(body: &str) -> Secret {
    let mut text = String::with_capacity(body.len() + body.len() / COLUMNS + 4 + 2 * BEGIN.len());
    text.push_str(BEGIN);
    for (at, c) in body.chars().enumerate() {
        if at % COLUMNS == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    Secret::new(text)
}

fn put(out: &mut Vec<u8>, part: &[u8]) {
    // A key file is 64 kB at most.
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(part);
}

/// The file, decoded.
struct Envelope<'a> {
    cipher: &'a [u8],
    salt: &'a [u8],
    rounds: u32,
    public: &'a [u8],
    private: &'a [u8],
    /// Behind the private part: the tag of a cipher that has one.
    tag: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let cipher = string(&mut rest)?;
        let kdf = string(&mut rest)?;
        let mut options = string(&mut rest)?;
        let salt = string(&mut options)?;
        let rounds = u32::from_be_bytes(*options.first_chunk::<4>()?);
        let (count, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        let public = string(&mut rest)?;
        let private = string(&mut rest)?;
        (kdf == b"bcrypt" && *count == [0, 0, 0, 1]).then_some(Self {
            cipher,
            salt,
            rounds,
            public,
            private,
            tag: rest,
        })
    }

    fn decrypt(&self, passphrase: &Secret) -> Result<Zeroizing<Vec<u8>>, Closed> {
        let unusable = Closed::Unusable;
        if self.rounds == 0 || self.rounds > ROUNDS || self.salt.is_empty() {
            return Err(unusable("its key derivation is out of bounds"));
        }
        let (cipher, key_length, has_tag) = match self.cipher {
            b"aes256-ctr" => (Cipher::aes_256_ctr(), 32, false),
            b"aes192-ctr" => (Cipher::aes_192_ctr(), 24, false),
            b"aes128-ctr" => (Cipher::aes_128_ctr(), 16, false),
            b"aes256-cbc" => (Cipher::aes_256_cbc(), 32, false),
            b"aes192-cbc" => (Cipher::aes_192_cbc(), 24, false),
            b"aes128-cbc" => (Cipher::aes_128_cbc(), 16, false),
            b"aes256-gcm@openssh.com" => (Cipher::aes_256_gcm(), 32, true),
            b"aes128-gcm@openssh.com" => (Cipher::aes_128_gcm(), 16, true),
            _ => return Err(unusable("its cipher is not known here")),
        };
        let nonce_length = if has_tag { 12 } else { 16 };
        let mut derived = Zeroizing::new(vec![0; key_length + nonce_length]);
        if passphrase.is_empty()
            || bcrypt_pbkdf::bcrypt_pbkdf(passphrase.reveal(), self.salt, self.rounds, &mut derived)
                .is_err()
        {
            return Err(Closed::WrongPassphrase);
        }
        let (key, nonce) = derived.split_at(key_length);
        let plain = if has_tag {
            symm::decrypt_aead(cipher, key, Some(nonce), &[], self.private, self.tag)
                .map(Zeroizing::new)
        } else {
            self.raw(cipher, key, nonce)
        };
        plain.map_err(|_| Closed::WrongPassphrase)
    }

    /// Without the padding of PKCS #7: the format has its own.
    fn raw(
        &self,
        cipher: Cipher,
        key: &[u8],
        nonce: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, openssl::error::ErrorStack> {
        let mut crypter = symm::Crypter::new(cipher, symm::Mode::Decrypt, key, Some(nonce))?;
        crypter.pad(false);
        let mut out = Zeroizing::new(vec![0; self.private.len() + cipher.block_size()]);
        let count = crypter.update(self.private, &mut out)?;
        let rest = crypter.finalize(&mut out[count..])?;
        out.truncate(count + rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn what_is_no_key_stays_closed() {
        let unusable = Closed::Unusable("it cannot be parsed");
        for body in ["", "AAAA", "b3BlbnNzaC1rZXktdjEA", "%%%"] {
            let text = secret(&format!("{BEGIN}\n{body}\n{END}\n"));
            assert_eq!(open(&text, &secret("x")), Err(unusable.clone()), "{body}");
        }
        assert_eq!(
            open(&secret("-----"), &secret("x")),
            Err(Closed::WrongPassphrase)
        );
    }

    /// One key of the lab under one passphrase, made with ssh-keygen -a 1.
    const OWN: [&str; 3] = [
        include_str!("../../../../tests/fixtures/keys/aes256-ctr.pem"),
        include_str!("../../../../tests/fixtures/keys/aes128-cbc.pem"),
        include_str!("../../../../tests/fixtures/keys/aes256-gcm.pem"),
    ];

    #[test]
    fn every_cipher_of_ssh_keygen_is_opened() {
        for text in OWN {
            let text = secret(text);
            let opened = open(&text, &secret("correct horse")).expect("the right one");
            let (_, rest) = opened.reveal().split_once(BEGIN).expect("the same format");
            let bytes: Zeroizing<Vec<u8>> = decode(rest).expect("base64");
            assert!(bytes.starts_with(b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0"));
            for wrong in ["correct", "correct horse ", ""] {
                assert_eq!(open(&text, &secret(wrong)), Err(Closed::WrongPassphrase));
            }
        }
    }

    #[test]
    fn pem_is_opened_by_openssl() {
        let rsa = openssl::rsa::Rsa::generate(2048).expect("a key");
        let key = PKey::from_rsa(rsa).expect("a key");
        let text = key
            .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"secret")
            .expect("encrypted");
        let text = secret(&String::from_utf8(text).expect("PEM is text"));
        let opened = open(&text, &secret("secret")).expect("the right one");
        assert!(opened.reveal().starts_with("-----BEGIN PRIVATE KEY-----"));
        assert_eq!(open(&text, &secret("other")), Err(Closed::WrongPassphrase));
    }
}
