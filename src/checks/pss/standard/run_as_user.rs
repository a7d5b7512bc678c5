//! `runAsUser`: nothing is started as root by number, unless root is mapped (from 1.35 on).

use super::blame::{Blame, Want};
use super::{Control, Level, Revision, Shape, Violation};

pub(super) static CONTROL: Control = Control {
    id: "runAsUser",
    level: Level::Restricted,
    revisions: &[
        Revision::since(23, judge),
        Revision::since(35, outside_user_namespace),
    ],
};

fn outside_user_namespace(pod: &Shape<'_>) -> Option<Violation> {
    (!pod.in_user_namespace()).then(|| judge(pod)).flatten()
}

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    for (at, container, context) in pod.contexts() {
        if context.run_as_user == Some(0) {
            let want = Want::Try(65534.into(), "that user may read and write what it has to");
            blame.context(at, container, "runAsUser", want);
        }
    }
    blame.forbidden("runAsUser=0", |blame| {
        format!("{} must not set runAsUser=0", blame.setters().join(" and "))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        hold(
            "runAsUser",
            &[
                Case::context("runAsUser", "null").allowed(),
                Case::context("runAsUser", "1").allowed(),
                Case::context("runAsUser", "0").forbidden(23..),
                Case::main("runAsUser", "0").forbidden(23..),
                Case::init("runAsUser", "0").forbidden(23..),
                Case::ephemeral("runAsUser", "0").forbidden(23..),
                Case::main("runAsUser", "0")
                    .and("/spec/hostUsers", "false")
                    .forbidden(23..35),
            ],
        );
        says(
            &Case::context("runAsUser", "0")
                .and("/spec/containers/0/securityContext/runAsUser", "0"),
            "runAsUser=0 (pod and container \"main\" must not set runAsUser=0)",
        );
    }
}
