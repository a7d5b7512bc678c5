use super::etcd_listener::{self, Listener};
use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_ETCD, etcd};
use crate::checks::component::{self, Component, HELPS, NEEDS};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-005"),
    title: "Clients of etcd need a certificate",
    why: "Whoever reaches an etcd that asks for none reads every Secret and writes what he wants, past the API server.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[
        Maps::Cis("2.1"),
        Maps::Cis("2.2"),
        Maps::Cis("2.3"),
        Maps::Attack("T1552"),
    ],
    fix: etcd(&[
        KEEP_ETCD,
        by_hand(
            "set --cert-file, --key-file, --trusted-ca-file and --client-cert-auth=true, and take --auto-tls out; with a configuration file set client-transport-security there",
        ),
    ]),
    examples: &[
        (
            "components: {etcd: '--listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1:2379 --cert-file=/e/s.crt --key-file=/e/s.key --client-cert-auth=true --trusted-ca-file=/e/ca.crt'}",
            "PASS",
        ),
        (
            "components: {etcd: 'ETCD_CERT_FILE=/e/s.crt ETCD_KEY_FILE=/e/s.key ETCD_CLIENT_CERT_AUTH=T ETCD_TRUSTED_CA_FILE=/e/ca.crt ETCD_LISTEN_CLIENT_URLS=https://10.0.0.1:2379 --name=a'}",
            "PASS",
        ),
        (
            "components: {etcd: '--cert-file=/e/s.crt --key-file=/e/s.key --client-cert-auth --trusted-ca-file=/e/ca.crt --auto-tls'}",
            "FAIL critical: it makes certificates for itself that no authority signs",
        ),
        (
            "components: {etcd: '--listen-client-urls=https://127.0.0.1:2379,http://10.0.0.1:2379 --cert-file=/e/s.crt --key-file=/e/s.key --client-cert-auth=true --trusted-ca-file=/e/ca.crt'}",
            "FAIL critical: clients are served without TLS at http://10.0.0.1:2379, whatever certificate is given",
        ),
        (
            "components: {etcd: '--cert-file=/e/s.crt --key-file=/e/s.key --client-cert-auth=true --trusted-ca-file=/e/ca.crt'}",
            "FAIL critical: clients are served without TLS at http://localhost:2379, whatever certificate is given",
        ),
        (
            "components: {etcd: 'ETCD_AUTO_TLS=TRUE --cert-file=/e/s.crt --key-file=/e/s.key --client-cert-auth --trusted-ca-file=/e/ca.crt'}",
            "FAIL critical: it makes certificates for itself that no authority signs",
        ),
        (
            "components: {etcd: '--name=a'}",
            "FAIL critical: clients are served without TLS: --cert-file, --key-file are not set; critical: clients need no certificate",
        ),
        (
            "components: {etcd: '--listen-client-urls=https://10.0.0.1:2379 --cert-file=/e/s.crt --key-file=/e/s.key --client-cert-auth=true'}",
            "FAIL high: clients are known by any authority that the system trusts: --trusted-ca-file is not set",
        ),
        (
            "components: {etcd: '--config-file=/etc/etcd.yaml'}",
            "MANUAL: what does /etc/etcd.yaml say of cert-file? etcd reads nothing else",
        ),
        (
            "running: {etcd: '--name=a'}",
            "MANUAL: is ETCD_CERT_FILE in the environment of etcd? it has no flag --cert-file",
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
        etcd_listener::judge(given, &CLIENTS)
    })
}

const CLIENTS: Listener = Listener {
    whom: "clients",
    prefix: "",
    // The second is for HTTP alone.
    urls: &["listen-client-urls", "listen-client-http-urls"],
    default: "http://localhost:2379",
};
