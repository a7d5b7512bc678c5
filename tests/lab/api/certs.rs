//! A certificate authority that lives as long as one run.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use serde_json::Value;

const AUTHORITY: &str = "stakeout lab authority";

type Pair = (X509, PKey<Private>);

/// The authority, a server certificate for 127.0.0.1 and a client certificate.
pub struct Authority {
    ca: Pair,
    server: Pair,
    client: Pair,
}

impl Authority {
    /// # Panics
    /// Where OpenSSL fails.
    pub fn new() -> Self {
        let key = key();
        let mut builder = builder(AUTHORITY, &key);
        let basic = BasicConstraints::new().critical().ca().build();
        builder
            .append_extension(basic.expect("an extension"))
            .expect("a fresh certificate");
        let ca = sign(builder, &key);
        let ca = (ca, key);
        let server = issue(&ca, "kube-apiserver");
        let client = issue(&ca, "stakeout-lab-user");
        Self { ca, server, client }
    }

    /// Base64 of the authority's PEM.
    pub fn ca_base64(&self) -> String {
        base64(&self.ca.0.to_pem().expect("PEM"))
    }

    /// The user of a kubeconfig: client certificate and key.
    pub fn client_user(&self) -> Value {
        let (cert, key) = &self.client;
        serde_json::json!({
            "client-certificate-data": base64(&cert.to_pem().expect("PEM")),
            "client-key-data": base64(&key.private_key_to_pem_pkcs8().expect("PEM")),
        })
    }

    /// The server's side of TLS; a client certificate is welcome and not required.
    pub fn acceptor(&self) -> SslAcceptor {
        let mut acceptor =
            SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).expect("an acceptor");
        let (cert, key) = &self.server;
        acceptor.set_certificate(cert).expect("our certificate");
        acceptor.set_private_key(key).expect("our key");
        let mut store = X509StoreBuilder::new().expect("a store");
        store.add_cert(self.ca.0.clone()).expect("our authority");
        acceptor
            .set_verify_cert_store(store.build())
            .expect("a store");
        acceptor.set_verify(SslVerifyMode::PEER);
        // Without it OpenSSL refuses to resume a session of a verified client.
        acceptor
            .set_session_id_context(b"stakeout-lab")
            .expect("a short context");
        acceptor.build()
    }
}

fn base64(bytes: &[u8]) -> String {
    openssl::base64::encode_block(bytes)
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a known curve");
    PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key")
}

fn builder(name: &str, key: &PKey<Private>) -> X509Builder {
    let mut builder = X509::builder().expect("a builder");
    builder.set_version(2).expect("version 3");
    let mut serial = BigNum::new().expect("a number");
    serial
        .rand(127, MsbOption::MAYBE_ZERO, false)
        .expect("randomness");
    let serial = serial.to_asn1_integer().expect("a serial");
    builder.set_serial_number(&serial).expect("a serial");
    builder.set_subject_name(&named(name)).expect("a subject");
    builder.set_pubkey(key).expect("our key");
    let (from, to) = (Asn1Time::from_unix(0), Asn1Time::days_from_now(2));
    builder
        .set_not_before(&from.expect("a time"))
        .expect("a time");
    builder.set_not_after(&to.expect("a time")).expect("a time");
    builder
}

fn named(name: &str) -> X509Name {
    let mut subject = X509NameBuilder::new().expect("a name");
    subject
        .append_entry_by_text("CN", name)
        .expect("a short name");
    subject.build()
}

fn sign(mut builder: X509Builder, signer: &PKey<Private>) -> X509 {
    builder
        .set_issuer_name(&named(AUTHORITY))
        .expect("an issuer");
    builder
        .sign(signer, MessageDigest::sha256())
        .expect("a signature");
    builder.build()
}

fn issue(ca: &Pair, name: &str) -> Pair {
    let key = key();
    let mut builder = builder(name, &key);
    let names = SubjectAlternativeName::new()
        .ip("127.0.0.1")
        .dns("localhost")
        .dns("kubernetes")
        .build(&builder.x509v3_context(Some(&ca.0), None));
    builder
        .append_extension(names.expect("an extension"))
        .expect("a fresh certificate");
    (sign(builder, &ca.1), key)
}
