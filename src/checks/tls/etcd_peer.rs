use super::etcd_listener::{self, Listener};
use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_ETCD, etcd};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said};
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
            "components: {etcd: '--peer-cert-file=/e/s.crt --peer-key-file=/e/s.key --peer-client-cert-auth=true --peer-trusted-ca-file=/e/ca.crt --listen-peer-urls=https://10.0.0.1:2380'}",
            "PASS",
        ),
        (
            "components: {etcd: 'ETCD_PEER_CERT_FILE=/e/s.crt ETCD_PEER_KEY_FILE=/e/s.key ETCD_PEER_CLIENT_CERT_AUTH=true ETCD_PEER_TRUSTED_CA_FILE=/e/ca.crt --name=a --listen-peer-urls=https://10.0.0.1:2380'}",
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
            "components: {etcd: '--peer-cert-file=/e/s.crt --peer-key-file=/e/s.key --peer-client-cert-auth --peer-trusted-ca-file=/e/ca.crt --peer-auto-tls --listen-peer-urls=https://10.0.0.1:2380'}",
            "FAIL critical: it makes certificates for itself that no authority signs",
        ),
        (
            "components: {etcd: '--name=a --listen-peer-urls=https://10.0.0.1:2380'}",
            "FAIL critical: members are served without TLS: --peer-cert-file, --peer-key-file are not set; critical: members need no certificate",
        ),
        (
            "components: {etcd: '--peer-cert-file=/e/s.crt --peer-key-file=/e/s.key --peer-client-cert-auth=true --peer-trusted-ca-file=/e/ca.crt --listen-peer-urls=http://10.0.0.1:2380'}",
            "FAIL critical: members are served without TLS at http://10.0.0.1:2380, whatever certificate is given",
        ),
        (
            "components: {etcd: '--peer-cert-file=/e/s.crt --peer-key-file=/e/s.key --peer-client-cert-auth=true --listen-peer-urls=https://10.0.0.1:2380'}",
            "FAIL high: members are known by any authority that the system trusts: --peer-trusted-ca-file is not set",
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
    component::judge(node, Component::Etcd, |given| {
        let said = etcd_listener::judge(given, &MEMBERS)?;
        if is_alone(given)? {
            let why = "etcd has a single member, and listens for others on loopback alone";
            return Ok(Said::Moot(why.to_owned()));
        }
        Ok(said)
    })
}

const MEMBERS: Listener = Listener {
    whom: "members",
    prefix: "peer-",
    urls: &["listen-peer-urls"],
    default: "http://localhost:2380",
};

/// No other member, and no way to it from outside: the first member of a larger cluster names itself alone too.
fn is_alone(given: &Given<'_>) -> Result<bool, Gap> {
    let members = given.etcd("initial-cluster")?;
    let single = members.is_none_or(|list| !list.contains(','));
    let urls = given.etcd("listen-peer-urls")?;
    let urls = urls.unwrap_or_else(|| MEMBERS.default.to_owned());
    let is_loopback = |url: &str| {
        let (_, host) = url.trim().split_once("://").unwrap_or(("", url));
        ["127.", "localhost:", "[::1]:"]
            .iter()
            .any(|own| host.starts_with(own))
    };
    Ok(single && urls.split(',').all(is_loopback))
}
