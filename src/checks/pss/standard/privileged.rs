//! `privileged`: no container has every device and capability of the node.

use super::blame::{Blame, Want};
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "privileged",
    level: Level::Baseline,
    revisions: &[Revision::since(0, judge)],
};

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    for container in &pod.containers {
        if container.context.privileged == Some(true) {
            blame.container(container);
            let want = Want::Try(false.into(), "the program works without the host's devices");
            blame.field(container.at.context("privileged"), want);
        }
    }
    blame.forbidden("privileged", |blame| {
        format!(
            "{} must not set securityContext.privileged=true",
            words::containers(&blame.containers)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        hold(
            "privileged",
            &[
                Case::main("privileged", "false").allowed(),
                Case::main("privileged", "null").allowed(),
                Case::main("privileged", "true").forbidden(0..),
                Case::init("privileged", "true").forbidden(0..),
                Case::ephemeral("privileged", "true").forbidden(0..),
            ],
        );
        says(
            &Case::main("privileged", "true"),
            "privileged (container \"main\" must not set securityContext.privileged=true)",
        );
    }
}
