//! Every container of every manifest, one judgement each.

use crate::checks::check::Tally;
use crate::model::fact::{Gap, Locator};
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::verdict::{Offence, Subject, Verdict};

/// A container with the pod around it.
pub struct Inside<'m> {
    pub pod: &'m Pod,
    pub container: Branch<'m>,
    pub subject: Subject,
    pub name: Text,
    pub at: Locator,
}

/// Judges all containers, init containers among them. A file that is no pod runs nothing and is SP-FILE-012's.
///
/// # Errors
/// The gap of a manifest that could not be read, where no other proves an offence.
pub fn each_container(
    node: &NodeFacts,
    mut judge: impl FnMut(&Inside<'_>) -> Result<Option<Offence>, Gap>,
) -> Result<Verdict, Gap> {
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
        let pods = parsed.value.pod().filter(|pod| !is_windows(pod));
        for (pod, container) in pods.iter().flat_map(|pod| {
            let containers = pod.containers();
            containers.map(move |(_, container)| (*pod, container))
        }) {
            let name = Text::new(container.get("name").and_then(Branch::as_str).unwrap_or(""));
            let inside = Inside {
                pod,
                container,
                subject: Subject::container(&pod.namespace, &pod.name, &name),
                name,
                at: parsed.at,
            };
            let outcome = judge(&inside);
            tally.part(manifest.at, outcome);
        }
    }
    tally.verdict()
}

/// A Windows pod has neither privileged mode nor a read-only root; HostProcess is its own matter.
fn is_windows(pod: &Pod) -> bool {
    pod.spec().pointer("/os/name").and_then(Branch::as_str) == Some("windows")
}

/// A field of the container's security context that is true, false or not set.
///
/// # Errors
/// Where it is something else: then the kubelet would not take the file either.
pub fn switch(inside: &Inside<'_>, field: &str) -> Result<Option<bool>, Gap> {
    match inside
        .container
        .pointer(&format!("/securityContext/{field}"))
    {
        None | Some(Branch::Null) => Ok(None),
        Some(Branch::Bool(on)) => Ok(Some(on)),
        Some(_) => Err(Gap::Garbled {
            what: Text::from(format!(
                "securityContext.{field} of container {} is not true or false",
                inside.subject
            )),
        }),
    }
}
