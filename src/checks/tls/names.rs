use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, on_node};
use crate::checks::component::asks;
use crate::checks::component::{self, Component, Fault, Said, good_by};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-013"),
    title: "The API server's certificate names its node",
    why: "Where the name does not fit people tell their clients not to look, and then any certificate does.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[
        Need::Manifests,
        Need::Processes,
        Need::Pki,
        Need::NodeObject,
    ],
    helps: &[],
    maps: &[Maps::Source("RFC 6125")],
    fix: Remediation {
        steps: &[
            on_node("openssl x509 -noout -ext subjectAltName -in {path}"),
            by_hand(
                "add the names and addresses to apiServer.certSANs of kubeadm's ClusterConfiguration, move apiserver.crt and apiserver.key away, and run kubeadm init phase certs apiserver --config FILE; then restart kube-apiserver",
            ),
        ],
        restarts: "kube-apiserver of this node, for about 20 s; one control-plane node at a time",
        undo: &[by_hand("move the former certificate and key back")],
    },
    examples: &[
        (
            "{pki: [], certificates: [{path: /p/apiserver.crt, subject: kube-apiserver, names: ['DNS:cp-1', 'IP:198.51.100.11']}], components: {kube-apiserver: '--tls-cert-file=/p/apiserver.crt'}, object: {addresses: {InternalIP: 198.51.100.11}}}",
            "PASS",
        ),
        (
            "{pki: [], certificates: [{path: /p/apiserver.crt, subject: kube-apiserver, names: ['DNS:kubernetes', 'IP:10.96.0.1']}], components: {kube-apiserver: '--tls-cert-file=/p/apiserver.crt'}, object: {addresses: {InternalIP: 198.51.100.11}}}",
            "FAIL medium: it names neither cp-1 nor 198.51.100.11: only kubernetes, 10.96.0.1",
        ),
        (
            "{pki: [], certificates: [{path: /p/apiserver.crt, subject: kube-apiserver, names: []}], components: {kube-apiserver: '--tls-cert-file=/p/apiserver.crt'}, object: {addresses: {InternalIP: 198.51.100.11}}}",
            "FAIL medium: it names neither cp-1 nor 198.51.100.11: only its common name",
        ),
        (
            "{pki: [], components: {kube-apiserver: '--tls-cert-file=/p/apiserver.crt'}, object: {addresses: {InternalIP: 198.51.100.11}}}",
            "MANUAL: which names are in /p/apiserver.crt, that kube-apiserver serves? it was not read",
        ),
        (
            "{pki: [], certificates: [{path: /p/apiserver.crt, names: ['DNS:cp-1']}], manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: kube-system}, spec: {volumes: [{name: p, hostPath: {path: /srv/p}}], containers: [{name: c, command: [kube-apiserver, --tls-cert-file=/p/apiserver.crt], volumeMounts: [{name: p, mountPath: /p}]}]}}}], processes: [], object: {}}",
            "MANUAL: which names are in /srv/p/apiserver.crt, that kube-apiserver serves? it was not read",
        ),
        (
            "{pki: [], components: {kube-apiserver: ''}, object: {}}",
            "N/A: kube-apiserver names no certificate: SP-TLS-001 judges that",
        ),
        (
            "{pki: {gap: denied}, components: {kube-apiserver: '--tls-cert-file=/p/apiserver.crt'}, object: {}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{pki: [], components: {}, object: {}}",
            "N/A: neither a manifest nor a process of the node is kube-apiserver",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let pki = node.host.pki.get()?;
    let object = node.api.object.get()?;
    let addresses = object.value.addresses.iter();
    let own: Vec<&Text> = addresses
        .filter(|(kind, _)| *kind == "InternalIP" || *kind == "Hostname")
        .map(|(_, address)| address)
        .collect();
    component::judge(node, Component::ApiServer, |given| {
        let Some(path) = given.last("tls-cert-file")?.filter(|path| !path.is_empty()) else {
            let why = "kube-apiserver names no certificate: SP-TLS-001 judges that";
            return Ok(Said::Moot(why.to_owned()));
        };
        let path = given.on_node(&path)?;
        let mut files = pki.value.certificates.iter();
        let Some(file) = files.find(|file| file.path == path.as_str()) else {
            return Err(asks(format!(
                "which names are in {path}, that kube-apiserver serves? it was not read"
            )));
        };
        let content = file.content.get()?;
        let names: Vec<&str> = content.value.first().map_or_else(Vec::new, |leaf| {
            let bare = |name| Some(Text::as_str(name).split_once(':')?.1);
            leaf.names.iter().filter_map(bare).collect()
        });
        let fits = |wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        if fits(node.name.as_str()) || own.iter().any(|address| fits(address.as_str())) {
            return Ok(good_by(content.at));
        }
        let wanted: Vec<&str> = std::iter::once(node.name.as_str())
            .chain(own.iter().map(|address| address.as_str()))
            .collect();
        let has = if names.is_empty() {
            "its common name".to_owned()
        } else {
            names.join(", ")
        };
        let message = format!("it names neither {}: only {has}", wanted.join(" nor "));
        Ok(Said::Bad(vec![
            Fault::new("tls-cert-file", Severity::Medium, message).by(content.at),
        ]))
    })
}
