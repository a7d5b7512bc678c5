//! The language of examples: a few lines of YAML that name the facts at stake, and nothing else.
//!
//! Lives here: reading an example into a [`Snapshot`], and the text of a verdict that an example is held
//! to. Never lives here: an opinion about what is secure. What an example does not name is
//! [`Gap::NotAsked`]; a key that is not known is an error, so that a typo cannot pass for a fact.
//!
//! | Key | Value |
//! |---|---|
//! | `node` | the node's name, `cp-1` where it is left out |
//! | `nodes` | further nodes: a map from name to the keys below |
//! | `clock` | the node's clock in seconds (identity); 1000 where `identity: {}` is all that is said |
//! | `identity` | `{clock, os, uid, way}` |
//! | `kubelet` | dotted keys over the v1beta1 defaults; also `legacy: true` (no config file), `started` (seconds, or `untold`), `stopped: true`, `command`, `lines: {key: n}`, `unit: {unit: [flags], process: [flags]}`, `layers: [{kind, origin, set: {...}, lines, given: {file, line}, or gap}]` |
//! | `listeners` | `[0.0.0.0:10255, "[::1]:10250"]`; behind the address its process and the uid of its pod, where they are known |
//! | `fs` | a map from path to `{mode, owner, kind, link, acl, mount, absent, gap, ctime, mtime, nlink}`; what is not named is a folder of root's, 0755 |
//! | `dir` | `none`, or `{path, entries}` beside the keys of `fs` |
//! | `manifests` | `[{file, pod, broken, unread, gap, ignored, duplicates, text}]` beside the keys of `fs` |
//! | `accounts` | `{users: [name:uid:gid], groups: [name:gid:member,member]}` |
//! | `runtime` | `[{uid, pids, log: ns/name, started, exe}]`, or `{hidepid: true, pods: [...]}` |
//! | `kubelet_files`, `pki`, `kubeconfigs`, `host_paths`, `etcd_files`, `api_server_files`, `backups` | `[{role, path} or {gap}]` beside the keys of `fs`; a word of `FileRole` |
//! | `certificates` | of `pki`: `[{path, flag, gap, subject, organizations, issuer, self_signed, serial, from, until, names, ca, usages, key, bits, signature, spki}]`, dates in seconds |
//! | `processes` | `[{of: ns/pod/container, comm, uid, caps, bound, nnp, seccomp, label, ro, mapped, rights, started, exe, command, unnamed}]`, or `{list: [...], more, hidepid, containers: {gap}}` |
//! | `lsm` | `{active, apparmor, profiles: {name: mode}, selinux: enforcing, permissive or none, configured, policy, label, runtime: {name, selinux, no_apparmor}, seccomp: [{name, default, rules, broken, unread}], lockdown, sysctls}` |
//! | `firewall` | `[{family, table, chain, drops, opaque, ports: [{port, verdict, narrowed}]}]` |
//! | `cni` | `{folder: {file: [plugin types]}}` |
//! | `timeline` | `{clock: synchronised, free or untold, journal: persistent, volatile, absent or untold}` |
//! | `kubelet_log` | `[{at, text}]`: lines of the kubelet's log, `at` in seconds of the node's clock |
//! | `handshakes` | `[{address, port, gap, protocol, cipher, certificate: as in certificates, signer}]` |
//! | `kubeconfig_contents` | `[{path, gap, servers, skips_verification, no_ca, clients: [as certificates], client_files, logins}]` |
//! | `object` | `{uid, labels, taints: [key=value:Effect], ready, version, addresses: {kind: address}, allocatable: {cpu, memory}, provider_id}` |
//! | `mirrors` | `[{pod, hash, mirror_hash, source, owners, phase, managers, uid, created}]` |
//! | `pods` | `[{pod: ns/name, uid, hash, traits: words of model::traits, account, mounts: [PATH or claim:NAME, then ro, user], cut}]` |
//! | `unread` | why pods of some namespaces could not be listed, a word for a gap |
//! | `gone` | the same, of pods that went away after the node was read |
//! | `namespaces` | a map from name to `{phase, labels, enforce, audit, warn}` |
//! | `services`, `network_policies`, ... | objects under the name of their need, with the fields of `model::objects` |
//! | `admission` | `none`, or the tree of an admission configuration file of the API server |
//! | `components`, `declared`, `running` | a map from program to its words (variables first): as a static pod that runs so, as a manifest, as a process |
//! | `authentication`, `authorization`, `audit_policy` | `none`, or the tree of that file of the API server |
//! | `encryption` | `none`, or `[{resources, providers}]` |
//! | `count` | how many nodes the API server listed |
//! | `version` | the API server's, as `v1.37.2` |
//! | `api_offset` | by how many seconds its clock is ahead of this machine's |
//! | `baseline` | `none`, or the keys of an example that is the baseline; also `unsigned: true`, `unnamed: true` |
//! | `policy` | `none`, or the keys of a policy file; a waiver also has `standing: used` and so on |
//!
//! Any fact, and any item of a list of facts, can be `{gap: WORD}`: a word of [`Gap::word`] or a fault class.
//! A pod is a v1 Pod in YAML, or `namespace/name` for a pod with one plain container.

mod acl;
mod admission;
mod baseline;
mod components;
mod facts;
mod files;
mod handshakes;
mod kubelet;
mod lsm;
mod paths;
mod pods;
mod policies;
mod running;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml::Value;

use super::check::{Judge, View};
use crate::model::Timestamp;
use crate::model::cluster::ClusterFacts;
use crate::model::fact::{Fact, FaultClass, Gap, Locator, Need};
use crate::model::name::NodeName;
use crate::model::node::NodeFacts;
use crate::model::offset::Offset;
use crate::model::policy::Policy;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::model::verdict::Verdict;

/// The name of the node that an example speaks of where it names none.
pub const NODE: &str = "cp-1";

/// The moment at which examples are judged: no example depends on the wall clock.
pub const NOW: Timestamp = Timestamp::constant(1_750_000_000, 0);

/// An example that was read.
#[derive(Clone, Debug)]
pub struct Example {
    pub snapshot: Snapshot,
    /// The node that it speaks of.
    pub node: NodeName,
    pub policy: Policy,
}

impl Example {
    /// What a check says of the example's node, or of its cluster.
    ///
    /// # Errors
    /// The gap that a check leaves with.
    pub fn judge(&self, judge: &Judge) -> Result<Verdict, Gap> {
        let view = View::new(&self.snapshot, &self.policy, self.snapshot.taken);
        match judge {
            Judge::Node(judge) | Judge::Peers(judge) => match self.snapshot.nodes.get(&self.node) {
                Some(node) => judge(node, &view),
                None => Err(Gap::NotAsked),
            },
            Judge::Cluster(judge) => judge(&view),
        }
    }

    /// The same example with one fact taken away everywhere.
    #[must_use]
    pub fn withhold(&self, need: Need) -> Self {
        let mut out = self.clone();
        if need == Need::Policy {
            out.policy = Policy {
                baseline: std::mem::take(&mut out.policy.baseline),
                ..Policy::default()
            };
        }
        if need == Need::Baseline {
            out.policy.baseline = Fact::default();
        }
        out.snapshot.cluster = Arc::new(self.snapshot.cluster.withhold(need));
        for node in out.snapshot.nodes.values_mut() {
            *node = Arc::new(node.withhold(need));
        }
        out
    }
}

/// Reads an example.
///
/// # Errors
/// Says which key or value is not understood.
///
/// ```
/// use stakeout::checks::example;
/// let example = example::read("kubelet: {readOnlyPort: 10255}").unwrap();
/// assert_eq!(example.node.as_str(), "cp-1");
/// assert!(example::read("kublet: {}").is_err());
/// ```
pub fn read(yaml: &str) -> Result<Example, String> {
    of_written(serde_yaml::from_str(yaml).map_err(|e| e.to_string())?)
}

fn of_written(written: Written) -> Result<Example, String> {
    let mut snapshot = Snapshot::empty(NOW);
    snapshot.cluster = Arc::new(ClusterFacts {
        nodes: fact(written.count, Need::NodeObject, Ok)?,
        version: fact(written.version, Need::NodeObject, |text: String| {
            Ok(Text::from(text))
        })?,
        clock: written.api_offset.map(|offset| Offset {
            least: offset,
            most: offset,
        }),
        namespaces: fact(written.namespaces, Need::Namespaces, facts::namespaces)?,
        ..ClusterFacts::default()
    });
    let node = NodeName::parse(written.node.as_deref().unwrap_or(NODE))?;
    let mut facts = written.facts;
    objects(&mut facts.other, &mut snapshot)?;
    let mut add = |name: NodeName, facts: NodeWritten| -> Result<(), String> {
        let facts = facts.read(name.clone())?;
        snapshot.nodes.insert(name, Arc::new(facts));
        Ok(())
    };
    add(node.clone(), facts)?;
    for (name, facts) in written.nodes {
        add(NodeName::parse(&name)?, facts)?;
    }
    let mut policy = match written.policy {
        None => Policy::default(),
        Some(policy) => policies::policy(policy)?,
    };
    policy.baseline = match written.baseline {
        None => Fact::default(),
        Some(written) => baseline::baseline(written)?,
    };
    Ok(Example {
        snapshot,
        node,
        policy,
    })
}

/// Lists of objects: what stands under the name of their need.
fn objects(written: &mut BTreeMap<String, Value>, snapshot: &mut Snapshot) -> Result<(), String> {
    let cluster = Arc::make_mut(&mut snapshot.cluster);
    let objects = Arc::make_mut(&mut cluster.objects);
    for need in Need::ALL {
        let (Some(list), Some(value)) = (objects.list_mut(*need), written.remove(need.name()))
        else {
            continue;
        };
        match gap_of(&value)? {
            Some(gap) => list.forget(gap),
            None => list.read(*need, &parse(value, *need)?)?,
        }
    }
    Ok(())
}

/// A verdict in one line: the badge, then what is said. `FAIL critical: a; low: b; gap: c`.
pub fn verdict_text(outcome: &Result<Verdict, Gap>) -> String {
    match outcome {
        Err(why) | Ok(Verdict::Unknown { why }) => match why {
            Gap::NeedsHuman { question } => format!("MANUAL: {question}"),
            why => format!("UNKNOWN: {why}"),
        },
        Ok(Verdict::Pass { note: None, .. }) => "PASS".to_owned(),
        Ok(Verdict::Pass { note: Some(n), .. }) => format!("PASS: {n}"),
        Ok(Verdict::NotApplicable { why, .. }) => format!("N/A: {why}"),
        Ok(Verdict::Fail { offences, gaps }) => {
            let mut parts: Vec<String> = offences
                .iter()
                .map(|offence| format!("{}: {}", offence.severity, offence.message))
                .collect();
            parts.extend(gaps.iter().map(|gap| format!("gap: {gap}")));
            format!("FAIL {}", parts.join("; "))
        }
    }
}

#[derive(Deserialize)]
struct Written {
    node: Option<String>,
    #[serde(default)]
    nodes: BTreeMap<String, NodeWritten>,
    #[serde(default)]
    namespaces: Option<Value>,
    #[serde(default)]
    count: Option<Value>,
    #[serde(default)]
    version: Option<Value>,
    #[serde(default)]
    api_offset: Option<i64>,
    #[serde(default)]
    policy: Option<Value>,
    #[serde(default)]
    baseline: Option<Value>,
    #[serde(flatten)]
    facts: NodeWritten,
}

/// The keys of one node. Unknown keys end up in `other`: serde cannot deny them beside `flatten`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeWritten {
    clock: Option<Value>,
    identity: Option<Value>,
    kubelet: Option<Value>,
    listeners: Option<Value>,
    fs: files::Tree,
    dir: Option<Value>,
    manifests: Option<Value>,
    accounts: Option<Value>,
    runtime: Option<Value>,
    #[serde(flatten)]
    paths: paths::PathsWritten,
    object: Option<Value>,
    mirrors: Option<Value>,
    pods: Option<Value>,
    gone: Option<Value>,
    admission: Option<Value>,
    unread: Option<String>,
    #[serde(flatten)]
    running: running::RunningWritten,
    #[serde(flatten)]
    components: components::ComponentsWritten,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

impl NodeWritten {
    fn read(mut self, name: NodeName) -> Result<NodeFacts, String> {
        self.components
            .expand(&mut self.manifests, &mut self.running.processes)?;
        if let Some(key) = self.other.keys().next() {
            return Err(format!("{key} is not a key of examples"));
        }
        let mut node = NodeFacts::unknown(name);
        let mut files = files::Files::new(self.fs);
        files.place(self.dir.as_ref(), self.manifests.as_ref())?;
        let host = Arc::make_mut(&mut node.host);
        self.paths.read(&mut files, host)?;
        host.identity = match self.clock {
            Some(clock) => fact(Some(clock), Need::Identity, facts::clock)?,
            None => fact(self.identity, Need::Identity, facts::identity)?,
        };
        host.kubelet = fact(self.kubelet, Need::KubeletConfig, kubelet::kubelet)?;
        host.listeners = fact(self.listeners, Need::Listeners, facts::listeners)?;
        host.manifest_dir = fact(self.dir, Need::ManifestDir, |dir| files.dir(dir))?;
        host.manifests = fact(self.manifests, Need::Manifests, |list| {
            files.manifests(list)
        })?;
        host.accounts = fact(self.accounts, Need::Accounts, facts::accounts)?;
        host.runtime_pods = fact(self.runtime, Need::RuntimePods, facts::runtime)?;
        self.running.read(&node.name, &files, host)?;
        let api = Arc::make_mut(&mut node.api);
        api.object = fact(self.object, Need::NodeObject, facts::object)?;
        let name = node.name.clone();
        api.mirrors = fact(self.mirrors, Need::MirrorPods, |list| {
            pods::mirrors(list, &name)
        })?;
        api.pods = fact(self.pods, Need::PodUids, pods::uids)?;
        if let Some(gone) = self.gone {
            api.gone = pods::uids(parse(gone, Need::PodUids)?)?;
        }
        api.unread = self.unread.as_deref().map(gap).transpose()?;
        admission::admission(self.admission, host)?;
        self.components.files(host)?;
        host.at = Some(NOW);
        api.at = Some(NOW);
        Ok(node)
    }
}

/// A fact as it is written: left out, a gap, or what `read` makes of the value.
fn fact<W: DeserializeOwned, T>(
    written: Option<Value>,
    need: Need,
    read: impl FnOnce(W) -> Result<T, String>,
) -> Result<Fact<T>, String> {
    let Some(written) = written else {
        return Ok(Fact::default());
    };
    if let Some(gap) = gap_of(&written)? {
        return Ok(Fact::Gap(gap));
    }
    let value = read(parse(written, need)?)?;
    Ok(Fact::seen(value, Locator::new(need, 0)))
}

/// A value as its written form; the error names the fact.
fn parse<W: DeserializeOwned>(written: Value, need: Need) -> Result<W, String> {
    serde_yaml::from_value(written).map_err(|e| format!("{need:?}: {e}"))
}

/// The gap of `{gap: WORD}`.
fn gap_of(written: &Value) -> Result<Option<Gap>, String> {
    match written.as_mapping() {
        Some(map) if map.len() == 1 => match written.get("gap").and_then(Value::as_str) {
            Some(word) => gap(word).map(Some),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// A gap by its word.
fn gap(word: &str) -> Result<Gap, String> {
    let what = || Text::new("it");
    Ok(match word {
        "not asked" => Gap::NotAsked,
        "pending" => Gap::Pending,
        "rbac" | "forbidden" => Gap::Forbidden {
            verb: Text::new("list"),
            resource: Text::new("pods"),
        },
        "api" => Gap::Api {
            detail: Text::new("connection refused"),
        },
        "sudo" | "denied" => Gap::Denied { what: what() },
        "tool" => Gap::ToolMissing {
            tool: Text::new("getfacl"),
        },
        "garbled" => Gap::Garbled { what: what() },
        "collector" => Gap::CollectorOutdated {
            since: Text::new("2"),
        },
        "machine" => Gap::WrongMachine {
            detail: Text::new("another boot id"),
        },
        "settling" => Gap::Settling {
            left: Duration::from_secs(10),
        },
        "human" => Gap::NeedsHuman {
            question: Text::new("is it meant?"),
        },
        "kubelet" => Gap::KubeletStopped {
            detail: Text::new("no process"),
        },
        class => {
            let read: Result<FaultClass, _> = serde_yaml::from_str(class);
            match read {
                Ok(class) if class != FaultClass::Later => Gap::Node {
                    class,
                    detail: Text::new("in an example"),
                },
                _ => return Err(format!("{class} is not a word for a gap")),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_not_asked() {
        let Example { snapshot, .. } = read("{}").expect("an empty example is an example");
        let node = &snapshot.nodes[NODE];
        assert_eq!(**node, {
            let mut empty = NodeFacts::unknown(node.name.clone());
            Arc::make_mut(&mut empty.host).at = Some(NOW);
            Arc::make_mut(&mut empty.api).at = Some(NOW);
            empty
        });
        assert!(!snapshot.cluster.namespaces.is_seen());
    }

    #[test]
    fn unknown_keys_are_errors() {
        for wrong in [
            "kublet: {}",
            "manifests: [{file: a.yaml, pood: a/b}]",
            "dir: {path: /m, mod: '0700'}",
            "mirrors: [{pod: a/b, hsh: x}]",
            "kubelet: {layers: [{kind: file, origin: x, st: {}}]}",
            "object: {label: {}}",
            "runtime: [{uid: a, pid: 2}]",
            "fs: {/etc: {mod: '0755'}}",
            "kubelet: {gap: nonsense}",
            "nodes: {w-1: {kublet: {}}}",
            "services: [{name: a, selectr: {}}]",
            "network_policies: [{name: a, podSelector: {matchLabel: {}}}]",
            "pods: [{pod: a/b, traits: strong}]",
        ] {
            assert!(read(wrong).is_err(), "{wrong} was taken");
        }
    }

    #[test]
    fn every_fact_can_be_a_gap() {
        let Example { snapshot, .. } = read(
            "{identity: {gap: denied}, kubelet: {gap: denied}, listeners: {gap: tool}, \
             dir: {gap: denied}, manifests: {gap: connect-timeout}, accounts: {gap: garbled}, \
             runtime: {gap: denied}, object: {gap: forbidden}, mirrors: {gap: api}, \
             pods: {gap: forbidden}, namespaces: {gap: forbidden}}",
        )
        .expect("gaps are read");
        let node = &snapshot.nodes[NODE];
        assert_ne!(node.host.kubelet, Fact::default());
        assert_ne!(node.host.manifests, Fact::default());
        assert_ne!(node.api.mirrors, Fact::default());
        assert!(!node.host.identity.is_seen());
    }
}
