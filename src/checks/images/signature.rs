use super::each::each_image;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-IMG-013"),
    title: "Somebody verifies the signatures of static pods' images",
    why: "A digest says that an image is the same as before, a signature who made it: without one, what came from the registry is taken at its word.",
    severity: Severity::Info,
    since: "0.3.0",
    needs: &[Need::Manifests, Need::CustomResources],
    helps: &[],
    maps: &[Maps::Cis("5.5.1"), Maps::Source("kubescape C-0236")],
    fix: Remediation {
        steps: &[
            on_node("crictl images --digests"),
            by_hand(
                "verify each digest before it is written into a manifest: cosign verify with the identity of who signs; releases of Kubernetes are signed by krel-trust@k8s-releng-prod.iam.gserviceaccount.com",
            ),
            by_hand(
                "or let the runtime do it, which is the only control on the node: policy.json of CRI-O, the image verifier of containerd",
            ),
        ],
        restarts: "nothing",
        undo: &[by_hand("none needed: nothing is changed")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: x/a}], custom_resources: []}",
            "FAIL info: nothing that is known verifies who signed registry.k8s.io/pause:3.10",
        ),
        (
            "{manifests: [{file: a.yaml, pod: x/a}], custom_resources: [{name: clusterimagepolicies.policy.sigstore.dev}]}",
            "MANUAL: who verifies the images of static pods? clusterimagepolicies.policy.sigstore.dev is installed, and admission never stops a static pod",
        ),
        ("{manifests: [], custom_resources: []}", "PASS"),
        (
            "{manifests: [{file: a.yaml, unread: denied}], custom_resources: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Kinds of objects that tell who has to have signed an image.
const ENGINES: &[&str] = &[
    "clusterimagepolicies.policy.sigstore.dev",
    "clusterimagepolicies.config.openshift.io",
    "imagevalidatingpolicies.policies.kyverno.io",
    "imagepolicies.config.openshift.io",
    "verifiers.config.ratify.deislabs.io",
    "verifiers.config.ratify.dev",
];

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let kinds = view.snapshot.cluster.objects.custom_resources.get()?;
    let mut tally = Tally::new();
    tally.good(kinds.at);
    let mut all = kinds.value.iter().map(|kind| kind.name.as_str());
    let engine = all.find(|kind| ENGINES.contains(kind));
    each_image(node, tally, |image| {
        if let Some(engine) = engine {
            return Err(Gap::NeedsHuman {
                question: Text::from(format!(
                    "who verifies the images of static pods? {engine} is installed, and admission never stops a static pod"
                )),
            });
        }
        let message = format!(
            "nothing that is known verifies who signed {}",
            Text::new(image.text)
        );
        let evidence = [image.at, kinds.at];
        Ok(Some(offence(
            image.subject.clone(),
            Severity::Info,
            message,
            evidence,
        )))
    })
}
