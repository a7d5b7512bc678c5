//! Which confinement a container asks for, and which one a process has.

use super::running::Running;
use crate::model::tree::Branch;

/// A profile as a manifest asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'n> {
    Unset,
    RuntimeDefault,
    Localhost(&'n str),
    Unconfined,
    /// A word that the kubelet does not take.
    Other(&'n str),
}

/// Where an AppArmor profile is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Field,
    /// `container.apparmor.security.beta.kubernetes.io/NAME`, deprecated since 1.30.
    Annotation,
}

/// The key of the annotation, without the container's name.
const ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The AppArmor profile: the container's field, then the annotation, then the pod's field, as the kubelet looks
/// (pkg/security/apparmor/helpers.go: static pods may not have their annotations synced to fields).
pub fn apparmor<'n>(running: &Running<'n>) -> (Asked<'n>, Place) {
    let own = running.container.get("securityContext");
    let own = profile(own, "appArmorProfile");
    if own != Asked::Unset {
        return (own, Place::Field);
    }
    if let Some(word) = annotation(running) {
        return (noted(word), Place::Annotation);
    }
    let all = running.declared.pod.spec().get("securityContext");
    (profile(all, "appArmorProfile"), Place::Field)
}

/// The annotation for a container.
pub fn annotation<'n>(running: &Running<'n>) -> Option<&'n str> {
    let key = format!("{ANNOTATION}{}", running.name);
    running.declared.pod.annotation(&key)
}

fn noted(word: &str) -> Asked<'_> {
    match word {
        "" => Asked::Unset,
        "runtime/default" => Asked::RuntimeDefault,
        "unconfined" => Asked::Unconfined,
        word => word
            .strip_prefix("localhost/")
            .map_or(Asked::Other(word), Asked::Localhost),
    }
}

/// The seccomp profile: the container's field, then the pod's.
pub fn seccomp<'n>(running: &Running<'n>) -> Asked<'n> {
    let own = profile(running.container.get("securityContext"), "seccompProfile");
    if own != Asked::Unset {
        return own;
    }
    let all = running.declared.pod.spec().get("securityContext");
    profile(all, "seccompProfile")
}

fn profile<'n>(context: Option<Branch<'n>>, field: &str) -> Asked<'n> {
    let Some(profile) = context.and_then(|context| context.get(field)) else {
        return Asked::Unset;
    };
    match profile.get("type").and_then(Branch::as_str) {
        None => Asked::Unset,
        Some("RuntimeDefault") => Asked::RuntimeDefault,
        Some("Unconfined") => Asked::Unconfined,
        Some("Localhost") => Asked::Localhost(
            profile
                .get("localhostProfile")
                .and_then(Branch::as_str)
                .unwrap_or_default(),
        ),
        Some(other) => Asked::Other(other),
    }
}

/// The label of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label<'n> {
    /// AppArmor, no profile.
    Unconfined,
    /// AppArmor: profile and mode.
    Profile(&'n str, &'n str),
    /// The type of an SELinux context.
    Selinux(&'n str),
    /// Neither.
    Other,
}

/// Types of SELinux that stop nothing, or what runs beside containers.
const FREE: &[&str] = &[
    "spc_t",
    "unconfined_t",
    "unconfined_service_t",
    "kernel_t",
    "init_t",
    "initrc_t",
    "container_runtime_t",
    "super_t",
];

/// Reads `name (mode)`, `unconfined` or `user:role:type:level`.
pub fn label(text: &str) -> Label<'_> {
    if text == "unconfined" {
        return Label::Unconfined;
    }
    if let Some((name, mode)) = text.rsplit_once(" (")
        && let Some(mode) = mode.strip_suffix(')')
    {
        return Label::Profile(name, mode);
    }
    let mut parts = text.split(':').skip(2);
    match (parts.next(), parts.next()) {
        (Some(kind), Some(_)) if !kind.is_empty() => Label::Selinux(kind),
        _ => Label::Other,
    }
}

impl Label<'_> {
    /// Why it does not confine, in words; none where it does, and where that cannot be told.
    pub fn looseness(self) -> Option<String> {
        match self {
            Self::Unconfined => Some("is unconfined".to_owned()),
            Self::Profile(_, "enforce" | "kill" | "mixed") | Self::Other => None,
            Self::Profile(name, mode) => {
                Some(format!("has AppArmor profile {name} in {mode} mode"))
            }
            Self::Selinux(kind) => FREE
                .contains(&kind)
                .then(|| format!("has SELinux type {kind}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_both_modules() {
        for (text, read, loose) in [
            ("unconfined", Label::Unconfined, true),
            (
                "cri-containerd.apparmor.d (enforce)",
                Label::Profile("cri-containerd.apparmor.d", "enforce"),
                false,
            ),
            (
                "a b (x) (complain)",
                Label::Profile("a b (x)", "complain"),
                true,
            ),
            (":ns:p (enforce)", Label::Profile(":ns:p", "enforce"), false),
            (
                "flags (unconfined)",
                Label::Profile("flags", "unconfined"),
                true,
            ),
            (
                "system_u:system_r:container_t:s0:c1,c2",
                Label::Selinux("container_t"),
                false,
            ),
            ("system_u:system_r:spc_t:s0", Label::Selinux("spc_t"), true),
            ("kernel", Label::Other, false),
            ("", Label::Other, false),
        ] {
            assert_eq!(label(text), read, "{text}");
            assert_eq!(label(text).looseness().is_some(), loose, "{text}");
        }
    }
}
