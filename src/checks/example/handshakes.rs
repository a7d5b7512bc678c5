//! What TLS ports show, as examples write it.

use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;

use super::gap;
use super::paths::{CertificateWritten, certificate};
use crate::model::fact::{Fact, Locator, Need};
use crate::model::network::{Handshake, Shown};
use crate::model::text::Text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HandshakeWritten {
    address: Option<IpAddr>,
    port: u16,
    gap: Option<String>,
    protocol: Option<Text>,
    cipher: Option<Text>,
    #[serde(default)]
    certificate: CertificateWritten,
    signer: Option<Text>,
}

pub(super) fn handshakes(written: Vec<HandshakeWritten>) -> Result<Vec<Handshake>, String> {
    let mut out = Vec::new();
    for (index, written) in (0_u32..).zip(written) {
        let shown = match written.gap {
            Some(word) => Fact::Gap(gap(&word)?),
            None => match certificate(written.certificate)?.content {
                Fact::Gap(gap) => Fact::Gap(gap),
                Fact::Seen(seen) => {
                    let first = seen.value.into_iter().next();
                    let shown = Shown {
                        protocol: written.protocol.unwrap_or_else(|| Text::new("TLSv1.3")),
                        cipher: written
                            .cipher
                            .unwrap_or_else(|| Text::new("TLS_AES_128_GCM_SHA256")),
                        certificate: first.ok_or("a handshake shows a certificate")?,
                        signer: written.signer,
                    };
                    let at = Locator::new(Need::Handshakes, index);
                    Fact::seen(Box::new(shown), at)
                }
            },
        };
        out.push(Handshake {
            address: written.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            port: written.port,
            shown,
        });
    }
    Ok(out)
}
