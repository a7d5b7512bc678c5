//! Ways to a node's side that are no SSH, and how what comes by them finds its node.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::name::NodeName;
use crate::model::node::NodeObject;
use crate::model::text::Text;
use crate::probes::identity::Who;

use super::import::Import;

/// How a node's side is had, where not over SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// This machine is the node; its root may be mounted somewhere else.
    Here(Option<PathBuf>),
    /// A file that was made by hand.
    Import(Import),
}

/// A side that looks for its node: the machine said who it is, and nobody said its name.
#[derive(Clone, Debug)]
pub struct Claim {
    pub route: Route,
    pub who: Who,
}

impl Claim {
    /// Whether it is that node beyond doubt: the same machine, and the same boot or the same name.
    fn is(&self, name: &NodeName, object: &NodeObject) -> bool {
        let boot = same(self.who.boot_id.as_ref(), &object.boot_id);
        self.may_be(object) && (boot || self.name().as_ref() == Some(name))
    }

    /// Whether it is the same machine. Machines that were cloned may share their id.
    fn may_be(&self, object: &NodeObject) -> bool {
        same(self.who.machine_id.as_ref(), &object.machine_id)
    }

    /// The name that a kubelet gives its node where nobody gives it another: the host's, in lower case.
    fn name(&self) -> Option<NodeName> {
        NodeName::parse(&self.who.hostname.as_str().to_ascii_lowercase()).ok()
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.route {
            Route::Here(_) => f.write_str("this machine")?,
            Route::Import(import) => write!(f, "an answer in {}", import.file().display())?,
        }
        let id = self.who.machine_id.as_ref().map_or("none", Text::as_str);
        write!(f, ", host {}, machine id {id}", self.who.hostname)
    }
}

fn same(own: Option<&Text>, reported: &Text) -> bool {
    own.is_some_and(|own| !own.is_empty() && own == reported)
}

/// The sides that still look for their node, and those that have found it.
#[derive(Debug, Default)]
pub(super) struct Claims {
    open: Vec<Claim>,
    routes: BTreeMap<NodeName, Route>,
}

impl Claims {
    pub fn new(claims: Vec<Claim>) -> Self {
        Self {
            open: claims,
            routes: BTreeMap::new(),
        }
    }

    /// How a node is read, where a side has found it.
    pub fn route(&self, name: &NodeName) -> Option<&Route> {
        self.routes.get(name)
    }

    /// A node has become known: sides that are it beyond doubt go to it.
    pub fn meet(&mut self, name: &NodeName, object: &NodeObject) {
        self.give(|claim| claim.is(name, object).then(|| name.clone()));
    }

    /// No more nodes will become known: the only one of the same machine id is it, whatever it is called. Without
    /// an API server to ask (`None`) the host's own name is the best there is. Returns the nodes that were found now.
    pub fn settle(
        &mut self,
        objects: Option<&BTreeMap<NodeName, Arc<NodeObject>>>,
    ) -> Vec<NodeName> {
        let before: BTreeSet<NodeName> = self.routes.keys().cloned().collect();
        self.give(|claim| {
            let Some(objects) = objects else {
                return claim.name();
            };
            let mut nodes = objects.iter().filter(|(_, object)| claim.may_be(object));
            let only = nodes.next().filter(|_| nodes.next().is_none());
            only.map(|(name, _)| name.clone())
        });
        let now = self.routes.keys();
        now.filter(|name| !before.contains(*name))
            .cloned()
            .collect()
    }

    /// Sides that no node was found for, each once.
    pub fn left(&mut self) -> Vec<Claim> {
        std::mem::take(&mut self.open)
    }

    fn give(&mut self, find: impl Fn(&Claim) -> Option<NodeName>) {
        for claim in std::mem::take(&mut self.open) {
            match find(&claim) {
                // What was named first wins.
                Some(name) => {
                    self.routes.entry(name).or_insert(claim.route);
                }
                None => self.open.push(claim),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(host: &str, machine: &str, boot: &str) -> Claim {
        Claim {
            route: Route::Here(Some(host.into())),
            who: Who {
                hostname: Text::new(host),
                machine_id: Some(Text::new(machine)),
                boot_id: Some(Text::new(boot)),
                clock: None,
            },
        }
    }

    fn object(machine: &str, boot: &str) -> NodeObject {
        serde_json::from_value(serde_json::json!({
            "uid": "u", "labels": {}, "taints": [], "ready": "True", "addresses": [],
            "machine_id": machine, "boot_id": boot, "kubelet_version": "v1.35.0",
            "os_image": "Debian", "resource_version": "1",
        }))
        .expect("a node object")
    }

    fn name(text: &str) -> NodeName {
        NodeName::parse(text).expect("a name")
    }

    #[test]
    fn a_side_finds_its_node_by_what_the_machine_says() {
        let mut claims = Claims::new(vec![
            claim("CP-1", "m1", "old boot"),
            claim("ip-10-0-0-7", "m2", "b2"),
            claim("renamed", "m3", "old boot"),
            claim("stranger", "m9", "b9"),
            claim("empty", "", "b1"),
        ]);
        let objects: BTreeMap<_, _> = [
            ("cp-1", "m1", "b1"),
            ("w-2", "m2", "b2"),
            ("w-3", "m3", "b3"),
        ]
        .map(|(node, machine, boot)| (name(node), Arc::new(object(machine, boot))))
        .into();
        for (node, object) in &objects {
            claims.meet(node, object);
        }
        assert!(claims.route(&name("cp-1")).is_some() && claims.route(&name("w-2")).is_some());
        assert!(
            claims.route(&name("w-3")).is_none(),
            "the name differs, and so does the boot"
        );
        assert_eq!(claims.settle(Some(&objects)), [name("w-3")]);
        let left: Vec<String> = claims.left().iter().map(ToString::to_string).collect();
        assert_eq!(
            left,
            [
                "this machine, host stranger, machine id m9",
                "this machine, host empty, machine id "
            ]
        );
        assert!(claims.left().is_empty());
    }

    #[test]
    fn clones_are_not_guessed_between() {
        let mut claims = Claims::new(vec![claim("other", "m", "b")]);
        let objects: BTreeMap<_, _> = ["w-1", "w-2"]
            .map(|node| (name(node), Arc::new(object("m", "another"))))
            .into();
        assert!(claims.settle(Some(&objects)).is_empty());
        assert_eq!(claims.left().len(), 1);
    }

    #[test]
    fn without_an_api_server_the_host_has_its_own_name() {
        let mut claims = Claims::new(vec![
            claim("CP-1.example", "m", "b"),
            claim("a b", "m", "b"),
        ]);
        assert_eq!(claims.settle(None), [name("cp-1.example")]);
        assert_eq!(claims.left().len(), 1);
    }
}
