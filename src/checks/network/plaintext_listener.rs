use std::collections::BTreeSet;
use std::net::IpAddr;

use super::policies::on_host_network;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::flags;
use crate::checks::merge::pairs::{Declared, declared, same_uid};
use crate::checks::program::own_words;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::{Listener, NodeFacts};
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-011"),
    title: "Static pods speak no plain HTTP beyond loopback",
    why: "What a component says without TLS can be read and changed by everybody on the way: etcd's data, tokens, metrics.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::Listeners],
    helps: &[Need::RuntimePods],
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
            "PASS: judged by what the manifests say: no port was spoken to",
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
            "PASS: judged by what the manifests say: no port was spoken to",
        ),
        (
            "{manifests: [{file: web.yaml, pod: {metadata: {namespace: shop, name: web}, spec: {hostNetwork: true, containers: [{name: web, ports: [{name: http, containerPort: 8080}], livenessProbe: {httpGet: {port: http}}}]}}}], listeners: ['[::]:8080']}",
            "FAIL high: web speaks plain HTTP on [::]:8080 by its livenessProbe",
        ),
        (
            "{manifests: [{file: web.yaml, pod: {metadata: {namespace: shop, name: web}, spec: {hostNetwork: true, containers: [{name: web}]}}}], runtime: [{uid: aa, pids: 1, log: shop/web-cp-1}], listeners: ['[::]:8080 web aa', '0.0.0.0:22 sshd']}",
            "MANUAL: does web speak TLS on [::]:8080? nothing in a manifest says so: openssl s_client shows it",
        ),
        (
            "{manifests: [{file: web.yaml, pod: {metadata: {namespace: shop, name: web}, spec: {hostNetwork: true, containers: [{name: web}]}}}], runtime: [{uid: bb, pids: 1, log: kube-system/kube-proxy-x}], listeners: ['[::]:10256 kube-proxy bb', '0.0.0.0:22 sshd', 127.0.0.1:8080]}",
            "PASS: judged by what the manifests say: no port was spoken to",
        ),
        (
            "{manifests: [{file: web.yaml, pod: {metadata: {namespace: shop, name: web}, spec: {hostNetwork: true, containers: [{name: web}]}}}], listeners: ['[::]:8080']}",
            "UNKNOWN: not asked for in this run",
        ),
        (
            "{manifests: [{file: api.yaml, pod: {metadata: {namespace: kube-system, name: api}, spec: {hostNetwork: true, containers: [{name: a, command: [kube-apiserver]}]}}}], listeners: ['[::]:6443']}",
            "PASS: judged by what the manifests say: no port was spoken to",
        ),
        (
            "{manifests: [{file: etcd.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {hostNetwork: true, containers: [{name: etcd, command: [etcd, --config-file=/etc/etcd.yaml]}]}}}], listeners: []}",
            "MANUAL: does etcd listen with TLS alone by /etc/etcd.yaml? its flags count for nothing",
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

/// Components that speak TLS alone on the port of `--secure-port`, with its default.
const SECURE: [(&str, u16); 4] = [
    ("kube-apiserver", 6443),
    ("kube-controller-manager", 10257),
    ("kube-scheduler", 10259),
    ("cloud-controller-manager", 10258),
];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let listeners = node.host.listeners.get()?;
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    tally.good(listeners.at);
    let pods = declared.pods.iter();
    let inside: Vec<&Declared<'_>> = pods.filter(|pod| on_host_network(pod.pod)).collect();
    if inside.is_empty() {
        if declared.gaps.is_empty() {
            return Ok(not_applicable(
                [declared.at],
                "no static pod of the node is on the host network",
            ));
        }
        return tally.verdict();
    }
    let mut told: BTreeSet<u16> = BTreeSet::new();
    for pod in &inside {
        told.extend(by_urls(pod, &mut tally));
        told.extend(secure_port(pod));
        for (port, plain, why) in by_probes(pod) {
            told.insert(port);
            let open =
                |listener: &&Listener| listener.port == port && !listener.address.is_loopback();
            let Some(listener) = listeners.value.iter().find(open).filter(|_| plain) else {
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
    for listener in &listeners.value {
        if !listener.address.is_loopback() && !told.contains(&listener.port) {
            tally.gaps(untold(node, listener, &inside));
        }
    }
    tally.note("judged by what the manifests say: no port was spoken to");
    tally.verdict()
}

/// What a person has to find out of a listener of which no manifest speaks; none where no static pod has it.
fn untold(node: &NodeFacts, listener: &Listener, inside: &[&Declared<'_>]) -> Option<Gap> {
    let owner = match listener.owner.get() {
        Ok(owner) => &owner.value,
        Err(gap) => return Some(gap),
    };
    let uid = owner.pod.as_ref()?;
    let runtime = match node.host.runtime_pods.get() {
        Ok(runtime) => &runtime.value,
        Err(gap) => return Some(gap),
    };
    let known = runtime
        .pods
        .iter()
        .find(|pod| same_uid(pod.uid.as_str(), uid.as_str()));
    // A pod without a log folder may be any.
    let foreign =
        known.is_some_and(|known| known.log.is_some() && !inside.iter().any(|pod| pod.is(known)));
    (!foreign).then(|| Gap::NeedsHuman {
        question: Text::from(format!(
            "does {} speak TLS on {}? nothing in a manifest says so: openssl s_client shows it",
            owner.comm,
            std::net::SocketAddr::new(listener.address, listener.port)
        )),
    })
}

/// The port on which a component of Kubernetes speaks TLS.
fn secure_port(pod: &Declared<'_>) -> Option<u16> {
    SECURE.iter().find_map(|(program, usual)| {
        let words = own_words(pod.pod, program)?;
        match flags::last_of(&words, "secure-port") {
            Some(port) => port.parse().ok(),
            None => Some(*usual),
        }
    })
}

/// Ports of which etcd's listen URLs tell how they are spoken to.
fn by_urls(pod: &Declared<'_>, tally: &mut Tally) -> Vec<u16> {
    let Some(words) = own_words(pod.pod, "etcd") else {
        return Vec::new();
    };
    if let Some(file) = flags::last_of(&words, "config-file") {
        tally.gap(Gap::NeedsHuman {
            question: Text::from(format!(
                "does etcd listen with TLS alone by {file}? its flags count for nothing"
            )),
        });
    }
    let mut told = Vec::new();
    for name in URLS {
        let urls = flags::last_of(&words, name).unwrap_or_default();
        for url in urls.split(',').map(str::trim) {
            let (scheme, place) = url.split_once("://").unwrap_or(("", url));
            let port = place.trim_end_matches('/').rsplit_once(':');
            let port = port.and_then(|(_, port)| port.parse::<u16>().ok());
            let open = scheme == "http" && !is_loopback(place);
            told.extend(port.filter(|_| open || scheme == "https"));
            if open {
                tally.offence(offence(
                    Subject::setting(&format!("--{name}")),
                    Severity::High,
                    format!("{} listens in plain text by --{name}={url}", pod.pod.name),
                    [pod.at],
                ));
            }
        }
    }
    told
}

/// Whether `host:port` is on loopback.
fn is_loopback(place: &str) -> bool {
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Ports that the kubelet is told to ask in HTTP, and whether without TLS.
fn by_probes(pod: &Declared<'_>) -> Vec<(u16, bool, &'static str)> {
    let mut found = Vec::new();
    for (_, container) in pod.pod.containers() {
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            let Some(get) = container.get(probe).and_then(|probe| probe.get("httpGet")) else {
                continue;
            };
            let plain = get.get("scheme").and_then(Branch::as_str).unwrap_or("HTTP") == "HTTP";
            let port = get.get("port").and_then(|port| number(port, container));
            found.extend(port.map(|port| (port, plain, probe)));
        }
    }
    found
}

/// The port of a probe: a number, or the name of one of the container's.
fn number(port: Branch<'_>, container: Branch<'_>) -> Option<u16> {
    let Some(name) = port.as_str() else {
        return u16::try_from(port.as_u64()?).ok();
    };
    let ports = container.get("ports").and_then(Branch::as_array);
    let mut ports = ports.into_iter().flat_map(Items::iter);
    let named = ports.find(|port| port.get("name").and_then(Branch::as_str) == Some(name));
    let number = named.and_then(|port| port.get("containerPort")?.as_u64());
    number.map_or_else(|| name.parse().ok(), |number| u16::try_from(number).ok())
}
