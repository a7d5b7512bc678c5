//! Which Kubernetes a node runs: the cluster's version, else its kubelet's.

use super::check::View;
use crate::model::node::NodeFacts;

/// The minor of the API server, else of the node's kubelet; `None` where neither is known.
pub fn minor(node: &NodeFacts, view: &View<'_>) -> Option<u32> {
    server(view).or_else(|| kubelet(node))
}

/// The minor of the API server.
pub fn server(view: &View<'_>) -> Option<u32> {
    let version = view.snapshot.cluster.version.get().ok()?;
    parse(version.value.as_str())
}

/// The minor of the node's kubelet, as the Node object has it.
pub fn kubelet(node: &NodeFacts) -> Option<u32> {
    let object = node.api.object.get().ok()?;
    parse(object.value.kubelet_version.as_str())
}

/// `v1.30.4-gke.1` is 30.
pub fn parse(version: &str) -> Option<u32> {
    number(minor_of(version)?)
}

/// `v1.30.4-gke.1` is 30 and 4; `1.31` is 31 and 0.
pub fn patch(version: &str) -> Option<(u32, u32)> {
    let rest = minor_of(version)?;
    let patch = match rest.split_once('.') {
        Some((_, patch)) => number(patch)?,
        None => 0,
    };
    Some((number(rest)?, patch))
}

/// What follows the major.
fn minor_of(version: &str) -> Option<&str> {
    let rest = version.strip_prefix('v').unwrap_or(version);
    rest.strip_prefix("1.")
}

/// The digits that a text begins with.
fn number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text[..end.unwrap_or(text.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{parse, patch};

    #[test]
    fn vendors_append_what_they_like() {
        assert_eq!(parse("v1.30.4-gke.1"), Some(30));
        assert_eq!(parse("1.9+"), Some(9));
        assert_eq!(parse("v1.37"), Some(37));
        assert_eq!(parse("v2.1"), None);
        assert_eq!(parse("v1."), None);
        assert_eq!(parse(""), None);
        assert_eq!(patch("v1.30.4-gke.1"), Some((30, 4)));
        assert_eq!(patch("1.31"), Some((31, 0)));
        assert_eq!(patch("v1.31.x"), None);
    }
}
