//! Certificates of described nodes: real ones, with keys that follow from the node's name.
//!
//! The keys are worth nothing: whoever reads this file can make them.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::sha::sha256;
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509Name, X509NameBuilder};

const DAY: i64 = 86_400;

/// What a certificate is to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    pub common_name: &'a str,
    pub organization: &'a str,
    /// The common name of an authority, which is also the seed of its key; itself where it is empty.
    pub issuer: &'a str,
    /// `DNS:a`, `IP:b`.
    pub names: &'a [&'a str],
    pub client: bool,
    pub server: bool,
}

/// A certificate in PEM. `seed`: of its key; `made`: seconds since the epoch.
pub fn pem(request: Request<'_>, seed: &[&str], made: i64) -> String {
    let pem = issue(request, seed, made).and_then(|x509| x509.to_pem());
    let pem = pem.expect("a certificate of our own making");
    String::from_utf8(pem).expect("PEM is text")
}

fn issue(request: Request<'_>, seed: &[&str], made: i64) -> Result<X509, ErrorStack> {
    let own = key(seed)?;
    let (issuer, signer) = if request.issuer.is_empty() {
        (
            name(request.organization, request.common_name)?,
            own.clone(),
        )
    } else {
        (name("", request.issuer)?, key(&[request.issuer])?)
    };
    let mut out = X509::builder()?;
    out.set_version(2)?;
    let serial = BigNum::from_slice(&sha256(seed.join("\0").as_bytes())[..8])?;
    let serial = serial.to_asn1_integer()?;
    out.set_serial_number(&serial)?;
    let subject = name(request.organization, request.common_name)?;
    out.set_subject_name(&subject)?;
    out.set_issuer_name(&issuer)?;
    let days = if request.issuer.is_empty() { 3650 } else { 365 };
    let from = Asn1Time::from_unix(made)?;
    out.set_not_before(&from)?;
    let until = Asn1Time::from_unix(made + days * DAY)?;
    out.set_not_after(&until)?;
    out.set_pubkey(&own)?;
    let mut usage = KeyUsage::new();
    usage.critical().digital_signature();
    if request.issuer.is_empty() {
        usage.key_cert_sign();
        out.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    }
    out.append_extension(usage.build()?)?;
    if request.client || request.server {
        let mut usage = ExtendedKeyUsage::new();
        if request.client {
            usage.client_auth();
        }
        if request.server {
            usage.server_auth();
        }
        out.append_extension(usage.build()?)?;
    }
    if !request.names.is_empty() {
        let mut names = SubjectAlternativeName::new();
        for name in request.names {
            match name.split_once(':') {
                Some(("IP", address)) => names.ip(address),
                Some((_, host)) => names.dns(host),
                None => names.dns(name),
            };
        }
        let names = names.build(&out.x509v3_context(None, None))?;
        out.append_extension(names)?;
    }
    out.sign(&signer, MessageDigest::null())?;
    Ok(out.build())
}

fn name(organization: &str, common_name: &str) -> Result<X509Name, ErrorStack> {
    let mut out = X509NameBuilder::new()?;
    if !organization.is_empty() {
        out.append_entry_by_text("O", organization)?;
    }
    out.append_entry_by_text("CN", common_name)?;
    Ok(out.build())
}

/// An Ed25519 key that follows from the seed: its signatures do too, so that a recorded fleet stays the same.
fn key(seed: &[&str]) -> Result<PKey<Private>, ErrorStack> {
    let secret = sha256(seed.join("\0").as_bytes());
    PKey::private_key_from_raw_bytes(&secret, Id::ED25519)
}
