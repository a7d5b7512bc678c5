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
