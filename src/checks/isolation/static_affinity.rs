use super::placement::{Fits, fits};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::merge::pairs::declared;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-007"),
    title: "Static manifests select no nodes",
    why: "A static pod runs where its file lies: nodeSelector and node affinity place nothing, and where they do not fit the kubelet refuses the pod.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject],
    maps: &[Maps::Source(
        "kubernetes pkg/kubelet/lifecycle/predicate.go",
    )],
    fix: Remediation {
        steps: &[
            on_node("grep -nE 'nodeSelector|affinity' {path}"),
            by_hand(
                "take nodeSelector and affinity out of the manifest; put the file only on the nodes that are meant",
            ),
        ],
        restarts: "the pod, within fileCheckFrequency (20 s)",
        undo: &[by_hand("write the fields back into the manifest")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: x/a}], object: {}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {nodeSelector: {disk: ssd}}}}], object: {labels: {disk: ssd}}}",
            "FAIL info: it has a nodeSelector, which places nothing",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {nodeSelector: {disk: ssd}}}}], object: {}}",
            "FAIL medium: it has a nodeSelector that this node does not meet: the kubelet refuses the pod",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [b]}]}]}}}}}}], object: {labels: {zone: a}}}",
            "FAIL medium: it has an affinity that this node does not meet: the kubelet refuses the pod",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {affinity: {podAntiAffinity: {}}}}}], object: {}}",
            "FAIL info: it has an affinity, which places nothing",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {nodeSelector: {disk: ssd}}}}], object: {gap: forbidden}}",
            "FAIL info: it has a nodeSelector, which places nothing; gap: the API server forbids list pods",
        ),
        (
            "manifests: [{file: a.yaml, gap: denied}]",
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
        let spec = pod.pod.spec();
        let set = |field: &str| {
            let value = spec.get(field).and_then(Branch::as_object);
            value.is_some_and(|members| !members.is_empty())
        };
        let what = match (set("nodeSelector"), set("affinity")) {
            (false, false) => continue,
            (true, false) => "a nodeSelector",
            (false, true) => "an affinity",
            (true, true) => "a nodeSelector and an affinity",
        };
        let object = tally.take(&node.api.object);
        let refused =
            object.is_some_and(|object| fits(spec, &object.value, node.name.as_str()) == Fits::No);
        let (severity, message) = if refused {
            (
                Severity::Medium,
                format!("it has {what} that this node does not meet: the kubelet refuses the pod"),
            )
        } else {
            (
                Severity::Info,
                format!("it has {what}, which places nothing"),
            )
        };
        let evidence = [pod.at].into_iter().chain(object.map(|object| object.at));
        tally.offence(offence(
            Subject::path(&pod.manifest.file),
            severity,
            message,
            evidence,
        ));
    }
    tally.verdict()
}
