//! The table of ssh-known-hosts cases: what libssh2 gets wrong is what is tried here.

use openssl::base64::encode_block;

use super::*;

/// A key of a type, told apart by its last bytes.
fn blob(kind: &str, tail: &str) -> Vec<u8> {
    let mut blob = u32::try_from(kind.len())
        .expect("short")
        .to_be_bytes()
        .to_vec();
    blob.extend(kind.as_bytes());
    blob.extend(tail.as_bytes());
    blob
}

fn word(kind: &str, tail: &str) -> String {
    format!("{kind} {}", encode_block(&blob(kind, tail)))
}

/// The lines with KEY, OTHER and RSA filled in; KEY is what the host shows.
fn known(lines: &str) -> KnownHosts {
    let lines = lines
        .replace("KEY", &word("ssh-ed25519", "right"))
        .replace("OTHER", &word("ssh-ed25519", "wrong"))
        .replace("ECDSA", &word("ecdsa-sha2-nistp256", "e"))
        .replace("RSA", &word("ssh-rsa", "r"));
    let mut known = KnownHosts::default();
    known.add(Path::new("kh"), lines.as_bytes());
    known
}

/// One word and the line that decided.
fn verdict(lines: &str, names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    match known(lines)
        .lookup(&names)
        .verify(&blob("ssh-ed25519", "right"), 0)
    {
        Verdict::Match(place) => format!("match {}", place.line),
        Verdict::Unknown {
            authority: true, ..
        } => "unknown, ca".to_owned(),
        Verdict::Unknown { .. } => "unknown".to_owned(),
        Verdict::Changed { place, .. } => format!("changed {}", place.line),
        Verdict::NewType { place, known, .. } => {
            format!("new type {} {}", place.line, known.join(","))
        }
        Verdict::Revoked { place, .. } => format!("revoked {}", place.line),
        Verdict::Certificate { reason, .. } => reason,
        Verdict::Malformed => "malformed".to_owned(),
    }
}

#[test]
fn every_kind_of_line() {
    for (lines, expected) in [
        ("n1 KEY", "match 1"),
        ("n1 KEY some comment", "match 1"),
        ("  \tn1\t KEY", "match 1"),
        ("# n1 KEY\n\nn1 KEY", "match 3"),
        ("n1,10.0.0.1 KEY", "match 1"),
        ("N1 KEY", "match 1"),
        (",n1,,n2 KEY", "match 1"),
        ("n1 KEY\r\n", "match 1"),
        ("n2 KEY", "unknown"),
        ("n1 OTHER", "changed 1"),
        ("n1 OTHER\nn1 KEY", "match 2"),
        ("n1 OTHER\r\n", "changed 1"),
        ("n1 RSA", "new type 1 ssh-rsa"),
        ("n1 RSA\nn1 ECDSA", "new type 1 ssh-rsa,ecdsa-sha2-nistp256"),
        ("n1 RSA\nn1 KEY", "match 2"),
        ("n? KEY", "match 1"),
        ("* KEY", "match 1"),
        ("*,!n1 KEY", "unknown"),
        ("!n1,* KEY", "unknown"),
        ("!n2,* KEY", "match 1"),
        ("!n1 KEY", "unknown"),
        ("*,!n* OTHER\nn1 KEY", "match 2"),
        ("[n1]:2222 KEY", "unknown"),
        ("@revoked n1 KEY", "revoked 1"),
        ("n1 KEY\n@revoked n1 KEY", "revoked 2"),
        ("@revoked * KEY\nn1 KEY", "revoked 1"),
        ("@revoked *,!n1 KEY\nn1 KEY", "match 2"),
        ("@revoked n2 KEY\nn1 KEY", "match 2"),
        ("@revoked n1 OTHER\nn1 KEY", "match 2"),
        ("@revoked n1 OTHER", "unknown"),
        ("@cert-authority n1 KEY", "unknown, ca"),
        ("@cert-authority * OTHER\nn1 KEY", "match 2"),
        ("@cert-authority n1 OTHER\nn1 RSA", "new type 2 ssh-rsa"),
        ("@other n1 KEY", "unknown"),
        ("", "unknown"),
    ] {
        assert_eq!(verdict(lines, &["n1"]), expected, "{lines:?}");
    }
}

#[test]
fn ports_are_part_of_the_name() {
    for (lines, expected) in [
        ("[n1]:2222 KEY", "match 1"),
        ("[n*]:2222 KEY", "match 1"),
        ("[n1]:22 KEY", "unknown"),
        ("[n1]:2222 OTHER", "changed 1"),
        ("n1 KEY", "match 1"),
        ("n1 OTHER", "unknown"),
        ("n1 RSA", "unknown"),
        ("[n1]:2222 OTHER\nn1 KEY", "changed 1"),
        ("[n1]:2222 RSA\nn1 KEY", "match 2"),
        ("@revoked n1 KEY\n[n1]:2222 KEY", "revoked 1"),
    ] {
        assert_eq!(verdict(lines, &["[n1]:2222"]), expected, "{lines:?}");
    }
}

#[test]
fn the_first_name_with_keys_decides() {
    for (lines, expected) in [
        ("10.0.0.1 KEY", "match 1"),
        ("n1 OTHER\n10.0.0.1 KEY", "changed 1"),
        ("n1 KEY\n10.0.0.1 OTHER", "match 1"),
        ("n1 RSA\n10.0.0.1 KEY", "match 2"),
        ("n1 RSA\n10.0.0.1 OTHER", "changed 2"),
        ("@revoked 10.0.0.1 KEY\nn1 KEY", "revoked 1"),
    ] {
        assert_eq!(verdict(lines, &["n1", "10.0.0.1"]), expected, "{lines:?}");
    }
}

#[test]
fn hashed_names() {
    let hashed = |salt: &[u8; 20], name: &str| {
        let mac = line::hmac_sha1(salt, name);
        format!("|1|{}|{}", encode_block(salt), encode_block(&mac))
    };
    let lines = format!(
        "{} OTHER\n{} KEY\n{} KEY\n@revoked {} KEY",
        hashed(&[1; 20], "n9"),
        hashed(&[2; 20], "n1"),
        hashed(&[3; 20], "[n1]:2222"),
        hashed(&[4; 20], "n4"),
    );
    assert_eq!(verdict(&lines, &["n1"]), "match 2");
    assert_eq!(verdict(&lines, &["N1"]), "match 2");
    assert_eq!(verdict(&lines, &["[n1]:2222"]), "match 3");
    assert_eq!(verdict(&lines, &["n9"]), "changed 1");
    assert_eq!(verdict(&lines, &["n4"]), "revoked 4");
    assert_eq!(verdict(&lines, &["n2"]), "unknown");
}

#[test]
fn a_bad_line_costs_only_itself() {
    let long = "x".repeat(300);
    let endless = "y".repeat(20_000);
    let bad = [
        ("n1", "ends before the key"),
        ("n1 ssh-ed25519", "ends before the key"),
        ("n1 ssh-ed25519 ***", "the key is not base64"),
        ("n1 ssh-ed25519 AAAA", "the key has no type inside"),
        ("n1 2048 35 1234", "a key of SSH protocol 1"),
        ("@weird n1 KEY", "unknown marker"),
        ("|2|a|b KEY", "unknown hash of the name"),
        ("|1|a KEY", "hashed name without its hash"),
        ("|1|AAAA|AAAA KEY", "hashed name of the wrong length"),
        (",! KEY", "no name in the list"),
        (&endless, "longer than 16 kB"),
    ];
    let mut lines: Vec<&str> = bad.iter().map(|(line, _)| *line).collect();
    let mistyped = word("ssh-rsa", "x").replace("ssh-rsa ", "n1 ssh-ed25519 ");
    lines.push(&mistyped);
    let long = format!("{long} KEY\nn1 KEY");
    lines.push(&long);
    let text = lines.join("\n");
    assert_eq!(verdict(&text, &["n1"]), "match 14");
    let known = known(&text);
    let skipped: Vec<_> = known
        .skipped()
        .iter()
        .map(|skipped| (skipped.place.line, skipped.reason.as_str()))
        .collect();
    let expected: Vec<_> = (1..)
        .zip(bad.iter().map(|(_, reason)| *reason))
        .chain([(12, "the key is of another type than the line says")])
        .collect();
    assert_eq!(skipped, expected);
    let mut binary = KnownHosts::default();
    binary.add(Path::new("kh"), b"n1 \xff\xfe ssh-ed25519\n\0\0\0\n");
    assert_eq!(binary.skipped().len(), 2);
}

#[test]
fn several_files_count_as_one() {
    let mut both = known("n1 OTHER");
    both.add(
        Path::new("second"),
        format!("n1 {}", word("ssh-ed25519", "right")).as_bytes(),
    );
    let names = ["n1".to_owned()];
    match both.lookup(&names).verify(&blob("ssh-ed25519", "right"), 0) {
        Verdict::Match(place) => assert_eq!(&*place.file, Path::new("second")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn known_types_order_the_negotiation() {
    let known = known("n1 RSA\nn1 KEY\nn1 RSA\n@cert-authority n1 ECDSA\n10.0.0.1 ECDSA");
    let types = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        known.lookup(&names).key_types().join(",")
    };
    assert_eq!(types(&["n1", "10.0.0.1"]), "ssh-rsa,ssh-ed25519");
    assert_eq!(types(&["n2", "10.0.0.1"]), "ecdsa-sha2-nistp256");
    assert_eq!(types(&["n2"]), "");
}

#[test]
fn one_name_stands_for_what_is_on_file() {
    for (lines, expected) in [
        ("", "[n1]:2222"),
        ("[10.0.0.1]:2222 KEY", "[10.0.0.1]:2222"),
        ("n1 KEY", "[n1]:2222"),
        ("@cert-authority n1 KEY", "n1"),
        ("@cert-authority 10.* KEY", "10.0.0.1"),
        ("@cert-authority [n1]:2222 KEY", "[n1]:2222"),
        ("@cert-authority n1 KEY\n[n1]:2222 RSA", "[n1]:2222"),
    ] {
        let names = ["[n1]:2222".to_owned(), "[10.0.0.1]:2222".to_owned()];
        assert_eq!(
            known(lines).alias(&names).as_deref(),
            Some(expected),
            "{lines}"
        );
    }
    assert_eq!(known("n1 KEY").alias(&[]), None);
}

#[test]
fn what_is_no_key_is_refused() {
    let known = known("n1 KEY");
    let lookup = known.lookup(&["n1".to_owned()]);
    assert_eq!(lookup.verify(b"", 0), Verdict::Malformed);
    assert_eq!(lookup.verify(b"\0\0\0\xffssh", 0), Verdict::Malformed);
}

#[test]
fn a_missing_file_is_no_fault_and_a_folder_is() {
    let known = KnownHosts::read(&["/nonexistent/known_hosts".into(), "/".into()]);
    assert_eq!(known.skipped().len(), 1);
    assert_eq!(known.skipped()[0].place.line, 0);
}
