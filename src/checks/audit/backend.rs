use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good, noted};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-AUD-001"),
    title: "The API server keeps an audit log",
    why: "Without one nobody can tell afterwards who did what: not who read a Secret, nor who made a mirror pod.",
    severity: Severity::High,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[
        Maps::Cis("1.2.16"),
        Maps::Source("Kubescape C-0067"),
        Maps::Nsa("LOG"),
    ],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "write an audit policy, mount it and the folder of the log (hostPath, type DirectoryOrCreate), and set --audit-policy-file, --audit-log-path, --audit-log-maxage=30, --audit-log-maxbackup=10 and --audit-log-maxsize=100; or send it away by --audit-webhook-config-file",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--audit-webhook-config-file=/etc/kubernetes/hook.yaml'}",
            "PASS: the log goes to a webhook alone",
        ),
        (
            "components: {kube-apiserver: '--audit-log-path=-'}",
            "PASS: the log goes to the standard output: it lasts as long as the log of the container",
        ),
        (
            "components: {kube-apiserver: '--audit-policy-file=/etc/kubernetes/audit-policy.yaml'}",
            "FAIL high: neither --audit-log-path nor --audit-webhook-config-file is set",
        ),
        (
            "{declared: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}, running: {kube-apiserver: ''}}",
            "FAIL high: neither --audit-log-path nor --audit-webhook-config-file is set; so it runs, its manifest says otherwise",
        ),
        (
            "{manifests: [], processes: [], object: {version: v1.33.1-gke.100}}",
            "N/A: neither a manifest nor a process of the node is kube-apiserver: Google GKE runs the control plane on machines of its own, see its settings there",
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
    let path = given
        .last("audit-log-path")?
        .filter(|path| !path.is_empty());
    let hook = given.has("audit-webhook-config-file")?;
    Ok(match (path.as_deref(), hook) {
        (Some("-"), false) => noted(
            "the log goes to the standard output: it lasts as long as the log of the container",
        ),
        (Some(_), _) => good(),
        (None, true) => noted("the log goes to a webhook alone"),
        (None, false) => bad(
            "audit-log-path",
            Severity::High,
            "neither --audit-log-path nor --audit-webhook-config-file is set",
        ),
    })
}
