use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::asks;
use crate::checks::component::mend::{KEEP_ETCD, etcd};
use crate::checks::component::{self, Component, Fault, HELPS, Said, good_by};
use crate::model::fact::{Fact, Gap, Need, Seen};
use crate::model::files::{Certificate, Pki};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-007"),
    title: "The authority of etcd is its own",
    why: "With one authority for both every certificate of the cluster, a kubelet's too, opens etcd.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests, Need::Processes, Need::Pki],
    helps: HELPS,
    maps: &[Maps::Cis("2.7")],
    fix: etcd(&[
        KEEP_ETCD,
        by_hand(
            "make an authority for etcd alone (kubeadm init phase certs etcd-ca, then etcd-server, etcd-peer and apiserver-etcd-client) and name it by --trusted-ca-file and --peer-trusted-ca-file of etcd and by --etcd-cafile of kube-apiserver, all in one window",
        ),
    ]),
    examples: &[
        (
            "{components: {etcd: '--trusted-ca-file=/e/ca.crt', kube-apiserver: '--client-ca-file=/k/ca.crt'}, pki: [], certificates: [{path: /e/ca.crt, subject: etcd-ca, ca: true, spki: e}, {path: /k/ca.crt, subject: kubernetes, ca: true, spki: k}]}",
            "PASS",
        ),
        (
            "{components: {etcd: '--trusted-ca-file=/e/ca.crt', kube-apiserver: '--client-ca-file=/k/ca.crt'}, pki: [], certificates: [{path: /e/ca.crt, subject: kubernetes, ca: true, spki: k}, {path: /k/ca.crt, subject: kubernetes, ca: true, spki: k}]}",
            "FAIL medium: etcd trusts the key of kubernetes, which kube-apiserver takes clients by too",
        ),
        (
            "{components: {etcd: '--trusted-ca-file=/k/ca.crt', kube-apiserver: '--client-ca-file=/k/ca.crt'}, pki: [], certificates: [{path: /k/ca.crt, subject: kubernetes, ca: true}]}",
            "FAIL medium: etcd trusts the key of kubernetes, which kube-apiserver takes clients by too",
        ),
        (
            "{components: {etcd: '--trusted-ca-file=/e/ca.crt', kube-apiserver: '--client-ca-file=/k/ca.crt'}, pki: [], certificates: [{path: /k/ca.crt, subject: kubernetes, ca: true}]}",
            "MANUAL: which key is in /e/ca.crt, that etcd trusts? it was not read",
        ),
        (
            "{components: {etcd: ''}, pki: []}",
            "N/A: etcd trusts no authority: SP-TLS-005 judges that",
        ),
        (
            "{components: {etcd: '--trusted-ca-file=/e/ca.crt'}, pki: [], certificates: [{path: /e/ca.crt, ca: true}]}",
            "N/A: no kube-apiserver of the node names an authority for clients",
        ),
        (
            "{components: {etcd: '--trusted-ca-file=/e/ca.crt', kube-apiserver: '--client-ca-file=/k/ca.crt'}, pki: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{components: {}, pki: []}",
            "N/A: neither a manifest nor a process of the node is etcd",
        ),
        (
            "{components: {}, manifests: {gap: denied}, pki: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let pki = node.host.pki.get()?;
    let clients = component::first(node, Component::ApiServer, |given| {
        let file = given.last("client-ca-file")?;
        let file = file.filter(|file| !file.is_empty());
        file.map(|file| given.on_node(&file)).transpose()
    })?;
    component::judge(node, Component::Etcd, |given| {
        let Some(trusted) = given
            .etcd("trusted-ca-file")?
            .filter(|file| !file.is_empty())
        else {
            let why = "etcd trusts no authority: SP-TLS-005 judges that";
            return Ok(Said::Moot(why.to_owned()));
        };
        let Some(clients) = &clients else {
            let why = "no kube-apiserver of the node names an authority for clients";
            return Ok(Said::Moot(why.to_owned()));
        };
        let own = keys(pki, &given.on_node(&trusted)?, "etcd")?;
        let others = keys(pki, clients, "kube-apiserver")?;
        let same = own
            .value
            .iter()
            .find(|own| others.value.iter().any(|other| other.spki == own.spki));
        Ok(match same {
            None => good_by(own.at),
            Some(same) => Said::Bad(vec![
                Fault::new(
                    "trusted-ca-file",
                    Severity::Medium,
                    format!(
                        "etcd trusts the key of {}, which kube-apiserver takes clients by too",
                        same.common_name
                    ),
                )
                .by(own.at),
            ]),
        })
    })
}

/// The certificates of a file as a flag names it.
fn keys<'n>(
    pki: &'n Seen<Pki>,
    path: &str,
    whose: &str,
) -> Result<&'n Seen<Vec<Certificate>>, Gap> {
    let mut files = pki.value.certificates.iter();
    match files.find(|file| file.path == path) {
        Some(file) => match &file.content {
            Fact::Seen(seen) => Ok(seen),
            Fact::Gap(gap) => Err(gap.clone()),
        },
        None => Err(asks(format!(
            "which key is in {path}, that {whose} trusts? it was not read"
        ))),
    }
}
