//! Whether a signature of a certificate authority holds. One with SHA-1 never does.

use std::borrow::Cow;

use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey};
use openssl::rsa::Rsa;
use openssl::sha::sha256;
use openssl::sign::Verifier;

use super::line::Key;
use super::wire::Wire;

/// Types of keys that live on a security key.
const SK_ED25519: &str = "sk-ssh-ed25519@openssh.com";
const SK_ECDSA: &str = "sk-ecdsa-sha2-nistp256@openssh.com";
/// Smallest RSA modulus in bits, as OpenSSH has it.
const RSA_BITS: i32 = 1024;

/// Whether `signature`, in the form of RFC 4253 section 6.6, is that of `key` over `message`.
///
/// # Errors
/// Why it is not, in a few words.
pub(super) fn check(key: &Key, message: &[u8], signature: &[u8]) -> Result<(), &'static str> {
    let mut wire = Wire(signature);
    let (Some(method), Some(body)) = (wire.text(), wire.string()) else {
        return Err("its signature cannot be read");
    };
    let message = match touched(key, message, &mut wire) {
        Some(message) if wire.is_empty() => message,
        _ => return Err("its signature cannot be read"),
    };
    let mut public = Wire(&key.blob);
    // The type, which is `key.kind`.
    public.string();
    let holds = match (&*key.kind, method) {
        ("ssh-rsa", "rsa-sha2-256") => rsa(public, MessageDigest::sha256(), (&message, body)),
        ("ssh-rsa", "rsa-sha2-512") => rsa(public, MessageDigest::sha512(), (&message, body)),
        ("ssh-rsa", "ssh-rsa") => return Err("it is signed with SHA-1"),
        ("ssh-ed25519" | SK_ED25519, _) if *key.kind == *method => ed25519(public, &message, body),
        (kind, _) if kind == method => match curve(kind) {
            Some(curve) => ecdsa(public, &curve, (&message, body)),
            None => return Err("it is signed by a method that is not known here"),
        },
        _ => return Err("it is signed by a method that is not known here"),
    };
    match holds {
        Some(Ok(true)) => Ok(()),
        _ => Err("the signature is not that of the authority"),
    }
}

/// What was signed. A security key signs a digest together with what it is for, whether it was touched, and how
/// often it has signed, as PROTOCOL.u2f of OpenSSH says; the latter two stand behind the signature.
fn touched<'a>(key: &Key, message: &'a [u8], rest: &mut Wire<'_>) -> Option<Cow<'a, [u8]>> {
    if !matches!(&*key.kind, SK_ED25519 | SK_ECDSA) {
        return Some(Cow::Borrowed(message));
    }
    let mut public = Wire(&key.blob);
    // The type, for ECDSA the curve, and the point come first.
    for _ in 0..if *key.kind == *SK_ECDSA { 3 } else { 2 } {
        public.string()?;
    }
    let application = public.string()?;
    let flags_and_counter: &[u8; 5] = rest.bytes()?;
    Some(Cow::Owned(
        [
            &sha256(application)[..],
            flags_and_counter,
            &sha256(message),
        ]
        .concat(),
    ))
}

/// `None` where the key or the signature has the wrong form.
type Holds = Option<Result<bool, ErrorStack>>;

fn ed25519(mut public: Wire<'_>, message: &[u8], body: &[u8]) -> Holds {
    let raw = public.string()?;
    Some(
        PKey::public_key_from_raw_bytes(raw, Id::ED25519)
            .and_then(|key| Verifier::new_without_digest(&key)?.verify_oneshot(body, message)),
    )
}

struct Curve {
    name: &'static str,
    nid: Nid,
    digest: MessageDigest,
}

/// RFC 5656 section 6.2.1: the digest follows the size of the curve.
fn curve(kind: &str) -> Option<Curve> {
    let (name, nid, digest) = match kind {
        "ecdsa-sha2-nistp256" | SK_ECDSA => {
            ("nistp256", Nid::X9_62_PRIME256V1, MessageDigest::sha256())
        }
        "ecdsa-sha2-nistp384" => ("nistp384", Nid::SECP384R1, MessageDigest::sha384()),
        "ecdsa-sha2-nistp521" => ("nistp521", Nid::SECP521R1, MessageDigest::sha512()),
        _ => return None,
    };
    Some(Curve { name, nid, digest })
}

fn ecdsa(mut public: Wire<'_>, curve: &Curve, (message, body): (&[u8], &[u8])) -> Holds {
    if public.text()? != curve.name {
        return None;
    }
    let point = public.string()?;
    let mut numbers = Wire(body);
    let (r, s) = (numbers.mpint()?, numbers.mpint()?);
    let verify = || {
        let group = EcGroup::from_curve_name(curve.nid)?;
        let mut context = openssl::bn::BigNumContext::new()?;
        let point = EcPoint::from_bytes(&group, point, &mut context)?;
        let key = EcKey::from_public_key(&group, &point)?;
        key.check_key()?;
        let signature =
            EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?;
        signature.verify(&hash(curve.digest, message)?, &key)
    };
    numbers.is_empty().then(verify)
}

fn rsa(mut public: Wire<'_>, digest: MessageDigest, (message, body): (&[u8], &[u8])) -> Holds {
    let (e, n) = (public.mpint()?, public.mpint()?);
    let verify = || {
        let n = BigNum::from_slice(n)?;
        if n.num_bits() < RSA_BITS {
            return Ok(false);
        }
        let key = PKey::from_rsa(Rsa::from_public_components(n, BigNum::from_slice(e)?)?)?;
        // Some signers leave leading zeros out.
        let mut whole = vec![0; key.size().saturating_sub(body.len())];
        whole.extend(body);
        Verifier::new(digest, &key)?.verify_oneshot(&whole, message)
    };
    public.is_empty().then(verify)
}
