//! `allowPrivilegeEscalation`: no container may gain more privileges than it was started with.

use super::blame::{Blame, Want};
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "allowPrivilegeEscalation",
    level: Level::Restricted,
    // The field came in 1.8; from 1.25 on Windows pods say so by spec.os.
    revisions: &[
        Revision::since(8, any_system),
        Revision::since(25, not_windows),
    ],
};

fn not_windows(pod: &Shape<'_>) -> Option<Violation> {
    (!pod.is_windows).then(|| any_system(pod)).flatten()
}

fn any_system(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    for container in &pod.containers {
        if container.context.allow_privilege_escalation != Some(false) {
            blame.container(container);
            let field = container.at.context("allowPrivilegeEscalation");
            blame.field(field, Want::Set(false.into()));
        }
    }
    blame.forbidden("allowPrivilegeEscalation != false", |blame| {
        format!(
            "{} must set securityContext.allowPrivilegeEscalation=false",
            words::containers(&blame.containers)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold};

    #[test]
    fn versions() {
        hold(
            "allowPrivilegeEscalation",
            &[
                Case::main("allowPrivilegeEscalation", "false").allowed(),
                Case::main("allowPrivilegeEscalation", "true").forbidden(8..),
                Case::main("allowPrivilegeEscalation", "null").forbidden(8..),
                Case::init("allowPrivilegeEscalation", "true").forbidden(8..),
                Case::ephemeral("allowPrivilegeEscalation", "null").forbidden(8..),
                Case::main("allowPrivilegeEscalation", "null")
                    .and("/spec/os", r#"{"name": "windows"}"#)
                    .forbidden(8..25),
                Case::main("allowPrivilegeEscalation", "null")
                    .and("/spec/os", r#"{"name": "linux"}"#)
                    .forbidden(8..),
            ],
        );
    }
}
