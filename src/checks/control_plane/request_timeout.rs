use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::garbled;
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::checks::kubelet::setting::duration;
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};
use std::time::Duration;

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-009"),
    title: "Requests to the API server end in time",
    why: "A client that sends its request slowly holds a place of the API server for as long as the timeout is.",
    severity: Severity::Info,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.20")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand("take --request-timeout out, or set it to 60s and never above 300s"),
    ]),
    examples: &[
        ("components: {kube-apiserver: ''}", "PASS"),
        (
            "components: {kube-apiserver: '--request-timeout=5m0s'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--request-timeout=1h'}",
            "FAIL info: a request may take 1h before it ends, more than 300s",
        ),
        (
            "components: {kube-apiserver: '--request-timeout=soon'}",
            "UNKNOWN: the answer cannot be trusted: --request-timeout is no duration",
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

const LIMIT: Duration = Duration::from_mins(5);

fn rule(given: &Given<'_>) -> Result<Said, Gap> {
    let Some(value) = given.last("request-timeout")? else {
        return Ok(good());
    };
    let timeout = duration(&value).ok_or_else(|| garbled("request-timeout", "is no duration"))?;
    Ok(if timeout <= LIMIT {
        good()
    } else {
        let message = format!("a request may take {value} before it ends, more than 300s");
        bad("request-timeout", Severity::Info, message)
    })
}
