//! `appArmorProfile`: no profile but the runtime's or a local one, by field or by annotation.

use super::blame::{Blame, Want};
use super::path::Path;
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "appArmorProfile",
    level: Level::Baseline,
    revisions: &[Revision::since(0, judge)],
};

/// The annotation of a container before the field came.
const ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    let mut types = Vec::new();
    for (at, container, context) in pod.contexts() {
        let bad = |kind: &&str| !matches!(*kind, "RuntimeDefault" | "Localhost");
        if let Some(kind) = context.app_armor.filter(bad) {
            types.push(kind);
            let want = Want::Set("RuntimeDefault".into());
            blame.context(at, container, "appArmorProfile.type", want);
        }
    }
    let mut values = words::set(types);
    let annotations: Vec<&(&str, &str)> = pod
        .annotations
        .iter()
        .filter(|(key, value)| key.starts_with(ANNOTATION) && !is_allowed(value))
        .collect();
    let written = |(key, value): &&(&str, &str)| format!("{key}={}", words::quote(value));
    values.extend(words::set(annotations.iter().map(written)));
    for (key, _) in &annotations {
        blame.field(Path::new("metadata.annotations").key(key), Want::Remove);
    }
    let reason = words::pluralize(
        "forbidden AppArmor profile",
        "forbidden AppArmor profiles",
        values.len(),
    );
    blame.forbidden(reason, |blame| {
        let mut setters = blame.setters();
        if !annotations.is_empty() {
            let word = words::pluralize("annotation", "annotations", annotations.len());
            setters.push(word.to_owned());
        }
        format!(
            "{} must not set AppArmor profile type to {}",
            setters.join(" and "),
            words::join_quote(&values)
        )
    })
}

fn is_allowed(profile: &str) -> bool {
    profile.is_empty() || profile == "runtime/default" || profile.starts_with("localhost/")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        let field = |kind: &str| format!(r#"{{"type": "{kind}"}}"#);
        let annotation = |value: &str| {
            Case::pod(
                "/metadata/annotations",
                &format!(
                    r#"{{"container.apparmor.security.beta.kubernetes.io/main": "{value}", "a": "b"}}"#
                ),
            )
        };
        hold(
            "appArmorProfile",
            &[
                Case::main("appArmorProfile", &field("RuntimeDefault")).allowed(),
                Case::context("appArmorProfile", &field("Localhost")).allowed(),
                Case::context("appArmorProfile", "null").allowed(),
                Case::context("appArmorProfile", &field("Unconfined")).forbidden(0..),
                Case::context("appArmorProfile", "{}").forbidden(0..),
                Case::main("appArmorProfile", &field("Unconfined")).forbidden(0..),
                Case::init("appArmorProfile", &field("Unconfined")).forbidden(0..),
                Case::ephemeral("appArmorProfile", &field("x")).forbidden(0..),
                annotation("").allowed(),
                annotation("runtime/default").allowed(),
                annotation("localhost/a").allowed(),
                annotation("unconfined").forbidden(0..),
                annotation("runtime/default ").forbidden(0..),
            ],
        );
    }

    #[test]
    fn messages() {
        says(
            &Case::context("appArmorProfile", r#"{"type": "Unconfined"}"#)
                .and(
                    "/spec/containers/0/securityContext/appArmorProfile",
                    r#"{"type": "x"}"#,
                )
                .and(
                    "/metadata/annotations",
                    r#"{"container.apparmor.security.beta.kubernetes.io/b": "un\"", "container.apparmor.security.beta.kubernetes.io/a": "no"}"#,
                ),
            "forbidden AppArmor profiles (pod and container \"main\" and annotations must not set AppArmor profile type to \"Unconfined\", \"x\", \"container.apparmor.security.beta.kubernetes.io/a=\"no\"\", \"container.apparmor.security.beta.kubernetes.io/b=\"un\\\"\"\")",
        );
    }
}
