//! `seccompProfile_restricted`: every container has a profile, its own or the pod's, and none is Unconfined.

use super::blame::{Blame, Want};
use super::seccomp_baseline::{self, FIELD, REASON, is_confined};
use super::shape::Place;
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "seccompProfile_restricted",
    level: Level::Restricted,
    revisions: &[
        Revision::since(19, any_system).overriding(seccomp_baseline::CONTROL.id),
        Revision::since(25, not_windows).overriding(seccomp_baseline::CONTROL.id),
    ],
};

fn not_windows(pod: &Shape<'_>) -> Option<Violation> {
    (!pod.is_windows).then(|| any_system(pod)).flatten()
}

fn any_system(pod: &Shape<'_>) -> Option<Violation> {
    let want = || Want::Set("RuntimeDefault".into());
    let (mut blame, mut silent) = (Blame::default(), Blame::default());
    let mut values = Vec::new();
    let pod_set = pod.context.seccomp.is_some_and(is_confined);
    for (at, container, context) in pod.contexts() {
        match (context.seccomp, container) {
            (Some(kind), _) if is_confined(kind) => {}
            (Some(kind), _) => {
                values.push(kind);
                blame.context(at, container, FIELD, want());
            }
            (None, Some(container)) if !pod_set => {
                silent.container(container);
                silent.missing(at.context(FIELD));
            }
            (None, _) => {}
        }
    }
    let pod_level = !silent.is_empty() && !blame.is_pod;
    let last = if blame.is_empty() {
        &mut silent
    } else {
        &mut blame
    };
    if pod_level {
        last.change(Place::Pod.context(FIELD), want());
    }
    let explicit = blame.forbidden(REASON, |blame| seccomp_baseline::unconfined(blame, values));
    explicit.or_else(|| {
        silent.forbidden(REASON, |silent| {
            let who = words::containers(&silent.containers);
            format!(
                "pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        let profile = r#"{"type": "Localhost"}"#;
        hold(
            "seccompProfile_restricted",
            &[
                Case::context("seccompProfile", profile).allowed(),
                Case::context("seccompProfile", "null").forbidden(19..),
                Case::context("seccompProfile", r#"{"type": "Unconfined"}"#).forbidden(19..),
                Case::every("seccompProfile", profile)
                    .and("/spec/securityContext/seccompProfile", "null")
                    .allowed(),
                Case::main("seccompProfile", r#"{"type": "Unconfined"}"#).forbidden(19..),
                Case::ephemeral("seccompProfile", "{}").forbidden(19..),
                Case::context("seccompProfile", "null")
                    .and("/spec/os", r#"{"name": "windows"}"#)
                    .forbidden(19..25),
            ],
        );
    }

    #[test]
    fn messages() {
        says(
            &Case::context("seccompProfile", "null"),
            "seccompProfile (pod or containers \"init\", \"main\", \"debug\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")",
        );
    }
}
