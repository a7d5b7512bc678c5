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
    id: CheckId("SP-ISO-008"),
    title: "Manifests name no other node",
    why: "A nodeName of another node means a copied file: the kubelet overwrites it and runs the pod here, beside the original.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Ms("MS-TA9017"),
        Maps::Source("kubernetes pkg/kubelet/config/common.go"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -n nodeName: {path}"),
            by_hand(
                "find out whether the pod belongs on this node. If it does, take nodeName out of the manifest; if it does not, move the file away",
            ),
        ],
        restarts: "the pod, within fileCheckFrequency (20 s)",
        undo: &[by_hand(
            "write nodeName back into the manifest, or move the file back",
        )],
    },
    examples: &[
        ("manifests: [{file: a.yaml, pod: x/a}]", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {nodeName: cp-1}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {nodeName: cp-2}}}, {file: b.yaml, gap: denied}]",
            "FAIL medium: it names node cp-2 and runs on cp-1 all the same; gap: the login may not read it",
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
        let named = pod.pod.spec().get("nodeName").and_then(Branch::as_str);
        let Some(other) = named.filter(|named| !named.is_empty() && *named != node.name.as_str())
        else {
            continue;
        };
        tally.offence(offence(
            Subject::path(&pod.manifest.file),
            Severity::Medium,
            format!(
                "it names node {other} and runs on {} all the same",
                node.name
            ),
            [pod.at],
        ));
    }
    tally.verdict()
}
