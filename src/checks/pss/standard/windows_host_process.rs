//! `windowsHostProcess`: nothing runs on a Windows node as a process of the node.

use super::blame::{Blame, Want};
use super::{Control, Level, Revision, Shape, Violation};

pub(super) static CONTROL: Control = Control {
    id: "windowsHostProcess",
    level: Level::Baseline,
    revisions: &[Revision::since(0, judge)],
};

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    for (at, container, context) in pod.contexts() {
        if context.host_process == Some(true) {
            let want = Want::Try(false.into(), "the program works inside a container");
            blame.context(at, container, "windowsOptions.hostProcess", want);
        }
    }
    blame.forbidden("hostProcess", |blame| {
        let setters = blame.setters().join(" and ");
        format!("{setters} must not set securityContext.windowsOptions.hostProcess=true")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        let options = |value: &str| format!(r#"{{"hostProcess": {value}}}"#);
        hold(
            "windowsHostProcess",
            &[
                Case::context("windowsOptions", "{}").allowed(),
                Case::context("windowsOptions", &options("false")).allowed(),
                Case::context("windowsOptions", &options("true")).forbidden(0..),
                Case::main("windowsOptions", &options("true")).forbidden(0..),
                Case::init("windowsOptions", &options("true")).forbidden(0..),
                Case::ephemeral("windowsOptions", &options("true")).forbidden(0..),
            ],
        );
        says(
            &Case::context("windowsOptions", &options("true")),
            "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
        );
    }
}
