use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, fail, kubectl, not_applicable, pass, pass_note,
};
use crate::checks::role;
use crate::model::fact::{Gap, Need};
use crate::model::known::{CONTROL_PLANE_LABEL, MASTER_LABEL};
use crate::model::name::CheckId;
use crate::model::node::{NodeFacts, Taint};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-001"),
    title: "Control-plane nodes are tainted",
    why: "Without a taint any pod of any user can land beside the CA keys and etcd, one container escape away from the whole cluster.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::NodeObject],
    helps: &[Need::Manifests, Need::MirrorPods, Need::Processes],
    maps: &[Maps::Nsa("AUTH"), Maps::Attack("T1610")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),
            kubectl("kubectl taint node {node} node-role.kubernetes.io/control-plane:NoSchedule"),
        ],
        restarts: "nothing: pods that are there stay; move the ordinary ones with kubectl delete pod",
        undo: &[kubectl(
            "kubectl taint node {node} node-role.kubernetes.io/control-plane:NoSchedule-",
        )],
    },
    examples: &[
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}, taints: ['node-role.kubernetes.io/control-plane:NoSchedule']}, count: 3}",
            "PASS",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}, taints: ['CriticalAddonsOnly=true:NoExecute']}, count: 3}",
            "PASS: kept free by taint CriticalAddonsOnly=true:NoExecute",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, count: 3}",
            "FAIL high: no taint keeps ordinary pods away; it is a control plane by its role label",
        ),
        (
            "{object: {taints: ['node.kubernetes.io/unschedulable:NoSchedule']}, count: 3, manifests: [{file: etcd.yaml, pod: kube-system/etcd}]}",
            "FAIL high: no taint keeps ordinary pods away; it is a control plane by its manifest of etcd",
        ),
        (
            "{object: {taints: ['node-role.kubernetes.io/control-plane:PreferNoSchedule']}, mirrors: [{pod: kube-system/kube-apiserver-cp-1}]}",
            "FAIL high: no taint keeps ordinary pods away; it is a control plane by its mirror pod of kube-apiserver",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, count: 1}",
            "N/A: it is the only node of the cluster, ordinary pods have nowhere else to run",
        ),
        (
            "{object: {}, manifests: [], mirrors: []}",
            "N/A: it is no control plane: no role label, no component among its static pods",
        ),
        (
            "{object: {}, manifests: {gap: denied}, mirrors: []}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "object: {gap: forbidden}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let object = node.api.object.get()?;
    let role = role::of(node)?;
    let Some(proof) = role.control_plane else {
        let why = "it is no control plane: no role label, no component among its static pods";
        return Ok(match role::elsewhere(node) {
            Some((words, at)) => {
                let evidence = role.evidence.into_iter().chain([at]);
                not_applicable(evidence, format!("{why}; {words}"))
            }
            None => not_applicable(role.evidence, why),
        });
    };
    let evidence = role.evidence.into_iter().chain([object.at]);
    let mut keeping = object.value.taints.iter().filter(|taint| keeps_away(taint));
    if let Some(taint) = keeping.next() {
        let usual = [CONTROL_PLANE_LABEL, MASTER_LABEL].contains(&taint.key.as_str());
        return Ok(if usual {
            pass(evidence)
        } else {
            pass_note(evidence, format!("kept free by taint {}", spelled(taint)))
        });
    }
    if let Ok(nodes) = view.snapshot.cluster.nodes.get()
        && nodes.value == 1
    {
        return Ok(not_applicable(
            evidence.chain([nodes.at]),
            "it is the only node of the cluster, ordinary pods have nowhere else to run",
        ));
    }
    Ok(fail(
        Subject::new(SubjectKind::Node, Text::new(node.name.as_str())),
        Severity::High,
        format!("no taint keeps ordinary pods away; it is a control plane by {proof}"),
        evidence,
    ))
}

/// A taint that a person set to keep pods away. Those under `node.kubernetes.io` come and go with the
/// node's condition, and `PreferNoSchedule` is only a wish.
fn keeps_away(taint: &Taint) -> bool {
    let passing = ["node.kubernetes.io/", "node.cloudprovider.kubernetes.io/"];
    let key = taint.key.as_str();
    ["NoSchedule", "NoExecute"].contains(&taint.effect.as_str())
        && !passing.iter().any(|prefix| key.starts_with(prefix))
}

fn spelled(taint: &Taint) -> String {
    if taint.value.is_empty() {
        format!("{}:{}", taint.key, taint.effect)
    } else {
        format!("{}={}:{}", taint.key, taint.value, taint.effect)
    }
}
