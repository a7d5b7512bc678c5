//! Which network policies select a static pod, and whether one holds it at all.

use crate::checks::merge::pairs::mirrors;
use crate::model::cluster::ClusterFacts;
use crate::model::fact::{Gap, Locator, Need, Seen};
use crate::model::objects::{NetworkPolicy, label_of, of_namespace};
use crate::model::pod::{Mirror, Pod};
use crate::model::tree::Branch;

/// Whether a pod is on its node's network, where no network policy holds.
pub fn on_host_network(pod: &Pod) -> bool {
    let field = pod.spec().get("hostNetwork").and_then(Branch::as_bool);
    field == Some(true)
}

/// Policies of the pod's namespace that select it.
///
/// # Errors
/// The gap where policies are not known.
pub fn selecting<'c>(
    cluster: &'c ClusterFacts,
    pod: &Pod,
) -> Result<Vec<(Locator, &'c NetworkPolicy)>, Gap> {
    let list = cluster.objects.network_policies.get()?;
    let own = of_namespace(Need::NetworkPolicies, &list.value, pod.namespace.as_str());
    let metadata = pod.metadata();
    Ok(own
        .filter(|(_, policy)| policy.pod_selector.matches(|key| label_of(metadata, key)))
        .collect())
}

/// Mirrors that are on the pod network, and how many are not.
pub fn on_pod_network(list: &Seen<Vec<Mirror>>) -> (Vec<(Locator, &Mirror)>, usize) {
    let all: Vec<_> = mirrors(list).collect();
    let count = all.len();
    let inside: Vec<_> = all
        .into_iter()
        .filter(|(_, mirror)| !on_host_network(&mirror.pod))
        .collect();
    let outside = count - inside.len();
    (inside, outside)
}
