//! `procMount`: /proc keeps its masks, unless the pod is in a user namespace of its own (from 1.35 on).

use super::blame::{Blame, Want};
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "procMount",
    level: Level::Baseline,
    revisions: &[
        Revision::since(0, judge),
        Revision::since(35, outside_user_namespace),
    ],
};

fn outside_user_namespace(pod: &Shape<'_>) -> Option<Violation> {
    (!pod.in_user_namespace()).then(|| judge(pod)).flatten()
}

pub(super) fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    let mut kinds = Vec::new();
    for container in &pod.containers {
        let bad = container
            .context
            .proc_mount
            .filter(|kind| *kind != "Default");
        if let Some(kind) = bad {
            kinds.push(kind);
            blame.container(container);
            blame.field(container.at.context("procMount"), Want::Remove);
        }
    }
    blame.forbidden("procMount", |blame| {
        format!(
            "{} must not set securityContext.procMount to {}",
            words::containers(&blame.containers),
            words::join_quote(&words::set(kinds))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        let users = |case: Case, value: &str| case.and("/spec/hostUsers", value);
        hold(
            "procMount",
            &[
                Case::main("procMount", "null").allowed(),
                Case::main("procMount", r#""Default""#).allowed(),
                Case::main("procMount", r#""Unmasked""#).forbidden(0..),
                Case::init("procMount", r#""""#).forbidden(0..),
                Case::ephemeral("procMount", r#""other""#).forbidden(0..),
                users(Case::main("procMount", r#""Unmasked""#), "false").forbidden(0..35),
                users(Case::main("procMount", r#""Unmasked""#), "true").forbidden(0..),
                users(Case::main("procMount", r#""Unmasked""#), "null").forbidden(0..),
            ],
        );
        says(
            &Case::main("procMount", r#""Unmasked""#),
            "procMount (container \"main\" must not set securityContext.procMount to \"Unmasked\")",
        );
    }
}
