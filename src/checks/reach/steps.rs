//! The four kinds of paths.

use super::{AttackPath, AttackPaths, Edge};
use crate::checks::check::{Judge, Tally, View};
use crate::checks::holders::{covers, grants};
use crate::checks::merge::credentials::{Holder as Mounted, credentials, held};
use crate::checks::merge::host_path_source::{self, may_be_root};
use crate::checks::merge::pairs::declared;
use crate::checks::merge::pod_reach::{Reach, Role, reaches};
use crate::checks::privilege::containers::{Around, Inside, writes};
use crate::checks::privilege::places::{holds, plain};
use crate::model::fact::{Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::objects::{Holder, Rule};
use crate::model::pod::{PodId, PodTraits};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Verdict};

const CLUSTER: &str = "cluster-admin";

/// The path as it is put together: each step goes on where the last one ended.
struct Way {
    at: Text,
    edges: Vec<Edge>,
}

impl Way {
    fn begin(start: impl Into<Text>) -> Self {
        Self {
            at: start.into(),
            edges: Vec::new(),
        }
    }

    fn step(mut self, verb: impl Into<Text>, to: impl Into<Text>, at: Locator) -> Self {
        let to = to.into();
        self.edges.push(Edge {
            from: std::mem::replace(&mut self.at, to.clone()),
            verb: verb.into(),
            to,
            at,
        });
        self
    }

    fn ends(self, check: CheckId, severity: Severity) -> AttackPath {
        AttackPath {
            check,
            severity,
            edges: self.edges,
        }
    }
}

fn root(node: &NodeFacts) -> String {
    format!("root on {}", node.name)
}

/// A workload that writes where static pods come from (SP-MRG-020).
pub(super) fn by_writers(node: &NodeFacts, view: &View<'_>, out: &mut AttackPaths) {
    let mut tally = Tally::new();
    match reaches(node, view, &mut tally) {
        Ok(found) => out
            .paths
            .extend(found.iter().map(|reach| writer(node, reach))),
        Err(gap) => out.gap(gap),
    }
    out.gaps_of(tally);
}

fn writer(node: &NodeFacts, reach: &Reach<'_>) -> AttackPath {
    let verb = if reach.mount.writable {
        "writes by its mount"
    } else {
        "reaches by its read-only mount"
    };
    let volume = reach.volume.map(|(_, name)| format!(" of volume {name}"));
    let evidence = reach.volume.map_or(reach.at, |(at, _)| at);
    let mut way = Way::begin(format!("pod {}", reach.name()));
    let verb = format!("{verb}{}, {}", volume.unwrap_or_default(), reach.user());
    way = way.step(verb, format!("{} of the node", reach.path), evidence);
    if reach.path != reach.place.path {
        let verb = if holds(&reach.path, &reach.place.path) {
            "holds"
        } else {
            "lies in"
        };
        way = way.step(verb, reach.place.path.as_str(), evidence);
    }
    let (verb, at) = match reach.place.role {
        Role::Manifests => (
            "the kubelet starts what lies there, privileged where it says so",
            place_at(node, Need::ManifestDir),
        ),
        Role::Config => (
            "the kubelet obeys it at its next start",
            place_at(node, Need::KubeletFiles),
        ),
        Role::RootDir => (
            "volumes and tokens of all pods of the node lie there",
            place_at(node, Need::KubeletFiles),
        ),
        Role::Socket => ("starts a privileged container", evidence),
    };
    way.step(verb, root(node), at)
        .ends(CheckId("SP-MRG-020"), reach.severity)
}

/// The evidence of what is known of the node's places.
fn place_at(node: &NodeFacts, need: Need) -> Locator {
    let dir = node.host.manifest_dir.get().ok().map(|seen| seen.at);
    let files = node.host.kubelet_files.get().ok().map(|seen| seen.at);
    let at = if need == Need::ManifestDir {
        dir
    } else {
        files
    };
    at.unwrap_or(Locator::list(need))
}

/// A service account that may speak to kubelets, and the pods of the node that have its token (SP-KUB-017).
pub(super) fn by_proxy(node: &NodeFacts, view: &View<'_>, out: &mut AttackPaths) {
    let name = node.name.as_str();
    let speaks = |rule: &Rule| {
        let here =
            rule.resource_names.is_empty() || rule.resource_names.iter().any(|own| *own == *name);
        let verbs = ["get", "create"];
        here && verbs
            .iter()
            .any(|verb| rule.grants(verb, "", "nodes/proxy"))
    };
    let pods = match node.api.pods.get() {
        Ok(pods) => pods,
        Err(gap) => return out.gap(gap),
    };
    let grants = match grants(&view.snapshot.cluster.objects, speaks) {
        Ok(grants) => grants,
        Err(gap) => return out.gap(gap),
    };
    for gap in grants.gaps {
        out.gap(gap);
    }
    for grant in grants.all.iter().filter(|grant| !grant.is_expected()) {
        let mut told: Vec<(&str, &str)> = Vec::new();
        for (item, pod) in (0_u32..).zip(&pods.value) {
            let account = pod.uses.as_ref().map_or("", |uses| &uses.account);
            let key = (&*pod.namespace, account);
            // One pod speaks for all that have the same account.
            if !is_of(grant.holder, pod, account) || told.contains(&key) {
                continue;
            }
            told.push(key);
            let [binding, role] = grant.evidence;
            let way = Way::begin(format!("pod {}/{}", pod.namespace, pod.name))
                .step(
                    "has the token of",
                    format!("service account {}/{account}", pod.namespace),
                    Locator::new(Need::PodUids, item),
                )
                .step(
                    format!(
                        "may use nodes/proxy by ClusterRoleBinding {}",
                        grant.binding.name
                    ),
                    format!("the kubelet's API on {}", node.name),
                    binding,
                )
                .step("runs commands in every pod of it", root(node), role);
            out.paths
                .push(way.ends(CheckId("SP-KUB-017"), Severity::Critical));
        }
    }
}

/// Whether a subject of a binding is the account of a pod that runs, or has it as a member.
fn is_of(held: &Holder, pod: &PodId, account: &str) -> bool {
    let who = Holder {
        kind: Text::new("ServiceAccount"),
        namespace: Text::new(&pod.namespace),
        name: Text::new(account),
    };
    !account.is_empty() && !pod.traits.any(PodTraits::ENDED) && covers(held, &who)
}

/// What a static pod of root mounts and somebody else can change (SP-MRG-018).
pub(super) fn by_sources(node: &NodeFacts, view: &View<'_>, out: &mut AttackPaths) {
    let Judge::Node(judge) = &host_path_source::CHECK.judge else {
        return;
    };
    let (offences, gaps) = match judge(node, view) {
        Ok(Verdict::Fail { offences, gaps }) => (offences, gaps),
        Ok(_) => return,
        Err(gap) => return out.gap(gap),
    };
    for gap in gaps {
        out.gap(gap);
    }
    let Ok(declared) = declared(node) else {
        return;
    };
    for offence in offences {
        let weak = plain(offence.subject.key.as_str());
        let at = offence.evidence.iter().next();
        let at = at.unwrap_or(Locator::list(Need::HostPaths));
        for pod in &declared.pods {
            let around = Around {
                pod: pod.pod,
                at: pod.at,
            };
            let mut volumes = around.host_paths();
            let found = volumes.find(|(volume, path)| {
                holds(&weak, &plain(path))
                    && around.containers().any(|inside| takes(&inside, volume))
            });
            let Some((_, path)) = found else {
                continue;
            };
            let name = format!("static pod {}", around.name());
            let way = Way::begin(format!("a login of {} that is not root", node.name))
                .step(offence.message.clone(), weak.as_str(), at)
                .step(format!("is mounted as {path} by"), name, pod.at)
                .step("takes what it finds there, as root", root(node), pod.at);
            out.paths
                .push(way.ends(host_path_source::CHECK.id, offence.severity));
        }
    }
}

/// Whether a container that may run as root mounts a volume.
fn takes(inside: &Inside<'_>, volume: &str) -> bool {
    may_be_root(inside) && writes(inside.container, volume).is_some()
}

/// An administrator's credential in a static pod (SP-MRG-030).
pub(super) fn by_credentials(node: &NodeFacts, out: &mut AttackPaths) {
    let known = credentials(node);
    let all = match declared(node) {
        Ok(all) => all,
        Err(gap) => return out.gap(gap),
    };
    for gap in known.gaps.iter().chain(&all.gaps) {
        out.gap(gap.clone());
    }
    for pod in &all.pods {
        let around = Around {
            pod: pod.pod,
            at: pod.at,
        };
        for mounted in held(&around, &known) {
            let Mounted::Found(found) = mounted else {
                continue;
            };
            if found.severity < Severity::Critical {
                continue;
            }
            let start = format!("whoever breaks into static pod {}", around.name());
            let way = Way::begin(start)
                .step(found.words, format!("{} of the node", found.path), pod.at)
                .step(
                    "is, or makes, an administrator's credential",
                    CLUSTER,
                    pod.at,
                );
            out.paths
                .push(way.ends(CheckId("SP-MRG-030"), found.severity));
        }
    }
}
