use super::leads::{Lead, is_api_server, leads};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::checks::merge::pairs::{Declared, declared};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::objects::label_of;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-008"),
    title: "No Service leads to a static pod",
    why: "A Service whose selector meets a mirror's labels publishes a control-plane component, and a kubelet may label its mirrors to be chosen by any Service.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[
        Need::Services,
        Need::EndpointSlices,
        Need::MirrorPods,
        Need::NodeObject,
    ],
    helps: &[Need::Manifests],
    maps: &[Maps::Source("Kubescape C-0256"), Maps::Attack("T1133")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get service {name} -n {ns} -o yaml"),
            kubectl("kubectl get endpointslices -n {ns} -l kubernetes.io/service-name={name}"),
            by_hand(
                "narrow the Service's selector so that it no longer meets the static pod, or take the label out of the manifest on the node; where the label is only on the mirror, delete the mirror: the kubelet makes it again from the manifest",
            ),
        ],
        restarts: "nothing; connections through the Service end",
        undo: &[by_hand(
            "apply the former Service again from the output of the first step",
        )],
    },
    examples: &[
        (
            "{services: [{namespace: shop, name: web, selector: {app: web}}], endpoint_slices: [], object: {}, mirrors: [{pod: {metadata: {namespace: kube-system, name: etcd-cp-1, labels: {app: web}}, spec: {}}}]}",
            "PASS",
        ),
        (
            "{services: [{namespace: default, name: kubernetes, type: ClusterIP}], endpoint_slices: [{namespace: default, name: kubernetes, service: kubernetes, addresses: [198.51.100.11], ports: [6443]}], object: {addresses: {InternalIP: 198.51.100.11}}, mirrors: [{pod: kube-system/kube-apiserver-cp-1}]}",
            "PASS: default/kubernetes leads to the API server, as it must",
        ),
        (
            "{services: [{namespace: kube-system, name: metrics, type: ClusterIP, selector: {component: etcd}, ports: [{port: 2381}]}], endpoint_slices: [], object: {}, mirrors: [{pod: {metadata: {namespace: kube-system, name: etcd-cp-1, labels: {component: etcd}}, spec: {}}}], manifests: [{file: etcd.yaml, pod: {metadata: {namespace: kube-system, name: etcd, labels: {component: etcd}}, spec: {}}}]}",
            "FAIL medium: service kube-system/metrics:2381 -> pod kube-system/etcd-cp-1 -> node cp-1",
        ),
        (
            "{services: [{namespace: shop, name: web, type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}], endpoint_slices: [], object: {}, mirrors: [{pod: {metadata: {namespace: shop, name: a-cp-1, labels: {app: web}}, spec: {}}}], manifests: [], unread: rbac}",
            "FAIL high: port 30080 of every node -> service shop/web:80 -> pod shop/a-cp-1 -> node cp-1; gap: the API server forbids list pods",
        ),
        (
            "{services: [{namespace: shop, name: web, type: ClusterIP, selector: {app: web}, ports: [{port: 80}]}], endpoint_slices: [], object: {}, mirrors: [{pod: {metadata: {namespace: shop, name: a-cp-1, labels: {app: web}}, spec: {}}}], manifests: [{file: a.yaml, pod: shop/a}]}",
            "FAIL high: service shop/web:80 -> pod shop/a-cp-1 -> node cp-1, by a label that the manifest does not have",
        ),
        (
            "{services: [{namespace: shop, name: node, type: LoadBalancer, loadBalancer: [203.0.113.7], ports: [{port: 443}]}], endpoint_slices: [{namespace: shop, name: node-1, service: node, addresses: [198.51.100.11], ports: [6443]}], object: {addresses: {InternalIP: 198.51.100.11}}, mirrors: []}",
            "FAIL high: load balancer 203.0.113.7 -> service shop/node:443 -> node cp-1",
        ),
        (
            "{services: {gap: forbidden}, endpoint_slices: [], object: {}, mirrors: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    let found = leads(node, view.snapshot, &mut tally);
    for lead in &found {
        if is_api_server(lead.service) {
            tally.all_good(&lead.evidence);
            if lead.outside().is_none() {
                tally.note("default/kubernetes leads to the API server, as it must");
                continue;
            }
        }
        let foreign = unwritten(node, lead).unwrap_or_else(|gap| {
            tally.gap(gap);
            None
        });
        let outside = lead.outside();
        let severity = if outside.is_some() || foreign.is_some() {
            Severity::High
        } else {
            Severity::Medium
        };
        let from = outside.map_or_else(String::new, |outside| format!("{outside} -> "));
        let by = match foreign {
            Some(_) => ", by a label that the manifest does not have",
            None => "",
        };
        let service = lead.service;
        tally.offence(offence(
            Subject::object("services", service.namespace.as_str(), &service.name),
            severity,
            format!("{from}{}{by}", lead.path(node)),
            lead.evidence.iter().copied().chain(foreign),
        ));
    }
    tally.verdict()
}

/// The manifest of the pod, where it lacks a label by which the Service selects the mirror: somebody, or the
/// kubelet, has put it there.
///
/// # Errors
/// The gap where the manifest is not known.
fn unwritten(node: &NodeFacts, lead: &Lead<'_>) -> Result<Option<Locator>, Gap> {
    let Some(mirror) = lead.mirror.filter(|_| !lead.service.selector.is_empty()) else {
        return Ok(None);
    };
    let declared = declared(node)?;
    let own: Vec<&Declared<'_>> = (declared.pods.iter())
        .filter(|declared| declared.is_mirrored_by(mirror))
        .collect();
    let writes = |declared: &&Declared<'_>| {
        let metadata = declared.pod.metadata();
        lead.service.selector.within(|key| label_of(metadata, key))
    };
    if own.iter().any(writes) {
        return Ok(None);
    }
    match (own.first(), declared.gaps.first()) {
        (Some(declared), _) => Ok(Some(declared.at)),
        (None, Some(gap)) => Err(gap.clone()),
        (None, None) => Ok(None),
    }
}
