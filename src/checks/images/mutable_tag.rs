use super::each::{Image, each_image};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-IMG-002"),
    title: "No static pod runs latest or an image without a tag",
    why: "What latest means changes with every push: nobody can say what runs as root on the node, or run it again.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Cis("5.5.1"),
        Maps::Source("popeye POP-100, POP-101"),
        Maps::Attack("T1525"),
    ],
    fix: Remediation {
        steps: &[
            on_node("crictl images --digests"),
            by_hand(
                "copy the manifest out of the folder as a backup; in {container} name the version that was reviewed, best with its digest",
            ),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r.io/a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {initContainers: [{name: i, image: 'nginx:latest'}], containers: [{name: c, image: 'localhost:5000/a'}]}}}]",
            "FAIL high: container i of default/a runs nginx:latest; high: container c of default/a runs localhost:5000/a, which means latest",
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
    let meaning = match (image.reference.digest, image.reference.tag) {
        (None, None) => ", which means latest",
        (None, Some("latest")) => "",
        _ => return None,
    };
    let (ns, pod) = (&image.pod.namespace, &image.pod.name);
    Some(offence(
        image.subject.clone(),
        Severity::High,
        format!("{} of {ns}/{pod} runs {}{meaning}", image.place, image.text),
        [image.at],
    ))
}
