use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-002"),
    title: "No file of tokens opens the API server",
    why: "Tokens of a file hold until it is edited and the API server restarted, lie there in plain text, and cannot be taken back one by one.",
    severity: Severity::High,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.2"), Maps::Attack("T1078")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "give their owners another way in (certificates of short life, OIDC), then take --token-auth-file out of kube-apiserver.yaml and delete the file",
        ),
    ]),
    examples: &[
        ("components: {kube-apiserver: '--v=2'}", "PASS"),
        (
            "components: {kube-apiserver: '--token-auth-file=/etc/kubernetes/tokens.csv'}",
            "FAIL high: the tokens of /etc/kubernetes/tokens.csv log in, for as long as they stand there",
        ),
        (
            "{declared: {kube-apiserver: '--token-auth-file=/t.csv'}, running: {kube-apiserver: ''}}",
            "FAIL high: the tokens of /t.csv log in, for as long as they stand there; so in its manifest, the running process was started otherwise",
        ),
        (
            "{declared: {kube-apiserver: '$(MORE)'}, processes: []}",
            "MANUAL: what does $(MORE) bring to --token-auth-file?",
        ),
        (
            "{declared: {kube-apiserver: '$(MORE)'}, running: {kube-apiserver: '--v=2'}}",
            "PASS",
        ),
        (
            "{components: {kube-apiserver: ''}, processes: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "running: {kube-apiserver: '--token-auth-file=/t.csv'}",
            "FAIL high: the tokens of /t.csv log in, for as long as they stand there",
        ),
        (
            "{manifests: [], processes: [{comm: k3s-server}]}",
            "MANUAL: k3s-server has kube-apiserver within itself: what do its own arguments say of it?",
        ),
        (
            "{manifests: [], processes: [], object: {version: v1.33.1-eks-1a2b3c}}",
            "N/A: neither a manifest nor a process of the node is kube-apiserver: Amazon EKS runs the control plane on machines of its own, see its settings there",
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
    Ok(match given.last("token-auth-file")? {
        Some(file) if !file.is_empty() => bad(
            "token-auth-file",
            Severity::High,
            format!("the tokens of {file} log in, for as long as they stand there"),
        ),
        _ => good(),
    })
}
