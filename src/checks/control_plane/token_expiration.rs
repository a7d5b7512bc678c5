use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-011"),
    title: "Tokens of service accounts live as long as asked for",
    why: "Tokens that are mounted into pods are asked for an hour, and the API server makes them hold for a year: a stolen one serves long.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.30")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "look at the metric serviceaccount_stale_tokens_total of the API server: where it grows, clients still use old tokens and must be renewed first; then set --service-account-extend-token-expiration=false",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--service-account-extend-token-expiration=false'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: ''}",
            "FAIL low: mounted tokens of an hour are made to hold for a year",
        ),
        (
            "components: {kube-apiserver: '--service-account-extend-token-expiration=true'}",
            "FAIL low: mounted tokens of an hour are made to hold for a year",
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
    const FLAG: &str = "service-account-extend-token-expiration";
    Ok(if given.switch(FLAG)? == Some(false) {
        good()
    } else {
        bad(
            FLAG,
            Severity::Low,
            "mounted tokens of an hour are made to hold for a year",
        )
    })
}
