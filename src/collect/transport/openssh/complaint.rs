//! What the system's `ssh` says when it fails, as a fault: of which class, and of which host.

use crate::collect::transport::NodeRef;
use crate::collect::transport::fault::Fault;
use crate::model::fact::FaultClass;

/// What `ssh` says on its standard error, as a fault; the first row that fits.
const COMPLAINTS: &[(&str, FaultClass)] = &[
    ("REVOKED HOST KEY", FaultClass::HostkeyRevoked),
    ("IDENTIFICATION HAS CHANGED", FaultClass::HostkeyChanged),
    ("Certificate invalid: ", FaultClass::HostkeyCert),
    ("Certificate lacks principal", FaultClass::HostkeyCert),
    (
        "Certificate contains unsupported critical",
        FaultClass::HostkeyCert,
    ),
    (
        "Certificate signed with disallowed",
        FaultClass::HostkeyCert,
    ),
    ("Host key verification failed", FaultClass::HostkeyUnknown),
    ("Unable to negotiate", FaultClass::KexFailure),
    ("Too many authentication failures", FaultClass::AuthDenied),
    ("Permission denied (", FaultClass::AuthDenied),
    ("open failed", FaultClass::JumpRefused),
    ("stdio forwarding failed", FaultClass::JumpRefused),
    ("Connection refused", FaultClass::ConnectRefused),
    ("timed out", FaultClass::ConnectTimeout),
    ("No route to host", FaultClass::Unreachable),
    ("Network is unreachable", FaultClass::Unreachable),
    ("Could not resolve hostname", FaultClass::Unreachable),
    ("Bad configuration option", FaultClass::ConfigUnsupported),
    ("Exceeded MaxStartups", FaultClass::Throttled),
    ("kex_exchange_identification", FaultClass::Throttled),
    ("Connection closed by", FaultClass::Disconnected),
    ("Connection reset by", FaultClass::Disconnected),
];

/// What the client behind a host says when the way has ended before it had read a word.
const NO_WAY: [&str; 2] = ["kex_exchange_identification", "UNKNOWN port 65535"];

/// The first complaint that is known. `via`: the last bastion before the node, where there is one.
pub(super) fn complaint(stderr: &[u8], via: Option<&NodeRef>) -> Option<Fault> {
    let text = String::from_utf8_lossy(stderr);
    let (words, class) = COMPLAINTS.iter().find(|(words, _)| text.contains(words))?;
    let line = text.lines().find(|line| line.contains(words))?;
    let detail = format!("ssh says: {}", line.trim());
    let fault = if *class == FaultClass::Throttled {
        Fault::again(*class, detail)
    } else {
        Fault::new(*class, detail)
    };
    // The bastion could not reach the node, which is the node's affair, unless it does not forward at all.
    let its_own = *class != FaultClass::JumpRefused || !text.contains("connect failed");
    Some(match via.and_then(|via| hop(&text, line, via)) {
        Some(hop) if its_own => fault.of(&hop),
        _ => fault,
    })
}

/// The bastion that a line is about: one that ended before the client to the node had read a word.
fn hop(text: &str, line: &str, via: &NodeRef) -> Option<String> {
    let end = NO_WAY.iter().filter_map(|words| text.find(words)).min()?;
    let before = text.get(..end).filter(|before| before.contains(line))?;
    let hops: Vec<&NodeRef> = std::iter::successors(Some(via), |hop| hop.via.as_deref()).collect();
    let named = |hop: &&&NodeRef| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_');
        let mut names = before
            .split(|c| !is_name(c))
            .map(|word| word.trim_matches(['.', ':']));
        names.any(|word| word == hop.node.as_str() || word == hop.host)
    };
    let name = |hop: &NodeRef| hop.node.as_str().to_owned();
    match hops.iter().find(named) {
        Some(hop) => Some(name(hop)),
        None => Some(
            hops.into_iter()
                .rev()
                .map(name)
                .collect::<Vec<_>>()
                .join(", "),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::collect::transport::Client;
    use crate::model::name::NodeName;

    #[test]
    fn complaints_have_their_class() {
        for (text, class) in [
            (
                "@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n",
                FaultClass::HostkeyChanged,
            ),
            (
                "No ED25519 host key is known for n1\nHost key verification failed.\n",
                FaultClass::HostkeyUnknown,
            ),
            (
                "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n",
                FaultClass::JumpRefused,
            ),
            (
                "ssh: connect to host 10.0.0.1 port 22: Connection refused\n",
                FaultClass::ConnectRefused,
            ),
            (
                "audit@n1: Permission denied (publickey).\n",
                FaultClass::AuthDenied,
            ),
        ] {
            assert_eq!(
                complaint(text.as_bytes(), None).map(|it| it.class),
                Some(class)
            );
        }
        assert!(complaint(b"motd", None).is_none());
    }

    fn bastion(name: &str, host: &str, via: Option<NodeRef>) -> NodeRef {
        NodeRef {
            node: NodeName::parse(name).expect("a name"),
            host: host.to_owned(),
            port: 22,
            user: "jumper".to_owned(),
            known_as: Vec::new(),
            known_hosts: Vec::new(),
            identities: Vec::new(),
            identities_only: false,
            agent: None,
            client: Client::Libssh2,
            certificates: Vec::new(),
            beyond: Vec::new(),
            via: via.map(Arc::new),
        }
    }

    #[test]
    fn the_bastion_that_failed_is_named() {
        const END: &str = "kex_exchange_identification: Connection closed by remote host\n\
                           Connection closed by UNKNOWN port 65535\n";
        let via = bastion("b2", "10.0.0.2", Some(bastion("b1", "10.0.0.1", None)));
        for (said, hop) in [
            ("jumper@b1: Permission denied (publickey).\n", Some("b1")),
            ("jumper@b2: Permission denied (publickey).\n", Some("b2")),
            (
                "ssh: connect to host 10.0.0.1 port 22: Connection refused\n",
                Some("b1"),
            ),
            ("Host key verification failed.\n", Some("b1, b2")),
            (
                "channel 0: open failed: administratively prohibited: open failed\n",
                Some("b1, b2"),
            ),
            (
                "channel 0: open failed: connect failed: Connection refused\n",
                None,
            ),
            ("", None),
        ] {
            let fault = complaint(format!("{said}{END}").as_bytes(), Some(&via)).expect("a fault");
            assert_eq!(fault.hop.as_deref(), hop, "{said}");
            let fault = complaint(format!("{said}{END}").as_bytes(), None).expect("a fault");
            assert_eq!(fault.hop, None);
        }
        let own = b"jumper@b1: Permission denied (publickey).\n";
        let fault = complaint(own, Some(&via)).expect("the node's");
        assert_eq!(fault.hop, None, "nothing says that the way has ended");
    }
}
