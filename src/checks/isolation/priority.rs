use super::spots::{is_infrastructure, is_system};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::merge::pairs::declared;
use crate::model::fact::{Gap, Need};
use crate::model::known::CONTROL_PLANE_COMPONENTS;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-010"),
    title: "Priority classes fit what static pods are",
    why: "Without system-node-critical the kernel kills a component first when memory runs out; an application that claims it outlives the components.",
    severity: Severity::Low,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Source("kubernetes pkg/kubelet/qos/policy.go")],
    fix: Remediation {
        steps: &[
            on_node("grep -n priorityClassName: {path}"),
            by_hand(
                "set priorityClassName: system-node-critical for a component that the node or cluster needs; take it out of the manifest of an application",
            ),
        ],
        restarts: "the pod, within fileCheckFrequency (20 s)",
        undo: &[by_hand(
            "write the former priorityClassName back into the manifest",
        )],
    },
    examples: &[
        (
            "manifests: [{file: etcd.yaml, pod: {metadata: {namespace: kube-system, name: etcd}, spec: {priorityClassName: system-node-critical}}}, {file: a.yaml, pod: shop/a}]",
            "PASS",
        ),
        (
            "manifests: [{file: etcd.yaml, pod: kube-system/etcd}, {file: b.yaml, gap: denied}]",
            "FAIL low: etcd is infrastructure without a system priority class; gap: the login may not read it",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: shop, name: a}, spec: {priorityClassName: system-cluster-critical}}}]",
            "FAIL low: a of shop claims system-cluster-critical, and is no part of the system",
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
    let declared = declared(node)?;
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    for pod in &declared.pods {
        let (namespace, name) = (pod.pod.namespace.as_str(), pod.pod.name.as_str());
        let class = pod
            .pod
            .spec()
            .get("priorityClassName")
            .and_then(Branch::as_str);
        let critical = class
            .filter(|class| ["system-node-critical", "system-cluster-critical"].contains(class));
        let component = is_system(namespace) && CONTROL_PLANE_COMPONENTS.contains(&name);
        let message = match critical {
            None if component || is_infrastructure(namespace, name) => {
                format!("{name} is infrastructure without a system priority class")
            }
            Some(class) if !is_system(namespace) => {
                format!("{name} of {namespace} claims {class}, and is no part of the system")
            }
            _ => continue,
        };
        tally.offence(offence(
            Subject::path(&pod.manifest.file),
            Severity::Low,
            message,
            [pod.at],
        ));
    }
    tally.verdict()
}
