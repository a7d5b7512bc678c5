//! Whether a pod plainly needs more than the baseline level allows.

use crate::model::pod::Pod;
use crate::model::tree::Branch;

/// What makes admission at `baseline` refuse the pod, in words; `None` proves nothing.
///
/// Only the host's namespaces, paths and ports and privileged mode: enough to know that an enforced
/// baseline would hide this pod, not enough to promise that it would not. A host port is any container
/// port under hostNetwork, since the API server defaults it before admission looks.
pub fn plainly_violated(pod: &Pod) -> Option<&'static str> {
    let spec = pod.spec();
    let on = |field: &str| spec.get(field) == Some(Branch::Bool(true));
    if on("hostNetwork") {
        return Some("host network");
    }
    if on("hostPID") || on("hostIPC") {
        return Some("host namespaces");
    }
    let volumes = spec.get("volumes").and_then(Branch::as_array);
    if volumes.is_some_and(|list| list.iter().any(|volume| volume.get("hostPath").is_some())) {
        return Some("host paths");
    }
    pod.containers().find_map(|(_, container)| {
        let privileged = container.pointer("/securityContext/privileged");
        if privileged == Some(Branch::Bool(true)) {
            return Some("privileged containers");
        }
        let ports = container.get("ports").and_then(Branch::as_array)?;
        let host_port = |port: Branch<'_>| port.get("hostPort").and_then(Branch::as_u64);
        let taken = ports
            .iter()
            .any(|port| host_port(port).is_some_and(|n| n > 0));
        taken.then_some("host ports")
    })
}
