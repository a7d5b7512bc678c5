use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Fault, Given, HELPS, NEEDS, Said, faults};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-003"),
    title: "The API server talks to etcd by mutual TLS",
    why: "Every Secret passes there: without TLS whoever sees the network reads them, and without a verified server whoever answers first.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.23"), Maps::Cis("1.2.26")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "set --etcd-cafile, --etcd-certfile and --etcd-keyfile, and https:// in every address of --etcd-servers; etcd must serve TLS before (SP-TLS-005)",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--etcd-servers=https://127.0.0.1:2379 --etcd-cafile=/e/ca.crt --etcd-certfile=/e/c.crt --etcd-keyfile=/e/c.key'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--etcd-servers=https://127.0.0.1:2379 --etcd-cafile=/e/ca.crt'}",
            "FAIL critical: the API server does not prove itself to etcd, or does not verify it: --etcd-certfile, --etcd-keyfile are not set",
        ),
        (
            "components: {kube-apiserver: '--etcd-servers=https://a:2379,http://b:2379 --etcd-cafile=/e/ca.crt --etcd-certfile=/e/c.crt --etcd-keyfile=/e/c.key'}",
            "FAIL critical: it talks to http://b:2379 without TLS",
        ),
        (
            "components: {kube-apiserver: '--etcd-servers=https://a:2379 --etcd-servers-overrides=/events#http://c:2379;https://d:2379 --etcd-cafile=/e/ca.crt --etcd-certfile=/e/c.crt --etcd-keyfile=/e/c.key'}",
            "FAIL critical: it talks to http://c:2379 without TLS",
        ),
        (
            "components: {kube-apiserver: '--etcd-servers=unix:///run/kine.sock'}",
            "N/A: the datastore is a socket of the node: unix:///run/kine.sock",
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
    let mut servers = given.list("etcd-servers")?;
    // `group/resource#server;server`.
    for one in given.list("etcd-servers-overrides")? {
        let list = one.split_once('#').map_or(one.as_str(), |(_, list)| list);
        servers.extend(list.split(';').map(str::to_owned));
    }
    if !servers.is_empty() && servers.iter().all(|server| server.starts_with("unix:")) {
        let list = servers.join(", ");
        return Ok(Said::Moot(format!(
            "the datastore is a socket of the node: {list}"
        )));
    }
    let mut found = Vec::new();
    let plain: Vec<&str> = servers
        .iter()
        .map(String::as_str)
        .filter(|server| !server.starts_with("https://") && !server.starts_with("unix:"))
        .collect();
    if !plain.is_empty() {
        let message = format!("it talks to {} without TLS", plain.join(", "));
        found.push(Fault::new("etcd-servers", Severity::Critical, message));
    }
    if let Some(missing) = given.missing(&["etcd-cafile", "etcd-certfile", "etcd-keyfile"])? {
        found.push(Fault::new(
            "etcd-cafile",
            Severity::Critical,
            format!(
                "the API server does not prove itself to etcd, or does not verify it: {missing}"
            ),
        ));
    }
    Ok(faults(found))
}
