use super::policies::on_host_network;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::merge::pairs::declared;
use crate::model::cluster::Namespace;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::objects::label_of;
use crate::model::pod::Pod;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-015"),
    title: "Static pods rely on no injected mesh proxy",
    why: "A mesh adds its proxy at admission, which static pods never pass: their traffic is plain where the namespace promises mutual TLS.",
    severity: Severity::Info,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::Namespaces],
    helps: &[],
    maps: &[Maps::Source(
        "kubernetes.io: static pods are not seen by admission",
    )],
    fix: Remediation {
        steps: &[
            on_node("grep -n 'image:' {path}"),
            by_hand(
                "write the proxy into the manifest as a container of its own, terminate TLS in the pod itself, or run it as a DaemonSet, which the mesh can inject",
            ),
        ],
        restarts: "the pod, within fileCheckFrequency (20 s)",
        undo: &[by_hand("write the former manifest back")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], namespaces: {shop: {}}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: shop, name: a}, spec: {containers: [{name: istio-proxy}]}}}], namespaces: {shop: {labels: {istio-injection: enabled}}}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}, {file: b.yaml, gap: denied}], namespaces: {shop: {labels: {istio-injection: enabled}}}}",
            "FAIL info: shop is in a mesh by its label istio-injection, and no proxy is in the manifest; gap: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: shop, name: a, annotations: {linkerd.io/inject: enabled}}, spec: {}}}], namespaces: {shop: {}}}",
            "FAIL info: it asks for a mesh proxy by linkerd.io/inject, and no proxy is in the manifest",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: shop, name: a}, spec: {hostNetwork: true}}}], namespaces: {shop: {labels: {istio-injection: enabled}}}}",
            "N/A: no static pod of the node is on the pod network",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], namespaces: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Labels and annotations that ask for a proxy, with the value that says no.
const ASKS: [(&str, &str); 6] = [
    ("istio-injection", "disabled"),
    ("istio.io/rev", ""),
    ("sidecar.istio.io/inject", "false"),
    ("linkerd.io/inject", "disabled"),
    ("kuma.io/sidecar-injection", "disabled"),
    ("consul.hashicorp.com/connect-inject", "false"),
];

/// Names of the containers that meshes inject.
const PROXIES: [&str; 5] = [
    "istio-proxy",
    "linkerd-proxy",
    "kuma-sidecar",
    "consul-dataplane",
    "envoy",
];

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let cluster = &view.snapshot.cluster;
    let list = cluster.namespaces.get()?.at;
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    tally.good(list);
    let mut inside = 0;
    for pod in declared
        .pods
        .iter()
        .filter(|declared| !on_host_network(declared.pod))
    {
        inside += 1;
        let asked = asks(|key| of_pod(pod.pod, key)).map(|key| (key, None));
        let namespace = cluster.namespace(pod.pod.namespace.as_str())?;
        let asked = asked.or_else(|| {
            let (index, namespace) = namespace?;
            let key = asks(|key| of_namespace(namespace, key))?;
            Some((key, Some(Locator::new(Need::Namespaces, index))))
        });
        let Some((key, at)) = asked.filter(|_| !has_proxy(pod.pod)) else {
            continue;
        };
        let who = match at {
            Some(_) => format!("{} is in a mesh by its label {key}", pod.pod.namespace),
            None => format!("it asks for a mesh proxy by {key}"),
        };
        tally.offence(offence(
            Subject::path(&pod.manifest.file),
            Severity::Info,
            format!("{who}, and no proxy is in the manifest"),
            [pod.at].into_iter().chain(at),
        ));
    }
    match tally.verdict()? {
        Verdict::Pass { .. } if inside == 0 => Ok(not_applicable(
            [declared.at],
            "no static pod of the node is on the pod network",
        )),
        verdict => Ok(verdict),
    }
}

fn asks<'v>(of: impl Fn(&str) -> Option<&'v str>) -> Option<&'static str> {
    let set = |(key, no): &(&'static str, &str)| of(key).is_some_and(|value| value != *no);
    ASKS.iter().find(|ask| set(ask)).map(|(key, _)| *key)
}

fn of_pod<'p>(pod: &'p Pod, key: &str) -> Option<&'p str> {
    pod.annotation(key)
        .or_else(|| label_of(pod.metadata(), key))
}

fn of_namespace<'n>(namespace: &'n Namespace, key: &str) -> Option<&'n str> {
    let found = namespace.labels.iter().find(|(own, _)| **own == key);
    found.map(|(_, value)| value.as_str())
}

fn has_proxy(pod: &Pod) -> bool {
    pod.containers().any(|(_, container)| {
        let name = container.get("name").and_then(Branch::as_str);
        name.is_some_and(|name| PROXIES.contains(&name))
    })
}
