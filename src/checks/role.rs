//! What a node is there for: whether it runs the control plane.

use crate::model::fact::{Gap, Locator, Need};
use crate::model::known::CONTROL_PLANE_COMPONENTS;
use crate::model::node::NodeFacts;

/// Whether a node is part of the control plane, and what proves it.
pub struct Role {
    /// What makes it one, in words; `None` where nothing does.
    pub control_plane: Option<String>,
    pub evidence: Vec<Locator>,
}

/// Reads the role from the label, else from the static pods that lie or run there.
///
/// Any source alone proves a control plane; that it is none takes all of them, since a label is easily
/// left out and a manifest may be the one file that could not be read.
///
/// # Errors
/// The first gap, where no source proves a control plane.
pub fn of(node: &NodeFacts) -> Result<Role, Gap> {
    let mut evidence = Vec::new();
    let mut gap = None;
    match node.api.object.get() {
        Ok(object) => {
            if object.value.is_control_plane() {
                return Ok(Role {
                    control_plane: Some("its role label".to_owned()),
                    evidence: vec![object.at],
                });
            }
            evidence.push(object.at);
        }
        Err(why) => gap = Some(why),
    }
    for source in [by_manifests(node), by_mirrors(node)] {
        match source {
            Ok(role) if role.control_plane.is_some() => return Ok(role),
            Ok(role) => evidence.extend(role.evidence),
            Err(why) => gap = gap.or(Some(why)),
        }
    }
    match gap {
        Some(gap) => Err(gap),
        None => Ok(Role {
            control_plane: None,
            evidence,
        }),
    }
}

/// Where the control plane is that no static pod of the node is a part of: inside a process of the node, or with the
/// provider, in words, and what shows it. It proves nothing of the node itself: labels and versions are what the
/// kubelet says, and a process chooses its name.
pub fn elsewhere(node: &NodeFacts) -> Option<(String, Locator)> {
    by_process(node).or_else(|| by_provider(node))
}

/// The same, where it is with a provider.
pub fn by_provider(node: &NodeFacts) -> Option<(String, Locator)> {
    let object = node.api.object.get().ok()?;
    let version = object.value.kubelet_version.as_str();
    let labels = &object.value.labels;
    let has = |prefix: &str| {
        labels
            .keys()
            .any(|label| label.as_str().starts_with(prefix))
    };
    let provider = if version.contains("-eks-") || has("eks.amazonaws.com/") {
        "Amazon EKS"
    } else if version.contains("-gke.") || has("cloud.google.com/gke-") {
        "Google GKE"
    } else if has("kubernetes.azure.com/") {
        "Azure AKS"
    } else {
        return None;
    };
    let words = format!("{provider} runs the control plane on machines of its own");
    Some((words, object.at))
}

/// Programs that hold an API server, and whose they are.
const HOLDERS: [(&str, &str); 3] = [
    ("kube-apiserver", "kube-apiserver"),
    ("k3s-server", "k3s"),
    ("kubelite", "kubelite of MicroK8s"),
];

/// The same, where it is inside a process of the node.
pub fn by_process(node: &NodeFacts) -> Option<(String, Locator)> {
    let processes = node.host.processes.get().ok()?;
    let mut own = processes.value.list.iter().filter(|one| one.pod.is_none());
    own.find_map(|process| {
        let (_, holder) = HOLDERS.iter().find(|(comm, _)| process.comm == *comm)?;
        let words = format!("{holder} runs as a process of the node, not as a static pod");
        Some((words, processes.at))
    })
}

fn is_component(name: &str) -> bool {
    CONTROL_PLANE_COMPONENTS.contains(&name)
}

fn by_manifests(node: &NodeFacts) -> Result<Role, Gap> {
    let manifests = node.host.manifests.get()?;
    let mut gap = None;
    for manifest in &manifests.value {
        let parsed = manifest
            .get()
            .and_then(|seen| Ok((seen.at, seen.value.pod.get()?)));
        match parsed {
            Ok((at, parsed)) => {
                let pod = parsed.value.pod();
                if let Some(pod) = pod.filter(|pod| is_component(pod.name.as_str())) {
                    return Ok(Role {
                        control_plane: Some(format!("its manifest of {}", pod.name)),
                        evidence: vec![at],
                    });
                }
            }
            Err(why) => gap = gap.or(Some(why)),
        }
    }
    match gap {
        Some(gap) => Err(gap),
        None => Ok(Role {
            control_plane: None,
            evidence: vec![manifests.at],
        }),
    }
}

fn by_mirrors(node: &NodeFacts) -> Result<Role, Gap> {
    let mirrors = node.api.mirrors.get()?;
    let suffix = format!("-{}", node.name.as_str().to_ascii_lowercase());
    for (index, mirror) in (0_u32..).zip(&mirrors.value) {
        let name = mirror.pod.name.as_str();
        let own = name.strip_suffix(&suffix).unwrap_or(name);
        if is_component(own) {
            return Ok(Role {
                control_plane: Some(format!("its mirror pod of {own}")),
                evidence: vec![Locator::new(Need::MirrorPods, index)],
            });
        }
    }
    match &node.api.unread {
        Some(gap) => Err(gap.clone()),
        None => Ok(Role {
            control_plane: None,
            evidence: vec![mirrors.at],
        }),
    }
}
