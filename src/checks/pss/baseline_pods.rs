use super::exceptions::{is_component, is_declared};
use super::judged::judged;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::privilege::containers::{Around, each_pod};
use crate::checks::standard::Level;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PSS-001"),
    title: "Static pods keep to the baseline of Pod Security",
    why: "What baseline forbids leads out of the container, and for a static pod no admission ever asks.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject, Need::Policy],
    maps: &[
        Maps::Pss("baseline"),
        Maps::Cis("5.2.2"),
        Maps::Cis("5.2.12"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; merge the fragment below into it, or declare the exception under pss: of the pod's entry in the policy file",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        ("manifests: [{file: a.yaml, pod: shop/a}]", "PASS"),
        (
            "{object: {version: v1.34.1}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80}], securityContext: {privileged: true}}]}}}]}",
            "FAIL high: default/a breaks hostNamespaces of baseline:v1.34 (hostNetwork=true); high: default/a breaks hostPorts of baseline:v1.34 (container \"c\" uses hostPort 80); high: default/a breaks privileged of baseline:v1.34 (container \"c\" must not set securityContext.privileged=true)",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {hostNetwork: true, containers: [{name: c, ports: [{containerPort: 2379}]}], volumes: [{name: v, hostPath: {path: /var/lib/etcd}}]}}}]",
            "FAIL info: kube-system/etcd breaks baseline:latest as a component of the control plane: hostNamespaces, hostPathVolumes, hostPorts",
        ),
        (
            "{policy: {static_pods: [{pod: 'x/*', pss: [hostNamespaces]}]}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {hostPID: true, volumes: [{name: v, hostPath: {path: /}}]}}}, {file: b.yaml, unread: denied}]}",
            "FAIL high: x/a breaks hostPathVolumes of baseline:latest (volume \"v\"); info: x/a breaks baseline:latest as the policy declares: hostNamespaces; gap: the login may not read it",
        ),
        (
            "{object: {gap: forbidden}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {sysctls: [{name: net.ipv4.tcp_rmem}]}}}}]}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostIPC: 1}}}]",
            "UNKNOWN: the answer cannot be trusted: default/a: spec.hostIPC is not true or false",
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
    each_pod(node, |around, tally| {
        match one(node, view, &around, tally) {
            Ok(()) => tally.good(around.at),
            Err(gap) => tally.gap(gap),
        }
    })
}

fn one(
    node: &NodeFacts,
    view: &View<'_>,
    around: &Around<'_>,
    tally: &mut Tally,
) -> Result<(), Gap> {
    let found = judged(around.pod, Level::Baseline, (node, view))?;
    tally.gaps(found.gap);
    let (name, standard) = (around.name(), found.standard);
    let (mut component, mut declared) = (Vec::new(), Vec::new());
    for violation in &found.violations {
        let id = violation.id;
        // An exception that is not known is none.
        if is_declared(node, view, around.pod, id) == Ok(true) {
            declared.push(id);
        } else if is_component(around.pod, id) {
            component.push(id);
        } else {
            let message = format!("{name} breaks {id} of {standard} ({})", violation.detail);
            let subject = around.part(id);
            tally.offence(offence(subject, Severity::High, message, [around.at]));
        }
    }
    let mut expected = Vec::new();
    if !component.is_empty() {
        let ids = component.join(", ");
        expected.push(format!("as a component of the control plane: {ids}"));
    }
    if !declared.is_empty() {
        expected.push(format!("as the policy declares: {}", declared.join(", ")));
    }
    if !expected.is_empty() {
        let message = format!("{name} breaks {standard} {}", expected.join("; "));
        tally.offence(offence(
            around.subject(),
            Severity::Info,
            message,
            [around.at],
        ));
    }
    Ok(())
}
