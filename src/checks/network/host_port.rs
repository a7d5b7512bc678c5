use super::policies::on_host_network;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::declared::declares;
use crate::checks::merge::pairs::declared;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::policy::Declared;
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-007"),
    title: "Static pods take no port of their node",
    why: "A hostPort opens the container on every address of the node, past Services and often past network policies.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[Need::Policy, Need::NodeObject],
    maps: &[Maps::Cis("5.2.12"), Maps::Pss("baseline: Host Ports")],
    fix: Remediation {
        steps: &[
            on_node("grep -rn hostPort: /etc/kubernetes/manifests"),
            by_hand(
                "take hostPort out of the manifest of the finding and reach the pod through a Service; where the node's port is needed, bind it to one address with hostIP",
            ),
        ],
        restarts: "the pod, within fileCheckFrequency (20 s)",
        undo: &[by_hand("write the hostPort back into the manifest")],
    },
    examples: &[
        ("manifests: [{file: a.yaml, pod: shop/a}]", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {hostNetwork: true, containers: [{name: etcd, ports: [{containerPort: 2379, hostPort: 2379}]}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: shop, name: a}, spec: {containers: [{name: web, ports: [{containerPort: 80, hostPort: 8080, hostIP: 127.0.0.1}]}]}}}]",
            "PASS: web of a takes port 8080 on 127.0.0.1 only",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: shop, name: a}, spec: {containers: [{name: web, ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 443, hostPort: 8443}]}]}}}, {file: b.yaml, gap: denied}]",
            "FAIL medium: it takes port 8080, 8443 of the node; gap: the login may not read it",
        ),
        (
            "{policy: {static_pods: [{pod: shop/*, pss: [hostPorts]}]}, manifests: [{file: a.yaml, pod: {metadata: {namespace: shop, name: a}, spec: {containers: [{name: web, ports: [{containerPort: 80, hostPort: 8080}]}]}}}]}",
            "PASS: the policy lets shop/* take 8080",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    for pod in declared
        .pods
        .iter()
        .filter(|declared| !on_host_network(declared.pod))
    {
        for (_, container) in pod.pod.containers() {
            let name = container.get("name").and_then(Branch::as_str).unwrap_or("");
            let mut open: Vec<String> = Vec::new();
            let ports = container.get("ports").and_then(Branch::as_array);
            for port in ports.into_iter().flat_map(Items::iter) {
                let Some(taken) = port.get("hostPort").and_then(Branch::as_u64) else {
                    continue;
                };
                match port.get("hostIP").and_then(Branch::as_str) {
                    _ if taken == 0 => {}
                    Some(own) if is_loopback(own) => tally.note(format!(
                        "{name} of {} takes port {taken} on {own} only",
                        pod.pod.name
                    )),
                    Some(own) if !own.is_empty() && !is_any(own) => {
                        open.push(format!("{taken} ({own})"));
                    }
                    _ => open.push(taken.to_string()),
                }
            }
            if open.is_empty() {
                continue;
            }
            let allows = |entry: &Declared| {
                let mut excepted = entry.pss.iter();
                excepted.any(|control| *control == "hostPorts" || *control == "*")
            };
            match declares(node, pod.pod, view, allows) {
                Ok(Some(entry)) => {
                    let words = format!("the policy lets {} take {}", entry.pod, open.join(", "));
                    tally.note(words);
                    continue;
                }
                Ok(None) => {}
                Err(gap) => tally.gap(gap),
            }
            tally.offence(offence(
                Subject::container(&pod.pod.namespace, &pod.pod.name, &Text::new(name)),
                Severity::Medium,
                format!("it takes port {} of the node", open.join(", ")),
                [pod.at],
            ));
        }
    }
    tally.verdict()
}

fn is_loopback(address: &str) -> bool {
    address
        .parse()
        .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

fn is_any(address: &str) -> bool {
    address
        .parse()
        .is_ok_and(|ip: std::net::IpAddr| ip.is_unspecified())
}
