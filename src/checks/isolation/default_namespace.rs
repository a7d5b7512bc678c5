use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::merge::pairs::declared;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-011"),
    title: "Static pods have a namespace of their own",
    why: "In the default namespace a node's pod lies among whatever anybody creates there, under the same rights, quotas and policies.",
    severity: Severity::Low,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Cis("5.6.4")],
    fix: Remediation {
        steps: &[
            on_node("grep -n namespace: {path}"),
            kubectl("kubectl get namespaces"),
            by_hand(
                "set metadata.namespace to a namespace that exists and is meant for the pod: in one that does not exist the pod runs hidden (SP-MRG-003)",
            ),
        ],
        restarts: "the pod, within fileCheckFrequency (20 s); its mirror gets the new namespace",
        undo: &[by_hand("take metadata.namespace out of the manifest again")],
    },
    examples: &[
        ("manifests: [{file: a.yaml, pod: shop/a}]", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: default/a}]",
            "FAIL low: it is in the namespace default",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {}}}, {file: b.yaml, gap: denied}]",
            "FAIL low: it names no namespace, so it is in default; gap: the login may not read it",
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
    for pod in declared
        .pods
        .iter()
        .filter(|declared| declared.pod.namespace == "default")
    {
        let written = pod.pod.metadata().get("namespace").and_then(Branch::as_str);
        let message = match written {
            Some(written) if !written.is_empty() => "it is in the namespace default",
            _ => "it names no namespace, so it is in default",
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
