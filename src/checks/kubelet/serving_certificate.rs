use super::setting::effective;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, not_applicable, offence,
    on_node,
};
use crate::checks::tls::certificates::is_made_up;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::files::Certificate;
use crate::model::name::CheckId;
use crate::model::network::Shown;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-021"),
    title: "The kubelet shows a certificate of an authority",
    why: "The API server cannot tell a kubelet that signs its own certificate from whoever stands between: exec, logs and port-forward of every pod can be read and changed on the way.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Handshakes],
    helps: &[Need::KubeletConfig, Need::Pki],
    maps: &[
        Maps::Cis("4.2.9"),
        Maps::Cis("4.2.11"),
        Maps::Attack("T1557"),
    ],
    fix: Remediation {
        steps: &[
            by_hand(
                "set serverTLSBootstrap: true in the kubelet's configuration file, usually /var/lib/kubelet/config.yaml; with kubeadm also in the ConfigMap kubelet-config",
            ),
            on_node("systemctl restart kubelet"),
            kubectl(
                "kubectl get csr --field-selector spec.signerName=kubernetes.io/kubelet-serving",
            ),
            by_hand(
                "compare names and addresses of the request with the node, then kubectl certificate approve NAME; nobody approves it by itself. Give the API server --kubelet-certificate-authority when all nodes have one",
            ),
        ],
        restarts: "the kubelet, for a few seconds; exec and logs fail until the request is approved",
        undo: &[
            by_hand("take serverTLSBootstrap out again"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        (
            "{handshakes: [{port: 6443, gap: tool}, {port: 10250, certificate: {subject: 'system:node:cp-1', issuer: CN=kubernetes}, signer: /etc/kubernetes/pki/ca.crt}], pki: []}",
            "PASS: the certificate on 127.0.0.1:10250 is signed by that of /etc/kubernetes/pki/ca.crt",
        ),
        (
            "{handshakes: [{port: 10250, certificate: {subject: cp-1, issuer: CN=ca}, signer: /pki/b.crt}], pki: [], certificates: [{path: /pki/b.crt, flag: requestheader-client-ca-file, subject: ca, ca: true}]}",
            "MANUAL: the certificate on 127.0.0.1:10250 is signed by that of /pki/b.crt, which is there for the front proxy: does the API server know kubelets by that authority?",
        ),
        (
            "{handshakes: [{port: 10250, certificate: {subject: cp-1, issuer: CN=etcd-ca}, signer: /etc/kubernetes/pki/etcd/ca.crt}], pki: []}",
            "MANUAL: the certificate on 127.0.0.1:10250 is signed by that of /etc/kubernetes/pki/etcd/ca.crt, which is there for etcd: does the API server know kubelets by that authority?",
        ),
        (
            "{kubelet: {authentication.x509.clientCAFile: /pki/b.crt}, handshakes: [{port: 10250, certificate: {subject: cp-1, issuer: CN=ca}, signer: /pki/b.crt}], pki: [], certificates: [{path: /pki/b.crt, flag: requestheader-client-ca-file, subject: ca, ca: true}]}",
            "PASS: the certificate on 127.0.0.1:10250 is signed by that of /pki/b.crt",
        ),
        (
            "{kubelet: {layers: [{kind: file, origin: /k, set: {tlsCertFile: /etc/ssl/node.crt}}]}, handshakes: [{port: 10250, certificate: {subject: cp-1, issuer: CN=Our CA}}], pki: [], certificates: [{path: /etc/ssl/node.crt, subject: cp-1, issuer: CN=Our CA}]}",
            "PASS: the certificate on 127.0.0.1:10250 is /etc/ssl/node.crt, issued by CN=Our CA",
        ),
        (
            "{kubelet: {layers: [{kind: file, origin: /k, set: {tlsCertFile: /etc/ssl/node.crt}}]}, handshakes: [{port: 10250, certificate: {subject: cp-1, issuer: CN=Our CA, spki: other}}], pki: [], certificates: [{path: /etc/ssl/node.crt, subject: cp-1, issuer: CN=Our CA}]}",
            "MANUAL: the certificate on 127.0.0.1:10250 is not that of /etc/ssl/node.crt, which the kubelet is given, and is issued by CN=Our CA: who answers there?",
        ),
        (
            "{kubelet: {layers: [{kind: file, origin: /k, set: {tlsCertFile: /etc/ssl/node.crt}}]}, handshakes: [{port: 10250, certificate: {subject: cp-1, issuer: CN=Our CA}}]}",
            "MANUAL: is the certificate on 127.0.0.1:10250, issued by CN=Our CA, that of /etc/ssl/node.crt, which the kubelet is given? the file was not looked into",
        ),
        (
            "{handshakes: [{port: 10250, certificate: {subject: cp-1@1795559553, issuer: CN=cp-1-ca@1795559553}, signer: /var/lib/kubelet/pki/kubelet.crt}, {address: '::1', port: 10250, gap: connect-timeout}]}",
            "FAIL medium: the kubelet has signed its certificate itself (issuer CN=cp-1-ca@1795559553); gap: the node was not read (connect-timeout): in an example",
        ),
        (
            "{handshakes: [{port: 10250, certificate: {subject: cp-1, issuer: CN=cp-1, self_signed: true}}]}",
            "FAIL medium: the kubelet has signed its certificate itself (issuer CN=cp-1)",
        ),
        (
            "{handshakes: {gap: tool}, kubelet: {}, pki: [], certificates: [{path: /var/lib/kubelet/pki/kubelet.crt, issuer: CN=cp-1-ca@17}]}",
            "FAIL medium: the kubelet has signed its certificate itself (issuer CN=cp-1-ca@17); gap: getfacl is not on the node",
        ),
        (
            "{handshakes: [{port: 10250, certificate: {subject: cp-1, issuer: CN=Our CA}}]}",
            "MANUAL: the certificate on 127.0.0.1:10250 is issued by CN=Our CA, of which no file of the node tells: does the API server know that authority?",
        ),
        (
            "{kubelet: {}, handshakes: [{port: 6443, certificate: {subject: a}}]}",
            "N/A: nothing listens on port 10250",
        ),
        (
            "{kubelet: {layers: [{kind: file, origin: /k, set: {port: 10350}}]}, handshakes: []}",
            "MANUAL: the kubelet serves on port 10350, where nobody has asked: who has signed its certificate?",
        ),
        (
            "handshakes: {gap: tool}",
            "UNKNOWN: getfacl is not on the node",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

const PORT: u16 = 10250;

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    let Some(seen) = tally.take(&node.host.handshakes) else {
        by_file(node, &mut tally);
        return tally.verdict();
    };
    let configured = port(node);
    let port = configured.clone().unwrap_or(PORT);
    let all = seen.value.iter().filter(|found| found.port == port);
    let mut any = false;
    for found in all {
        any = true;
        match found.shown.get() {
            Ok(shown) => one(node, &found.place(), (&shown.value, shown.at), &mut tally),
            Err(gap) => {
                tally.gap(gap);
                by_file(node, &mut tally);
            }
        }
    }
    if any {
        return tally.verdict();
    }
    if configured? != PORT {
        return Err(Gap::NeedsHuman {
            question: Text::from(format!(
                "the kubelet serves on port {port}, where nobody has asked: who has signed its certificate?"
            )),
        });
    }
    let why = format!("nothing listens on port {port}");
    Ok(not_applicable([seen.at], why))
}

/// `port` of the configuration.
fn port(node: &NodeFacts) -> Result<u16, Gap> {
    let set = effective(node.host.kubelet.get()?, "port")?;
    let set = set.and_then(|set| u16::try_from(set.value.as_u64()?).ok());
    Ok(set.filter(|port| *port != 0).unwrap_or(PORT))
}

fn one(node: &NodeFacts, place: &str, (shown, at): (&Shown, Locator), tally: &mut Tally) {
    let own = &shown.certificate;
    let signer = shown.signer.as_ref().map(Text::as_str);
    if is_own(own) || signer.is_some_and(|path| path.ends_with("/kubelet.crt")) {
        return by_itself(own, at, tally);
    }
    if let Some(path) = signer {
        match other_authority(node, path) {
            Ok(None) => {}
            Ok(Some(whose)) => {
                return tally.gap(Gap::NeedsHuman {
                    question: Text::from(format!(
                        "the certificate on {place} is signed by that of {path}, which is there for {whose}: does the API server know kubelets by that authority?"
                    )),
                });
            }
            Err(gap) => return tally.gap(gap),
        }
        tally.good(at);
        return tally.note(format!(
            "the certificate on {place} is signed by that of {path}"
        ));
    }
    let issuer = &own.issuer;
    match given(node) {
        Some(path) => match is_of(node, &path, own) {
            Some(true) => {
                tally.good(at);
                tally.note(format!(
                    "the certificate on {place} is {path}, issued by {issuer}"
                ));
            }
            Some(false) => tally.gap(Gap::NeedsHuman {
                question: Text::from(format!(
                    "the certificate on {place} is not that of {path}, which the kubelet is given, and is issued by {issuer}: who answers there?"
                )),
            }),
            None => tally.gap(Gap::NeedsHuman {
                question: Text::from(format!(
                    "is the certificate on {place}, issued by {issuer}, that of {path}, which the kubelet is given? the file was not looked into"
                )),
            }),
        },
        None => tally.gap(Gap::NeedsHuman {
            question: Text::from(format!(
                "the certificate on {place} is issued by {issuer}, of which no file of the node tells: does the API server know that authority?"
            )),
        }),
    }
}

/// For whom an authority of the node is there that is not the one of kubelets, by the flag that names its file, or by
/// its place.
///
/// # Errors
/// Where the certificates of the node are not known.
fn other_authority(node: &NodeFacts, path: &str) -> Result<Option<&'static str>, Gap> {
    let kubelet = node.host.kubelet.get().ok();
    let clients = kubelet.and_then(|kubelet| {
        effective(kubelet, "authentication.x509.clientCAFile")
            .ok()
            .flatten()
    });
    if clients.is_some_and(|set| set.value.as_str() == Some(path)) {
        return Ok(None);
    }
    let mut files = node.host.pki.get()?.value.certificates.iter();
    let file = files.find(|file| file.path.as_str() == path);
    let name = path.rsplit('/').next().unwrap_or(path);
    Ok(match file.map_or("", |file| file.flag.as_str()) {
        "trusted-ca-file" | "peer-trusted-ca-file" | "etcd-cafile" => Some("etcd"),
        "requestheader-client-ca-file" => Some("the front proxy"),
        _ if path.split('/').any(|folder| folder == "etcd") => Some("etcd"),
        _ if name.starts_with("front-proxy") || name.starts_with("request-header") => {
            Some("the front proxy")
        }
        _ => None,
    })
}

fn by_itself(own: &Certificate, at: Locator, tally: &mut Tally) {
    tally.offence(offence(
        Subject::new(SubjectKind::Setting, "serverTLSBootstrap"),
        Severity::Medium,
        format!(
            "the kubelet has signed its certificate itself (issuer {})",
            own.issuer
        ),
        [at],
    ));
}

/// Whether it is its own authority, or one that the kubelet makes up at its start.
fn is_own(own: &Certificate) -> bool {
    own.self_signed || is_made_up(&own.issuer)
}

/// The certificate that an operator gives the kubelet.
fn given(node: &NodeFacts) -> Option<String> {
    let kubelet = node.host.kubelet.get().ok()?;
    let set = effective(kubelet, "tlsCertFile").ok().flatten()?;
    let path = set.value.as_str()?;
    (!path.is_empty() && !path.ends_with("/kubelet.crt")).then(|| path.to_owned())
}

/// Whether a file holds a certificate; none where it was not looked into. Who answers on a port may be anybody.
fn is_of(node: &NodeFacts, path: &str, own: &Certificate) -> Option<bool> {
    let pki = node.host.pki.get().ok()?;
    let mut files = pki.value.certificates.iter();
    let file = files.find(|file| file.path.as_str() == path)?;
    let kept = file.content.get().ok()?.value.first()?;
    Some((&kept.serial, &kept.spki) == (&own.serial, &own.spki))
}

/// What nobody could ask the port follows from the files where the kubelet is told of no other certificate.
fn by_file(node: &NodeFacts, tally: &mut Tally) {
    let (Ok(kubelet), Ok(pki)) = (node.host.kubelet.get(), node.host.pki.get()) else {
        return;
    };
    let bootstrap = effective(kubelet, "serverTLSBootstrap");
    let bootstrap = bootstrap.map(|set| set.and_then(|set| set.value.as_bool()) == Some(true));
    if given(node).is_some() || bootstrap != Ok(false) {
        return;
    }
    let mut files = pki.value.certificates.iter();
    let file = files.find(|file| file.path.as_str().ends_with("/kubelet.crt"));
    let Some(Ok(seen)) = file.map(|file| file.content.get()) else {
        return;
    };
    if let Some(own) = seen.value.first().filter(|own| is_own(own)) {
        by_itself(own, seen.at, tally);
    }
}
