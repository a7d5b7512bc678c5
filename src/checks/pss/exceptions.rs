//! Who may break the baseline: components of the control plane, and what the site's policy declares.

use crate::checks::check::View;
use crate::model::fact::Gap;
use crate::model::known::CONTROL_PLANE_COMPONENTS;
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::policy::is_match;
use crate::model::text::Text;

/// What the components of a control plane cannot do without: kubeadm's own manifests break these.
const COMPONENT: [&str; 4] = [
    "hostNamespaces",
    "hostPathVolumes",
    "hostPorts",
    "hostProbesAndHostLifecycle",
];

/// Whether a control may be broken because the pod is a component of the control plane.
pub fn is_component(pod: &Pod, control: &str) -> bool {
    pod.namespace == "kube-system"
        && CONTROL_PLANE_COMPONENTS.contains(&pod.name.as_str())
        && COMPONENT.contains(&control)
}

/// Whether the policy lets a pod break a control on a node.
///
/// # Errors
/// The gap where the policy, or which nodes an entry means, is not known.
pub fn is_declared(
    node: &NodeFacts,
    view: &View<'_>,
    pod: &Pod,
    control: &str,
) -> Result<bool, Gap> {
    let policy = view.policy.file.get()?;
    let declared = policy
        .value
        .as_ref()
        .and_then(|file| file.static_pods.as_ref());
    let name = format!("{}/{}", pod.namespace, pod.name);
    let allows = |list: &[Text]| list.iter().any(|own| is_match(own.as_str(), control));
    let mut gap = None;
    for entry in declared.into_iter().flatten() {
        if !is_match(entry.pod.as_str(), &name) || !allows(&entry.pss) {
            continue;
        }
        match entry.nodes.covers(&node.name, &node.api.object) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(why) => gap = Some(why),
        }
    }
    gap.map_or(Ok(false), Err)
}
