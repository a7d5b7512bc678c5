//! Every image of every manifest: of containers, and of image volumes.

use super::reference::Reference;
use crate::checks::check::Tally;
use crate::model::fact::{Gap, Locator};
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Offence, Subject, Verdict};

/// An image as a manifest names it.
pub struct Image<'m> {
    pub pod: &'m Pod,
    pub text: &'m str,
    pub reference: Reference<'m>,
    /// `imagePullPolicy`, or `pullPolicy` of an image volume, where written.
    pub pull: Option<&'m str>,
    /// `container NAME` or `volume NAME`.
    pub place: String,
    pub subject: Subject,
    pub at: Locator,
}

/// What kubeadm itself writes: the project's own component at a version's tag, pulled by `kubeadm config images`.
///
/// Tags of releases in that registry are never moved (kubernetes/registry.k8s.io, image promotion).
const RELEASED: &[&str] = &[
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "pause",
];

impl Image<'_> {
    /// Whether it is a released component of Kubernetes by its version's tag.
    pub fn is_release(&self) -> bool {
        let tag = self.reference.tag.unwrap_or("");
        self.reference.registry == "registry.k8s.io"
            && RELEASED.contains(&self.reference.path.as_str())
            && tag
                .trim_start_matches('v')
                .starts_with(|c: char| c.is_ascii_digit())
    }
}

/// Judges all images. A file that is no pod runs nothing and is SP-FILE-012's.
///
/// # Errors
/// The gap of a manifest that could not be read, where no other proves an offence.
pub fn each_image(
    node: &NodeFacts,
    tally: Tally,
    mut judge: impl FnMut(&Image<'_>) -> Result<Option<Offence>, Gap>,
) -> Result<Verdict, Gap> {
    let manifests = node.host.manifests.get()?;
    let mut tally = tally;
    tally.good(manifests.at);
    for manifest in &manifests.value {
        let Some(manifest) = tally.take(manifest) else {
            continue;
        };
        let Some(parsed) = tally.take(&manifest.value.pod) else {
            continue;
        };
        tally.good(manifest.at);
        let Some(pod) = parsed.value.pod() else {
            continue;
        };
        for (place, name, at) in places(pod) {
            let field = if place == "volume" {
                "reference"
            } else {
                "image"
            };
            let outcome = match image((pod, parsed.at), (place, name), at, field) {
                Ok(Some(image)) => judge(&image),
                Ok(None) => Ok(None),
                Err(gap) => Err(gap),
            };
            tally.part(manifest.at, outcome);
        }
    }
    tally.verdict()
}

/// What in a pod has an image: kind, name and the object around it.
fn places(pod: &Pod) -> Vec<(&'static str, &str, Branch<'_>)> {
    let containers = pod
        .containers()
        .map(|(_, container)| ("container", container, container));
    let volumes = pod.spec().get("volumes").and_then(Branch::as_array);
    let volumes = volumes.into_iter().flat_map(Items::iter);
    let volumes = volumes.filter_map(|volume| Some(("volume", volume, volume.get("image")?)));
    containers
        .chain(volumes)
        .map(|(kind, named, at)| {
            let name = named.get("name").and_then(Branch::as_str);
            (kind, name.unwrap_or(""), at)
        })
        .collect()
}

fn image<'m>(
    (pod, at): (&'m Pod, Locator),
    (kind, name): (&str, &str),
    branch: Branch<'m>,
    field: &str,
) -> Result<Option<Image<'m>>, Gap> {
    let place = format!("{kind} {name}");
    let text = match branch.get(field) {
        // Without an image the kubelet refuses the pod: nothing runs.
        None | Some(Branch::Null) => return Ok(None),
        Some(found) => found.as_str().unwrap_or(""),
    };
    let reference = Reference::parse(text).ok_or_else(|| Gap::Garbled {
        what: Text::from(format!(
            "the image of {place} of {}/{} is no reference: {}",
            pod.namespace,
            pod.name,
            Text::new(text)
        )),
    })?;
    let policy = if field == "image" {
        "imagePullPolicy"
    } else {
        "pullPolicy"
    };
    Ok(Some(Image {
        pod,
        text,
        reference,
        pull: branch.get(policy).and_then(Branch::as_str),
        subject: Subject::container(&pod.namespace, &pod.name, &Text::new(name)),
        place,
        at,
    }))
}
