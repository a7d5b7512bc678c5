//! Which host key is asked for, and what the verdict on it means. Nothing is sent to a host before this said yes.

use crate::collect::known_hosts::{Lookup, Verdict};
use crate::collect::transport::fault::Fault;
use crate::model::fact::FaultClass;

/// Plain keys only, best first. Certificates would come first if libssh2 had its way, and it does not check them.
const ALGORITHMS: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// The negotiation list: algorithms of keys on file first, so that a known key is shown rather than a new one.
pub(super) fn preference(known: &Lookup<'_>) -> String {
    let types = known.key_types();
    let rank = |algorithm: &str| {
        let kind = if algorithm.starts_with("rsa-") {
            "ssh-rsa"
        } else {
            algorithm
        };
        types
            .iter()
            .position(|known| *known == kind)
            .unwrap_or(types.len())
    };
    let mut list = ALGORITHMS.to_vec();
    list.sort_by_key(|algorithm| rank(algorithm));
    list.join(",")
}

/// Refuses everything but a match.
pub(super) fn accept(verdict: Verdict) -> Result<(), Fault> {
    let (class, detail) = match verdict {
        Verdict::Match(_) => return Ok(()),
        Verdict::Unknown {
            fingerprint,
            authority: false,
        } => (
            FaultClass::HostkeyUnknown,
            format!("no known_hosts line names the host; it shows {fingerprint}"),
        ),
        Verdict::Unknown {
            fingerprint,
            authority: true,
        } => (
            FaultClass::HostkeyUnknown,
            format!(
                "only a @cert-authority line names the host, and certificates are not read yet; it shows {fingerprint}"
            ),
        ),
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
        Verdict::Malformed => (
            FaultClass::KexFailure,
            "the host sent something that is no key".to_owned(),
        ),
    };
    Err(Fault::new(class, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::known_hosts::KnownHosts;

    #[test]
    fn known_types_come_first_and_certificates_never() {
        let mut known = KnownHosts::default();
        known.add(
            std::path::Path::new("kh"),
            b"n1 ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==\n",
        );
        assert!(known.skipped().is_empty(), "{:?}", known.skipped());
        let list = |name: &str| preference(&known.lookup(&[name.to_owned()]));
        assert!(list("n1").starts_with("rsa-sha2-512,rsa-sha2-256,ssh-ed25519,"));
        assert!(list("n2").starts_with("ssh-ed25519,ecdsa-sha2-nistp256,"));
        assert!(!list("n1").contains("cert"));
    }
}
