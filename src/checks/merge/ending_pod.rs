use super::pairs::declared;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-028"),
    title: "Static pods are restarted when they end",
    why: "A static pod with another restartPolicy than Always ends once and for all: what it guarded is gone, and its mirror may stay and look like it.",
    severity: Severity::Low,
    since: "0.3.0",
    needs: &[Need::Manifests],
    helps: &[Need::MirrorPods],
    maps: &[Maps::Source("kubernetes/kubernetes#116483")],
    fix: Remediation {
        steps: &[
            on_node("cp -p {path} /root/"),
            by_hand(
                "set spec.restartPolicy: Always in the manifest, or take the file out of the folder and run the task as a systemd unit or a Job",
            ),
            kubectl("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod: it is started again",
        undo: &[on_node("cp -p /root/{file} {dir}/")],
    },
    examples: &[
        ("{manifests: [{file: a.yaml, pod: shop/a}]}", "PASS"),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {restartPolicy: Always}}}], mirrors: []}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {restartPolicy: Never}}}, {file: b.yaml, unread: denied}], mirrors: []}",
            "FAIL low: shop/a has restartPolicy Never: once it has ended it does not come back; gap: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {restartPolicy: OnFailure}}}], mirrors: [{pod: shop/a-cp-1, phase: Succeeded}]}",
            "FAIL low: shop/a has restartPolicy OnFailure and has ended (Succeeded): it does not come back",
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
    let list = node.api.mirrors.get().ok();
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    for pod in &declared.pods {
        let policy = pod.pod.spec().get("restartPolicy").and_then(Branch::as_str);
        let Some(policy @ ("Never" | "OnFailure")) = policy else {
            continue;
        };
        let mirror = list.and_then(|list| {
            let mut all = super::pairs::mirrors(list);
            all.find(|(_, mirror)| pod.is_mirrored_by(mirror))
        });
        let ended =
            mirror.filter(|(_, mirror)| mirror.phase == "Succeeded" || mirror.phase == "Failed");
        let words = match &ended {
            Some((_, mirror)) => {
                format!(" and has ended ({}): it does not come back", mirror.phase)
            }
            None => ": once it has ended it does not come back".to_owned(),
        };
        let (namespace, name) = (&pod.pod.namespace, &pod.pod.name);
        let evidence = [pod.at].into_iter().chain(mirror.map(|(at, _)| at));
        tally.offence(offence(
            Subject::path(&pod.manifest.file),
            Severity::Low,
            format!("{namespace}/{name} has restartPolicy {policy}{words}"),
            evidence,
        ));
    }
    tally.verdict()
}
