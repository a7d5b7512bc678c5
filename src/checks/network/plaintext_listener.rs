use std::net::IpAddr;

use super::policies::on_host_network;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::flags;
use crate::checks::merge::pairs::{Declared, declared};
use crate::checks::program::runs;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::{Listener, NodeFacts};
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-011"),
    title: "Static pods speak no plain HTTP beyond loopback",
    why: "What a component says without TLS can be read and changed by everybody on the way: etcd's data, tokens, metrics.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::Listeners],
    helps: &[],
    maps: &[Maps::Cis("2.1"), Maps::Nsa("NET"), Maps::Attack("T1040")],
    fix: Remediation {
        steps: &[
            on_node("ss -ltnp"),
            by_hand(
                "give the component a certificate and https:// in place of http:// in its listen URLs, or let it listen on 127.0.0.1 only",
            ),
        ],
        restarts: "the component, within fileCheckFrequency (20 s); etcd one node at a time",
        undo: &[by_hand("write the former URLs back into the manifest")],
    },
    examples: &[
        (
            "{manifests: [{file: etcd.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {hostNetwork: true, containers: [{name: etcd, command: [etcd, '--listen-client-urls=https://127.0.0.1:2379,https://198.51.100.11:2379', '--listen-metrics-urls=http://127.0.0.1:2381'], livenessProbe: {httpGet: {host: 127.0.0.1, port: 2381, scheme: HTTP}}}]}}}], listeners: [127.0.0.1:2381, 198.51.100.11:2379]}",
            "PASS: judged by listen URLs and probes; what neither names was not spoken to",
        ),
        (
            "{manifests: [{file: etcd.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {hostNetwork: true, containers: [{name: etcd, command: [etcd, '--listen-client-urls=http://0.0.0.0:2379']}]}}}, {file: b.yaml, gap: denied}], listeners: ['0.0.0.0:2379']}",
            "FAIL high: etcd listens in plain text by --listen-client-urls=http://0.0.0.0:2379; gap: the login may not read it",
        ),
        (
            "{manifests: [{file: web.yaml, pod: {metadata: {namespace: shop, name: web}, spec: {hostNetwork: true, containers: [{name: web, readinessProbe: {httpGet: {port: 8080}}}]}}}], listeners: ['[::]:8080']}",
            "FAIL high: web speaks plain HTTP on [::]:8080 by its readinessProbe",
        ),
        (
            "{manifests: [{file: web.yaml, pod: {metadata: {namespace: shop, name: web}, spec: {hostNetwork: true, containers: [{name: web, readinessProbe: {httpGet: {port: 8080, scheme: HTTPS}}}]}}}], listeners: ['[::]:8080']}",
            "PASS: judged by listen URLs and probes; what neither names was not spoken to",
        ),
        (
            "{manifests: [{file: web.yaml, pod: shop/web}], listeners: []}",
            "N/A: no static pod of the node is on the host network",
        ),
        (
            "{manifests: [{file: web.yaml, gap: denied}], listeners: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Flags of etcd that hold lists of URLs.
const URLS: [&str; 3] = [
    "listen-client-urls",
    "listen-peer-urls",
    "listen-metrics-urls",
];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let listeners = node.host.listeners.get()?;
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    tally.good(listeners.at);
    let mut inside = 0;
    for pod in declared
        .pods
        .iter()
        .filter(|declared| on_host_network(declared.pod))
    {
        inside += 1;
        by_urls(pod, &mut tally);
        for (port, why) in by_probes(pod) {
            let open =
                |listener: &&Listener| listener.port == port && !listener.address.is_loopback();
            let Some(listener) = listeners.value.iter().find(open) else {
                continue;
            };
            let place = std::net::SocketAddr::new(listener.address, port);
            tally.offence(offence(
                Subject::new(SubjectKind::Port, format!("{}:{port}", pod.pod.name)),
                Severity::High,
                format!("{} speaks plain HTTP on {place} by its {why}", pod.pod.name),
                [pod.at, listeners.at],
            ));
        }
    }
    if inside == 0 && declared.gaps.is_empty() {
        return Ok(not_applicable(
            [declared.at],
            "no static pod of the node is on the host network",
        ));
    }
    tally.note("judged by listen URLs and probes; what neither names was not spoken to");
    tally.verdict()
}

fn by_urls(pod: &Declared<'_>, tally: &mut Tally) {
    if !runs(pod.pod, "etcd") {
        return;
    }
    for name in URLS {
        let urls = flags::last(pod.pod, name).unwrap_or_default().split(',');
        let open = urls.filter(|url| {
            let place = url.trim().strip_prefix("http://");
            place.is_some_and(|place| !is_loopback(place))
        });
        for url in open {
            tally.offence(offence(
                Subject::setting(&format!("--{name}")),
                Severity::High,
                format!(
                    "{} listens in plain text by --{name}={}",
                    pod.pod.name,
                    url.trim()
                ),
                [pod.at],
            ));
        }
    }
}

/// Whether `host:port` is on loopback.
fn is_loopback(place: &str) -> bool {
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Ports that the kubelet is told to ask in plain HTTP.
fn by_probes(pod: &Declared<'_>) -> Vec<(u16, &'static str)> {
    let mut found = Vec::new();
    for (_, container) in pod.pod.containers() {
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            let Some(get) = container.get(probe).and_then(|probe| probe.get("httpGet")) else {
                continue;
            };
            let plain = get.get("scheme").and_then(Branch::as_str).unwrap_or("HTTP") == "HTTP";
            let port = get.get("port").and_then(Branch::as_u64);
            if let (true, Some(port)) = (plain, port.and_then(|port| u16::try_from(port).ok())) {
                found.push((port, probe));
            }
        }
    }
    found
}
