use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::checks::merge::compare::quantity::nanos;
use crate::checks::merge::pairs::declared;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::{ContainerKind, Pod};
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-009"),
    title: "Static pods leave half of the node to others",
    why: "Static pods are admitted first and preempt what is there: large requests evict the workloads of the node.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::NodeObject],
    helps: &[],
    maps: &[Maps::Source("kubernetes pkg/kubelet/preemption")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl describe node {node}"),
            by_hand(
                "lower the requests of the static pods to what they use, move pods that need not be static into a DaemonSet, or give the node more",
            ),
        ],
        restarts: "each static pod whose manifest changes, within fileCheckFrequency (20 s)",
        undo: &[by_hand("write the former requests back into the manifests")],
    },
    examples: &[
        (
            "{object: {allocatable: {cpu: '2', memory: 4Gi}}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: a, resources: {requests: {cpu: 250m, memory: 100Mi}}}]}}}]}",
            "PASS: static pods request 12 % of cpu and 2 % of memory",
        ),
        (
            "{object: {allocatable: {cpu: 1000m, memory: 4Gi}}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: a, resources: {requests: {cpu: 300m}}}, {name: b, resources: {limits: {cpu: 300m}}}]}}}]}",
            "FAIL medium: static pods request 60 % of the node's cpu",
        ),
        (
            "{object: {allocatable: {cpu: '1', memory: 1Gi}}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {initContainers: [{name: i, resources: {requests: {memory: 700Mi}}}], containers: [{name: a, resources: {requests: {memory: 100Mi}}}]}}}, {file: b.yaml, gap: denied}]}",
            "FAIL medium: static pods request 68 % of the node's memory; gap: the login may not read it",
        ),
        (
            "{object: {}, manifests: [{file: a.yaml, pod: x/a}]}",
            "UNKNOWN: the answer cannot be trusted: the node tells no allocatable cpu",
        ),
        (
            "{object: {gap: forbidden}, manifests: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Percent of the node from which others have too little left.
const HALF: i128 = 50;

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let object = node.api.object.get()?;
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    tally.good(object.at);
    let mut notes = Vec::new();
    for resource in ["cpu", "memory"] {
        let whole = object.value.allocatable.get(resource);
        let whole = whole
            .and_then(|whole| nanos(whole.as_str()))
            .filter(|whole| *whole > 0);
        let Some(whole) = whole else {
            tally.gap(Gap::Garbled {
                what: format!("the node tells no allocatable {resource}").into(),
            });
            continue;
        };
        let mut sum: i128 = 0;
        for pod in &declared.pods {
            match request(pod.pod, resource) {
                Some(request) => sum = sum.saturating_add(request),
                None => tally.gap(Gap::Garbled {
                    what: format!("a request of {resource} in {}", pod.manifest.file).into(),
                }),
            }
        }
        let percent = sum.saturating_mul(100) / whole;
        if percent < HALF {
            notes.push(format!("{percent} % of {resource}"));
            continue;
        }
        let all = declared.pods.iter().map(|pod| pod.at);
        tally.offence(offence(
            Subject::new(SubjectKind::Node, Text::new(node.name.as_str())),
            Severity::Medium,
            format!("static pods request {percent} % of the node's {resource}"),
            [object.at].into_iter().chain(all),
        ));
    }
    if !notes.is_empty() {
        tally.note(format!("static pods request {}", notes.join(" and ")));
    }
    tally.verdict()
}

/// What a pod requests: the sum of its containers, or of its largest init container, whichever is more.
/// A limit without a request is one. `None` for something that is no quantity.
fn request(pod: &Pod, resource: &str) -> Option<i128> {
    let (mut together, mut alone): (i128, i128) = (0, 0);
    for (kind, container) in pod.containers() {
        let one = |field: &str| container.get("resources")?.get(field)?.get(resource);
        let amount = match one("requests").or_else(|| one("limits")) {
            None => 0,
            Some(Branch::String(text)) => nanos(text)?,
            Some(other) => nanos(&other.to_string())?,
        };
        match kind {
            ContainerKind::Init => alone = alone.max(amount),
            _ => together = together.saturating_add(amount),
        }
    }
    Some(together.max(alone))
}
