use super::pairs::{Declared, declared, same_uid};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::program::own_words;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::{Listener, NodeFacts};
use crate::model::text::Text;
use crate::model::tree::{Branch, Items, Members};
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-022"),
    title: "Static pods listen where their manifests say, nowhere else",
    why: "A port of which no manifest speaks is surface that nobody reviewed: a debug server, a back door, or a default that was forgotten.",
    severity: Severity::Medium,
    since: "0.3.0",
    needs: &[Need::Manifests, Need::Listeners, Need::RuntimePods],
    helps: &[],
    maps: &[Maps::Nsa("NET"), Maps::Attack("T1571")],
    fix: Remediation {
        steps: &[
            on_node("ss -ltnp"),
            by_hand(
                "find out what listens there; turn it off, or bind it to 127.0.0.1 by a flag, and declare the port under ports: of its container",
            ),
        ],
        restarts: "the pod, once, as soon as its manifest is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the manifest's backup back under its old name")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: x, name: a}, spec: {hostNetwork: true, containers: [{name: c, args: ['--listen=:8080', --other, '9.9.9.9:90'], ports: [{containerPort: 81}], livenessProbe: {httpGet: {port: 82}}}]}}}], runtime: [{uid: aa, pids: 1, log: x/a-cp-1}], listeners: ['[::]:8080 a aa', '0.0.0.0:81 a aa', '127.0.0.1:82 a aa', '0.0.0.0:22 sshd']}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: kube-apiserver}, spec: {hostNetwork: true, containers: [{name: c, command: [kube-apiserver]}]}}}], runtime: [{uid: aa, pids: 1, log: kube-system/kube-apiserver-cp-1}], listeners: ['[::]:6443 kube-apiserver aa']}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: x, name: a}, spec: {hostNetwork: true, containers: [{name: c, image: 'r.io/a:9999', args: ['--listen=:18080']}]}}}], runtime: [{uid: aa, pids: 1, log: x/a-cp-1}, {uid: bb, pids: 1, log: x/b}], listeners: ['[::]:8080 a aa', '127.0.0.1:9999 a aa', '0.0.0.0:7 b bb']}",
            "FAIL medium: x/a listens on [::]:8080 (a), of which its manifest says nothing; low: x/a listens on 127.0.0.1:9999 (a), of which its manifest says nothing",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: x, name: a}, spec: {hostNetwork: true, containers: [{name: c, args: [--config=/etc/a.yaml]}]}}}], runtime: [{uid: aa, pids: 1, log: x/a-cp-1}], listeners: ['[::]:8080 a aa']}",
            "MANUAL: does the configuration file of x/a say that it listens on [::]:8080? its manifest does not",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: x, name: a}, spec: {hostNetwork: true, containers: [{name: c}]}}}], runtime: [{uid: aa, pids: 1}], listeners: ['[::]:8080 a aa']}",
            "UNKNOWN: the answer cannot be trusted: which pod listens on [::]:8080: its log folder is not there",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: x, name: a}, spec: {hostNetwork: true, containers: [{name: c}]}}}], runtime: [], listeners: ['[::]:8080']}",
            "UNKNOWN: not asked for in this run",
        ),
        (
            "{manifests: [{file: a.yaml, pod: x/a}], runtime: [], listeners: []}",
            "N/A: no static pod of the node is on the host network",
        ),
        (
            "{manifests: [{file: a.yaml, unread: denied}], runtime: [], listeners: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Where components listen that are told nothing.
const USUAL: &[(&str, &[u16])] = &[
    ("kube-apiserver", &[6443]),
    ("kube-controller-manager", &[10257]),
    ("kube-scheduler", &[10259]),
    ("cloud-controller-manager", &[10258]),
    ("kube-proxy", &[10249, 10256]),
    ("etcd", &[2379, 2380]),
];

/// Fields of a container that tell of ports.
const FIELDS: [&str; 8] = [
    "args",
    "command",
    "env",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "startupProbe",
];

/// Deeper than any of these fields is.
const DEPTH: usize = 8;

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let listeners = node.host.listeners.get()?;
    let runtime = node.host.runtime_pods.get()?;
    let on_host =
        |pod: &&Declared<'_>| pod.pod.spec().get("hostNetwork") == Some(Branch::Bool(true));
    let inside: Vec<&Declared<'_>> = declared.pods.iter().filter(on_host).collect();
    if inside.is_empty() && declared.gaps.is_empty() {
        return Ok(not_applicable(
            [declared.at, listeners.at, runtime.at],
            "no static pod of the node is on the host network",
        ));
    }
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    tally.all_good(&[listeners.at, runtime.at]);
    for listener in &listeners.value {
        match owner(node, listener, &inside) {
            Ok(Some(pod)) => told(pod, listener, listeners.at, &mut tally),
            Ok(None) => {}
            Err(gap) => tally.gap(gap),
        }
    }
    tally.verdict()
}

/// The static pod that has a socket; none where it is somebody else's.
fn owner<'d, 'n>(
    node: &NodeFacts,
    listener: &Listener,
    inside: &[&'d Declared<'n>],
) -> Result<Option<&'d Declared<'n>>, Gap> {
    let port = listener.port;
    let owner = match listener.owner.get() {
        Ok(owner) => &owner.value,
        // Whoever of them it is, it may.
        Err(_) if inside.iter().any(|pod| speaks_of(pod, port)) => return Ok(None),
        Err(gap) => return Err(gap),
    };
    let Some(uid) = &owner.pod else {
        return Ok(None);
    };
    let mut pods = node.host.runtime_pods.get()?.value.pods.iter();
    let known = pods.find(|pod| same_uid(pod.uid.as_str(), uid.as_str()));
    let found = known.and_then(|known| inside.iter().find(|pod| pod.is(known)));
    if found.is_none() && known.is_none_or(|known| known.log.is_none()) {
        let what = format!(
            "which pod listens on {}: its log folder is not there",
            place(listener)
        );
        return Err(Gap::Garbled { what: what.into() });
    }
    Ok(found.copied())
}

fn told(pod: &Declared<'_>, listener: &Listener, at: Locator, tally: &mut Tally) {
    if speaks_of(pod, listener.port) {
        return;
    }
    let name = format!("{}/{}", pod.pod.namespace, pod.pod.name);
    let place = place(listener);
    if has_file(pod) {
        return tally.gap(Gap::NeedsHuman {
            question: Text::from(format!(
                "does the configuration file of {name} say that it listens on {place}? its manifest does not"
            )),
        });
    }
    let severity = if listener.address.is_loopback() {
        Severity::Low
    } else {
        Severity::Medium
    };
    let comm = listener.owner.get().map(|owner| owner.value.comm.clone());
    let message = format!(
        "{name} listens on {place} ({}), of which its manifest says nothing",
        comm.unwrap_or_default()
    );
    let subject = Subject::new(SubjectKind::Port, format!("{name}:{}", listener.port));
    tally.offence(offence(subject, severity, message, [pod.at, at]));
}

fn place(listener: &Listener) -> std::net::SocketAddr {
    std::net::SocketAddr::new(listener.address, listener.port)
}

/// Whether a manifest tells of a port, in whatever way: as a number of its own.
fn speaks_of(pod: &Declared<'_>, port: u16) -> bool {
    let usual = USUAL
        .iter()
        .any(|(program, ports)| ports.contains(&port) && own_words(pod.pod, program).is_some());
    usual
        || pod.pod.containers().any(|(_, container)| {
            let mut fields = FIELDS.iter().filter_map(|field| container.get(field));
            fields.any(|field| names(field, port, DEPTH))
        })
}

fn names(branch: Branch<'_>, port: u16, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    if let Some(text) = branch.as_str() {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit());
        return numbers.any(|number| number.parse() == Ok(port));
    }
    let list = branch.as_array().into_iter().flat_map(Items::iter);
    let map = branch.as_object().into_iter().flat_map(Members::iter);
    branch.as_u64() == Some(u64::from(port))
        || list
            .chain(map.map(|(_, value)| value))
            .any(|value| names(value, port, depth - 1))
}

/// Whether a program is told where its configuration file lies.
fn has_file(pod: &Declared<'_>) -> bool {
    pod.pod.containers().any(|(_, container)| {
        let fields = ["command", "args"].into_iter();
        let lists = fields.filter_map(|field| container.get(field)?.as_array());
        let mut words = lists.flat_map(Items::iter).filter_map(Branch::as_str);
        words.any(|word| {
            let name = word.trim_start_matches('-');
            let name = name.split_once('=').map_or(name, |(name, _)| name);
            word.starts_with('-') && ["c", "config", "config-file"].contains(&name)
        })
    })
}
