use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Fault, Given, HELPS, NEEDS, Said, faults};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-010"),
    title: "Tokens of deleted service accounts are refused",
    why: "Without the look into etcd a token goes on to log in after its service account or its Secret was deleted.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.21"), Maps::Cis("1.2.22")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "take --service-account-lookup=false out, and name the public key of the service accounts by --service-account-key-file",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--service-account-key-file=/etc/kubernetes/pki/sa.pub'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--service-account-signing-endpoint=/run/sign.sock'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--service-account-key-file=/sa.pub --service-account-lookup=false'}",
            "FAIL medium: a token is good although its service account was deleted",
        ),
        (
            "components: {kube-apiserver: '--service-account-lookup'}",
            "FAIL medium: no key of the service accounts is named: tokens are checked by the key of the serving certificate",
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
    let mut found = Vec::new();
    if given.switch("service-account-lookup")? == Some(false) {
        found.push(Fault::new(
            "service-account-lookup",
            Severity::Medium,
            "a token is good although its service account was deleted",
        ));
    }
    // A program outside that signs brings its keys along.
    let outside = given.has("service-account-signing-endpoint")?;
    if !given.has("service-account-key-file")? && !outside {
        found.push(Fault::new(
            "service-account-key-file",
            Severity::Medium,
            "no key of the service accounts is named: tokens are checked by the key of the serving certificate",
        ));
    }
    Ok(faults(found))
}
