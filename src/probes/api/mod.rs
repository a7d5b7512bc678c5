//! What the API server is asked, and how its JSON becomes facts.
//!
//! Lives here: trimmed shapes that hold exactly the fields that a check reads, and the probes of the
//! API side. Never lives here: a connection, a clock, a retry. Kubernetes' own types stop at this layer.

pub mod event;
pub mod list;
pub mod namespaces;
pub mod nodes;
pub mod objects;
pub mod pods;
pub mod version;

use crate::model::fact::{Gap, Need};
use crate::model::text::Text;

use super::probe::{Ask, Probe};

/// The longest name or uid that the API server hands out (RFC 1123 subdomain).
const LONGEST_NAME: usize = 253;
/// Text fields of objects beyond this are cut; nothing that a check compares is longer.
const LONGEST_FIELD: usize = 1024;

/// The Node object.
pub static NODE_OBJECT: Probe = Probe {
    need: Need::NodeObject,
    what: "nodes with labels, taints, addresses and machine identity",
    asks: &[Ask::Api {
        group: "",
        resource: "nodes",
        verbs: &["get", "list", "watch"],
        path: nodes::PATH,
        extra: None,
    }],
};

/// Mirror pods, whole.
pub static MIRROR_PODS: Probe = Probe {
    need: Need::MirrorPods,
    what: "mirror pods with their whole specification",
    asks: &[PODS],
};

/// Uids of all pods.
pub static POD_UIDS: Probe = Probe {
    need: Need::PodUids,
    what: "name, uid and node of every pod",
    asks: &[PODS],
};

/// Namespaces.
pub static NAMESPACES: Probe = Probe {
    need: Need::Namespaces,
    what: "namespaces with phase and labels",
    asks: &[Ask::Api {
        group: "",
        resource: "namespaces",
        verbs: &["get", "list", "watch"],
        path: namespaces::PATH,
        extra: None,
    }],
};

/// One list serves two needs.
const PODS: Ask = Ask::Api {
    group: "",
    resource: "pods",
    verbs: &["get", "list", "watch"],
    path: pods::PATH,
    extra: None,
};

/// An answer that could not be understood, with the parser's words.
fn garbled(what: &str, error: &serde_json::Error) -> Gap {
    Gap::Garbled {
        what: field(&format!("{what}: {error}")),
    }
}

/// A field of an object: cleaned, and cut where it is longer than any real one.
fn field(raw: &str) -> Text {
    if raw.len() <= LONGEST_FIELD {
        return Text::new(raw);
    }
    let mut end = LONGEST_FIELD;
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    Text::new(&format!(
        "{}... ({} bytes more)",
        &raw[..end],
        raw.len() - end
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_field_is_cut_at_a_character() {
        let long = "ä".repeat(LONGEST_FIELD);
        let text = field(&long);
        assert!(text.as_str().ends_with("bytes more)"), "{text}");
        assert!(text.as_str().len() < LONGEST_FIELD + 40);
        assert_eq!(field("short").as_str(), "short");
    }
}
