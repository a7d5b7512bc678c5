//! `seccompProfile_baseline`: nothing is Unconfined by annotation (to 1.18) or by field (from 1.19 on).

use super::blame::{Blame, Want};
use super::path::Path;
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "seccompProfile_baseline",
    level: Level::Baseline,
    revisions: &[Revision::since(0, annotations), Revision::since(19, fields)],
};

const POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";

pub(super) const REASON: &str = "seccompProfile";
pub(super) const FIELD: &str = "seccompProfile.type";

fn annotations(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    let mut forbidden = Vec::new();
    for (key, value) in &pod.annotations {
        let named = |name: &str| key.strip_prefix(CONTAINER) == Some(name);
        let containers: Vec<_> = pod
            .containers
            .iter()
            .filter(|container| named(container.name))
            .collect();
        let is_asked = *key == POD || !containers.is_empty();
        let is_allowed = matches!(*value, "runtime/default" | "docker/default")
            || value.starts_with("localhost/");
        if is_asked && !is_allowed {
            forbidden.push(format!("{key}={}", words::quote(value)));
            for container in containers {
                blame.container(container);
            }
            blame.field(Path::new("metadata.annotations").key(key), Want::Remove);
        }
    }
    blame.forbidden(REASON, |_| {
        let forbidden = words::set(forbidden);
        let word = words::pluralize("annotation", "annotations", forbidden.len());
        format!("forbidden {word} {}", forbidden.join(", "))
    })
}

fn fields(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    let mut values = Vec::new();
    for (at, container, context) in pod.contexts() {
        if let Some(kind) = context.seccomp.filter(|kind| !is_confined(kind)) {
            values.push(kind);
            blame.context(at, container, FIELD, Want::Set("RuntimeDefault".into()));
        }
    }
    blame.forbidden(REASON, |blame| unconfined(blame, values))
}

pub(super) fn is_confined(kind: &str) -> bool {
    matches!(kind, "RuntimeDefault" | "Localhost")
}

pub(super) fn unconfined(blame: &Blame<'_>, values: Vec<&str>) -> String {
    format!(
        "{} must not set securityContext.seccompProfile.type to {}",
        blame.setters().join(" and "),
        words::join_quote(&words::set(values))
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says_at};

    #[test]
    fn versions() {
        let note = |key: &str, value: &str| {
            Case::pod(
                "/metadata/annotations",
                &format!(r#"{{"{key}": "{value}"}}"#),
            )
        };
        let pod = "seccomp.security.alpha.kubernetes.io/pod";
        let main = "container.seccomp.security.alpha.kubernetes.io/main";
        let other = "container.seccomp.security.alpha.kubernetes.io/other";
        hold(
            "seccompProfile_baseline",
            &[
                note(pod, "runtime/default").allowed(),
                note(pod, "docker/default").allowed(),
                note(main, "localhost/x").allowed(),
                note(pod, "unconfined").forbidden(0..19),
                note(main, "unconfined").forbidden(0..19),
                note(main, "").forbidden(0..19),
                note(other, "unconfined").allowed(),
                Case::context("seccompProfile", r#"{"type": "Localhost"}"#).allowed(),
                Case::context("seccompProfile", r#"{"type": "Unconfined"}"#).forbidden(19..),
                Case::main("seccompProfile", r#"{"type": "Unconfined"}"#).forbidden(19..),
                Case::init("seccompProfile", "{}").forbidden(19..),
                Case::ephemeral("seccompProfile", r#"{"type": "x"}"#).forbidden(19..),
                Case::main("seccompProfile", "null").allowed(),
            ],
        );
    }

    #[test]
    fn messages() {
        says_at(
            18,
            &Case::pod(
                "/metadata/annotations",
                r#"{"seccomp.security.alpha.kubernetes.io/pod": "no", "container.seccomp.security.alpha.kubernetes.io/main": ""}"#,
            ),
            "seccompProfile (forbidden annotations container.seccomp.security.alpha.kubernetes.io/main=\"\", seccomp.security.alpha.kubernetes.io/pod=\"no\")",
        );
        says_at(
            19,
            &Case::context("seccompProfile", r#"{"type": "Unconfined"}"#),
            "seccompProfile (pod must not set securityContext.seccompProfile.type to \"Unconfined\")",
        );
    }
}
