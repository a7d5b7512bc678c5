use super::each::{Image, each_image};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::policy::File;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-IMG-003"),
    title: "Images come from the registries that the policy names",
    why: "An image from somewhere else has passed nobody's review, and a static pod runs it as root on the node.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests, Need::Policy],
    helps: &[],
    maps: &[Maps::Cis("5.5.1"), Maps::Source("kubescape C-0078")],
    fix: Remediation {
        steps: &[
            by_hand(
                "copy the manifest out of the folder as a backup; in {container} name the image in a registry of the policy",
            ),
            by_hand("or, where it is meant: add its registry to registries: in the policy file"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("{policy: {registries: [r.io]}, manifests: []}", "PASS"),
        (
            "{policy: {registries: [r.io]}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}}}]}",
            "PASS",
        ),
        (
            "{policy: {registries: [r.io]}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r.io.evil/a:1'}, {name: d, image: busybox}]}}}]}",
            "FAIL high: container c of default/a comes from r.io.evil/a, which the policy does not name; high: container d of default/a comes from docker.io/library/busybox, which the policy does not name",
        ),
        (
            "{policy: none, manifests: []}",
            "N/A: no policy names registries: stakeout policy init",
        ),
        (
            "{policy: {static_pods: []}, manifests: []}",
            "N/A: no policy names registries: stakeout policy init",
        ),
        (
            "{policy: {registries: [r.io]}, manifests: [{file: a.yaml, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    node.host.manifests.get()?;
    let policy = view.policy.file.get()?;
    let file = policy
        .value
        .as_deref()
        .filter(|file| !file.registries.is_empty());
    let Some(file) = file else {
        return Ok(not_applicable(
            [policy.at],
            "no policy names registries: stakeout policy init",
        ));
    };
    let mut tally = Tally::new();
    tally.good(policy.at);
    each_image(node, tally, |image| Ok(one(image, file)))
}

fn one(image: &Image<'_>, file: &File) -> Option<Offence> {
    let mut places = file.registries.iter();
    if places.any(|place| image.reference.is_from(place.as_str())) {
        return None;
    }
    let (ns, pod) = (&image.pod.namespace, &image.pod.name);
    Some(offence(
        image.subject.clone(),
        Severity::High,
        format!(
            "{} of {ns}/{pod} comes from {}, which the policy does not name",
            image.place,
            image.reference.repository()
        ),
        [image.at],
    ))
}
