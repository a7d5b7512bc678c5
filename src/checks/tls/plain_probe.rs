use crate::checks::check::{Check, Judge, Maps, Remediation, Tally, View, by_hand, offence};
use crate::checks::merge::pairs::declared;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-014"),
    title: "Probes of control ports go by TLS or loopback",
    why: "A probe in plain text says that the port answers so: whoever sits between gives the answer, and the pod is held for well or restarted.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Nsa("NET")],
    fix: Remediation {
        steps: &[by_hand(
            "set scheme: HTTPS in the httpGet of the probe, or host: 127.0.0.1 where the port is open in plain text on loopback alone",
        )],
        restarts: "the pod of the finding",
        undo: &[by_hand("put the former probe back into the manifest")],
    },
    examples: &[
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {hostNetwork: true, containers: [{name: etcd, ports: [{name: p, containerPort: 2379}], livenessProbe: {httpGet: {port: 2379, scheme: HTTPS}}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {hostNetwork: true, containers: [{name: etcd, ports: [{name: p, containerPort: 2379}], livenessProbe: {httpGet: {port: 2381, host: 127.0.0.1}}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {hostNetwork: false, containers: [{name: etcd, ports: [{name: p, containerPort: 2379}], livenessProbe: {httpGet: {port: 8080}}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {hostNetwork: true, containers: [{name: etcd, ports: [{name: p, containerPort: 2379}], livenessProbe: {httpGet: {port: 2379}}}]}}}]",
            "FAIL low: livenessProbe asks port 2379 in plain text",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {hostNetwork: true, containers: [{name: etcd, ports: [{name: p, containerPort: 2379}], livenessProbe: {httpGet: {port: p, scheme: HTTP, host: 10.0.0.1}}}]}}}]",
            "FAIL low: livenessProbe asks port 2379 in plain text",
        ),
        (
            "manifests: [{file: a.yaml, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// API server, etcd and its metrics, kubelet, controller manager, scheduler.
const PORTS: [u64; 8] = [6443, 2379, 2380, 2381, 4001, 10250, 10257, 10259];
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let declarations = declared(node)?;
    let mut tally = Tally::new();
    declarations.tell(&mut tally);
    for declared in &declarations.pods {
        let pod = declared.pod;
        for (_, container) in pod.containers() {
            let name = container
                .get("name")
                .and_then(Branch::as_str)
                .unwrap_or_default();
            for probe in PROBES {
                let Some(port) = plain(container, probe) else {
                    continue;
                };
                let subject = Subject::container(&pod.namespace, &pod.name, &Text::new(name));
                let message = format!("{probe} asks port {port} in plain text");
                tally.offence(offence(subject, Severity::Low, message, [declared.at]));
            }
        }
    }
    tally.verdict()
}

/// The control port that a probe asks without TLS from outside of loopback.
fn plain(container: Branch<'_>, probe: &str) -> Option<u64> {
    let get = container.get(probe)?.get("httpGet")?;
    let text = |key: &str| get.get(key).and_then(Branch::as_str).unwrap_or_default();
    let loopback = ["127.", "::1", "localhost"];
    if text("scheme").eq_ignore_ascii_case("https")
        || loopback.iter().any(|own| text("host").starts_with(own))
    {
        return None;
    }
    let port = get.get("port")?;
    let port = port.as_u64().or_else(|| {
        let mut ports = container.get("ports")?.as_array()?.iter();
        let named = ports.find(|own| own.get("name").and_then(Branch::as_str) == port.as_str())?;
        named.get("containerPort")?.as_u64()
    });
    port.filter(|port| PORTS.contains(port))
}
