//! What a refusal means and what to say of it.

use crate::collect::transport::fault::Fault;
use crate::collect::transport::{Beyond, NodeRef};
use crate::model::fact::FaultClass;

use super::offer::Offer;

/// So many keys may be what a host hangs up for (MaxAuthTries).
const MANY: usize = 3;

/// The host ended the login; a fault of the way there is left as it is.
pub(super) fn hung_up(node: &NodeRef, tried: &[String], fault: Fault) -> Fault {
    if tried.len() < MANY || fault.hop.is_some() {
        return fault;
    }
    let detail = format!(
        "the host hung up on {} after {} keys: set IdentitiesOnly and IdentityFile ({})",
        node.user,
        tried.len(),
        fault.detail
    );
    Fault { detail, ..fault }
}

/// Everything was tried.
pub(super) fn denied(node: &NodeRef, offer: &Offer, tried: &[String], methods: &str) -> Fault {
    if tried.is_empty() {
        return nothing(offer, node, methods);
    }
    let class = beyond(node, methods, offer.class(FaultClass::AuthDenied));
    let mut detail = format!(
        "permission denied for {}: tried {}",
        node.user,
        tried.join(", ")
    );
    if !methods.is_empty() {
        detail.push_str(&format!("; the host takes {methods}"));
    }
    Fault::new(class, offer.explain(detail))
}

/// There was nothing to try; `methods`: what the host takes, where it was asked.
pub(super) fn nothing(offer: &Offer, node: &NodeRef, methods: &str) -> Fault {
    let mut fault = offer.nothing(node);
    fault.class = beyond(node, methods, fault.class);
    if !methods.is_empty() {
        fault
            .detail
            .push_str(&format!("; the host takes {methods}"));
    }
    fault
}

/// A login that the configuration provides for and that only OpenSSH can do.
fn beyond(node: &NodeRef, methods: &str, otherwise: FaultClass) -> FaultClass {
    let wanted = |beyond: &Beyond| match beyond {
        Beyond::Gssapi => methods.contains("gssapi"),
        Beyond::Provider => true,
    };
    if node.beyond.iter().any(wanted) {
        FaultClass::NeedsSystemSsh
    } else {
        otherwise
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::transport::Client;
    use crate::model::name::NodeName;

    fn node(beyond: &[Beyond]) -> NodeRef {
        NodeRef {
            node: NodeName::parse("n1").expect("a name"),
            host: "n1".to_owned(),
            port: 22,
            user: "audit".to_owned(),
            known_as: Vec::new(),
            known_hosts: Vec::new(),
            identities: Vec::new(),
            identities_only: false,
            agent: None,
            client: Client::Libssh2,
            certificates: Vec::new(),
            beyond: beyond.to_vec(),
            via: None,
        }
    }

    #[test]
    fn what_the_configuration_provides_for_is_left_to_openssh() {
        let class = |beyond: &[Beyond], methods: &str| {
            let offer = Offer::default();
            denied(&node(beyond), &offer, &["key".to_owned()], methods).class
        };
        let kerberos = "publickey,gssapi-with-mic";
        assert_eq!(class(&[], kerberos), FaultClass::AuthDenied);
        assert_eq!(
            class(&[Beyond::Gssapi], "publickey"),
            FaultClass::AuthDenied
        );
        assert_eq!(
            class(&[Beyond::Gssapi], kerberos),
            FaultClass::NeedsSystemSsh
        );
        assert_eq!(
            class(&[Beyond::Provider], "publickey"),
            FaultClass::NeedsSystemSsh
        );
    }

    #[test]
    fn many_keys_may_be_why_a_host_hangs_up() {
        let told = |keys: usize, hop: Option<&str>| {
            let fault = Fault {
                hop: hop.map(str::to_owned),
                ..Fault::new(FaultClass::Disconnected, "it ended")
            };
            hung_up(&node(&[]), &vec!["key".to_owned(); keys], fault).detail
        };
        assert_eq!(told(2, None), "it ended");
        assert_eq!(
            told(3, None),
            "the host hung up on audit after 3 keys: set IdentitiesOnly and IdentityFile (it ended)"
        );
        assert_eq!(told(3, Some("b1")), "it ended");
    }

    #[test]
    fn nothing_to_offer_names_the_agent() {
        let fault = nothing(&Offer::default(), &node(&[]), "password");
        assert_eq!(fault.class, FaultClass::AgentUnreachable);
        let words = "no key to log in with as audit; no agent is named by SSH_AUTH_SOCK; the host takes password";
        assert_eq!(fault.detail, words);
    }
}
