//! Certificates made here, so that every field of them can be wrong; what OpenSSH makes is tried against a real
//! sshd elsewhere.

mod authority;

use std::path::Path;

use openssl::base64::encode_block;
use openssl::hash::MessageDigest;

use super::*;
use authority::{Authority, string};

/// A certificate to be made, with what may be wrong in it.
struct Draft {
    role: u32,
    principals: Vec<&'static str>,
    valid: (u64, u64),
    critical: Vec<u8>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            role: 2,
            principals: vec!["n1", "n1.example.com"],
            valid: (100, 200),
            critical: Vec::new(),
        }
    }
}

impl Draft {
    fn signed(&self, host: &Authority, by: &Authority) -> Vec<u8> {
        let principals: Vec<u8> = self
            .principals
            .iter()
            .flat_map(|name| string(name.as_bytes()))
            .collect();
        let kind = format!("{}-cert-v01@openssh.com", host.kind);
        let mut blob = [
            string(kind.as_bytes()),
            string(&[7; 32]),
            host.fields(),
            1_u64.to_be_bytes().to_vec(),
            self.role.to_be_bytes().to_vec(),
            string(b"an id"),
            string(&principals),
            self.valid.0.to_be_bytes().to_vec(),
            self.valid.1.to_be_bytes().to_vec(),
            string(&self.critical),
            string(b""),
            string(b""),
            string(&by.blob()),
        ]
        .concat();
        let signature = by.sign(&blob);
        blob.extend(string(&signature));
        blob
    }
}

/// One word or the reason, for a host that is looked for as `names`, at the time 150.
fn verdict(lines: &str, names: &[&str], blob: &[u8]) -> String {
    let mut known = KnownHosts::default();
    known.add(Path::new("kh"), lines.as_bytes());
    assert_eq!(known.skipped(), []);
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    match known.lookup(&names).verify(blob, 150) {
        Verdict::Match(place) => format!("match {}", place.line),
        Verdict::Certificate { reason, .. } => reason,
        Verdict::Revoked { place, .. } => format!("revoked {}", place.line),
        other => format!("{other:?}")
            .split([' ', '('])
            .next()
            .unwrap_or_default()
            .to_lowercase(),
    }
}

#[test]
fn every_kind_of_key_vouches_for_every_kind_of_key() {
    let kinds = Authority::every_kind();
    for (authority, host) in kinds.iter().zip(kinds.iter().rev()) {
        let blob = Draft::default().signed(host, authority);
        let lines = authority.line("@cert-authority n1");
        let what = format!("{} by {}", host.kind, authority.method);
        assert_eq!(verdict(&lines, &["n1"], &blob), "match 1", "{what}");
        // The last byte is one of the signature.
        let mut forged = blob.clone();
        *forged.last_mut().expect("a signature") ^= 1;
        assert_eq!(
            verdict(&lines, &["n1"], &forged),
            "the signature is not that of the authority",
            "{what}"
        );
        // The principals begin with n1: n2 was never signed.
        let at = blob
            .windows(6)
            .position(|bytes| bytes == b"\0\0\0\x02n1")
            .expect("a principal");
        let mut moved = blob;
        moved[at + 5] = b'2';
        assert_eq!(
            verdict(&authority.line("@cert-authority n2"), &["n2"], &moved),
            "the signature is not that of the authority",
            "{what}"
        );
    }
}

#[test]
fn an_authority_may_live_on_a_security_key() {
    let host = Authority::ed25519();
    for authority in [Authority::ed25519(), Authority::nistp256()] {
        let authority = authority.on_a_security_key();
        let lines = authority.line("@cert-authority n1");
        let blob = Draft::default().signed(&host, &authority);
        assert_eq!(
            verdict(&lines, &["n1"], &blob),
            "match 1",
            "{}",
            authority.kind
        );
        // Another counter than the one that was signed.
        let mut forged = blob;
        *forged.last_mut().expect("a counter") += 1;
        assert_eq!(
            verdict(&lines, &["n1"], &forged),
            "the signature is not that of the authority"
        );
    }
}

#[test]
fn what_a_certificate_says_is_checked() {
    let (authority, host) = (Authority::ed25519(), Authority::ed25519());
    let lines = authority.line("@cert-authority *");
    let option = [string(b"force-command"), string(b"")].concat();
    let valid = |from, before| Draft {
        valid: (from, before),
        ..Draft::default()
    };
    let role = |role| Draft {
        role,
        ..Draft::default()
    };
    let names = |principals| Draft {
        principals,
        ..Draft::default()
    };
    let critical = Draft {
        critical: option,
        ..Draft::default()
    };
    for (draft, expected) in [
        (Draft::default(), "match 1"),
        (role(1), "it is for users, not for hosts"),
        (role(3), "it is for users, not for hosts"),
        (valid(0, 150), "it has expired at 1970-01-01T00:02:30Z"),
        (valid(0, 151), "match 1"),
        (valid(150, u64::MAX), "match 1"),
        (
            valid(151, 200),
            "it is not valid before 1970-01-01T00:02:31Z",
        ),
        (valid(u64::MAX, 0), "it is not valid before the end of time"),
        (names(vec![]), "it names no host"),
        (
            names(vec!["n2", "N1", "*", "", "n1 "]),
            "it is for n2, N1, * and 2 more, not for n1",
        ),
        (critical, "its critical option force-command is not known"),
    ] {
        let blob = draft.signed(&host, &authority);
        assert_eq!(verdict(&lines, &["n1"], &blob), expected);
    }
}

#[test]
fn the_line_of_the_authority_has_to_name_the_host() {
    let (authority, other, host) = (
        Authority::ed25519(),
        Authority::ed25519(),
        Authority::ed25519(),
    );
    let blob = Draft::default().signed(&host, &authority);
    let by = |names: &str| authority.line(&format!("@cert-authority {names}"));
    let stranger = other.line("@cert-authority n1");
    for (lines, names, expected) in [
        (by("n1"), &["n1"][..], "match 1"),
        (by("*.example.com"), &["n1.example.com"], "match 1"),
        (by("n1"), &["[n1]:2222"], "match 1"),
        (by("[n1]:2222"), &["[n1]:2222"], "match 1"),
        (by("[n1]:2222"), &["n1"], "unknown"),
        (by("n2"), &["n1"], "unknown"),
        (by("*,!n1"), &["n1"], "unknown"),
        // The name of the line has to be the one that is certified.
        (
            by("10.0.0.1"),
            &["n1", "10.0.0.1"],
            "it is for n1, n1.example.com, not for 10.0.0.1",
        ),
        (by("*"), &["10.0.0.1", "n1"], "match 1"),
        (stranger.clone() + &by("n1"), &["n1"], "match 2"),
        (authority.line("n1"), &["n1"], "changed"),
        (host.line("n1"), &["n1"], "match 1"),
        (stranger.clone() + &host.line("n1"), &["n1"], "match 2"),
        (by("n2") + &host.line("n1"), &["n1"], "match 2"),
        (
            authority.line("@revoked *") + &by("n1"),
            &["n1"],
            "revoked 1",
        ),
        (host.line("@revoked n1") + &by("n1"), &["n1"], "revoked 1"),
        (host.line("@revoked n2") + &by("n1"), &["n1"], "match 2"),
        (
            authority.line("@revoked n1") + &host.line("n1"),
            &["n1"],
            "revoked 1",
        ),
    ] {
        assert_eq!(verdict(&lines, names, &blob), expected, "{lines}{names:?}");
    }
    let reason = verdict(&stranger, &["n1"], &blob);
    assert!(
        reason.starts_with("it is signed by SHA256:") && reason.contains(", not by SHA256:"),
        "{reason}"
    );
}

#[test]
fn weak_signatures_do_not_count() {
    let host = Authority::ed25519();
    let sha1 = Authority::rsa("ssh-rsa", 2048, MessageDigest::sha1());
    let blob = Draft::default().signed(&host, &sha1);
    let line = sha1.line("@cert-authority n1");
    assert_eq!(verdict(&line, &["n1"], &blob), "it is signed with SHA-1");
    let short = Authority::rsa("rsa-sha2-256", 1016, MessageDigest::sha256());
    let blob = Draft::default().signed(&host, &short);
    assert_eq!(
        verdict(&short.line("@cert-authority n1"), &["n1"], &blob),
        "the signature is not that of the authority"
    );
    // Signed by the key that is certified, and by nobody else.
    let blob = Draft::default().signed(&host, &host);
    assert_eq!(
        verdict(&host.line("@cert-authority n1"), &["n1"], &blob),
        "match 1"
    );
}

#[test]
fn a_certificate_is_read_whole_or_not_at_all() {
    let (authority, host) = (Authority::ed25519(), Authority::ed25519());
    let blob = Draft::default().signed(&host, &authority);
    let lines = authority.line("@cert-authority n1");
    let kind = "ssh-ed25519-cert-v01@openssh.com";
    for length in 4 + kind.len() + 1..blob.len() {
        let reason = verdict(&lines, &["n1"], &blob[..length]);
        assert!(
            reason.starts_with("it cannot be read"),
            "{length}: {reason}"
        );
    }
    let mut longer = blob.clone();
    longer.push(0);
    assert!(verdict(&lines, &["n1"], &longer).starts_with("it cannot be read"));
    let many = Draft {
        principals: vec!["x"; 257],
        ..Draft::default()
    };
    let many = many.signed(&host, &authority);
    assert!(verdict(&lines, &["n1"], &many).starts_with("it cannot be read"));
    // A certificate is never a plain key, whatever a plain line says.
    let line = format!("n1 {kind} {}\n", encode_block(&blob));
    assert_eq!(verdict(&line, &["n1"], &blob), "newtype");
}
