use super::pairs::declared;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-013"),
    title: "No manifest pins the uid of its pod",
    why: "With a pinned uid the kubelet's hash no longer follows the content: an edited manifest keeps the identity of the reviewed one.",
    severity: Severity::Medium,
    since: "0.3.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject],
    maps: &[Maps::Attack("T1036"), Maps::Attack("T1565.001")],
    fix: Remediation {
        steps: &[
            on_node("grep -n 'uid:' {path}"),
            on_node("cp -p {path} /root/"),
            by_hand("remove metadata.uid from the manifest, and move it into place in one go"),
            kubectl("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod: without the pinned uid it is another one to the kubelet",
        undo: &[on_node("cp -p /root/{file} {dir}/")],
    },
    examples: &[
        ("{manifests: [{file: a.yaml, pod: shop/a}]}", "PASS"),
        ("{manifests: []}", "PASS"),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop, uid: rooted}, spec: {}}}, {file: b.yaml, unread: denied}]}",
            "FAIL medium: shop/a pins the uid rooted: the hash of its mirror no longer follows the content; gap: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, uid: same}, spec: {}}}, {file: b.yaml, pod: {metadata: {name: b, uid: same}, spec: {}}}]}",
            "FAIL medium: default/a pins the uid same: the hash of its mirror no longer follows the content, and b.yaml pins the same; \
             medium: default/b pins the uid same: the hash of its mirror no longer follows the content, and a.yaml pins the same",
        ),
        (
            "{object: {version: v1.36.1+rke2r1}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: kube-system, uid: 0f343b0931126a20f133d67c2b018a3b}, spec: {}}}]}",
            "PASS: kube-system/a has the uid that RKE2 gives its own static pods",
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
    let object = node.api.object.get().ok();
    let rke2 = object.is_some_and(|object| object.value.kubelet_version.as_str().contains("+rke2"));
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    for pod in &declared.pods {
        let Some(uid) = pod.pinned() else {
            continue;
        };
        let name = format!("{}/{}", pod.pod.namespace, pod.pod.name);
        // RKE2 writes the MD5 of the manifest there by itself.
        if rke2 && is_digest(uid) {
            tally.note(format!(
                "{name} has the uid that RKE2 gives its own static pods"
            ));
            continue;
        }
        let others = declared.pods.iter().filter(|other| {
            other.manifest.file != pod.manifest.file && other.pinned() == Some(uid)
        });
        let others: Vec<&str> = others
            .map(|other| other.manifest.file.as_str())
            .map(|file| file.rsplit('/').next().unwrap_or(file))
            .take(3)
            .collect();
        let more = match others.as_slice() {
            [] => String::new(),
            others => format!(", and {} pins the same", others.join(", ")),
        };
        let uid = crate::model::text::Text::new(uid);
        tally.offence(offence(
            Subject::path(&pod.manifest.file),
            Severity::Medium,
            format!(
                "{name} pins the uid {uid}: the hash of its mirror no longer follows the content{more}"
            ),
            [pod.at],
        ));
    }
    tally.verdict()
}

fn is_digest(uid: &str) -> bool {
    uid.len() == 32 && uid.bytes().all(|byte| byte.is_ascii_hexdigit())
}
