use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-005"),
    title: "No admission plugin lets everything in",
    why: "AlwaysAdmit lets every request pass that the other plugins of its time would have refused.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.10")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand("take AlwaysAdmit out of --enable-admission-plugins"),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--enable-admission-plugins=NodeRestriction'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--enable-admission-plugins=AlwaysAdmit,NodeRestriction'}",
            "FAIL critical: the plugin AlwaysAdmit is on",
        ),
        ("components: {kube-apiserver: ''}", "PASS"),
        (
            "components: {kube-apiserver: '--admission-control=AlwaysAdmit'}",
            "FAIL critical: the plugin AlwaysAdmit is on",
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
    Ok(if given.admits_by("AlwaysAdmit")? {
        bad(
            "enable-admission-plugins",
            Severity::Critical,
            "the plugin AlwaysAdmit is on",
        )
    } else {
        good()
    })
}
