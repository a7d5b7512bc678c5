use super::each::{Image, each_image};
use crate::checks::check::{Check, Judge, Maps, Remediation, Tally, View, by_hand, offence};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-IMG-005"),
    title: "The pull policy does not let a planted image run",
    why: "With Never, or with a tag and IfNotPresent, whatever lies under that name in the node's image store runs, whoever put it there.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Cis("1.2.11"), Maps::Attack("T1525")],
    fix: Remediation {
        steps: &[by_hand(
            "copy the manifest out of the folder as a backup; in {container} pin the image by digest, or set imagePullPolicy: Always where the registry is up whenever the node starts",
        )],
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
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r.io/a:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}, {name: d, image: 'r.io/a:1', imagePullPolicy: Always}, {name: e, image: r.io/a}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r.io/a:1'}, {name: d, image: 'r.io/a:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', imagePullPolicy: Never}]}}}]",
            "FAIL low: container c of default/a takes r.io/a:1 from the node where it is there (IfNotPresent by default); low: container d of default/a only takes what lies on the node (Never)",
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
    let (ns, pod) = (&image.pod.namespace, &image.pod.name);
    let what = match effective(image) {
        ("Never", _) => "only takes what lies on the node (Never)".to_owned(),
        ("Always", _) => return None,
        (policy, written) if image.reference.digest.is_none() && !image.is_release() => {
            let by = if written { "" } else { " by default" };
            format!(
                "takes {} from the node where it is there ({policy}{by})",
                image.text
            )
        }
        _ => return None,
    };
    Some(offence(
        image.subject.clone(),
        Severity::Low,
        format!("{} of {ns}/{pod} {what}", image.place),
        [image.at],
    ))
}

/// The policy and whether it is written: latest and no tag mean Always by default (pkg/apis/core/v1/defaults.go).
fn effective<'m>(image: &Image<'m>) -> (&'m str, bool) {
    let reference = &image.reference;
    match (image.pull, reference.digest, reference.tag) {
        (Some(written), ..) => (written, true),
        (None, None, None | Some("latest")) => ("Always", false),
        _ => ("IfNotPresent", false),
    }
}
