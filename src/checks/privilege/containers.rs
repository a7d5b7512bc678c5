//! Every pod and every container of every manifest, one judgement each, and the words of their fields.

use crate::checks::check::Tally;
use crate::model::fact::{Gap, Locator};
use crate::model::known::CONTROL_PLANE_COMPONENTS;
use crate::model::node::NodeFacts;
use crate::model::pod::{ContainerKind, Pod};
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Offence, Subject, SubjectKind, Verdict};

/// A pod with its place.
#[derive(Clone, Copy)]
pub struct Around<'m> {
    pub pod: &'m Pod,
    /// Of the manifest's content.
    pub at: Locator,
}

/// A container with the pod around it.
pub struct Inside<'m> {
    pub pod: &'m Pod,
    pub kind: ContainerKind,
    pub container: Branch<'m>,
    pub subject: Subject,
    pub name: Text,
    pub at: Locator,
}

impl<'m> Around<'m> {
    /// `namespace/name`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.pod.namespace, self.pod.name)
    }

    pub fn subject(&self) -> Subject {
        Subject::pod(&self.pod.namespace, &self.pod.name)
    }

    /// Of a part of the pod that is no container: a volume, a control of a standard.
    pub fn part(&self, part: &str) -> Subject {
        Subject::new(SubjectKind::Pod, format!("{}/{part}", self.name()))
    }

    /// A field of the spec that is true, false or not set.
    ///
    /// # Errors
    /// As [`switch`].
    pub fn switch(&self, field: &str) -> Result<Option<bool>, Gap> {
        boolean(self.pod.spec().get(field), || {
            format!("{field} of {}", self.name())
        })
    }

    pub fn containers(self) -> impl Iterator<Item = Inside<'m>> {
        self.pod.containers().map(move |(kind, container)| {
            let name = Text::new(word(container.get("name")));
            Inside {
                pod: self.pod,
                kind,
                container,
                subject: Subject::container(&self.pod.namespace, &self.pod.name, &name),
                name,
                at: self.at,
            }
        })
    }

    /// Volumes that are paths of the host: name and path.
    pub fn host_paths(&self) -> impl Iterator<Item = (&'m str, &'m str)> {
        items(self.pod.spec().get("volumes")).filter_map(|volume| {
            let path = volume.get("hostPath")?.get("path")?.as_str()?;
            Some((word(volume.get("name")), path))
        })
    }

    /// Whether it is one of the components that kubeadm and its like run as static pods of kube-system.
    pub fn is_component(&self, others: &[&str]) -> bool {
        let name = self.pod.name.as_str();
        self.pod.namespace == "kube-system"
            && (CONTROL_PLANE_COMPONENTS.contains(&name) || others.contains(&name))
    }
}

impl Inside<'_> {
    /// `container NAME of NAMESPACE/POD`.
    pub fn words(&self) -> String {
        let (ns, pod) = (&self.pod.namespace, &self.pod.name);
        format!("container {} of {ns}/{pod}", self.name)
    }

    /// A field below the container, null where it is not there.
    pub fn field(&self, pointer: &str) -> Branch<'_> {
        self.container.pointer(pointer).unwrap_or(Branch::Null)
    }
}

/// Judges all pods. A file that is no pod runs nothing and is SP-FILE-012's.
///
/// # Errors
/// The gap of a manifest that could not be read, where no other proves an offence.
pub fn each_pod(
    node: &NodeFacts,
    judge: impl FnMut(Around<'_>, &mut Tally),
) -> Result<Verdict, Gap> {
    every_pod(node, judge)?.verdict()
}

/// As [`each_pod`], before the verdict is drawn.
///
/// # Errors
/// The gap where the manifests as a whole are not known.
pub fn every_pod(
    node: &NodeFacts,
    mut judge: impl FnMut(Around<'_>, &mut Tally),
) -> Result<Tally, Gap> {
    let manifests = node.host.manifests.get()?;
    let mut tally = Tally::new();
    tally.good(manifests.at);
    for manifest in &manifests.value {
        let Some(manifest) = tally.take(manifest) else {
            continue;
        };
        let Some(parsed) = tally.take(&manifest.value.pod) else {
            continue;
        };
        tally.good(manifest.at);
        if let Some(pod) = parsed.value.pod() {
            let around = Around { pod, at: parsed.at };
            judge(around, &mut tally);
        }
    }
    Ok(tally)
}

/// Judges all containers of pods that are not for Windows, init containers among them.
///
/// # Errors
/// As [`each_pod`].
pub fn each_container(
    node: &NodeFacts,
    mut judge: impl FnMut(&Inside<'_>) -> Result<Option<Offence>, Gap>,
) -> Result<Verdict, Gap> {
    each_pod(node, |around, tally| {
        if is_windows(around.pod) {
            return;
        }
        for inside in around.containers() {
            let outcome = judge(&inside);
            tally.part(around.at, outcome);
        }
    })
}

/// A Windows pod has neither privileged mode nor a read-only root; HostProcess is its own matter.
pub fn is_windows(pod: &Pod) -> bool {
    pod.spec().pointer("/os/name").and_then(Branch::as_str) == Some("windows")
}

/// A field of the container's security context that is true, false or not set.
///
/// # Errors
/// Where it is something else: then the kubelet would not take the file either.
pub fn switch(inside: &Inside<'_>, field: &str) -> Result<Option<bool>, Gap> {
    let found = inside
        .container
        .pointer(&format!("/securityContext/{field}"));
    boolean(found, || {
        format!("securityContext.{field} of container {}", inside.subject)
    })
}

fn boolean(found: Option<Branch<'_>>, what: impl FnOnce() -> String) -> Result<Option<bool>, Gap> {
    match found {
        None | Some(Branch::Null) => Ok(None),
        Some(Branch::Bool(on)) => Ok(Some(on)),
        Some(_) => Err(Gap::Garbled {
            what: Text::from(format!("{} is not true or false", what())),
        }),
    }
}

/// A string, the empty one where there is none.
pub fn word(branch: Option<Branch<'_>>) -> &str {
    branch.and_then(Branch::as_str).unwrap_or("")
}

/// Whether a container that mounts a volume may write to it; none where it does not mount it.
pub fn writes(container: Branch<'_>, volume: &str) -> Option<bool> {
    let mounts = items(container.get("volumeMounts"));
    let own = mounts.filter(|mount| word(mount.get("name")) == volume);
    own.map(|mount| mount.get("readOnly") != Some(Branch::Bool(true)))
        .max()
}

/// The items of a list, none where there is no list.
pub fn items(branch: Option<Branch<'_>>) -> impl Iterator<Item = Branch<'_>> {
    let list = branch.and_then(Branch::as_array);
    list.into_iter().flat_map(Items::iter)
}

/// The strings of a list.
pub fn words(branch: Option<Branch<'_>>) -> impl Iterator<Item = &str> {
    items(branch).filter_map(Branch::as_str)
}
