use super::containers::{each_pod, items, word};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::version;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

/// The kubelet's minor from which on the volume cannot be had at all.
const GONE: u32 = 36;

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-015"),
    title: "No static pod has a gitRepo volume",
    why: "For a gitRepo volume the kubelet runs git as root of the node on whatever the repository holds, hooks included.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject],
    maps: &[
        Maps::Pss("restricted/restrictedVolumes"),
        Maps::Source("CVE-2024-10220"),
        Maps::Source("CVE-2025-1767"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; clone in an init container into an emptyDir, and mount that instead",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {volumes: [{name: v, emptyDir: {}}, {name: w, gitRepo: null}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {volumes: [{name: v, gitRepo: {repository: x}}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL high: default/a has the gitRepo volume v; gap: the login may not read it",
        ),
        (
            "{object: {version: v1.37.2}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {volumes: [{name: v, gitRepo: {repository: x}}]}}}]}",
            "FAIL low: default/a has the gitRepo volume v, which this kubelet refuses: the pod is stuck",
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
    let refused = version::kubelet(node).is_some_and(|minor| minor >= GONE);
    let (severity, end) = if refused {
        let end = ", which this kubelet refuses: the pod is stuck";
        (Severity::Low, end)
    } else {
        (Severity::High, "")
    };
    each_pod(node, |around, tally| {
        tally.good(around.at);
        for volume in items(around.pod.spec().get("volumes")) {
            if volume.get("gitRepo").is_some_and(|found| !found.is_null()) {
                let volume = word(volume.get("name"));
                let message = format!("{} has the gitRepo volume {volume}{end}", around.name());
                tally.offence(offence(around.part(volume), severity, message, [around.at]));
            }
        }
    })
}
