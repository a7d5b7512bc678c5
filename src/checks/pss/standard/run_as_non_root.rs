//! `runAsNonRoot`: the kubelet refuses to start containers as root, unless root is mapped (from 1.35 on).

use super::blame::{Blame, Want};
use super::shape::Place;
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "runAsNonRoot",
    level: Level::Restricted,
    revisions: &[
        Revision::since(0, judge),
        Revision::since(35, outside_user_namespace),
    ],
};

const FIELD: &str = "runAsNonRoot";
const SEE: &str = "the image has a user that is not root";

fn outside_user_namespace(pod: &Shape<'_>) -> Option<Violation> {
    (!pod.in_user_namespace()).then(|| judge(pod)).flatten()
}

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let yes = || Want::Try(true.into(), SEE);
    let (mut blame, mut silent) = (Blame::default(), Blame::default());
    if pod.context.run_as_non_root == Some(false) {
        blame.context(Place::Pod, None, FIELD, yes());
    }
    for container in &pod.containers {
        match container.context.run_as_non_root {
            Some(true) => {}
            Some(false) => blame.context(container.at, Some(container), FIELD, yes()),
            None if pod.context.run_as_non_root == Some(true) => {}
            None => {
                silent.container(container);
                silent.missing(container.at.context(FIELD));
            }
        }
    }
    let pod_level = !silent.is_empty() && !blame.is_pod;
    let last = if blame.is_empty() {
        &mut silent
    } else {
        &mut blame
    };
    if pod_level {
        last.change(Place::Pod.context(FIELD), yes());
    }
    let explicit = blame.forbidden("runAsNonRoot != true", |blame| {
        let setters = blame.setters().join(" and ");
        format!("{setters} must not set securityContext.runAsNonRoot=false")
    });
    explicit.or_else(|| {
        silent.forbidden("runAsNonRoot != true", |silent| {
            let who = words::containers(&silent.containers);
            format!("pod or {who} must set securityContext.runAsNonRoot=true")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        let own = |case: Case| case.and("/spec/hostUsers", "false");
        hold(
            "runAsNonRoot",
            &[
                Case::context("runAsNonRoot", "true").allowed(),
                Case::context("runAsNonRoot", "null").forbidden(0..),
                Case::context("runAsNonRoot", "false").forbidden(0..),
                Case::main("runAsNonRoot", "false").forbidden(0..),
                Case::init("runAsNonRoot", "false").forbidden(0..),
                Case::ephemeral("runAsNonRoot", "false").forbidden(0..),
                Case::every("runAsNonRoot", "true")
                    .and("/spec/securityContext/runAsNonRoot", "null")
                    .allowed(),
                // Upstream asks it of the pod although no container is left to it.
                Case::every("runAsNonRoot", "true")
                    .and("/spec/securityContext/runAsNonRoot", "false")
                    .forbidden(0..),
                own(Case::context("runAsNonRoot", "false")).forbidden(0..35),
                own(Case::context("runAsNonRoot", "null")).forbidden(0..35),
            ],
        );
    }

    #[test]
    fn messages() {
        says(
            &Case::context("runAsNonRoot", "null"),
            "runAsNonRoot != true (pod or containers \"init\", \"main\", \"debug\" must set securityContext.runAsNonRoot=true)",
        );
        says(
            &Case::context("runAsNonRoot", "false")
                .and("/spec/containers/0/securityContext/runAsNonRoot", "false"),
            "runAsNonRoot != true (pod and container \"main\" must not set securityContext.runAsNonRoot=false)",
        );
    }
}
