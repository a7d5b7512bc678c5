use super::each::{Image, each_image};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-IMG-001"),
    title: "Images of static pods are pinned by digest",
    why: "A tag can be moved: whoever controls the registry decides at the next pull what runs as root on the node.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Cis("5.5.1"), Maps::Attack("T1525")],
    fix: Remediation {
        steps: &[
            on_node("crictl images --digests"),
            by_hand(
                "copy the manifest out of the folder as a backup; in {container} write the image as NAME:TAG@sha256:DIGEST with the digest that was reviewed",
            ),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'registry.k8s.io/kube-apiserver:v1.37.2'}, {name: d, image: 'registry.k8s.io/etcd:3.6.4-0', imagePullPolicy: IfNotPresent}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r.io/a:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL medium: container c of default/a runs r.io/a:1, a tag that can be moved; gap: the login may not read it",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [], volumes: [{name: v, image: {reference: 'r.io/a:1'}}]}}}]",
            "FAIL medium: volume v of default/a runs r.io/a:1, a tag that can be moved",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'A b'}]}}}]",
            "UNKNOWN: the answer cannot be trusted: the image of container c of default/a is no reference: A b",
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
    each_image(node, Tally::new(), |image| Ok(one(image)))
}

fn one(image: &Image<'_>) -> Option<Offence> {
    // Without a tag it is SP-IMG-002's, which is worse.
    let tag = image.reference.tag.filter(|tag| *tag != "latest");
    (image.reference.digest.is_none() && tag.is_some() && !image.is_release()).then(|| {
        let (ns, pod) = (&image.pod.namespace, &image.pod.name);
        offence(
            image.subject.clone(),
            Severity::Medium,
            format!(
                "{} of {ns}/{pod} runs {}, a tag that can be moved",
                image.place, image.text
            ),
            [image.at],
        )
    })
}
