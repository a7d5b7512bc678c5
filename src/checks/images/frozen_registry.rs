use super::each::{Image, each_image};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

/// Registries of the project that get no new images (kubernetes.io, "k8s.gcr.io redirect and freeze", 2023).
const FROZEN: &[&str] = &[
    "k8s.gcr.io",
    "gcr.io/google-containers",
    "gcr.io/google_containers",
];

pub static CHECK: Check = Check {
    id: CheckId("SP-IMG-004"),
    title: "No image comes from a registry that is frozen",
    why: "The registries of old have had no fixed image since April 2023: what is pulled from there keeps its holes.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Source("kubescape C-0253"), Maps::Nsa("UPG")],
    fix: Remediation {
        steps: &[
            on_node("crictl pull registry.k8s.io/pause:3.10"),
            by_hand(
                "copy the manifest out of the folder as a backup; in {container} replace the registry by registry.k8s.io and take a version that is still maintained",
            ),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'registry.k8s.io/a:1'}, {name: d, image: 'gcr.io/google-containers2/a:1'}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'k8s.gcr.io/a:1'}]}}}]",
            "FAIL medium: container c of default/a comes from k8s.gcr.io, which gets no fixes",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'gcr.io/google_containers/a:1'}]}}}]",
            "FAIL medium: container c of default/a comes from gcr.io/google_containers, which gets no fixes",
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
    let frozen = FROZEN.iter().find(|place| image.reference.is_from(place))?;
    let (ns, pod) = (&image.pod.namespace, &image.pod.name);
    Some(offence(
        image.subject.clone(),
        Severity::Medium,
        format!(
            "{} of {ns}/{pod} comes from {frozen}, which gets no fixes",
            image.place
        ),
        [image.at],
    ))
}
