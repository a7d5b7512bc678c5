use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::network::{Firewall, InputChain, PortVerdict};
use crate::model::node::{Listener, NodeFacts};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-012"),
    title: "The node's firewall limits who reaches Kubernetes",
    why: "Without one every machine that routes to the node can try the API server, etcd and the kubelet directly.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Firewall, Need::Listeners],
    helps: &[Need::NodeObject],
    maps: &[
        Maps::Nsa("NET"),
        Maps::Source("kubernetes.io: API server bypass risks"),
    ],
    fix: Remediation {
        steps: &[
            on_node("nft list ruleset"),
            by_hand(
                "let only the nodes and the machines of administrators reach the ports of the finding, by a rule of the node or of the cloud (a security group is not seen here: waive the finding with it as the reason); try it on one worker first and keep a console open",
            ),
        ],
        restarts: "nothing; a rule that is too narrow cuts the node off from its cluster",
        undo: &[by_hand("delete the rule that was added")],
    },
    examples: &[
        (
            "{firewall: [{family: inet, table: filter, chain: input, opaque: false, drops: true, ports: [{port: 10250, verdict: accept, narrowed: true}]}], listeners: ['[::]:10250']}",
            "PASS",
        ),
        (
            "{firewall: [], listeners: [127.0.0.1:10257, '0.0.0.0:22']}",
            "N/A: no port of Kubernetes is open beyond loopback",
        ),
        (
            "{firewall: [], listeners: ['[::]:6443', '[::]:10250', 127.0.0.1:10259]}",
            "FAIL medium: ports 6443, 10250 can be reached from everywhere: the node filters nothing",
        ),
        (
            "{firewall: [{family: ip, table: filter, chain: INPUT, opaque: false, drops: true, ports: [{port: 10250, verdict: accept, narrowed: false}]}], listeners: [198.51.100.11:10250, 198.51.100.11:2379]}",
            "FAIL medium: port 10250 can be reached from everywhere: no rule of the node keeps anybody out",
        ),
        (
            "{firewall: [{family: ip, table: filter, chain: INPUT, opaque: false, drops: true, ports: []}], listeners: ['[::]:10250']}",
            "FAIL medium: port 10250 can be reached from everywhere: no rule of the node keeps anybody out",
        ),
        (
            "{object: {addresses: {InternalIP: 198.51.100.11}}, firewall: [{family: ip, table: filter, chain: INPUT, opaque: false, drops: true, ports: []}], listeners: ['[::]:10250']}",
            "MANUAL: has the node an address of IPv6? no rule keeps anybody out of port 10250 by it",
        ),
        (
            "{object: {addresses: {InternalIP: 198.51.100.11}}, firewall: [{family: ip, table: filter, chain: INPUT, opaque: false, drops: true, ports: []}], listeners: ['0.0.0.0:10250']}",
            "PASS",
        ),
        (
            "{object: {addresses: {InternalIP: 198.51.100.11}}, firewall: [], listeners: ['[::]:10250']}",
            "FAIL medium: port 10250 can be reached from everywhere: the node filters nothing",
        ),
        (
            "{firewall: [{family: inet, table: f, chain: input, opaque: true, drops: false, ports: []}], listeners: ['[::]:10250']}",
            "MANUAL: do the rules of table f let everybody reach port 10250?",
        ),
        (
            "{firewall: [{family: inet, table: f, chain: input, opaque: true, drops: true, ports: []}], listeners: ['[::]:10250']}",
            "MANUAL: do the rules of table f let everybody reach port 10250?",
        ),
        (
            "{firewall: [{family: inet, table: f, chain: input, opaque: false, drops: true, ports: [{port: 10250, verdict: other, narrowed: false}]}], listeners: ['[::]:10250']}",
            "MANUAL: do the rules of table f let everybody reach port 10250?",
        ),
        (
            "{firewall: {gap: denied}, listeners: ['[::]:10250']}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

const PORTS: [u16; 6] = [6443, 2379, 2380, 10250, 10257, 10259];

/// What the packet filter makes of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gate {
    Shut,
    /// Open to IPv6 alone, of which nobody knows whether the node has it.
    Six,
    /// It hangs on what is not read.
    Opaque,
    Open,
}

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let firewall = node.host.firewall.get()?;
    let listeners = node.host.listeners.get()?;
    let open =
        |listener: &&Listener| PORTS.contains(&listener.port) && !listener.address.is_loopback();
    let mut seen = listeners.value.iter().filter(open).peekable();
    if seen.peek().is_none() {
        return Ok(not_applicable(
            [listeners.at],
            "no port of Kubernetes is open beyond loopback",
        ));
    }
    let mut ports: BTreeMap<u16, Gate> = BTreeMap::new();
    for listener in seen {
        let gate = gate(&firewall.value, listener, may_lack_v6(node));
        let widest = ports.entry(listener.port).or_insert(gate);
        *widest = gate.max(*widest);
    }
    let mut tally = Tally::new();
    tally.all_good(&[firewall.at, listeners.at]);
    for (port, gate) in &ports {
        if let Some(question) = question(&firewall.value, *port, *gate) {
            tally.gap(Gap::NeedsHuman {
                question: Text::from(question),
            });
        }
    }
    let reached = ports.iter().filter(|(_, gate)| **gate == Gate::Open);
    let reached: Vec<String> = reached.map(|(port, _)| port.to_string()).collect();
    if !reached.is_empty() {
        let word = if reached.len() == 1 { "port" } else { "ports" };
        let why = if firewall.value.inputs.is_empty() {
            "the node filters nothing"
        } else {
            "no rule of the node keeps anybody out"
        };
        tally.offence(offence(
            Subject::new(SubjectKind::Node, Text::new(node.name.as_str())),
            Severity::Medium,
            format!(
                "{word} {} can be reached from everywhere: {why}",
                reached.join(", ")
            ),
            [firewall.at, listeners.at],
        ));
    }
    tally.verdict()
}

/// What a person has to find out.
fn question(firewall: &Firewall, port: u16, gate: Gate) -> Option<String> {
    match gate {
        Gate::Shut | Gate::Open => None,
        Gate::Six => Some(format!(
            "has the node an address of IPv6? no rule keeps anybody out of port {port} by it"
        )),
        Gate::Opaque => {
            let mut chains = firewall.inputs.iter();
            let opaque = chains.find(|chain| through(chain, port) == Gate::Opaque);
            let table = opaque.map_or("filter", |chain| chain.table.as_str());
            Some(format!(
                "do the rules of table {table} let everybody reach port {port}?"
            ))
        }
    }
}

/// The API server knows no address of IPv6; the node may have one all the same.
fn may_lack_v6(node: &NodeFacts) -> bool {
    node.api.object.get().is_ok_and(|object| {
        let addresses = &object.value.addresses;
        let is_v6 = |address: &Text| {
            address
                .as_str()
                .parse()
                .is_ok_and(|ip: IpAddr| ip.is_ipv6())
        };
        !addresses.is_empty() && !addresses.iter().any(|(_, address)| is_v6(address))
    })
}

/// The widest way to a listener: one on `::` takes packets of both families.
fn gate(firewall: &Firewall, listener: &Listener, may_lack_v6: bool) -> Gate {
    let of_family = |family: &str| {
        let chains = firewall.inputs.iter();
        let own = chains.filter(|chain| chain.family == family || chain.family == "inet");
        // A packet passes every base chain: the narrowest counts.
        own.map(|chain| through(chain, listener.port))
            .min()
            .unwrap_or(Gate::Open)
    };
    match listener.address {
        IpAddr::V4(_) => of_family("ip"),
        IpAddr::V6(address) if address.is_unspecified() => {
            let six = match of_family("ip6") {
                Gate::Open if may_lack_v6 => Gate::Six,
                gate => gate,
            };
            of_family("ip").max(six)
        }
        IpAddr::V6(_) => of_family("ip6"),
    }
}

/// What one chain makes of new connections from anywhere to a port.
fn through(chain: &InputChain, port: u16) -> Gate {
    let mut all = chain.ports.iter();
    let own = all.find(|rule| rule.port == port && !rule.narrowed);
    match (own.map(|rule| rule.verdict), chain.opaque, chain.drops) {
        (Some(PortVerdict::Accept), _, _) | (None, false, false) => Gate::Open,
        (Some(PortVerdict::Drop), _, _) | (None, false, true) => Gate::Shut,
        (Some(PortVerdict::Other), _, _) | (None, true, _) => Gate::Opaque,
    }
}
