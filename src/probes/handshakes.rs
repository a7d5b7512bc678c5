//! What the TLS ports of the node's components show in a handshake: certificate, protocol and cipher.
//!
//! Lives here: the answers of `openssl s_client`, reduced by the collector to one certificate and one line. Who answers
//! on a port may be anybody, and says what it likes: that a certificate was signed by a file of the node is told by
//! the signature, never by a name.

use std::net::SocketAddr;

use openssl::x509::X509;

use super::answer::{Answer, not_read, summary};
use super::files::certificate::{decode, describe, is_signed_by};
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need, Source};
use crate::model::network::{Handshake, Shown};
use crate::model::node::HostFacts;
use crate::model::text::Text;

/// One handshake with each port, and nothing behind it.
pub static PROBE: Probe = Probe {
    need: Need::Handshakes,
    what: "certificates that the TLS ports of Kubernetes show: one handshake with each from the node itself, nothing is sent in it",
    asks: &[Ask::Shell {
        section: SECTION,
        since: 2,
        root: None,
        fragment: include_str!("shell/handshakes.sh"),
        read,
    }],
};

const SECTION: &str = "handshakes";

/// Ports that are kept.
const PORTS: usize = 40;

/// Authorities of the node that are tried.
const SIGNERS: usize = 200;

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    for tool in ["openssl", "timeout"] {
        if answer.refusal(SECTION, tool.as_bytes()).is_some() {
            facts.handshakes = Fact::Gap(Gap::ToolMissing {
                tool: Text::new(tool),
            });
            return;
        }
    }
    let signers = signers(answer);
    let names = ["N", "Y"]
        .into_iter()
        .flat_map(|kind| answer.records(SECTION, kind))
        .filter_map(|fields| fields.first());
    let mut all: Vec<Handshake> = Vec::new();
    for name in names {
        let place = std::str::from_utf8(name).ok();
        let place = place.and_then(|text| text.parse::<SocketAddr>().ok());
        let Some(place) = place else {
            facts.handshakes = Fact::Gap(garbled(&Text::from_bytes(name)));
            return;
        };
        let (address, port) = (place.ip(), place.port());
        let known = all
            .iter()
            .any(|own| (own.address, own.port) == (address, port));
        if known || all.len() == PORTS {
            continue;
        }
        let shown = shown(answer, name, &signers);
        let at = Locator::new(
            Need::Handshakes,
            u32::try_from(all.len()).unwrap_or(u32::MAX),
        );
        let shown = match shown {
            Ok(shown) => {
                let text = words(&place, &shown);
                let command = format!("openssl s_client -connect {place} </dev/null");
                facts
                    .sources
                    .push(summary((at.need, at.item), &command, &text, reading));
                Fact::seen(Box::new(shown), at)
            }
            Err(gap) => Fact::Gap(gap),
        };
        all.push(Handshake {
            address,
            port,
            shown,
        });
    }
    facts.handshakes = whole(all, reading, &mut facts.sources);
}

/// The list, where no port is beyond the last one that is asked: anybody may listen on further addresses, so that those
/// of the components are.
fn whole(
    all: Vec<Handshake>,
    reading: &Reading<'_>,
    sources: &mut Vec<Source>,
) -> Fact<Vec<Handshake>> {
    if all.len() == PORTS {
        return Fact::Gap(Gap::Garbled {
            what: Text::from(format!("{PORTS} TLS ports or more: not all were asked")),
        });
    }
    let at = Locator::list(Need::Handshakes);
    let lines: Vec<String> = all.iter().map(line).collect();
    sources.push(summary(
        (at.need, at.item),
        "openssl s_client with each TLS port of Kubernetes in /proc/net/tcp and tcp6",
        &lines.concat(),
        reading,
    ));
    Fact::seen(all, at)
}

fn line(found: &Handshake) -> String {
    match &found.shown {
        Fact::Seen(shown) => format!(
            "{} serial {}\n",
            found.place(),
            shown.value.certificate.serial
        ),
        Fact::Gap(gap) => format!("{} {gap}\n", found.place()),
    }
}

fn garbled(place: &Text) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("the handshake with {place}")),
    }
}

/// What one port showed.
fn shown(answer: &Answer<'_>, name: &[u8], signers: &[(Text, X509)]) -> Result<Shown, Gap> {
    let place = Text::from_bytes(name);
    if let Some(word) = answer.refusal(SECTION, name) {
        let what = format!("the handshake with {place}");
        return Err(match word {
            b"error" => garbled(&place),
            word => not_read(word, &what),
        });
    }
    let mine = |fields: &&[Vec<u8>]| fields.first().is_some_and(|own| own == name);
    let mut blocks = answer.records(SECTION, "C").filter(mine);
    let block = blocks.next().and_then(|fields| fields.get(1));
    let x509 = block.and_then(|block| decode(block));
    let x509 = x509.ok_or_else(|| garbled(&place))?;
    let mut agreed = answer.records(SECTION, "T").filter(mine);
    let agreed = agreed.next().unwrap_or_default();
    let word = |index: usize| agreed.get(index).map(|word| String::from_utf8_lossy(word));
    let (line, exact) = (
        word(1).unwrap_or_default(),
        word(2).filter(|word| !word.is_empty()),
    );
    let (protocol, cipher) = line
        .split_once(' ')
        .filter(|(protocol, _)| *protocol != "(NONE)")
        .unwrap_or_default();
    // OpenSSL before 1.1 says TLSv1/SSLv3 whatever it was.
    let protocol = match exact.as_deref() {
        Some(exact) if !protocol.is_empty() => exact,
        None if protocol.contains('/') => "",
        _ => protocol,
    };
    let signer = signers.iter().find(|(_, ca)| is_signed_by(&x509, ca));
    Ok(Shown {
        protocol: Text::new(short(protocol)),
        cipher: Text::new(short(cipher)),
        certificate: describe(&x509).ok_or_else(|| garbled(&place))?,
        signer: signer.map(|(path, _)| path.clone()),
    })
}

/// No protocol and no cipher has a longer name.
fn short(word: &str) -> &str {
    const LONGEST: usize = 64;
    if word.len() <= LONGEST { word } else { "" }
}

/// Certificates of the node's files, in the order in which they were read.
fn signers(answer: &Answer<'_>) -> Vec<(Text, X509)> {
    let blocks = answer.records("pki", "C").filter_map(|fields| {
        let (path, block) = (fields.first()?, fields.get(1)?);
        Some((Text::from_bytes(path), decode(block)?))
    });
    blocks.take(SIGNERS).collect()
}

/// The evidence in a few lines.
fn words(place: &SocketAddr, shown: &Shown) -> String {
    let own = &shown.certificate;
    let names: Vec<&str> = own.names.iter().map(Text::as_str).collect();
    format!(
        "{place} {} {}\nsubject CN={}\nissuer {}\nsigned by {}\nserial {}\nnames {}\nfrom {} until {} (seconds since the epoch)\n",
        shown.protocol,
        shown.cipher,
        own.common_name,
        own.issuer,
        shown
            .signer
            .as_ref()
            .map_or("no file of the node", Text::as_str),
        own.serial,
        names.join(" "),
        own.not_before,
        own.not_after,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::probes::frame::{Frame, Record, Section};
    use crate::probes::mask::Masker;

    fn told(records: &[(&str, &[&str])]) -> Fact<Vec<Handshake>> {
        let record = |(kind, fields): &(&str, &[&str])| Record {
            kind: (*kind).to_owned(),
            fields: fields.iter().map(|field| (*field).into()).collect(),
        };
        let frame = Frame {
            script: 2,
            sections: vec![Section {
                name: SECTION.to_owned(),
                records: records.iter().map(record).collect(),
            }],
            complete: true,
            ..Frame::default()
        };
        let masker = Masker::new([7; 32]);
        let reading = Reading {
            at: Timestamp::UNIX_EPOCH,
            masker: &masker,
        };
        let mut facts = HostFacts::default();
        read(&Answer::new(&frame), &reading, &mut facts);
        facts.handshakes
    }

    #[test]
    fn what_was_not_shown_is_not_known() {
        let one = |records| {
            let all = told(records).get().expect("a list").value.clone();
            all.into_iter().next().expect("a port").shown
        };
        for records in [
            &[("Y", &["127.0.0.1:6443", "timeout"][..])][..],
            &[("Y", &["127.0.0.1:6443", "error"])],
            &[("Y", &["[::1]:6443", "budget"])],
            &[("N", &["127.0.0.1:6443", "1"])],
            &[
                ("C", &["127.0.0.1:6443", "bm8="]),
                ("N", &["127.0.0.1:6443", "1"]),
            ],
        ] {
            assert!(!one(records).is_seen(), "{records:?}");
        }
        assert!(!told(&[("Y", &["openssl", "absent"])]).is_seen());
        assert!(!told(&[("Y", &["nonsense", "timeout"])]).is_seen());
        let all: Vec<String> = (1..=PORTS).map(|it| format!("127.0.0.{it}:2380")).collect();
        let fields: Vec<[&str; 2]> = all.iter().map(|name| [name.as_str(), "budget"]).collect();
        let many: Vec<(&str, &[&str])> = fields.iter().map(|it| ("Y", &it[..])).collect();
        assert!(!told(&many).is_seen());
        assert!(told(&many[1..]).is_seen());
        assert_eq!(told(&[]).get().expect("nothing listens").value, []);
    }
}
