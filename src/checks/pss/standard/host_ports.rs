//! `hostPorts`: no container takes a port of the node.

use super::blame::{Blame, Want};
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "hostPorts",
    level: Level::Baseline,
    revisions: &[Revision::since(0, judge)],
};

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    let mut taken = Vec::new();
    for container in &pod.containers {
        let ports = container.host_ports.iter().enumerate();
        let ports: Vec<_> = ports.filter(|(_, port)| **port != 0).collect();
        if ports.is_empty() {
            continue;
        }
        blame.container(container);
        for (at, port) in ports {
            taken.push(port.to_string());
            let field = container.at.path().then("ports").index(at).then("hostPort");
            blame.field(field, Want::Remove);
        }
    }
    blame.forbidden("hostPort", |blame| {
        let ports = words::set(taken);
        format!(
            "{} {} {} {}",
            words::containers(&blame.containers),
            words::pluralize("uses", "use", blame.containers.len()),
            words::pluralize("hostPort", "hostPorts", ports.len()),
            ports.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        let ports = |host: &str| format!(r#"[{{"containerPort": 80, "hostPort": {host}}}]"#);
        hold(
            "hostPorts",
            &[
                Case::pod("/spec/containers/0/ports", &ports("0")).allowed(),
                Case::pod("/spec/containers/0/ports", &ports("null")).allowed(),
                Case::pod("/spec/containers/0/ports", &ports("80")).forbidden(0..),
                Case::pod("/spec/initContainers/0/ports", &ports("80")).forbidden(0..),
                Case::pod("/spec/ephemeralContainers/0/ports", &ports("80")).forbidden(0..),
            ],
        );
        says(
            &Case::pod(
                "/spec/containers/0/ports",
                r#"[{"hostPort": 9}, {"hostPort": 80}, {"hostPort": 9}]"#,
            )
            .and("/spec/initContainers/0/ports", r#"[{"hostPort": 80}]"#),
            "hostPort (containers \"init\", \"main\" use hostPorts 80, 9)",
        );
    }
}
