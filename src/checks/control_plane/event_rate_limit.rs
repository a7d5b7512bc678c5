use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-004"),
    title: "The rate of events is limited",
    why: "A pod or a node that makes events without end fills etcd, and the record of what it does is lost among them.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.9")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "write an EventRateLimit configuration (eventratelimit.admission.k8s.io/v1alpha1), name it in the file of --admission-control-config-file, mount both, and add EventRateLimit to --enable-admission-plugins",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--enable-admission-plugins=NodeRestriction,EventRateLimit'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--enable-admission-plugins=NodeRestriction'}",
            "FAIL low: the plugin EventRateLimit is not on: nothing limits events",
        ),
        (
            "components: {kube-apiserver: '--enable-admission-plugins=NodeRestriction --enable-admission-plugins EventRateLimit'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--admission-control=NodeRestriction,EventRateLimit'}",
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
    Ok(if given.admits_by("EventRateLimit")? {
        good()
    } else {
        bad(
            "enable-admission-plugins",
            Severity::Low,
            "the plugin EventRateLimit is not on: nothing limits events",
        )
    })
}
