use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-006"),
    title: "Images are pulled anew for every pod",
    why: "Without it whoever may make pods runs private images that another pod has brought to the node, without the right to pull them.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.11")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "add AlwaysPullImages to --enable-admission-plugins; pods then cannot start while the registry is away, and it does not act on static pods",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--enable-admission-plugins=NodeRestriction,AlwaysPullImages'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--enable-admission-plugins=NodeRestriction'}",
            "FAIL low: the plugin AlwaysPullImages is not on; it would not act on static pods, which the kubelet starts by itself",
        ),
        (
            "components: {kube-apiserver: '--enable-admission-plugins=NodeRestriction --enable-admission-plugins AlwaysPullImages'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--admission-control=NodeRestriction,AlwaysPullImages'}",
            "PASS",
        ),
        (
            "components: {}",
            "N/A: neither a manifest nor a process of the node is kube-apiserver",
        ),
        (
            "{components: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    component::judge(node, Component::ApiServer, rule)
}

fn rule(given: &Given<'_>) -> Result<Said, Gap> {
    Ok(if given.admits_by("AlwaysPullImages")? {
        good()
    } else {
        bad(
            "enable-admission-plugins",
            Severity::Low,
            "the plugin AlwaysPullImages is not on; it would not act on static pods, which the kubelet starts by itself",
        )
    })
}
