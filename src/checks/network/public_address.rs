use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, kubectl, not_applicable, on_node, pass,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::{NodeFacts, NodeObject};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-013"),
    title: "Nodes with static pods listen on no public address",
    why: "What listens on every address of a node with a public one is found by the internet's scanners within hours.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::NodeObject, Need::Listeners, Need::Manifests],
    helps: &[],
    maps: &[Maps::Nsa("NET"), Maps::Attack("T1133")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get node {node} -o wide"),
            on_node("ss -ltn"),
            by_hand(
                "let only known addresses reach the ports of the finding (cloud firewall or security group, else the node's own), bind components to the node's inner address, or take the public address away",
            ),
        ],
        restarts: "a component whose bind address changes",
        undo: &[by_hand(
            "take the firewall rule away again, or give the bind address back",
        )],
    },
    examples: &[
        (
            "{object: {addresses: {InternalIP: 10.0.0.4}}, listeners: [0.0.0.0:6443], manifests: [{file: a.yaml, pod: x/a}]}",
            "N/A: the node has no public address",
        ),
        (
            "{object: {addresses: {ExternalIP: 8.8.4.4}}, listeners: [0.0.0.0:22], manifests: []}",
            "N/A: the node has no static pod",
        ),
        (
            "{object: {addresses: {ExternalIP: 8.8.4.4}}, listeners: [127.0.0.1:10248, 10.0.0.4:6443], manifests: [{file: a.yaml, pod: x/a}]}",
            "PASS",
        ),
        (
            "{object: {addresses: {ExternalIP: 8.8.4.4}}, listeners: [0.0.0.0:10250, '[::]:6443', 127.0.0.1:10248], manifests: [{file: a.yaml, pod: x/a}]}",
            "FAIL medium: ports 6443, 10250 listen on the public address 8.8.4.4",
        ),
        (
            "{object: {addresses: {InternalIP: 8.8.4.4}}, listeners: [8.8.4.4:6443], manifests: [{file: a.yaml, gap: denied}]}",
            "FAIL medium: port 6443 listens on the public address 8.8.4.4",
        ),
        (
            "{object: {addresses: {ExternalIP: 8.8.4.4}}, listeners: {gap: tool}, manifests: [{file: a.yaml, pod: x/a}]}",
            "UNKNOWN: getfacl is not on the node",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let object = node.api.object.get()?;
    let manifests = node.host.manifests.get()?;
    let listeners = node.host.listeners.get()?;
    if manifests.value.is_empty() {
        return Ok(not_applicable([manifests.at], "the node has no static pod"));
    }
    let Some(public) = public(&object.value) else {
        return Ok(not_applicable(
            [object.at],
            "the node has no public address",
        ));
    };
    let ports: BTreeSet<u16> = listeners
        .value
        .iter()
        .filter(|listener| listener.address.is_unspecified() || listener.address == public)
        .map(|listener| listener.port)
        .collect();
    let evidence = [object.at, listeners.at];
    if ports.is_empty() {
        return Ok(pass(evidence));
    }
    let listed: Vec<String> = ports.iter().map(u16::to_string).collect();
    let (word, verb) = if ports.len() == 1 {
        ("port", "listens")
    } else {
        ("ports", "listen")
    };
    Ok(fail(
        Subject::new(SubjectKind::Node, Text::new(node.name.as_str())),
        Severity::Medium,
        format!(
            "{word} {} {verb} on the public address {public}",
            listed.join(", ")
        ),
        evidence,
    ))
}

/// An address that the internet routes: an ExternalIP, or an InternalIP of a node that stands there itself.
fn public(object: &NodeObject) -> Option<IpAddr> {
    let addresses = object.addresses.iter();
    addresses
        .filter(|(kind, _)| kind.as_str().ends_with("IP"))
        .filter_map(|(_, address)| address.as_str().parse().ok())
        .find(|address| match address {
            IpAddr::V4(address) => is_routed(*address),
            IpAddr::V6(address) => is_routed_v6(*address),
        })
}

/// Not in a block that IANA keeps from the internet (special-purpose address registry).
fn is_routed(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let kept = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
        || (a == 192 && b == 0);
    !kept
}

/// Global unicast, without the block for documentation.
fn is_routed_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    first & 0xe000 == 0x2000 && !(first == 0x2001 && second == 0xdb8)
}
