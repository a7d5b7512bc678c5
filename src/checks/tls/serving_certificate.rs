use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-001"),
    title: "The API server has a certificate that is known",
    why: "Without one it makes one for itself at its start: no client can know it, and whoever sits between is taken for it.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.24")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "set --tls-cert-file and --tls-private-key-file to a certificate of the cluster authority, as kubeadm init phase certs apiserver makes it",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--tls-cert-file=/pki/apiserver.crt --tls-private-key-file=/pki/apiserver.key'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--v=2'}",
            "FAIL critical: it makes its own certificate at its start: --tls-cert-file, --tls-private-key-file are not set",
        ),
        (
            "components: {kube-apiserver: '--tls-cert-file=/pki/apiserver.crt'}",
            "FAIL critical: it makes its own certificate at its start: --tls-private-key-file is not set",
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
    let missing = given.missing(&["tls-cert-file", "tls-private-key-file"])?;
    Ok(missing.map_or_else(good, |missing| {
        bad(
            "tls-cert-file",
            Severity::Critical,
            format!("it makes its own certificate at its start: {missing}"),
        )
    }))
}
