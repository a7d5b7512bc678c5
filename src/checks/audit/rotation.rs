use super::policy::no_file;
use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Fault, Given, HELPS, NEEDS, Said, faults};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-AUD-003"),
    title: "The audit log is kept for long enough",
    why: "Whoever wants to hide makes many requests until the entries about him are written over.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[
        Maps::Cis("1.2.17"),
        Maps::Cis("1.2.18"),
        Maps::Cis("1.2.19"),
        Maps::Nsa("LOG"),
    ],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "set --audit-log-maxage=30, --audit-log-maxbackup=10 and --audit-log-maxsize=100 or more, and see that the file system has room for all of them",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-log-maxage=30 --audit-log-maxbackup=10 --audit-log-maxsize=100'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}",
            "FAIL low: --audit-log-maxage is not set, at least 30 is asked for; low: --audit-log-maxbackup is not set, at least 10 is asked for; low: --audit-log-maxsize is not set, at least 100 is asked for",
        ),
        (
            "components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-log-maxage=7 --audit-log-maxbackup=10 --audit-log-maxsize=100'}",
            "FAIL low: --audit-log-maxage is 7, at least 30 is asked for",
        ),
        (
            "components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-log-maxage=036 --audit-log-maxbackup=10 --audit-log-maxsize=100'}",
            "UNKNOWN: the answer cannot be trusted: --audit-log-maxage is no decimal number",
        ),
        (
            "components: {kube-apiserver: '--audit-log-path=-'}",
            "N/A: the audit log is no file of the API server",
        ),
        (
            "components: {kube-apiserver: '--audit-webhook-config-file=/h.yaml'}",
            "N/A: the audit log is no file of the API server",
        ),
        (
            "components: {kube-apiserver: ''}",
            "N/A: no audit backend is configured: SP-AUD-001 judges that",
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

/// Days, files, and megabytes.
const WANTED: [(&str, i64); 3] = [
    ("audit-log-maxage", 30),
    ("audit-log-maxbackup", 10),
    ("audit-log-maxsize", 100),
];

fn rule(given: &Given<'_>) -> Result<Said, Gap> {
    if let Some(why) = no_file(given)? {
        return Ok(Said::Moot(why.to_owned()));
    }
    let mut found = Vec::new();
    for (flag, least) in WANTED {
        let is = match given.number(flag)? {
            Some(value) if value >= least => continue,
            Some(value) => format!("is {value}"),
            None => "is not set".to_owned(),
        };
        let message = format!("--{flag} {is}, at least {least} is asked for");
        found.push(Fault::new(flag, Severity::Low, message));
    }
    Ok(faults(found))
}
