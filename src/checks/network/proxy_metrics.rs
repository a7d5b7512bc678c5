use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, kubectl, not_applicable, on_node, pass,
    pass_note,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-014"),
    title: "Metrics of kube-proxy are on loopback only",
    why: "The metrics port of kube-proxy answers anybody without a login and tells what runs where.",
    severity: Severity::Low,
    since: "0.1.0",
    needs: &[Need::Listeners],
    helps: &[Need::DaemonSets],
    maps: &[Maps::Cis("4.3.1")],
    fix: Remediation {
        steps: &[
            on_node("ss -ltn sport = :10249"),
            kubectl("kubectl get configmap kube-proxy -n kube-system -o yaml"),
            by_hand(
                "set metricsBindAddress to 127.0.0.1:10249 in config.conf of that ConfigMap, or take --metrics-bind-address away",
            ),
            kubectl("kubectl rollout restart daemonset kube-proxy -n kube-system"),
        ],
        restarts: "kube-proxy, node by node; existing connections stay",
        undo: &[by_hand(
            "set the former metricsBindAddress and restart the DaemonSet again",
        )],
    },
    examples: &[
        ("listeners: [127.0.0.1:10249, '[::1]:10249']", "PASS"),
        (
            "{listeners: [0.0.0.0:22], daemon_sets: [{namespace: kube-system, name: kube-proxy, images: ['registry.k8s.io/kube-proxy:v1.37.2']}]}",
            "PASS: nothing listens on port 10249",
        ),
        (
            "listeners: [0.0.0.0:22]",
            "PASS: nothing listens on port 10249",
        ),
        (
            "{listeners: [0.0.0.0:22], daemon_sets: [{namespace: kube-system, name: cilium, images: ['quay.io/cilium/cilium:v1.17']}]}",
            "N/A: the cluster runs no kube-proxy, and nothing listens on its port",
        ),
        (
            "listeners: ['[::]:10249', 127.0.0.1:10249]",
            "FAIL low: kube-proxy's metrics answer on [::]:10249",
        ),
        (
            "listeners: {gap: tool}",
            "UNKNOWN: getfacl is not on the node",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// kube-proxy's default (kubernetes/kube-proxy config/v1alpha1).
const PORT: u16 = 10249;

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let listeners = node.host.listeners.get()?;
    let mut own = listeners
        .value
        .iter()
        .filter(|listener| listener.port == PORT)
        .peekable();
    if own.peek().is_none() {
        return Ok(match view.snapshot.cluster.objects.daemon_sets.get() {
            Ok(sets)
                if !sets
                    .value
                    .iter()
                    .any(|set| set.name.as_str().contains("kube-proxy")) =>
            {
                not_applicable(
                    [sets.at, listeners.at],
                    "the cluster runs no kube-proxy, and nothing listens on its port",
                )
            }
            _ => pass_note([listeners.at], "nothing listens on port 10249"),
        });
    }
    match own.find(|listener| !listener.address.is_loopback()) {
        None => Ok(pass([listeners.at])),
        Some(open) => {
            let place = std::net::SocketAddr::new(open.address, PORT).to_string();
            Ok(fail(
                Subject::new(SubjectKind::Port, place.clone()),
                Severity::Low,
                format!("kube-proxy's metrics answer on {place}"),
                [listeners.at],
            ))
        }
    }
}
