//! Containers of static pods as they are declared, each with the processes that really run in it.
//!
//! The join: a container's id in the cgroup of its processes, its name in the link that the kubelet makes for its
//! log. A process that cannot be joined is never left out quietly: it is a gap.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Tally;
use super::merge::pairs::{Declared, declared, hidden_processes};
use crate::model::fact::{Gap, Locator, Seen};
use crate::model::node::NodeFacts;
use crate::model::process::{Process, Processes};
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::verdict::Subject;

/// Seconds in which a process of the runtime itself may still be in a container's cgroup.
const SETTLING: i64 = 10;

/// One container of one static pod.
pub struct Running<'n> {
    pub declared: &'n Declared<'n>,
    pub container: Branch<'n>,
    pub name: Text,
    pub subject: Subject,
    /// Live processes in it; none where it does not run.
    pub processes: Vec<&'n Process>,
    /// The manifest, then the list of processes.
    pub evidence: Vec<Locator>,
}

impl Running<'_> {
    /// `container c of kube-system/etcd`.
    pub fn words(&self) -> String {
        let pod = self.declared.pod;
        format!("container {} of {}/{}", self.name, pod.namespace, pod.name)
    }

    /// A field of the security context, the container's own before the pod's.
    pub fn context(&self, field: &str) -> Option<Branch<'_>> {
        let set = |part: Branch<'_>| part.get(field).is_some_and(|value| !value.is_null());
        let own = self
            .container
            .get("securityContext")
            .filter(|own| set(*own));
        let all = || self.declared.pod.spec().get("securityContext");
        own.or_else(all)?
            .get(field)
            .filter(|value| !value.is_null())
    }

    /// A field of the container's own security context.
    pub fn own(&self, field: &str) -> Option<Branch<'_>> {
        let own = self.container.get("securityContext")?;
        own.get(field).filter(|value| !value.is_null())
    }

    /// A switch of the container's own security context: true, false or not set.
    ///
    /// # Errors
    /// Where it is something else: then the kubelet would not take the file either.
    pub fn switch(&self, field: &str) -> Result<Option<bool>, Gap> {
        match self.own(field) {
            None => Ok(None),
            Some(Branch::Bool(on)) => Ok(Some(on)),
            Some(_) => Err(Gap::Garbled {
                what: Text::from(format!(
                    "securityContext.{field} of container {} is not true or false",
                    self.subject
                )),
            }),
        }
    }

    pub fn is_privileged(&self) -> bool {
        self.own("privileged") == Some(Branch::Bool(true))
    }
}

/// Who runs, and what could not be joined.
pub struct Join<'n> {
    processes: &'n Seen<Processes>,
    /// Processes by the id of their container.
    by_id: BTreeMap<&'n str, Vec<&'n Process>>,
}

/// Reads the processes of a node.
///
/// # Errors
/// The gap where they are not known.
pub fn join(node: &NodeFacts) -> Result<Join<'_>, Gap> {
    let processes = node.host.processes.get()?;
    let mut by_id: BTreeMap<&str, Vec<&Process>> = BTreeMap::new();
    for process in &processes.value.list {
        let place = process.pod.as_ref();
        if let Some(id) = place.and_then(|place| place.container.as_deref()) {
            by_id.entry(id).or_default().push(process);
        }
    }
    Ok(Join { processes, by_id })
}

impl<'n> Join<'n> {
    pub fn at(&self) -> Locator {
        self.processes.at
    }

    /// Why processes of the static pods of the node may be missing in what was joined.
    pub fn gaps(&self, node: &NodeFacts) -> Vec<Gap> {
        let all = &self.processes.value;
        let mut gaps = Vec::new();
        if let Err(gap) = all.containers.get() {
            gaps.push(gap);
        }
        if all.hidepid {
            gaps.push(hidden_processes());
        }
        if all.more {
            gaps.push(Gap::Garbled {
                what: Text::new("more processes run in pods than are read"),
            });
        }
        gaps.extend(self.strays(node));
        gaps
    }

    /// Containers that no log names, and that may be those of a declared pod: of a pod that has others with a name,
    /// or of any while a declared pod is missing. A pod that nobody declared is SP-MRG-010's.
    fn strays(&self, node: &NodeFacts) -> Vec<Gap> {
        let mut pods: BTreeMap<&Text, (bool, bool)> = BTreeMap::new();
        let mut running: BTreeSet<(&Text, &Text)> = BTreeSet::new();
        for (id, processes) in &self.by_id {
            let place = processes.first().and_then(|first| first.pod.as_ref());
            let Some(place) = place else { continue };
            let (named, stray) = pods.entry(&place.uid).or_default();
            match self.processes.value.container(id) {
                Some(name) => {
                    *named = true;
                    running.insert((&name.namespace, &name.pod));
                }
                // The pause container of a pod has no log.
                None => *stray |= processes.iter().any(|process| process.comm != "pause"),
            }
        }
        let declared = declared(node);
        let missing = declared
            .iter()
            .flat_map(|all| &all.pods)
            .any(|pod| !running.contains(&(&pod.pod.namespace, &pod.mirror_name)));
        let strays = pods
            .into_iter()
            .filter(|(_, (named, stray))| *stray && (*named || missing));
        strays
            .map(|(uid, _)| Gap::Garbled {
                what: Text::from(format!(
                    "which container the processes of pod {uid} are in: no log names it"
                )),
            })
            .collect()
    }

    /// Processes of a container of a static pod, those of the runtime that starts it aside.
    fn of(&self, pod: &Declared<'_>, container: &Text, now: Option<i64>) -> Vec<&'n Process> {
        let Ok(names) = self.processes.value.containers.get() else {
            return Vec::new();
        };
        let ids = names.value.iter().filter(|name| {
            name.namespace == pod.pod.namespace
                && name.pod == pod.mirror_name
                && name.container == *container
        });
        ids.filter_map(|name| self.by_id.get(&*name.id))
            .flatten()
            .copied()
            .filter(|process| !is_starting(process, now))
            .collect()
    }
}

/// A runtime enters the cgroup before it gives its rights away. Only a young process of its name is one.
fn is_starting(process: &Process, now: Option<i64>) -> bool {
    let comm = process.comm.as_str();
    let runtime = comm.starts_with("runc") || comm.starts_with("crun");
    let age = now.zip(process.started).map(|(now, started)| now - started);
    runtime && age.is_some_and(|age| age < SETTLING)
}

/// Judges every container of every static pod of Linux, with what runs in it.
///
/// Leaves evidence and gaps of the manifests in the tally; those of the processes are the caller's, since a check
/// that finds its answer in the manifest does not wait for them.
///
/// # Errors
/// The gap where the manifests as a whole are not known.
pub fn each(
    node: &NodeFacts,
    join: Option<&Join<'_>>,
    tally: &mut Tally,
    mut judge: impl FnMut(&Running<'_>, &mut Tally),
) -> Result<(), Gap> {
    let declarations = declared(node)?;
    declarations.tell(tally);
    let clock = node.host.identity.get().ok();
    let now = clock.map(|identity| identity.value.clock);
    for declared in &declarations.pods {
        let windows = declared
            .pod
            .spec()
            .pointer("/os/name")
            .and_then(Branch::as_str);
        if windows == Some("windows") {
            continue;
        }
        for (_, container) in declared.pod.containers() {
            let name = container.get("name").and_then(Branch::as_str);
            let name = Text::new(name.unwrap_or_default());
            let pod = declared.pod;
            let processes = join.map(|join| join.of(declared, &name, now));
            judge(
                &Running {
                    declared,
                    container,
                    subject: Subject::container(&pod.namespace, &pod.name, &name),
                    name,
                    processes: processes.unwrap_or_default(),
                    evidence: std::iter::once(declared.at)
                        .chain(join.map(Join::at))
                        .collect(),
                },
                tally,
            );
        }
    }
    Ok(())
}
