//! Evidence as it is shown: a locator in, the source behind it out.
//!
//! Lives here: finding the stored answer of a node, and writing the objects of the API server as text.
//! Never lives here: a verdict, a colour, a clock.

mod baseline;
mod files;
mod object;
mod objects;
mod policy;

use crate::model::Timestamp;
use crate::model::fact::{Fact, Locator, Need, Side, Source};
use crate::model::name::{Digest, NodeName};
use crate::model::node::NodeFacts;
use crate::model::pod::{Manifest, Mirror, Parsed};
use crate::model::policy::Policy;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::model::unix::Walk;

pub use object::{Row, resolve};

/// One piece of evidence at full length.
#[derive(Clone, Debug, PartialEq)]
pub struct Exhibit {
    pub side: Side,
    /// What it is about: a path, `namespace/pod`, or the kind of answer.
    pub title: Text,
    /// The command on the node, or the request to the API server.
    pub command: Text,
    /// When the answer arrived here, UTC.
    pub at: Option<Timestamp>,
    pub sha256: Option<Digest>,
    /// One line that qualifies it: mode and owner of a file, resource version of an object.
    pub remark: Text,
    pub rows: Vec<Row>,
}

/// The source behind a locator: stored for a node, written from the stored object for the API server.
///
/// `None` where the snapshot does not hold it (any more).
pub fn source(
    snapshot: &Snapshot,
    policy: &Policy,
    node: Option<&NodeName>,
    at: Locator,
) -> Option<Source> {
    if at.need.side() == Side::Node {
        let stored = facts(snapshot, node)?.host.source(at);
        if stored.is_some() {
            return stored.cloned();
        }
    }
    let exhibit = exhibit(snapshot, policy, node, at)?;
    let mut text = String::new();
    for row in &exhibit.rows {
        text.push_str(row.text.as_str());
        text.push('\n');
    }
    Some(Source {
        need: at.need,
        item: at.item,
        command: exhibit.command,
        at: exhibit.at.unwrap_or(snapshot.taken),
        sha256: None,
        excerpt: Source::excerpt(&text),
    })
}

/// The evidence behind a locator at full length, with the field that each line shows.
///
/// A manifest comes whole, other answers of a node as their stored excerpt.
pub fn exhibit(
    snapshot: &Snapshot,
    policy: &Policy,
    node: Option<&NodeName>,
    at: Locator,
) -> Option<Exhibit> {
    match at.need {
        Need::Baseline => baseline::exhibit(policy, node, at),
        Need::Policy => policy::exhibit(policy, at, snapshot.taken),
        Need::NodeObject => node_object(facts(snapshot, node)?),
        Need::MirrorPods => mirrors(facts(snapshot, node)?, at),
        Need::PodUids if node.is_none() => Some(objects::pods(snapshot)),
        Need::PodUids => pod_uids(facts(snapshot, node)?, at),
        Need::Namespaces => namespaces(snapshot, at),
        Need::Manifests => {
            let facts = facts(snapshot, node)?;
            match manifest(facts, at) {
                Some(found) => Some(of_manifest(facts, at, found)),
                None => stored(facts, at),
            }
        }
        need if need.is_object() => objects::exhibit(snapshot, at),
        _ => stored(facts(snapshot, node)?, at),
    }
}

/// The manifest behind a locator.
pub fn manifest(facts: &NodeFacts, at: Locator) -> Option<&Manifest> {
    let Fact::Seen(list) = &facts.host.manifests else {
        return None;
    };
    let mut seen = list.value.iter().filter_map(|fact| match fact {
        Fact::Seen(seen) => Some(seen),
        Fact::Gap(_) => None,
    });
    let found = seen.find(|seen| seen.at == at);
    found.map(|seen| &seen.value)
}

/// The mirror pod behind a locator: `item` counts in the order of the facts.
pub fn mirror(facts: &NodeFacts, at: Locator) -> Option<&Mirror> {
    let Fact::Seen(list) = &facts.api.mirrors else {
        return None;
    };
    (at.need == Need::MirrorPods).then_some(())?;
    list.value.get(usize::try_from(at.item).ok()?)
}

fn facts<'s>(snapshot: &'s Snapshot, node: Option<&NodeName>) -> Option<&'s NodeFacts> {
    snapshot.nodes.get(node?).map(std::convert::AsRef::as_ref)
}

fn stored(facts: &NodeFacts, at: Locator) -> Option<Exhibit> {
    let Some(source) = facts.host.source(at) else {
        return written(facts, at);
    };
    Some(Exhibit {
        side: Side::Node,
        title: Text::new(what(at.need)),
        command: source.command.clone(),
        at: Some(source.at),
        sha256: source.sha256.clone(),
        remark: Text::default(),
        rows: plain(&source.excerpt),
    })
}

/// What is kept as numbers, written out.
fn written(facts: &NodeFacts, at: Locator) -> Option<Exhibit> {
    let (command, lines) = files::lines(&facts.host, at)?;
    Some(Exhibit {
        side: Side::Node,
        title: Text::new(what(at.need)),
        command: Text::from(command),
        at: facts.host.at,
        sha256: None,
        remark: Text::default(),
        rows: plain(&Text::block(&lines.join("\n"))),
    })
}

fn plain(text: &Text) -> Vec<Row> {
    text.as_str()
        .lines()
        .map(|line| Row {
            fields: Vec::new(),
            text: Text::new(line),
        })
        .collect()
}

fn of_manifest(facts: &NodeFacts, at: Locator, manifest: &Manifest) -> Exhibit {
    let source = facts.host.source(at);
    let mut rows = plain(&manifest.text);
    let mut remark = file_remark(&manifest.walk);
    match &manifest.pod {
        Fact::Seen(seen) => match &seen.value {
            Parsed::Pod { lines, .. } => {
                for (field, line) in lines.iter() {
                    let index = usize::try_from(line).unwrap_or(0).wrapping_sub(1);
                    if let Some(row) = rows.get_mut(index) {
                        row.fields.push(field.to_string());
                    }
                }
            }
            Parsed::Broken { message } => remark.push_str(&format!("  broken: {message}")),
        },
        Fact::Gap(gap) => remark.push_str(&format!("  not read: {gap}")),
    }
    Exhibit {
        side: Side::Node,
        title: manifest.file.clone(),
        command: source.map_or_else(
            || Text::from(format!("cat {}", manifest.file)),
            |source| source.command.clone(),
        ),
        at: source.map(|source| source.at).or(facts.host.at),
        sha256: manifest.sha256.clone(),
        remark: Text::from(remark),
        rows,
    }
}

fn file_remark(walk: &Walk) -> String {
    walk.object()
        .map(|hop| format!("{} {}:{}", hop.stat.mode, hop.stat.uid, hop.stat.gid))
        .unwrap_or_default()
}

fn of_api(facts: &NodeFacts, title: &str, path: &str, rows: Vec<Row>) -> Exhibit {
    Exhibit {
        side: Side::Api,
        title: Text::new(title),
        command: Text::from(format!("GET {path}")),
        at: facts.api.at,
        sha256: None,
        remark: Text::default(),
        rows,
    }
}

fn node_object(facts: &NodeFacts) -> Option<Exhibit> {
    let Fact::Seen(seen) = &facts.api.object else {
        return None;
    };
    let node = &seen.value;
    let mut exhibit = of_api(
        facts,
        &format!("node {}", facts.name),
        &format!("/api/v1/nodes/{}", facts.name),
        object::node(node),
    );
    exhibit.remark = Text::from(format!("rv {}", node.resource_version));
    Some(exhibit)
}

fn mirrors(facts: &NodeFacts, at: Locator) -> Option<Exhibit> {
    let path = format!("/api/v1/pods?fieldSelector=spec.nodeName={}", facts.name);
    let Some(mirror) = mirror(facts, at) else {
        let Fact::Seen(list) = &facts.api.mirrors else {
            return None;
        };
        let title = format!("mirror pods of {}", facts.name);
        return Some(of_api(
            facts,
            &title,
            &path,
            object::mirror_names(&list.value),
        ));
    };
    let pod = &mirror.pod;
    let title = format!("{}/{}", pod.namespace, pod.name);
    let mut exhibit = of_api(facts, &title, &path, object::pod(&pod.raw));
    exhibit.remark = Text::from(format!("rv {}", mirror.resource_version));
    Some(exhibit)
}

/// All pods of a node, or one of them with where it leads to.
fn pod_uids(facts: &NodeFacts, at: Locator) -> Option<Exhibit> {
    let Fact::Seen(list) = &facts.api.pods else {
        return None;
    };
    let one = usize::try_from(at.item).ok();
    if let Some(pod) = one.and_then(|item| list.value.get(item)) {
        let path = format!("/api/v1/namespaces/{}/pods/{}", pod.namespace, pod.name);
        let title = format!("pod {}/{}", pod.namespace, pod.name);
        return Some(of_api(facts, &title, &path, object::pod_use(pod)));
    }
    let path = format!("/api/v1/pods?fieldSelector=spec.nodeName={}", facts.name);
    let title = format!("pods of {}", facts.name);
    Some(of_api(facts, &title, &path, object::pod_ids(&list.value)))
}

fn namespaces(snapshot: &Snapshot, at: Locator) -> Option<Exhibit> {
    let Fact::Seen(list) = &snapshot.cluster.namespaces else {
        return None;
    };
    let one = usize::try_from(at.item)
        .ok()
        .and_then(|index| list.value.get(index));
    let rows = match one {
        Some(namespace) => object::namespace(namespace),
        None => list
            .value
            .iter()
            .flat_map(|namespace| object::namespace(namespace).into_iter().take(1))
            .collect(),
    };
    Some(Exhibit {
        side: Side::Api,
        title: one.map_or_else(
            || Text::new("namespaces"),
            |namespace| Text::from(format!("namespace {}", namespace.name)),
        ),
        command: Text::new("GET /api/v1/namespaces"),
        at: Some(snapshot.taken),
        sha256: None,
        remark: Text::default(),
        rows,
    })
}

/// A need as a person calls its answer.
fn what(need: Need) -> &'static str {
    match need {
        Need::Identity => "identity of the host",
        Need::Accounts => "users and groups",
        Need::KubeletConfig => "kubelet configuration",
        Need::Listeners => "listening sockets",
        Need::ManifestDir => "static pod folder",
        Need::Manifests => "manifest",
        Need::RuntimePods => "pods that run",
        Need::NodeObject => "node object",
        Need::MirrorPods => "mirror pods",
        Need::PodUids => "pods",
        Need::Namespaces => "namespaces",
        Need::Policy => "policy file",
        Need::Baseline => "baseline",
        Need::KubeletFiles => "files of the kubelet",
        Need::Pki => "certificates and keys",
        Need::Kubeconfigs => "kubeconfigs",
        Need::HostPaths => "paths of the host in manifests",
        Need::EtcdFiles => "files of etcd",
        Need::ApiServerFiles => "files of the API server",
        Need::FileWatches => "watches on files",
        Need::KubeletLog => "kubelet log",
        Need::Backups => "backups",
        Need::Disks => "room on disks",
        Need::Processes => "processes",
        Need::Lsm => "security modules",
        Need::Firewall => "firewall",
        Need::Cni => "CNI configuration",
        Need::Timeline => "clock and journal",
        Need::Handshakes => "TLS handshakes",
        Need::Later => "evidence of a later version",
        need if need.is_object() => need.name(),
        _ => "evidence of a later version",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::model::pod::Pod;
    use crate::model::tree::Tree;

    fn node() -> Snapshot {
        let name = NodeName::parse("cp-1").expect("a valid name");
        let mut facts = NodeFacts::unknown(name.clone());
        let pod = Pod {
            namespace: Text::new("kube-system"),
            name: Text::new("etcd-cp-1"),
            raw: Tree::try_from(json!({"metadata": {"name": "etcd-cp-1"},
                "spec": {"containers": [{"name": "etcd", "command": ["etcd", "--a=\u{1b}[2J"]}]}}))
            .expect("a small pod"),
        };
        let mirror = Mirror {
            pod,
            uid: Text::new("u"),
            mirror_hash: Text::new("h"),
            hash: None,
            source: None,
            owners: Vec::new(),
            phase: Text::new("Running"),
            managers: Vec::new(),
            resource_version: Text::new("7"),
            created: None,
        };
        Arc::make_mut(&mut facts.api).mirrors =
            Fact::seen(vec![mirror], Locator::list(Need::MirrorPods));
        let mut snapshot = Snapshot::empty(Timestamp::UNIX_EPOCH);
        snapshot.nodes.insert(name, Arc::new(facts));
        snapshot
    }

    #[test]
    fn a_mirror_is_written_with_its_fields_and_nothing_hostile() {
        let snapshot = node();
        let name = NodeName::parse("cp-1").expect("a valid name");
        let at = Locator::new(Need::MirrorPods, 0);
        let source =
            source(&snapshot, &Policy::default(), Some(&name), at).expect("the mirror is there");
        assert_eq!(
            source.excerpt,
            "metadata:\n  name: etcd-cp-1\nspec:\n  containers:\n  - command:\n    - etcd\n    - --a=\\x1b[2J\n    name: etcd\n"
        );
        let list = Locator::list(Need::MirrorPods);
        let list = super::source(&snapshot, &Policy::default(), Some(&name), list)
            .expect("the list is there");
        assert_eq!(list.excerpt, "kube-system/etcd-cp-1  u\n");
        let exhibit =
            exhibit(&snapshot, &Policy::default(), Some(&name), at).expect("the mirror is there");
        assert_eq!(exhibit.rows[6].fields, ["spec.containers[0].command[1]"]);
    }

    #[test]
    fn what_is_not_there_is_none() {
        let snapshot = node();
        let name = NodeName::parse("cp-2").expect("a valid name");
        for need in Need::ALL {
            assert!(
                source(
                    &snapshot,
                    &Policy::default(),
                    Some(&name),
                    Locator::new(*need, 0)
                )
                .is_none()
            );
        }
    }
}
