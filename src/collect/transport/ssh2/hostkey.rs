//! Which host key is asked for, and what the verdict on it means. Nothing is sent to a host before this said yes:
//! to a node and to every hop on the way to it.

use std::path::PathBuf;
use std::sync::Arc;

use ::ssh2::{MethodType, Session};

use super::drive::words;
use crate::collect::clock::now;
use crate::collect::known_hosts::{CERTIFIED, Key, KnownHosts, Lookup, Place, Verdict};
use crate::collect::transport::fault::Fault;
use crate::collect::transport::trust::Trust;
use crate::model::fact::FaultClass;
use crate::model::hostkey::ShownKey;

/// Plain keys, best first.
const PLAIN: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// Who is expected at the other end of a session.
pub(super) struct Expected {
    known: Arc<KnownHosts>,
    /// Best first; `[host]:port` where the port is not 22.
    names: Vec<String>,
    /// Where the session leads, for messages: `10.0.0.1 port 22`.
    address: String,
}

/// A host that is who it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostKey {
    /// The line that vouches for it: of the key itself or of its authority.
    pub place: Place,
}

impl Expected {
    /// `names`: under which the key may be on file in `files`; `address`: host and port that are connected to.
    pub fn new(trust: &Trust, names: &[String], files: &[PathBuf], address: (&str, u16)) -> Self {
        Self {
            known: trust.known(files),
            names: names.to_vec(),
            address: format!("{} port {}", address.0, address.1),
        }
    }

    /// Before the handshake: asks for the keys that can be verified. Without this libssh2 asks for certificates
    /// and checks nothing about them.
    pub fn ask(&self, session: &Session) -> Result<(), Fault> {
        let list = preference(&self.known.lookup(&self.names));
        session
            .method_pref(MethodType::HostKey, &list)
            .map_err(|error| Fault::new(FaultClass::Internal, words(&error)))
    }

    /// After the handshake: refuses everything but a key on file, or one that an authority on file vouches for.
    pub fn verify(&self, session: &Session) -> Result<HostKey, Fault> {
        let blob = session.host_key().map_or(&[][..], |(key, _)| key);
        let seconds = u64::try_from(now().as_second()).unwrap_or(0);
        let verdict = self.known.lookup(&self.names).verify(blob, seconds);
        self.accept(verdict)
    }

    fn accept(&self, verdict: Verdict) -> Result<HostKey, Fault> {
        let (class, detail) = match verdict {
            Verdict::Match(place) => return Ok(HostKey { place }),
            Verdict::Unknown { key, authority } => return Err(self.unknown(&key, authority)),
            Verdict::Changed {
                place,
                known,
                offered,
            } => (
                FaultClass::HostkeyChanged,
                format!("{place} has {known}, the host shows {offered}"),
            ),
            Verdict::NewType {
                place,
                known,
                kind,
                offered,
            } => (
                FaultClass::HostkeyNewType,
                format!(
                    "{place} has {}, the host shows {kind} {offered}",
                    known.join(" and ")
                ),
            ),
            Verdict::Revoked { place, fingerprint } => (
                FaultClass::HostkeyRevoked,
                format!("{place} revokes {fingerprint}"),
            ),
            Verdict::Certificate { place, reason } => (
                FaultClass::HostkeyCert,
                match place {
                    Some(place) => {
                        format!("{place} would take a certificate; of the one shown: {reason}")
                    }
                    None => format!("the host shows a certificate: {reason}"),
                },
            ),
            Verdict::Malformed => (
                FaultClass::KexFailure,
                "the host sent something that is no key".to_owned(),
            ),
        };
        Err(Fault::new(class, detail))
    }

    fn unknown(&self, key: &Key, authority: bool) -> Fault {
        let fingerprint = key.fingerprint();
        let lines = if authority {
            "only a @cert-authority line names the host, and it shows no certificate:"
        } else {
            "no known_hosts line names the host; it shows"
        };
        let mut fault = Fault::new(
            FaultClass::HostkeyUnknown,
            format!("{lines} {} {fingerprint}", key.kind),
        );
        fault.shown = self.names.first().map(|name| {
            Arc::new(ShownKey {
                name: name.as_str().into(),
                address: self.address.as_str().into(),
                kind: key.kind.clone(),
                blob: key.blob.clone(),
                fingerprint: fingerprint.into(),
            })
        });
        fault
    }
}

/// The negotiation list: methods of keys on file first, so that a known key is shown rather than a new one;
/// certificates only where an authority is on file, and then before the plain keys.
fn preference(known: &Lookup<'_>) -> String {
    let types = known.key_types();
    let rank = |method: &str| {
        let kind = if method.starts_with("rsa-") {
            "ssh-rsa"
        } else {
            method
        };
        types
            .iter()
            .position(|known| *known == kind)
            .unwrap_or(types.len())
    };
    let mut plain = PLAIN.to_vec();
    plain.sort_by_key(|method| rank(method));
    let mut list = Vec::new();
    if known.has_authority() {
        list.extend(plain.iter().map(|method| format!("{method}{CERTIFIED}")));
    }
    list.extend(plain.into_iter().map(str::to_owned));
    list.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_types_come_first_and_certificates_only_with_an_authority() {
        let mut known = KnownHosts::default();
        known.add(
            std::path::Path::new("kh"),
            b"n1,n3 ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==\n\
              @cert-authority n3,n4 ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==\n",
        );
        assert!(known.skipped().is_empty(), "{:?}", known.skipped());
        let list = |name: &str| preference(&known.lookup(&[name.to_owned()]));
        assert!(list("n1").starts_with("rsa-sha2-512,rsa-sha2-256,ssh-ed25519,"));
        assert!(list("n2").starts_with("ssh-ed25519,ecdsa-sha2-nistp256,"));
        assert!(!list("n1").contains("cert") && !list("n2").contains("cert"));
        assert!(list("n3").starts_with("rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-"));
        assert!(list("n3").contains("@openssh.com,rsa-sha2-512,rsa-sha2-256,ssh-ed25519,"));
        assert!(list("n4").starts_with("ssh-ed25519-cert-v01@openssh.com,"));
        // A port of its own does not hide the authority.
        assert!(list("[n4]:2222").starts_with("ssh-ed25519-cert-v01@openssh.com,"));
    }
}
