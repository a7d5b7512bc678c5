use super::setting::{garbled, required};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::kubelet::{Kubelet, LayerKind};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Subject, SubjectKind, Verdict};

const KEY: &str = "readOnlyPort";
/// The port of the legacy default, and of every scanner's list.
const USUAL: u16 = 10255;

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-004"),
    title: "Kubelet's read-only port is closed",
    why: "The read-only port tells anyone who reaches it every pod, image, environment and volume of the node, without a credential.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::KubeletConfig, Need::Listeners],
    helps: &[],
    maps: &[Maps::Cis("4.2.4"), Maps::Attack("T1046")],
    fix: Remediation {
        steps: &[
            by_hand(
                "set readOnlyPort: 0 in the kubelet's configuration file, usually /var/lib/kubelet/config.yaml; remove --read-only-port from its flags",
            ),
            on_node("systemctl restart kubelet"),
            on_node("ss -ltnp sport = :10255"),
        ],
        restarts: "the kubelet, for a few seconds; pods keep running. Monitoring that scrapes 10255 has to move to 10250",
        undo: &[
            by_hand("put the old value back into the configuration file"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        (
            "{kubelet: {readOnlyPort: 0}, listeners: ['[::]:10250']}",
            "PASS",
        ),
        ("{kubelet: {}, listeners: []}", "PASS"),
        (
            "{kubelet: {readOnlyPort: 10255}, listeners: ['[::]:10255']}",
            "FAIL high: read-only port 10255 is on, set in /var/lib/kubelet/config.yaml; high: [::]:10255 accepts connections",
        ),
        (
            "{kubelet: {legacy: true}, listeners: {gap: tool}}",
            "FAIL high: read-only port 10255 is on, the default without a --config file; gap: getfacl is not on the node",
        ),
        (
            "{kubelet: {gap: denied}, listeners: ['192.0.2.4:10255']}",
            "FAIL high: 192.0.2.4:10255 accepts connections; gap: the login may not read it",
        ),
        (
            "{kubelet: {legacy: true, command: [/usr/local/bin/k3s server]}, listeners: ['0.0.0.0:10250']}",
            "PASS",
        ),
        (
            "{kubelet: {legacy: true, command: [/usr/local/bin/k3s server]}, listeners: ['0.0.0.0:10255']}",
            "FAIL high: 0.0.0.0:10255 accepts connections",
        ),
        (
            "{kubelet: {readOnlyPort: 0}, listeners: ['127.0.0.1:10255']}",
            "FAIL medium: 127.0.0.1:10255 accepts connections",
        ),
        (
            "{kubelet: {readOnlyPort: 0}, listeners: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    let mut ports = vec![USUAL];
    if let Some(kubelet) = tally.take(&node.host.kubelet) {
        let configured = configured(kubelet);
        if let Ok((_, Some(port))) = &configured {
            ports.push(*port);
        }
        tally.part(kubelet.at, configured.map(|(found, _)| found));
    }
    if let Some(listeners) = tally.take(&node.host.listeners) {
        tally.good(listeners.at);
        for listener in &listeners.value {
            if ports.contains(&listener.port) {
                let socket = std::net::SocketAddr::new(listener.address, listener.port);
                // Any process of the node reaches loopback, pods of the host network among them.
                let severity = if listener.address.is_loopback() {
                    Severity::Medium
                } else {
                    Severity::High
                };
                tally.offence(offence(
                    Subject::new(SubjectKind::Port, socket.to_string()),
                    severity,
                    format!("{socket} accepts connections"),
                    [listeners.at],
                ));
            }
        }
    }
    tally.verdict()
}

/// Whether the default is all that is known, and k3s may have set it past every file.
fn hidden(kubelet: &Kubelet) -> bool {
    let command = kubelet.process.as_ref().map(|process| &process.command);
    let program = command.and_then(|command| command.first());
    let title = program.map_or("", |program| program.as_str());
    let name = title.rsplit('/').next().unwrap_or(title);
    let setting = kubelet.setting(KEY).ok().flatten();
    name.split(' ').next() == Some("k3s")
        && setting.is_some_and(|(_, layer)| layer.kind == LayerKind::LegacyDefaults)
}

/// What the configuration says: an offence, and the port where one is set.
fn configured(
    kubelet: &crate::model::fact::Seen<Kubelet>,
) -> Result<(Option<Offence>, Option<u16>), Gap> {
    let setting = required(kubelet, KEY)?;
    let port = setting
        .value
        .as_u64()
        .and_then(|port| u16::try_from(port).ok());
    match port {
        Some(0) => Ok((None, None)),
        // k3s hands --read-only-port=0 to the kubelet inside it, where nobody sees it (k3s-io/k3s#12164): that some
        // versions do not is seen at the port itself.
        Some(port) if hidden(&kubelet.value) => Ok((None, Some(port))),
        Some(port) => Ok((
            Some(offence(
                Subject::setting(KEY),
                Severity::High,
                format!("read-only port {port} is on, {}", setting.origin),
                setting.evidence,
            )),
            Some(port),
        )),
        None => Err(garbled(KEY, "is not a port")),
    }
}
