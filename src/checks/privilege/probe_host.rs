use super::containers::{Inside, each_container, word};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Verdict};

/// Where a probe or a lifecycle handler names a host.
const HOSTS: [&str; 10] = [
    "/livenessProbe/httpGet/host",
    "/livenessProbe/tcpSocket/host",
    "/readinessProbe/httpGet/host",
    "/readinessProbe/tcpSocket/host",
    "/startupProbe/httpGet/host",
    "/startupProbe/tcpSocket/host",
    "/lifecycle/postStart/httpGet/host",
    "/lifecycle/postStart/tcpSocket/host",
    "/lifecycle/preStop/httpGet/host",
    "/lifecycle/preStop/tcpSocket/host",
];

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-016"),
    title: "No probe makes the kubelet call another host",
    why: "The kubelet calls whatever host a probe names, from the node's own network: a way to reach what the pod itself may not.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject],
    maps: &[
        Maps::Pss("baseline/hostProbesAndHostLifecycle"),
        Maps::Attack("T1090"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; in container {container} remove host: of the probes and lifecycle handlers, so that the pod's own address is called",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, livenessProbe: {httpGet: {port: 80}}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostNetwork: true, containers: [{name: c, livenessProbe: {httpGet: {host: 127.0.0.1}}}]}}}]",
            "PASS: container c of default/a is probed at 127.0.0.1, its own node",
        ),
        (
            "{object: {addresses: {InternalIP: 10.0.0.11}}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostNetwork: true, containers: [{name: c, livenessProbe: {httpGet: {host: 10.0.0.11}}, startupProbe: {tcpSocket: {host: 10.0.0.12}}}]}}}]}",
            "FAIL medium: container c of default/a makes the kubelet call 10.0.0.12",
        ),
        (
            "{object: {gap: forbidden}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostNetwork: true, containers: [{name: c, livenessProbe: {httpGet: {host: 10.0.0.11}}}]}}}]}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, lifecycle: {preStop: {httpGet: {host: localhost}}}}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL medium: container c of default/a makes the kubelet call localhost; gap: the login may not read it",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mut notes = Vec::new();
    let mut unknown = None;
    let verdict = each_container(node, |inside| {
        let mut foreign = Vec::new();
        for host in hosts(inside) {
            match is_own(node, inside, host) {
                Ok(true) => {
                    notes.push(format!(
                        "{} is probed at {host}, its own node",
                        inside.words()
                    ));
                }
                Ok(false) => foreign.push(host),
                Err(gap) => unknown = Some(gap),
            }
        }
        foreign.dedup();
        let message = format!(
            "{} makes the kubelet call {}",
            inside.words(),
            foreign.join(", ")
        );
        Ok((!foreign.is_empty()).then(|| {
            offence(
                inside.subject.clone(),
                Severity::Medium,
                message,
                [inside.at],
            )
        }))
    });
    let mut tally = Tally::new();
    tally.gaps(unknown);
    for note in notes {
        tally.note(note);
    }
    tally.with(verdict?)
}

fn hosts<'i>(inside: &'i Inside<'_>) -> Vec<&'i str> {
    let found = HOSTS
        .iter()
        .map(|pointer| word(inside.container.pointer(pointer)));
    let mut hosts: Vec<&str> = found.filter(|host| !host.is_empty()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// Whether the kubelet reaches the pod itself there: on the host's network loopback and the node's addresses do.
///
/// # Errors
/// The gap where the node's addresses decide and are not known.
fn is_own(node: &NodeFacts, inside: &Inside<'_>, host: &str) -> Result<bool, Gap> {
    if inside.pod.spec().get("hostNetwork") != Some(Branch::Bool(true)) {
        return Ok(false);
    }
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    if host == "localhost" || address.is_ok_and(|address| address.is_loopback()) {
        return Ok(true);
    }
    let addresses = &node.api.object.get()?.value.addresses;
    Ok(addresses.iter().any(|(_, own)| *own == host))
}
