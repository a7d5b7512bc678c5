//! Someone who signs certificates, with every kind of key.

use openssl::base64::encode_block;
use openssl::bn::BigNumRef;
use openssl::ec::{EcGroup, EcKey, PointConversionForm};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sha::sha256;
use openssl::sign::Signer;

use super::super::wire::put;

/// Someone who can sign.
pub(super) struct Authority {
    pub kind: &'static str,
    pub method: &'static str,
    pair: PKey<Private>,
    digest: Option<MessageDigest>,
}

/// What a security key is asked to sign for.
const APPLICATION: &[u8] = b"ssh:";

pub(super) fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, bytes);
    out
}

fn mpint(number: &BigNumRef) -> Vec<u8> {
    let mut bytes = number.to_vec();
    if bytes.first().is_some_and(|first| *first >= 0x80) {
        bytes.insert(0, 0);
    }
    string(&bytes)
}

impl Authority {
    pub fn ed25519() -> Self {
        Self {
            kind: "ssh-ed25519",
            method: "ssh-ed25519",
            pair: PKey::generate_ed25519().expect("a key"),
            digest: None,
        }
    }

    fn ecdsa(kind: &'static str, nid: Nid, digest: MessageDigest) -> Self {
        let group = EcGroup::from_curve_name(nid).expect("a curve");
        let key = EcKey::generate(&group).expect("a key");
        Self {
            kind,
            method: kind,
            pair: PKey::from_ec_key(key).expect("a key"),
            digest: Some(digest),
        }
    }

    pub fn rsa(method: &'static str, bits: u32, digest: MessageDigest) -> Self {
        let key = Rsa::generate(bits).expect("a key");
        Self {
            kind: "ssh-rsa",
            method,
            pair: PKey::from_rsa(key).expect("a key"),
            digest: Some(digest),
        }
    }

    /// A security key, here in software.
    pub fn on_a_security_key(self) -> Self {
        let kind = match self.kind {
            "ssh-ed25519" => "sk-ssh-ed25519@openssh.com",
            _ => "sk-ecdsa-sha2-nistp256@openssh.com",
        };
        Self {
            kind,
            method: kind,
            ..self
        }
    }

    pub fn nistp256() -> Self {
        let digest = MessageDigest::sha256();
        Self::ecdsa("ecdsa-sha2-nistp256", Nid::X9_62_PRIME256V1, digest)
    }

    pub fn every_kind() -> Vec<Self> {
        vec![
            Self::ed25519(),
            Self::nistp256(),
            Self::ecdsa(
                "ecdsa-sha2-nistp384",
                Nid::SECP384R1,
                MessageDigest::sha384(),
            ),
            Self::ecdsa(
                "ecdsa-sha2-nistp521",
                Nid::SECP521R1,
                MessageDigest::sha512(),
            ),
            Self::rsa("rsa-sha2-256", 2048, MessageDigest::sha256()),
            Self::rsa("rsa-sha2-512", 2048, MessageDigest::sha512()),
        ]
    }

    /// The fields of its public key behind the type.
    pub fn fields(&self) -> Vec<u8> {
        if let Ok(rsa) = self.pair.rsa() {
            return [mpint(rsa.e()), mpint(rsa.n())].concat();
        }
        if let Ok(key) = self.pair.ec_key() {
            let mut context = openssl::bn::BigNumContext::new().expect("memory");
            let point = key
                .public_key()
                .to_bytes(key.group(), PointConversionForm::UNCOMPRESSED, &mut context)
                .expect("a point");
            let curve = self.kind.strip_prefix("ecdsa-sha2-").unwrap_or("nistp256");
            return [string(curve.as_bytes()), string(&point), self.application()].concat();
        }
        let raw = self.pair.raw_public_key().expect("an ed25519 key");
        [string(&raw), self.application()].concat()
    }

    fn application(&self) -> Vec<u8> {
        if self.kind.starts_with("sk-") {
            string(APPLICATION)
        } else {
            Vec::new()
        }
    }

    pub fn blob(&self) -> Vec<u8> {
        [string(self.kind.as_bytes()), self.fields()].concat()
    }

    pub fn line(&self, names: &str) -> String {
        format!("{names} {} {}\n", self.kind, encode_block(&self.blob()))
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        if !self.kind.starts_with("sk-") {
            return self.sign_plainly(message);
        }
        // Touched, and the third signature.
        let behind = [1, 0, 0, 0, 3];
        let message = [&sha256(APPLICATION)[..], &behind, &sha256(message)].concat();
        [self.sign_plainly(&message), behind.to_vec()].concat()
    }

    fn sign_plainly(&self, message: &[u8]) -> Vec<u8> {
        let body = match (self.pair.ec_key(), self.digest) {
            (Ok(key), Some(digest)) => {
                let hashed = hash(digest, message).expect("a digest");
                let signature = EcdsaSig::sign(&hashed, &key).expect("a signature");
                [mpint(signature.r()), mpint(signature.s())].concat()
            }
            (_, digest) => {
                let mut signer = match digest {
                    Some(digest) => Signer::new(digest, &self.pair),
                    None => Signer::new_without_digest(&self.pair),
                }
                .expect("a signer");
                signer.sign_oneshot_to_vec(message).expect("a signature")
            }
        };
        [string(self.method.as_bytes()), string(&body)].concat()
    }
}
