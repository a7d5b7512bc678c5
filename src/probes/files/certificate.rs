//! Certificates as a node sends them: public, and parsed here, so that the node needs no openssl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::nid::Nid;
use openssl::pkey::Id;
use openssl::sha::sha256;
use openssl::x509::{X509, X509ExtendedKeyUsage, X509KeyUsage, X509NameRef};

use crate::model::fact::{Fact, Gap, Locator};
use crate::model::files::Certificate;
use crate::model::name::Digest;
use crate::model::text::Text;
use crate::probes::answer::{Answer, not_read};

/// Alternative names of one certificate that are kept.
const NAMES: usize = 64;

/// The certificates that the collector found in one file of a section.
pub(in crate::probes) fn of_file(
    answer: &Answer<'_>,
    section: &'static str,
    path: &[u8],
    at: Locator,
) -> Fact<Vec<Certificate>> {
    let shown = Text::from_bytes(path);
    if let Some(word) = answer.refusal(section, path) {
        return Fact::Gap(not_read(word, shown.as_str()));
    }
    let mine = |fields: &&[Vec<u8>]| fields.first().is_some_and(|name| name == path);
    let count = answer
        .records(section, "N")
        .filter(mine)
        .find_map(|fields| {
            std::str::from_utf8(fields.get(1)?)
                .ok()?
                .parse::<usize>()
                .ok()
        });
    let garbled = |what: String| {
        Fact::Gap(Gap::Garbled {
            what: Text::from(what),
        })
    };
    let Some(count) = count else {
        return garbled(format!("{shown} was not looked into for certificates"));
    };
    let blocks = answer.records(section, "C").filter(mine);
    let mut all = Vec::new();
    for block in blocks.filter_map(|fields| fields.get(1)) {
        match parse(block) {
            Some(certificate) => all.push(certificate),
            None => return garbled(format!("a certificate in {shown}")),
        }
    }
    if all.len() < count {
        return garbled(format!(
            "{shown} holds {count} certificates, of which {} came",
            all.len()
        ));
    }
    Fact::seen(all, at)
}

/// One certificate out of the base64 between its marks.
fn parse(block: &[u8]) -> Option<Certificate> {
    describe(&decode(block)?)
}

/// The same before it is described.
pub(in crate::probes) fn decode(block: &[u8]) -> Option<X509> {
    let text = std::str::from_utf8(block).ok()?;
    let der = openssl::base64::decode_block(text).ok()?;
    X509::from_der(&der).ok()
}

/// Whether `signer` has signed it, by name and signature.
pub(in crate::probes) fn is_signed_by(x509: &X509, signer: &X509) -> bool {
    let named = x509.issuer_name().try_cmp(signer.subject_name());
    named.is_ok_and(std::cmp::Ordering::is_eq)
        && signer
            .public_key()
            .is_ok_and(|key| x509.verify(&key).unwrap_or(false))
}

/// What a certificate says of itself.
pub(in crate::probes) fn describe(x509: &X509) -> Option<Certificate> {
    let key = x509.public_key().ok();
    let names = x509.subject_alt_names();
    let names = names.iter().flatten().take(NAMES).filter_map(|name| {
        let address = name.ipaddress().and_then(address);
        let dns = name.dnsname().map(|name| format!("DNS:{name}"));
        dns.or(address)
            .or_else(|| name.uri().map(|uri| format!("URI:{uri}")))
            .map(Text::from)
    });
    let signature = x509.signature_algorithm().object().nid();
    let self_signed = key
        .as_ref()
        .is_some_and(|key| x509.verify(key).unwrap_or(false));
    Some(Certificate {
        common_name: entries(x509.subject_name(), Nid::COMMONNAME)
            .into_iter()
            .next()
            .unwrap_or_default(),
        organizations: entries(x509.subject_name(), Nid::ORGANIZATIONNAME).into(),
        issuer: Text::from(rendered(x509.issuer_name())),
        self_signed,
        serial: x509
            .serial_number()
            .to_bn()
            .and_then(|number| number.to_hex_str())
            .map(|hex| Text::new(&hex))
            .unwrap_or_default(),
        not_before: seconds(x509.not_before())?,
        not_after: seconds(x509.not_after())?,
        names: names.collect(),
        ca: x509.key_usage().map_or(self_signed, |usage| {
            usage.contains(X509KeyUsage::KEY_CERT_SIGN)
        }),
        usages: usages(x509),
        key: Text::new(match key.as_ref().map(|key| key.id()) {
            Some(Id::RSA) => "RSA",
            Some(Id::EC) => "EC",
            Some(Id::ED25519) => "ED25519",
            _ => "another",
        }),
        key_bits: key.as_ref().map_or(0, |key| key.bits()),
        signature: Text::new(signature.long_name().unwrap_or("another")),
        spki: Digest::new(&sha256(&key?.public_key_to_der().ok()?)),
    })
}

fn usages(x509: &X509) -> Box<[Text]> {
    let Some(usage) = x509.extended_key_usage() else {
        return Box::default();
    };
    let known = [
        (X509ExtendedKeyUsage::SSL_CLIENT, "client"),
        (X509ExtendedKeyUsage::SSL_SERVER, "server"),
    ];
    let given = known.iter().filter(|(bit, _)| usage.contains(*bit));
    given.map(|(_, word)| Text::new(word)).collect()
}

fn entries(name: &X509NameRef, nid: Nid) -> Vec<Text> {
    name.entries_by_nid(nid)
        .take(NAMES)
        .map(|entry| Text::from_bytes(entry.data().as_slice()))
        .collect()
}

/// `O=a, CN=b`, in the order of the certificate.
fn rendered(name: &X509NameRef) -> String {
    let parts: Vec<String> = name
        .entries()
        .take(NAMES)
        .map(|entry| {
            let kind = entry.object().nid().short_name().unwrap_or("?");
            format!("{kind}={}", Text::from_bytes(entry.data().as_slice()))
        })
        .collect();
    parts.join(", ")
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(|four| IpAddr::V4(Ipv4Addr::from(four)));
    let sixteen = <[u8; 16]>::try_from(bytes).map(|all| IpAddr::V6(Ipv6Addr::from(all)));
    Some(format!("IP:{}", four.or(sixteen).ok()?))
}

/// Seconds since the epoch.
fn seconds(time: &Asn1TimeRef) -> Option<i64> {
    let gap = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    Some(i64::from(gap.days) * 86_400 + i64::from(gap.secs))
}
