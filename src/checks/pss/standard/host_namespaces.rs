//! `hostNamespaces`: the pod has network, process and IPC namespaces of its own.

use super::blame::{Blame, Want};
use super::path::Path;
use super::{Control, Level, Revision, Shape, Violation};

pub(super) static CONTROL: Control = Control {
    id: "hostNamespaces",
    level: Level::Baseline,
    revisions: &[Revision::since(0, judge)],
};

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    for name in &pod.host {
        let want = Want::Try(false.into(), "the program works in a namespace of its own");
        blame.field(Path::new("spec").then(name), want);
    }
    blame.forbidden("host namespaces", |_| {
        let set = pod.host.iter().map(|name| format!("{name}=true"));
        set.collect::<Vec<_>>().join(", ")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        hold(
            "hostNamespaces",
            &[
                Case::pod("/spec/hostNetwork", "false").allowed(),
                Case::pod("/spec/hostPID", "null").allowed(),
                Case::pod("/spec/hostNetwork", "true").forbidden(0..),
                Case::pod("/spec/hostPID", "true").forbidden(0..),
                Case::pod("/spec/hostIPC", "true").forbidden(0..),
            ],
        );
        says(
            &Case::pod("/spec/hostIPC", "true").and("/spec/hostNetwork", "true"),
            "host namespaces (hostNetwork=true, hostIPC=true)",
        );
    }
}
