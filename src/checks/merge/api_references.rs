use super::pairs::declared;
use super::references::{Fate, Reference, fate, references};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, few, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-005"),
    title: "Static pods refer to no API objects",
    why: "A manifest that names a Secret or a ServiceAccount makes its pod invisible on kubelets before 1.34, and keeps it from starting on later ones.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject, Need::KubeletConfig],
    maps: &[
        Maps::Attack("T1564"),
        Maps::Source("kubernetes.io: static pods, PreventStaticPodAPIReferences"),
    ],
    fix: Remediation {
        steps: &[
            on_node(
                "grep -nE 'serviceAccount|imagePullSecrets|secret|configMap|persistentVolumeClaim|resourceClaims' {path}",
            ),
            by_hand(
                "write what the object holds into a file on the node (mode 0600, owner root) and mount it by hostPath; drop serviceAccountName; a registry's login belongs into the kubelet's credential provider",
            ),
            on_node("cp -p {path} /root/"),
            by_hand("change the manifest, and move it into place in one go"),
            kubectl("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, when its manifest changes",
        undo: &[on_node("cp -p /root/{file} {dir}/")],
    },
    examples: &[
        ("{manifests: [{file: a.yaml, pod: shop/a}]}", "PASS"),
        (
            "{object: {version: v1.33.4}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {serviceAccountName: web}}}]}",
            "FAIL high: shop/a refers to serviceaccounts (spec.serviceAccountName): this kubelet (1.33) runs it and its mirror is refused, so it is hidden",
        ),
        (
            "{object: {version: v1.37.2}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {volumes: [{name: v, secret: {secretName: s}}]}}}, {file: b.yaml, unread: denied}]}",
            "FAIL high: shop/a refers to secrets (spec.volumes[v].secret): this kubelet (1.37) does not start it; gap: the login may not read it",
        ),
        (
            "{object: {version: v1.35.0}, kubelet: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {volumes: [{name: v, csi: {driver: d}}]}}}]}",
            "FAIL high: shop/a refers to csidrivers (spec.volumes[v].csi): this kubelet (1.35) does not start it",
        ),
        (
            "{object: {version: v1.35.0}, kubelet: {layers: [{kind: flag, origin: --feature-gates, set: {featureGates.PreventStaticPodAPIReferences: false}}]}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {imagePullSecrets: [{name: s}]}}}]}",
            "FAIL high: shop/a refers to secrets (spec.imagePullSecrets): this kubelet (1.35) runs it and its mirror is refused, so it is hidden",
        ),
        (
            "{object: {version: v1.33.0}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {resourceClaims: [{name: r}]}}}]}",
            "FAIL medium: shop/a refers to resourceclaims (spec.resourceClaims): this kubelet (1.33) runs it, one of 1.34 and later does not start it",
        ),
        (
            "{object: {gap: forbidden}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {serviceAccountName: web, volumes: [{name: v, configMap: {name: s}}]}}}]}",
            "FAIL high: shop/a refers to serviceaccounts (spec.serviceAccountName), configmaps (spec.volumes[v].configMap): a kubelet before 1.34 runs it hidden, a later one does not start it; gap: the API server forbids list pods",
        ),
        (
            "{manifests: [{file: a.yaml, unread: denied}]}",
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
        let found = references(pod.pod);
        if found.is_empty() {
            continue;
        }
        let fate = fate(node, &found);
        let severity = match fate {
            Fate::Shown => Severity::Medium,
            _ => Severity::High,
        };
        let words = told(node, &found, fate);
        let message = format!("{}/{} {words}", pod.pod.namespace, pod.pod.name);
        let subject = Subject::path(&pod.manifest.file);
        let object = node.api.object.get().ok().map(|object| object.at);
        let evidence = [pod.at].into_iter().chain(object);
        tally.offence(offence(subject, severity, message, evidence));
        if fate == Fate::Untold {
            let object = node.api.object.get().err();
            tally.gaps(object.or_else(|| node.host.kubelet.get().err()));
        }
    }
    tally.verdict()
}

/// The references and what the node's kubelet makes of them, in words.
pub(super) fn told(node: &NodeFacts, found: &[Reference], fate: Fate) -> String {
    let names: Vec<String> = found
        .iter()
        .map(|one| format!("{} ({})", one.kind, one.field))
        .collect();
    let this = crate::checks::version::kubelet(node).map_or_else(
        || "this kubelet".to_owned(),
        |minor| format!("this kubelet (1.{minor})"),
    );
    let fate = match fate {
        Fate::Hidden => format!("{this} runs it and its mirror is refused, so it is hidden"),
        Fate::Refused => format!("{this} does not start it"),
        Fate::Shown => format!("{this} runs it, one of 1.34 and later does not start it"),
        Fate::Untold => {
            "a kubelet before 1.34 runs it hidden, a later one does not start it".to_owned()
        }
    };
    format!("refers to {}: {fate}", few(&names))
}
