//! `seLinuxOptions`: no type but those of containers, and neither user nor role.

use super::blame::{Blame, Want};
use super::shape::SeLinux;
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "seLinuxOptions",
    level: Level::Baseline,
    revisions: &[
        Revision::since(0, |pod| judge(pod, &TYPES[..4])),
        Revision::since(31, |pod| judge(pod, &TYPES)),
    ],
};

const TYPES: [&str; 5] = [
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    // From 1.31 on.
    "container_engine_t",
];

fn judge(pod: &Shape<'_>, types: &[&str]) -> Option<Violation> {
    let mut blame = Blame::default();
    let mut bad_types = Vec::new();
    let (mut user, mut role) = (false, false);
    for (at, container, context) in pod.contexts() {
        let Some(options) = context.se_linux else {
            continue;
        };
        let bad = forbidden(options, types);
        if bad.is_empty() {
            continue;
        }
        match container {
            Some(container) => blame.container(container),
            None => blame.is_pod = true,
        }
        for field in bad {
            match field {
                "type" => bad_types.push(options.kind),
                "user" => user = true,
                _ => role = true,
            }
            blame.field(at.context("seLinuxOptions").then(field), Want::Remove);
        }
    }
    blame.forbidden("seLinuxOptions", |blame| {
        let mut data = Vec::new();
        let types = words::set(bad_types);
        if !types.is_empty() {
            let word = words::pluralize("type", "types", types.len());
            data.push(format!("{word} {}", words::join_quote(&types)));
        }
        data.extend(user.then(|| "user may not be set".to_owned()));
        data.extend(role.then(|| "role may not be set".to_owned()));
        format!(
            "{} set forbidden securityContext.seLinuxOptions: {}",
            blame.setters().join(" and "),
            data.join("; ")
        )
    })
}

fn forbidden(options: SeLinux<'_>, types: &[&str]) -> Vec<&'static str> {
    let mut bad = Vec::new();
    bad.extend((!types.contains(&options.kind)).then_some("type"));
    bad.extend((!options.user.is_empty()).then_some("user"));
    bad.extend((!options.role.is_empty()).then_some("role"));
    bad
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};
    use super::TYPES;

    #[test]
    fn versions() {
        let kind = |name: &str| format!(r#"{{"type": "{name}"}}"#);
        let mut cases: Vec<Case> = TYPES[..4]
            .iter()
            .map(|name| Case::main("seLinuxOptions", &kind(name)).allowed())
            .collect();
        cases.extend([
            Case::context("seLinuxOptions", "{}").allowed(),
            Case::context("seLinuxOptions", r#"{"level": "s0:c1"}"#).allowed(),
            Case::context("seLinuxOptions", &kind("container_engine_t")).forbidden(0..31),
            Case::init("seLinuxOptions", &kind("container_engine_t")).forbidden(0..31),
            Case::context("seLinuxOptions", &kind("spc_t")).forbidden(0..),
            Case::main("seLinuxOptions", &kind("spc_t")).forbidden(0..),
            Case::ephemeral("seLinuxOptions", &kind("unconfined_t")).forbidden(0..),
            Case::main("seLinuxOptions", r#"{"user": "u"}"#).forbidden(0..),
            Case::init("seLinuxOptions", r#"{"role": "r"}"#).forbidden(0..),
            Case::init("seLinuxOptions", r#"{"role": "", "user": null}"#).allowed(),
        ]);
        hold("seLinuxOptions", &cases);
    }

    #[test]
    fn messages() {
        says(
            &Case::context("seLinuxOptions", r#"{"type": "b", "role": "r"}"#).and(
                "/spec/containers/0/securityContext/seLinuxOptions",
                r#"{"type": "a", "user": "u"}"#,
            ),
            "seLinuxOptions (pod and container \"main\" set forbidden securityContext.seLinuxOptions: types \"a\", \"b\"; user may not be set; role may not be set)",
        );
    }
}
