use std::time::Duration;

use super::pairs::declared;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::flags;
use crate::checks::kubelet::setting::effective;
use crate::checks::mounted;
use crate::checks::program::own_words;
use crate::model::Timestamp;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::files::Certificate;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Offence, Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-029"),
    title: "Components show the certificates of their files",
    why: "A renewed certificate that nobody has loaded ends at its hour and takes the API server or etcd with it; one that no file holds is served by somebody else.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Handshakes, Need::Pki],
    helps: &[Need::Manifests, Need::KubeletConfig, Need::Identity],
    maps: &[Maps::Source("kubernetes/kubernetes#98310")],
    fix: Remediation {
        steps: &[
            on_node("ss -ltnp"),
            by_hand(
                "see first that the program behind the port is the component. Then let it start again with its file: move its manifest out of the folder, wait until the pod is gone (20 s), and move it back; on a control plane one node at a time",
            ),
            on_node("systemctl restart kubelet"),
        ],
        restarts: "the component, 20 to 60 s; a kubelet a few seconds",
        undo: &[by_hand(
            "there is nothing to undo: the component has the certificate of its file",
        )],
    },
    examples: &[
        (
            "{kubelet: {}, manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {volumes: [{name: p, hostPath: {path: /etc/kubernetes/pki}}], containers: [{name: c, command: [kube-apiserver, --tls-cert-file=/pki/apiserver.crt], volumeMounts: [{name: p, mountPath: /pki}]}]}}}], pki: [], \
             certificates: [{path: /etc/kubernetes/pki/apiserver.crt, serial: '02', spki: a}, {path: /var/lib/kubelet/pki/kubelet.crt, serial: '03', spki: k}], handshakes: [{port: 6443, certificate: {serial: '02', spki: a}}, {port: 10250, certificate: {serial: '03', spki: k}}, {port: 10257, certificate: {serial: '09', spki: z}}]}",
            "PASS",
        ),
        (
            "{kubelet: {}, manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {volumes: [{name: p, hostPath: {path: /p}}], containers: [{name: c, command: [etcd, --cert-file=/p/s.crt, --peer-cert-file=/p/p.crt, '--listen-peer-urls=https://192.0.2.1:2390'], volumeMounts: [{name: p, mountPath: /p}]}]}}}], pki: [], \
             certificates: [{path: /p/s.crt, serial: '02', spki: a, from: 1740000000}, {path: /p/p.crt, serial: '05', spki: p, from: 1700000000}], handshakes: [{port: 2379, certificate: {serial: '01', spki: a, from: 1700000000}}, {address: 192.0.2.1, port: 2390, certificate: {serial: '07', spki: q, from: 1700000000}}]}",
            "FAIL high: etcd of kube-system/etcd shows serial 01 of 2023-11-14 on 127.0.0.1:2379, and /p/s.crt holds serial 02 of 2025-02-19: it was renewed and never loaded; high: etcd of kube-system/etcd shows serial 07 of 2023-11-14 on 192.0.2.1:2390, and /p/p.crt holds serial 05 of 2023-11-14: another one",
        ),
        (
            "{clock: 1750000000, kubelet: {layers: [{kind: file, origin: /k, set: {serverTLSBootstrap: true}}]}, manifests: [], pki: [{role: certificate, path: /v/kubelet-server-current.pem, mtime: 1749999990}], certificates: [{path: /v/kubelet-server-current.pem, serial: '02'}], handshakes: [{port: 10250, certificate: {serial: '01'}}]}",
            "UNKNOWN: the kubelet may still act for 110 s",
        ),
        (
            "{kubelet: {}, manifests: [], pki: [], certificates: [{path: /v/kubelet.crt, gap: denied}], handshakes: [{port: 10250, certificate: {serial: '01'}}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{kubelet: {}, manifests: [], pki: [], certificates: [{path: /v/kubelet.crt, serial: '01'}], handshakes: [{port: 10250, gap: tool}]}",
            "UNKNOWN: getfacl is not on the node",
        ),
        (
            "{kubelet: {}, manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {volumes: [{name: p, hostPath: {path: /p}}], containers: [{name: c, command: [etcd, --cert-file=/p/s.crt, '--listen-client-urls=https://192.0.2.1:2399'], volumeMounts: [{name: p, mountPath: /p}]}]}}}], pki: [], \
             certificates: [{path: /p/s.crt}, {path: /v/kubelet.crt, serial: '01'}], handshakes: [{port: 10250, certificate: {serial: '01'}}]}",
            "MANUAL: which certificate does etcd of kube-system/etcd show on port 2399, where nobody has asked?",
        ),
        (
            "{kubelet: {}, manifests: [], pki: [], handshakes: []}",
            "N/A: no component of the node shows a certificate of a file",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Program, flag of its certificate, flag that says where it listens, and its port.
const SERVERS: [(&str, &str, &str, u16); 5] = [
    ("kube-apiserver", "tls-cert-file", "secure-port", 6443),
    (
        "kube-controller-manager",
        "tls-cert-file",
        "secure-port",
        10257,
    ),
    ("kube-scheduler", "tls-cert-file", "secure-port", 10259),
    ("etcd", "cert-file", "listen-client-urls", 2379),
    ("etcd", "peer-cert-file", "listen-peer-urls", 2380),
];

/// Components look at their files once a minute (apiserver pkg/server/dynamiccertificates); so long a new file is
/// not missed.
const GRACE: i64 = 120;

/// A port and the file whose certificate it is to show.
struct Expected {
    what: String,
    port: u16,
    path: String,
}

/// Ports that are asked wherever something listens on them.
const ASKED: [u16; 6] = [6443, 10250, 10257, 10259, 2379, 2380];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let live = node.host.handshakes.get()?;
    let pki = node.host.pki.get()?;
    let mut tally = Tally::new();
    tally.all_good(&[live.at, pki.at]);
    let mut expected = of_manifests(node, &mut tally);
    expected.extend(of_kubelet(node, &mut tally));
    let mut any = false;
    for wanted in &expected {
        if !ASKED.contains(&wanted.port) && !live.value.iter().any(|it| it.port == wanted.port) {
            tally.gap(Gap::NeedsHuman {
                question: Text::from(format!(
                    "which certificate does {} show on port {}, where nobody has asked?",
                    wanted.what, wanted.port
                )),
            });
        }
        for found in live.value.iter().filter(|found| found.port == wanted.port) {
            any = true;
            let Some(shown) = tally.take(&found.shown) else {
                continue;
            };
            let own = &shown.value.certificate;
            let outcome = compare(node, wanted, (own, shown.at, found.place()));
            tally.part(shown.at, outcome);
        }
    }
    match tally.verdict()? {
        Verdict::Pass { .. } if !any => Ok(not_applicable(
            [live.at, pki.at],
            "no component of the node shows a certificate of a file",
        )),
        verdict => Ok(verdict),
    }
}

fn of_manifests(node: &NodeFacts, tally: &mut Tally) -> Vec<Expected> {
    let declared = match declared(node) {
        Ok(declared) => declared,
        Err(gap) => {
            tally.gap(gap);
            return Vec::new();
        }
    };
    tally.gaps(declared.gaps);
    let mut out = Vec::new();
    for pod in &declared.pods {
        for (program, flag, listens, port) in SERVERS {
            let Some(words) = own_words(pod.pod, program) else {
                continue;
            };
            let Some(file) = flags::last_of(&words, flag).filter(|file| !file.is_empty()) else {
                continue;
            };
            let what = format!("{program} of {}/{}", pod.pod.namespace, pod.pod.name);
            let Some(path) = mounted::on_node(pod.pod, &file) else {
                tally.gap(Gap::Garbled {
                    what: Text::from(format!("{file} of {what}, which is no path of the node")),
                });
                continue;
            };
            // Of several URLs each shows the same; the one that is asked is the first.
            let set = flags::last_of(&words, listens);
            let set = set.as_deref().and_then(|value| value.split(',').next());
            let set = set.and_then(|value| value.rsplit(':').next()?.parse().ok());
            out.push(Expected {
                what,
                port: set.unwrap_or(port),
                path,
            });
        }
    }
    out
}

/// The certificate that the kubelet is given, that it has asked for, or that it has made itself.
fn of_kubelet(node: &NodeFacts, tally: &mut Tally) -> Option<Expected> {
    let kubelet = tally.take(&node.host.kubelet)?;
    let mut take = |key| match effective(kubelet, key) {
        Ok(set) => Some(set),
        Err(gap) => {
            tally.gap(gap);
            None
        }
    };
    let (given, asks, port) = (
        take("tlsCertFile")?,
        take("serverTLSBootstrap")?,
        take("port")?,
    );
    let given = given.and_then(|set| set.value.as_str().map(str::to_owned));
    let asks = asks.and_then(|set| set.value.as_bool()) == Some(true);
    let port = port.and_then(|set| u16::try_from(set.value.as_u64()?).ok());
    let own = if asks {
        "/kubelet-server-current.pem"
    } else {
        "/kubelet.crt"
    };
    let mut files = node.host.pki.get().ok()?.value.certificates.iter();
    let made = files.find(|file| file.path.as_str().ends_with(own));
    let made = made.map(|file| file.path.to_string());
    Some(Expected {
        what: "the kubelet".to_owned(),
        port: port.filter(|port| *port != 0).unwrap_or(10250),
        path: given.filter(|path| !path.is_empty()).or(made)?,
    })
}

fn compare(
    node: &NodeFacts,
    wanted: &Expected,
    (own, at, place): (&Certificate, Locator, String),
) -> Result<Option<Offence>, Gap> {
    let Expected { what, path, .. } = wanted;
    let pki = node.host.pki.get()?;
    let mut files = pki.value.certificates.iter();
    let file = files.find(|file| file.path.as_str() == path.as_str());
    let garbled = || Gap::Garbled {
        what: Text::from(format!("the certificate {path}, which was not looked into")),
    };
    let content = file.ok_or_else(garbled)?.content.get()?;
    let kept = content.value.first().ok_or_else(garbled)?;
    if (&own.serial, &own.spki, own.not_after) == (&kept.serial, &kept.spki, kept.not_after) {
        return Ok(None);
    }
    if let Some(left) = settles(node, path) {
        return Err(Gap::Settling { left });
    }
    let end = if own.not_before < kept.not_before {
        "it was renewed and never loaded"
    } else {
        "another one"
    };
    let message = format!(
        "{what} shows serial {} of {} on {place}, and {path} holds serial {} of {}: {end}",
        own.serial,
        day(own.not_before),
        kept.serial,
        day(kept.not_before)
    );
    let subject = Subject::new(SubjectKind::Port, place);
    Ok(Some(offence(
        subject,
        Severity::High,
        message,
        [at, content.at],
    )))
}

/// How long a file may still be too new to be loaded.
fn settles(node: &NodeFacts, path: &str) -> Option<Duration> {
    let clock = node.host.identity.get().ok()?.value.clock;
    let pki = node.host.pki.get().ok()?;
    let mut files = pki.value.list.files.iter();
    let file = files.find(|file| file.path.as_str() == path)?;
    let walk = file.walk(&node.host.paths, pki.at);
    let age = clock.saturating_sub(walk.object()?.stat.mtime?);
    let left = GRACE.checked_sub(age).filter(|_| age >= 0)?;
    u64::try_from(left)
        .ok()
        .filter(|left| *left > 0)
        .map(Duration::from_secs)
}

/// The day of a moment.
fn day(seconds: i64) -> String {
    let stamp = Timestamp::from_second(seconds).map(|stamp| stamp.to_string());
    let stamp = stamp.unwrap_or_default();
    stamp.split('T').next().unwrap_or_default().to_owned()
}
