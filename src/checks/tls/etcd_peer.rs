use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_ETCD, etcd};
use crate::checks::component::not_set;
use crate::checks::component::{
    self, Component, Fault, Given, HELPS, NEEDS, Said, faults, without_tls,
};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-006"),
    title: "Members of etcd prove themselves to each other",
    why: "Whoever can join or pose as a member gets a copy of every Secret.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("2.4"), Maps::Cis("2.5"), Maps::Cis("2.6")],
    fix: etcd(&[
        KEEP_ETCD,
        by_hand(
            "set --peer-cert-file, --peer-key-file, --peer-trusted-ca-file and --peer-client-cert-auth=true, and take --peer-auto-tls out; with a configuration file set peer-transport-security there",
        ),
    ]),
    examples: &[
        (
            "components: {etcd: '--peer-cert-file=/e/s.crt --peer-key-file=/e/s.key --peer-client-cert-auth=true --listen-peer-urls=https://10.0.0.1:2380'}",
            "PASS",
        ),
        (
            "components: {etcd: 'ETCD_PEER_CERT_FILE=/e/s.crt ETCD_PEER_KEY_FILE=/e/s.key ETCD_PEER_CLIENT_CERT_AUTH=true --name=a --listen-peer-urls=https://10.0.0.1:2380'}",
            "PASS",
        ),
        (
            "components: {etcd: '--initial-cluster=a=http://127.0.0.1:2380 --listen-peer-urls=http://127.0.0.1:2380'}",
            "N/A: etcd has a single member, and listens for others on loopback alone",
        ),
        (
            "components: {etcd: '--initial-cluster=a=http://127.0.0.1:2380'}",
            "N/A: etcd has a single member, and listens for others on loopback alone",
        ),
        (
            "components: {etcd: '--peer-cert-file=/e/s.crt --peer-key-file=/e/s.key --peer-client-cert-auth --peer-auto-tls --listen-peer-urls=https://10.0.0.1:2380'}",
            "FAIL critical: it makes certificates for itself that no authority signs",
        ),
        (
            "components: {etcd: '--name=a --listen-peer-urls=https://10.0.0.1:2380'}",
            "FAIL critical: members are served without TLS: --peer-cert-file, --peer-key-file are not set; critical: members need no certificate",
        ),
        (
            "components: {etcd: '--peer-cert-file=/e/s.crt --peer-key-file=/e/s.key --peer-client-cert-auth=true --listen-peer-urls=http://10.0.0.1:2380'}",
            "FAIL critical: members are served without TLS at http://10.0.0.1:2380, whatever certificate is given",
        ),
        (
            "components: {etcd: '--config-file=/etc/etcd.yaml'}",
            "MANUAL: what does /etc/etcd.yaml say of peer-cert-file? etcd reads nothing else",
        ),
        (
            "running: {etcd: '--name=a'}",
            "MANUAL: is ETCD_PEER_CERT_FILE in the environment of etcd? it has no flag --peer-cert-file",
        ),
        (
            "components: {}",
            "N/A: neither a manifest nor a process of the node is etcd",
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
    component::judge(node, Component::Etcd, rule)
}

/// Where it listens for members when nothing is said.
const LISTENS: &str = "http://localhost:2380";

fn rule(given: &Given<'_>) -> Result<Said, Gap> {
    let pair = ["peer-cert-file", "peer-key-file"];
    let mut missing = Vec::new();
    for flag in pair {
        if given.etcd(flag)?.is_none_or(|file| file.is_empty()) {
            missing.push(flag);
        }
    }
    if is_alone(given)? {
        let why = "etcd has a single member, and listens for others on loopback alone";
        return Ok(Said::Moot(why.to_owned()));
    }
    let mut found = Vec::new();
    let mut tell =
        |flag: &str, message: String| found.push(Fault::new(flag, Severity::Critical, message));
    let auto = given.etcd_switch("peer-auto-tls")?;
    if auto {
        tell(
            "peer-auto-tls",
            "it makes certificates for itself that no authority signs".to_owned(),
        );
    } else if !missing.is_empty() {
        let missing = not_set(&missing);
        tell(
            "peer-cert-file",
            format!("members are served without TLS: {missing}"),
        );
    } else if let Some(plain) = without_tls(given, &["listen-peer-urls"], LISTENS)? {
        tell(
            "listen-peer-urls",
            format!("members are served without TLS at {plain}, whatever certificate is given"),
        );
    }
    if !given.etcd_switch("peer-client-cert-auth")? {
        tell(
            "peer-client-cert-auth",
            "members need no certificate".to_owned(),
        );
    }
    Ok(faults(found))
}

/// No other member, and no way to it from outside: the first member of a larger cluster names itself alone too.
fn is_alone(given: &Given<'_>) -> Result<bool, Gap> {
    let members = given.etcd("initial-cluster")?;
    let single = members.is_none_or(|list| !list.contains(','));
    let urls = given.etcd("listen-peer-urls")?;
    let urls = urls.unwrap_or_else(|| LISTENS.to_owned());
    let is_loopback = |url: &str| {
        let (_, host) = url.trim().split_once("://").unwrap_or(("", url));
        ["127.", "localhost:", "[::1]:"]
            .iter()
            .any(|own| host.starts_with(own))
    };
    Ok(single && urls.split(',').all(is_loopback))
}
