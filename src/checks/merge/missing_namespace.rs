use super::pairs::declared;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, comparing, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Severity, Side3, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-003"),
    title: "Namespaces of static pods exist",
    why: "In a namespace that does not exist the kubelet cannot make the mirror pod, and the pod runs hidden from the API: a documented hiding place.",
    severity: Severity::Critical,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::Namespaces],
    helps: &[],
    maps: &[
        Maps::Ms("MS-TA9017"),
        Maps::Attack("T1564"),
        Maps::Source("kubernetes.io: API server bypass risks"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -n namespace: {path}"),
            by_hand(
                "if the pod is wanted: kubectl create namespace with the name from the finding; its mirror shows up within seconds. If nobody knows it, keep a copy as evidence and go on",
            ),
            on_node("mv {path} /root/"),
            kubectl("kubectl get pods -A --field-selector spec.nodeName={node}"),
        ],
        restarts: "nothing when the namespace is made; moving the file stops its pod within 20 s",
        undo: &[on_node("mv /root/{file} {dir}/")],
    },
    examples: &[
        (
            "{manifests: [{file: web.yaml, pod: shop/web}], namespaces: {shop: {}}}",
            "PASS",
        ),
        ("{manifests: [], namespaces: {}}", "PASS"),
        (
            "{manifests: [{file: ghost.yaml, pod: nowhere/ghost}], namespaces: {default: {}}}",
            "FAIL critical: namespace nowhere of pod ghost does not exist",
        ),
        (
            "{manifests: [{file: ghost.yaml, pod: going/ghost}, {file: b.yaml, gap: denied}], namespaces: {going: {phase: Terminating}}}",
            "FAIL critical: namespace going of pod ghost is being deleted; gap: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: a/a}], namespaces: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let cluster = &view.snapshot.cluster;
    let list = cluster.namespaces.get()?.at;
    let mut tally = Tally::new();
    tally.good(list);
    declared.tell(&mut tally);
    for pod in &declared.pods {
        let name = &pod.pod.namespace;
        let (words, at, phase) = match cluster.namespace(name.as_str())? {
            Some((index, found)) if found.phase == "Terminating" => {
                let at = Locator::new(Need::Namespaces, index);
                ("is being deleted", at, Side3::Value(found.phase.clone()))
            }
            Some((index, _)) => {
                tally.good(Locator::new(Need::Namespaces, index));
                continue;
            }
            None => ("does not exist", list, Side3::Absent),
        };
        let row = Comparison {
            field: Text::new("metadata.namespace"),
            manifest: Side3::Value(name.clone()),
            mirror: phase,
            runtime: Side3::Unasked,
        };
        let found = offence(
            Subject::path(&pod.manifest.file),
            Severity::Critical,
            format!("namespace {name} of pod {} {words}", pod.pod.name),
            [pod.at, at],
        );
        tally.offence(comparing(found, vec![row]));
    }
    tally.verdict()
}
