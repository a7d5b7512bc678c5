use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-002"),
    title: "The API server knows its clients by certificate",
    why: "Without an authority for clients nodes and components must log in by tokens, which whoever sees them can use.",
    severity: Severity::High,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.25")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "set --client-ca-file to the cluster authority, /etc/kubernetes/pki/ca.crt with kubeadm",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--client-ca-file=/pki/ca.crt'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--v=2'}",
            "FAIL high: --client-ca-file is not set: no certificate of a client counts",
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
    Ok(if given.has("client-ca-file")? {
        good()
    } else {
        let message = "--client-ca-file is not set: no certificate of a client counts";
        bad("client-ca-file", Severity::High, message)
    })
}
