//! `hostProbesAndHostLifecycle`: no probe or lifecycle handler makes the kubelet call another host.

use super::blame::{Blame, Want};
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "hostProbesAndHostLifecycle",
    level: Level::Baseline,
    revisions: &[Revision::since(34, judge)],
};

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    let mut hosts = Vec::new();
    for container in &pod.containers {
        if container.hosts.is_empty() {
            continue;
        }
        blame.container(container);
        for (name, host) in &container.hosts {
            hosts.push(*host);
            blame.field(container.at.path().then(name), Want::Remove);
        }
    }
    blame.forbidden("probe or lifecycle host", |blame| {
        // Here alone upstream sorts the names and gives each once.
        let names = words::set(blame.containers.iter().copied());
        let hosts = words::set(hosts);
        let word = words::pluralize(
            "probe or lifecycle host",
            "probe or lifecycle hosts",
            hosts.len(),
        );
        format!(
            "{} {} {word} {}",
            words::containers(&names),
            words::pluralize("uses", "use", names.len()),
            words::join_quote(&hosts)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        let mut cases = Vec::new();
        for field in [
            "livenessProbe/httpGet",
            "livenessProbe/tcpSocket",
            "readinessProbe/httpGet",
            "readinessProbe/tcpSocket",
            "startupProbe/httpGet",
            "startupProbe/tcpSocket",
            "lifecycle/postStart/httpGet",
            "lifecycle/postStart/tcpSocket",
            "lifecycle/preStop/httpGet",
            "lifecycle/preStop/tcpSocket",
        ] {
            for list in ["containers", "initContainers", "ephemeralContainers"] {
                let at = format!("/spec/{list}/0/{field}");
                cases.push(Case::pod(&at, r#"{"host": "127.0.0.1"}"#).forbidden(34..));
                cases.push(Case::pod(&at, r#"{"host": "", "port": 1}"#).allowed());
                cases.push(Case::pod(&at, "null").allowed());
            }
        }
        hold("hostProbesAndHostLifecycle", &cases);
        says(
            &Case::pod(
                "/spec/containers/0/livenessProbe/httpGet",
                r#"{"host": "b"}"#,
            )
            .and(
                "/spec/containers/0/lifecycle/preStop/tcpSocket",
                r#"{"host": "a"}"#,
            ),
            "probe or lifecycle host (container \"main\" uses probe or lifecycle hosts \"a\", \"b\")",
        );
    }
}
