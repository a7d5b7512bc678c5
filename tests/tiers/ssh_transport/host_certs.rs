//! Host certificates that ssh-keygen signs and sshd shows, judged by us and by the system's `ssh`.

use super::{
    Command, Failed, FaultClass, Folder, Gap, NodeRef, OpenSsh, Options, Path, Server, Stdio,
    fault, quiet, read, read_whole, run_by,
};

/// One server, and what has to come of it.
#[derive(Clone, Copy)]
struct Case {
    what: &'static str,
    /// The type of the host's key and of the authority's.
    kinds: (&'static [&'static str], &'static [&'static str]),
    /// Options of `ssh-keygen -s`; -h makes it one for hosts.
    sign: &'static [&'static str],
    /// known_hosts with CA, OTHER (another authority) and HOST (the plain key) filled in.
    known: &'static str,
    /// The reason where it is refused.
    refused: Option<(FaultClass, &'static str)>,
}

const ED25519: &[&str] = &["ed25519"];
const RSA: &[&str] = &["rsa", "-b", "2048"];
const ECDSA: &[&str] = &["ecdsa", "-b", "384"];
const GOOD: &[&str] = &["-h", "-n", "n1,n1.example.com"];

const fn case(what: &'static str, sign: &'static [&'static str], known: &'static str) -> Case {
    Case {
        what,
        kinds: (ED25519, ED25519),
        sign,
        known,
        refused: None,
    }
}

const fn refused(case: Case, class: FaultClass, words: &'static str) -> Case {
    Case {
        refused: Some((class, words)),
        ..case
    }
}

const fn of(case: Case, host: &'static [&'static str], ca: &'static [&'static str]) -> Case {
    Case {
        kinds: (host, ca),
        ..case
    }
}

const PLAIN: &str = "@cert-authority n1 CA\n";

const CASES: &[Case] = &[
    case("ed25519 by ed25519", GOOD, PLAIN),
    of(case("rsa by ecdsa", GOOD, PLAIN), RSA, ECDSA),
    of(case("ecdsa by rsa", GOOD, PLAIN), ECDSA, RSA),
    case("a pattern of hosts", GOOD, "@cert-authority *,!n2 CA\n"),
    case(
        "the second authority",
        GOOD,
        "@cert-authority n1 OTHER\n@cert-authority n1 CA\n",
    ),
    case("no end", &["-h", "-n", "n1", "-V", "always:forever"], PLAIN),
    case("its plain key", GOOD, "n1 HOST\n"),
    case(
        "another authority, and its plain key",
        GOOD,
        "@cert-authority n1 OTHER\nn1 HOST\n",
    ),
    case(
        "expired, and its plain key",
        &["-h", "-n", "n1", "-V", "20200101:20200102"],
        "@cert-authority n1 CA\nn1 HOST\n",
    ),
    refused(
        case("another authority", GOOD, "@cert-authority n1 OTHER\n"),
        FaultClass::HostkeyCert,
        "it is signed by SHA256:",
    ),
    refused(
        case(
            "an authority for other hosts",
            GOOD,
            "@cert-authority n2 CA\n",
        ),
        FaultClass::HostkeyUnknown,
        "no known_hosts line names the host; it shows ssh-ed25519 SHA256:",
    ),
    refused(
        case("another name", &["-h", "-n", "n2,n3"], PLAIN),
        FaultClass::HostkeyCert,
        "line 1 would take a certificate; of the one shown: it is for n2, n3, not for n1",
    ),
    refused(
        case(
            "expired",
            &["-h", "-n", "n1", "-V", "20200101:20200102"],
            PLAIN,
        ),
        FaultClass::HostkeyCert,
        "it has expired at 2020-01-0",
    ),
    refused(
        case(
            "not yet valid",
            &["-h", "-n", "n1", "-V", "20990101:20990102"],
            PLAIN,
        ),
        FaultClass::HostkeyCert,
        "it is not valid before 20",
    ),
    refused(
        case("for users", &["-n", "n1"], PLAIN),
        FaultClass::HostkeyCert,
        "it is for users, not for hosts",
    ),
    refused(
        case(
            "a critical option",
            &["-h", "-n", "n1", "-O", "critical:x@y=z"],
            PLAIN,
        ),
        FaultClass::HostkeyCert,
        "its critical option x@y is not known",
    ),
    refused(
        case(
            "a revoked authority",
            GOOD,
            "@cert-authority n1 CA\n@revoked * CA\nn1 HOST\n",
        ),
        FaultClass::HostkeyRevoked,
        "line 2 revokes SHA256:",
    ),
    refused(
        case(
            "a revoked key",
            GOOD,
            "@cert-authority n1 CA\n@revoked * HOST\n",
        ),
        FaultClass::HostkeyRevoked,
        "line 2 revokes SHA256:",
    ),
    refused(
        of(
            case(
                "signed with SHA-1",
                &["-h", "-n", "n1", "-t", "ssh-rsa"],
                PLAIN,
            ),
            ED25519,
            RSA,
        ),
        FaultClass::HostkeyCert,
        "it is signed with SHA-1",
    ),
];

pub fn host_certificates() -> Result<(), Failed> {
    let keys = Folder::new("host-certs-client");
    let client = keys.key("id", ED25519, "");
    for (index, case) in CASES.iter().enumerate() {
        let (node, _server) = server(case, &format!("host-certs-{index}"), &client);
        match &case.refused {
            None => read_whole(&node, case.what)?,
            Some((class, words)) => {
                let (found, detail) = fault(&node);
                assert_eq!(found, *class, "{}: {detail}", case.what);
                assert!(detail.contains(words), "{}: {detail}", case.what);
            }
        }
        assert_eq!(
            system_ssh(&node, &client)?,
            case.refused.is_none(),
            "ssh on {}",
            case.what
        );
        by_openssh(case, &node)?;
    }
    stricter(&client);
    Ok(())
}

/// The same through our way to the system's client, which says less of the reason.
fn by_openssh(case: &Case, node: &NodeRef) -> Result<(), Failed> {
    let outcome = run_by(&mut OpenSsh::new(&Options::default().place)?, node);
    match (&case.refused, outcome) {
        (None, Ok(frame)) => assert!(frame.complete, "{}", case.what),
        (
            Some((class, _)),
            Err(Gap::Node {
                class: found,
                detail,
            }),
        ) => {
            // It goes on with the plain key, without a word about the authority.
            let silent = found == FaultClass::HostkeyUnknown && case.what == "another authority";
            assert!(found == *class || silent, "{}: {found} {detail}", case.what);
        }
        (_, outcome) => panic!("{}: {outcome:?}", case.what),
    }
    Ok(())
}

/// What later versions of OpenSSH refuse too, whatever the one of this machine does.
fn stricter(client: &Path) {
    for (what, sign, words) in [
        ("no name", &["-h"][..], "it names no host"),
        (
            "a pattern as a name",
            &["-h", "-n", "*"],
            "it is for *, not for n1",
        ),
    ] {
        let case = case(what, sign, PLAIN);
        let (node, _server) = server(&case, "host-certs-strict", client);
        let (found, detail) = fault(&node);
        assert_eq!(found, FaultClass::HostkeyCert, "{what}: {detail}");
        assert!(detail.contains(words), "{what}: {detail}");
    }
}

fn server(case: &Case, name: &str, client: &Path) -> (NodeRef, Server) {
    let server = Server::configured(name, &[case.kinds.0], &[client], |folder| {
        let authority = folder.key("ca", case.kinds.1, "");
        folder.key("other", case.kinds.1, "");
        quiet(
            Command::new("ssh-keygen")
                .args(["-q", "-I", "an id", "-s"])
                .arg(&authority)
                .args(case.sign)
                .arg(folder.0.join("host0.pub")),
        );
        let certificate = folder.0.join("host0-cert.pub");
        format!("HostCertificate {}\n", certificate.display())
    });
    let public = |name: &str| read(&server.folder.0.join(name)).trim_end().to_owned();
    let known = case
        .known
        .replace("CA\n", &(public("ca.pub") + "\n"))
        .replace("OTHER", &public("other.pub"))
        .replace("HOST", &public("host0.pub"));
    let node = NodeRef {
        known_as: vec!["n1".to_owned()],
        known_hosts: vec![server.folder.file("known", &known)],
        identities: vec![client.to_owned()],
        ..server.node.clone()
    };
    (node, server)
}

/// Whether the system's client goes there.
fn system_ssh(node: &NodeRef, client: &Path) -> Result<bool, Failed> {
    let option = |name: &str, value: &dyn std::fmt::Display| format!("-o{name}={value}");
    let output = Command::new("ssh")
        .args(["-F", "none", "-p", &node.port.to_string(), "-i"])
        .arg(client)
        .args([
            option("UserKnownHostsFile", &node.known_hosts[0].display()),
            option("GlobalKnownHostsFile", &"none"),
            option("HostKeyAlias", &node.known_as[0]),
            option("StrictHostKeyChecking", &"yes"),
            option("BatchMode", &"yes"),
            option("IdentitiesOnly", &"yes"),
        ])
        .args(["root@127.0.0.1", "true"])
        .stdin(Stdio::null())
        .output()?;
    Ok(output.status.success())
}
