//! Where a component is on a node: in its manifests, and among its processes.

use super::given::{Root, asks};
use super::{Component, Given};
use crate::checks::merge::pairs::{declared, hidden_processes, same_uid};
use crate::checks::program::started;
use crate::checks::role;
use crate::model::fact::{Fact, Gap, Locator};
use crate::model::node::NodeFacts;
use crate::model::process::{Process, Processes};
use crate::model::text::Text;

/// Programs that have the control plane within themselves.
const WHOLE: [&str; 2] = ["k3s-server", "kubelite"];
/// What the kernel keeps of a program's name.
const COMM: usize = 15;

/// One component that is declared, runs, or both.
pub struct Instance<'n> {
    /// Namespace and name of its mirror; none where no manifest declares it.
    name: Option<(&'n Text, Text)>,
    /// The manifest first.
    pub sides: Vec<Result<Given<'n>, Gap>>,
}

/// All of one component that a node has.
#[derive(Default)]
pub struct Place<'n> {
    pub instances: Vec<Instance<'n>>,
    pub evidence: Vec<Locator>,
    /// Why there may be more of it.
    pub gaps: Vec<Gap>,
    /// Why there is none, where there is none.
    pub why: String,
    /// Uids that manifests pin, each with its instance, where there is one.
    pins: Vec<(&'n str, Option<usize>)>,
}

/// Looks for a component.
pub fn find(node: &NodeFacts, component: Component) -> Place<'_> {
    let mut place = Place::default();
    match declared(node) {
        Err(gap) => place.gaps.push(gap),
        Ok(all) => {
            place.evidence.push(all.at);
            for pod in &all.pods {
                let found = started(pod.pod, component.program());
                let at = found.is_some().then_some(place.instances.len());
                place.pins.extend(pod.pinned().map(|uid| (uid, at)));
                let Some((container, words)) = found else {
                    continue;
                };
                place.instances.push(Instance {
                    name: Some((&pod.pod.namespace, pod.mirror_name.clone())),
                    sides: vec![Ok(Given {
                        words,
                        container: Some(container),
                        root: Root::Pod(pod.pod),
                        written: true,
                        alone: false,
                        at: pod.at,
                    })],
                });
            }
            if place.instances.is_empty() {
                place.gaps.extend(all.gaps);
            }
        }
    }
    let mut ordinary = false;
    match node.host.processes.get() {
        Err(gap) => place.gaps.push(gap),
        Ok(seen) => {
            place.evidence.push(seen.at);
            for process in &seen.value.list {
                if is(process, component) {
                    ordinary |= !place.take(process, &seen.value, seen.at);
                }
            }
            place.unseen(&seen.value, component);
        }
    }
    if place.instances.is_empty() {
        place.why = why(node, component, ordinary, &mut place.evidence);
    }
    place
}

/// By the kernel's word for it, which is cut and may be another program's, and by the file that it was started from or
/// what it was started as: whoever starts a program chooses its first word.
fn is(process: &Process, component: Component) -> bool {
    let program = component.program();
    let cut = &program[..program.len().min(COMM)];
    let last = |path: &Text| {
        let path = path.as_str();
        let path = path.strip_suffix(" (deleted)").unwrap_or(path);
        path.rsplit('/').next() == Some(program)
    };
    let command = process.command.get().ok();
    let first = command.and_then(|words| words.value.first());
    let exe = process.exe.get().ok().map(|exe| &exe.value);
    let mut named = first.into_iter().chain(exe).peekable();
    process.comm == cut && (named.peek().is_none() || named.any(last))
}

impl Place<'_> {
    /// Puts a process where it belongs; false for one in a pod that is no static pod.
    fn take(&mut self, process: &Process, all: &Processes, at: Locator) -> bool {
        let home = match &process.pod {
            None => None,
            Some(pod) => {
                let id = pod.container.as_deref();
                let named = id.and_then(|id| all.container(id));
                let uid = pod.uid.as_str();
                let mut pins = self.pins.iter();
                let pin = pins.find(|(pinned, _)| same_uid(pinned, uid));
                // The uid of an ordinary pod is a UUID, and a manifest may pin one.
                let ordinary = is_uuid(uid) && pin.is_none();
                let own = pin.and_then(|(_, at)| *at).or_else(|| {
                    self.instances
                        .iter()
                        .position(|instance| match (named, &instance.name) {
                            (Some(named), Some((namespace, name))) => {
                                named.namespace == **namespace && named.pod == *name
                            }
                            (None, Some(_)) => !is_uuid(uid),
                            _ => false,
                        })
                });
                if own.is_none() && ordinary {
                    if named.is_none()
                        && let Fact::Gap(gap) = &all.containers
                    {
                        self.gaps.push(gap.clone());
                    }
                    return false;
                }
                own
            }
        };
        let first = home.and_then(|home| self.instances.get(home)?.sides.first()?.as_ref().ok());
        let container = first.and_then(|first| first.container);
        let root = match (first, &process.pod) {
            (Some(first), _) => first.root.clone(),
            (None, None) => Root::Node,
            (None, Some(_)) => Root::Unseen(self.gaps.first().cloned()),
        };
        let given = process.command.get().map(|words| Given {
            words: words
                .value
                .iter()
                .skip(1)
                .map(ToString::to_string)
                .collect(),
            container,
            root,
            written: false,
            alone: false,
            at,
        });
        match home {
            Some(home) => self.instances[home].sides.push(given),
            None => self.instances.push(Instance {
                name: None,
                sides: vec![given],
            }),
        }
        true
    }

    /// Leaves the gaps of processes that may run unseen.
    fn unseen(&mut self, all: &Processes, component: Component) {
        let lone = |instance: &Instance<'_>| instance.sides.len() < 2 && instance.name.is_some();
        if all.hidepid && (self.instances.is_empty() || self.instances.iter().any(lone)) {
            self.gaps.push(hidden_processes());
        }
        // Beside those that are known there may be one that is not declared.
        if all.more {
            self.gaps.push(Gap::Garbled {
                what: Text::new("more processes run in pods than are read"),
            });
        }
        if !all.hidepid && !all.more {
            for instance in &mut self.instances {
                if let [Ok(given)] = &mut instance.sides[..] {
                    given.alone = given.written;
                }
            }
        }
        // One that is declared beside it may be there for show.
        let mut own = all.list.iter().filter(|process| process.pod.is_none());
        let whole = own.find(|process| WHOLE.contains(&process.comm.as_str()));
        if let Some(whole) = whole {
            self.gaps.push(asks(format!(
                "{} has {} within itself: what do its own arguments say of it?",
                whole.comm,
                component.program()
            )));
        }
    }
}

fn is_uuid(uid: &str) -> bool {
    let bytes = uid.as_bytes();
    bytes.len() == 36
        && [8, 13, 18, 23]
            .iter()
            .all(|at| matches!(bytes[*at], b'-' | b'_'))
}

/// Why a node does not have it, and who runs the control plane instead, where that is known.
fn why(
    node: &NodeFacts,
    component: Component,
    ordinary: bool,
    evidence: &mut Vec<Locator>,
) -> String {
    let program = component.program();
    if ordinary {
        return format!("{program} runs here only in pods that are no static pods");
    }
    let none = format!("neither a manifest nor a process of the node is {program}");
    match role::by_provider(node) {
        Some((words, at)) => {
            evidence.push(at);
            format!("{none}: {words}, see its settings there")
        }
        None => none,
    }
}
