//! `capabilities_baseline`: no capability beyond those that runtimes give by default.

use serde_json::Value;

use super::blame::{Blame, Want};
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "capabilities_baseline",
    level: Level::Baseline,
    revisions: &[Revision::since(0, judge)],
};

/// What runtimes give by default, without NET_RAW.
pub(super) const DEFAULT: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    let mut added = Vec::new();
    for container in &pod.containers {
        let Some((add, _)) = &container.context.capabilities else {
            continue;
        };
        let (good, bad): (Vec<&str>, Vec<&str>) = add.iter().partition(|one| DEFAULT.contains(one));
        if !bad.is_empty() {
            added.extend(bad);
            blame.container(container);
            let want = Want::Try(Value::from(good), "the program works without them");
            blame.field(container.at.context("capabilities.add"), want);
        }
    }
    blame.forbidden("non-default capabilities", |blame| {
        format!(
            "{} must not include {} in securityContext.capabilities.add",
            words::containers(&blame.containers),
            words::join_quote(&words::set(added))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};
    use super::DEFAULT;

    #[test]
    fn versions() {
        let add = |name: &str| format!(r#"{{"drop": ["ALL"], "add": ["{name}"]}}"#);
        let mut cases: Vec<Case> = DEFAULT
            .iter()
            .map(|name| Case::main("capabilities", &add(name)).allowed())
            .collect();
        cases.extend([
            Case::main("capabilities", "null").allowed(),
            Case::main("capabilities", "{}").allowed(),
            Case::main("capabilities", r#"{"add": []}"#).allowed(),
            Case::main("capabilities", &add("NET_RAW")).forbidden(0..),
            Case::init("capabilities", &add("SYS_ADMIN")).forbidden(0..),
            Case::ephemeral("capabilities", &add("ALL")).forbidden(0..),
            // Not what Kubernetes calls it, so the runtime decides.
            Case::main("capabilities", &add("CAP_CHOWN")).forbidden(0..),
            Case::main("capabilities", &add("chown")).forbidden(0..),
        ]);
        hold("capabilities_baseline", &cases);
    }

    #[test]
    fn messages() {
        says(
            &Case::main("capabilities", r#"{"add": ["b", "CHOWN", "a", "b"]}"#).and(
                "/spec/initContainers/0/securityContext/capabilities",
                r#"{"add": ["a"]}"#,
            ),
            "non-default capabilities (containers \"init\", \"main\" must not include \"a\", \"b\" in securityContext.capabilities.add)",
        );
    }
}
