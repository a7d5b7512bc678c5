//! `sysctls`: the pod sets no kernel parameter that reaches beyond it.

use super::blame::{Blame, Want};
use super::path::Path;
use super::{Control, Level, Revision, Shape, Violation};

pub(super) static CONTROL: Control = Control {
    id: "sysctls",
    level: Level::Baseline,
    revisions: &[
        Revision::since(0, |pod| judge(pod, 5)),
        Revision::since(27, |pod| judge(pod, 6)),
        Revision::since(29, |pod| judge(pod, 10)),
        Revision::since(32, |pod| judge(pod, 12)),
        Revision::since(37, |pod| judge(pod, 14)),
    ],
};

/// In the order in which versions began to allow them.
const SAFE: [&str; 14] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    // 1.27
    "net.ipv4.ip_local_reserved_ports",
    // 1.29
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    // 1.32
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    // 1.37
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_notsent_lowat",
];

fn judge(pod: &Shape<'_>, safe: usize) -> Option<Violation> {
    let safe = SAFE.get(..safe).unwrap_or(&SAFE);
    let mut blame = Blame::default();
    let mut names = Vec::new();
    for (at, name) in pod.sysctls.iter().enumerate() {
        if !safe.contains(name) {
            names.push(*name);
            let entry = Path::new("spec.securityContext.sysctls").index(at);
            blame.missing(entry.clone().then("name"));
            blame.change(entry, Want::Remove);
        }
    }
    blame.forbidden("forbidden sysctls", |_| names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};
    use super::SAFE;

    #[test]
    fn versions() {
        let sysctl = |name: &str| {
            Case::context(
                "sysctls",
                &format!(r#"[{{"name": "{name}", "value": "1"}}]"#),
            )
        };
        let until = [0, 0, 0, 0, 0, 27, 29, 29, 29, 29, 32, 32, 37, 37];
        let mut cases: Vec<Case> = SAFE
            .iter()
            .zip(until)
            .map(|(name, until)| sysctl(name).forbidden(0..until))
            .collect();
        cases.push(sysctl("kernel.msgmax").forbidden(0..));
        // The kubelet takes both spellings, the standard only one.
        cases.push(sysctl("kernel/shm_rmid_forced").forbidden(0..));
        cases.push(Case::context("sysctls", "[]").allowed());
        hold("sysctls", &cases);
        says(
            &Case::context("sysctls", r#"[{"name": "b"}, {"name": "a"}]"#),
            "forbidden sysctls (b, a)",
        );
    }
}
