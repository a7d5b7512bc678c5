use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::{Listener, NodeFacts};
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-010"),
    title: "Components listen where they are needed only",
    why: "A controller manager, scheduler or etcd that listens on every address can be tried by whoever reaches the node, whatever network it has.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Listeners],
    helps: &[],
    maps: &[Maps::Cis("1.3.7"), Maps::Cis("1.4.2"), Maps::Nsa("NET")],
    fix: Remediation {
        steps: &[
            on_node("ss -ltnp"),
            by_hand(
                "set --bind-address=127.0.0.1 for kube-controller-manager and kube-scheduler, the node's own address in the --listen-*-urls of etcd, in the manifest on the node; the API server may keep every address where a firewall stands before it",
            ),
        ],
        restarts: "the component, within fileCheckFrequency (20 s); etcd one node at a time",
        undo: &[by_hand("write the former address back into the manifest")],
    },
    examples: &[
        (
            "listeners: [127.0.0.1:10257 kube-controller, 127.0.0.1:10259 kube-scheduler, 198.51.100.11:2379 etcd]",
            "PASS",
        ),
        (
            "listeners: ['[::]:6443 kube-apiserver', 127.0.0.1:10259]",
            "FAIL info: kube-apiserver listens on every address",
        ),
        (
            "listeners: [0.0.0.0:10257 kube-controller, '[::]:2381']",
            "FAIL high: kube-controller-manager listens on every address; high: etcd's metrics listens on every address",
        ),
        (
            "listeners: [0.0.0.0:22 sshd, 0.0.0.0:10250 kubelet]",
            "N/A: no component of the control plane listens on the node",
        ),
        (
            "listeners: {gap: tool}",
            "UNKNOWN: getfacl is not on the node",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Ports of the components, with the name by which the kernel cuts their programs to 15 bytes.
const PORTS: [(u16, &str, &str); 6] = [
    (6443, "kube-apiserver", "kube-apiserver"),
    (10257, "kube-controller", "kube-controller-manager"),
    (10259, "kube-scheduler", "kube-scheduler"),
    (2379, "etcd", "etcd"),
    (2380, "etcd", "etcd's peers"),
    (2381, "etcd", "etcd's metrics"),
];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let listeners = node.host.listeners.get()?;
    let mut tally = Tally::new();
    tally.good(listeners.at);
    let mut any = false;
    for listener in &listeners.value {
        let Some(name) = component(listener) else {
            continue;
        };
        any = true;
        if !listener.address.is_unspecified() {
            continue;
        }
        let severity = if name == "kube-apiserver" {
            Severity::Info
        } else {
            Severity::High
        };
        tally.offence(offence(
            Subject::new(SubjectKind::Port, format!("{name}:{}", listener.port)),
            severity,
            format!("{name} listens on every address"),
            [listeners.at],
        ));
    }
    if any {
        return tally.verdict();
    }
    Ok(not_applicable(
        [listeners.at],
        "no component of the control plane listens on the node",
    ))
}

/// Whose a listener is: by its process where that is known, else by its port.
fn component(listener: &Listener) -> Option<&'static str> {
    let owner = listener.owner.get().ok();
    let known = PORTS.iter().find(|(port, comm, _)| {
        *port == listener.port && owner.is_none_or(|owner| owner.value.comm == *comm)
    });
    let by_process = || {
        let comm = &owner?.value.comm;
        PORTS.iter().find(|(_, known, _)| *comm == *known)
    };
    known.or_else(by_process).map(|(_, _, name)| *name)
}
