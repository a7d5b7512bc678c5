//! `capabilities_restricted`: every container drops ALL and adds NET_BIND_SERVICE at most.

use serde_json::{Value, json};

use super::blame::{Blame, Want};
use super::{Control, Level, Revision, Shape, Violation, capabilities_baseline, words};

pub(super) static CONTROL: Control = Control {
    id: "capabilities_restricted",
    level: Level::Restricted,
    revisions: &[
        Revision::since(22, any_system).overriding(capabilities_baseline::CONTROL.id),
        Revision::since(25, not_windows).overriding(capabilities_baseline::CONTROL.id),
    ],
};

const ALLOWED: &str = "NET_BIND_SERVICE";

fn not_windows(pod: &Shape<'_>) -> Option<Violation> {
    (!pod.is_windows).then(|| any_system(pod)).flatten()
}

fn any_system(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    let (mut keeping, mut adding, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for container in &pod.containers {
        let none = (Vec::new(), Vec::new());
        let (add, drop) = container.context.capabilities.as_ref().unwrap_or(&none);
        let keeps = !drop.contains(&"ALL");
        let (good, bad): (Vec<&str>, Vec<&str>) = add.iter().partition(|one| **one == ALLOWED);
        if keeps || !bad.is_empty() {
            blame.container(container);
        }
        if keeps {
            keeping.push(container.name);
            let field = container.at.context("capabilities.drop");
            let want = Want::Try(
                json!(["ALL"]),
                "the program works without them; give back single ones where the level allows it",
            );
            blame.field(field, want);
        }
        if !bad.is_empty() {
            adding.push(container.name);
            added.extend(bad);
            let want = Want::Try(Value::from(good), "the program works without them");
            blame.field(container.at.context("capabilities.add"), want);
        }
    }
    blame.forbidden("unrestricted capabilities", |_| {
        let mut details = Vec::new();
        if !keeping.is_empty() {
            let who = words::containers(&keeping);
            details.push(format!(
                "{who} must set securityContext.capabilities.drop=[\"ALL\"]"
            ));
        }
        if !adding.is_empty() {
            let who = words::containers(&adding);
            let what = words::join_quote(&words::set(added));
            details.push(format!(
                "{who} must not include {what} in securityContext.capabilities.add"
            ));
        }
        details.join("; ")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        let windows = |case: Case| case.and("/spec/os", r#"{"name": "windows"}"#);
        hold(
            "capabilities_restricted",
            &[
                Case::main("capabilities", r#"{"drop": ["ALL"]}"#).allowed(),
                Case::main(
                    "capabilities",
                    r#"{"drop": ["X", "ALL"], "add": ["NET_BIND_SERVICE"]}"#,
                )
                .allowed(),
                Case::main("capabilities", "null").forbidden(22..),
                Case::init("capabilities", "{}").forbidden(22..),
                Case::ephemeral("capabilities", r#"{"drop": ["NET_RAW"]}"#).forbidden(22..),
                Case::main("capabilities", r#"{"drop": ["all"]}"#).forbidden(22..),
                Case::main("capabilities", r#"{"drop": ["ALL"], "add": ["CHOWN"]}"#)
                    .forbidden(22..),
                windows(Case::main("capabilities", "null")).forbidden(22..25),
            ],
        );
    }

    #[test]
    fn messages() {
        says(
            &Case::main(
                "capabilities",
                r#"{"add": ["NET_RAW", "NET_BIND_SERVICE"]}"#,
            )
            .and(
                "/spec/initContainers/0/securityContext/capabilities",
                "null",
            ),
            "unrestricted capabilities (containers \"init\", \"main\" must set securityContext.capabilities.drop=[\"ALL\"]; container \"main\" must not include \"NET_RAW\" in securityContext.capabilities.add)",
        );
    }
}
