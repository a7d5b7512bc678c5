use super::certificates::{SOON, certificates, days, days_left};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-009"),
    title: "No certificate ends soon",
    why: "On the day a certificate ends its component cannot talk to the others any more, and the cluster stops.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::Pki, Need::Kubeconfigs],
    helps: &[],
    maps: &[Maps::Source(
        "kubernetes.io: certificate management with kubeadm",
    )],
    fix: Remediation {
        steps: &[
            on_node("kubeadm certs check-expiration"),
            on_node("kubeadm certs renew all"),
            by_hand(
                "restart the static pods: move each manifest out of the folder, wait until its container is gone, and move it back; a kubelet renews its own certificate where rotateCertificates is true: look into its log where it did not",
            ),
        ],
        restarts: "the components whose certificates are new, each for about 20 s; one control-plane node at a time",
        undo: &[by_hand(
            "kubeadm keeps the former files in /etc/kubernetes/tmp/; the old certificates hold as long as they say",
        )],
    },
    examples: &[
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/apiserver.crt, subject: kube-apiserver}]}",
            "PASS",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/apiserver.crt, subject: kube-apiserver, until: 1749827200}]}",
            "FAIL critical: the certificate of kube-apiserver has ended 2 days ago",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/b.crt, subject: b, until: 1751728000}, {path: /p/a.crt, subject: a, until: 1750259200}]}",
            "FAIL high: the certificate of a ends in 3 days; medium: the certificate of b ends in 20 days",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/a.crt, subject: a, from: 1750086400}]}",
            "FAIL high: the certificate of a is not valid yet",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/ca.crt, subject: ca, ca: true, until: 1750259200}, {path: /p/a.crt, subject: a}]}",
            "PASS",
        ),
        (
            "{pki: [], kubeconfigs: [{role: component_kubeconfig, path: /etc/kubernetes/scheduler.conf}], kubeconfig_contents: [{path: /etc/kubernetes/scheduler.conf, clients: [{subject: 'system:kube-scheduler', until: 1750086400}]}]}",
            "FAIL high: the certificate of system:kube-scheduler ends in 1 day",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/kubelet.crt, subject: cp-1@1700000000, issuer: CN=cp-1-ca@1700000000, until: 1749913600}, {path: /p/kubelet.crt, subject: cp-1-ca@1700000000, ca: true, self_signed: true, issuer: CN=cp-1-ca@1700000000}]}",
            "FAIL low: the certificate of cp-1@1700000000 has ended 1 day ago, which it made for itself and nobody can verify (SP-KUB-021)",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/a.crt, subject: a, issuer: CN=x-ca@1, until: 1749913600}]}",
            "FAIL critical: the certificate of a has ended 1 day ago",
        ),
        (
            "{pki: [{gap: denied}], kubeconfigs: []}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/a.crt, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{pki: {gap: denied}, kubeconfigs: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Days, and it is bad to have less.
const NEAR: i64 = 14;

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let now = view.now.as_second();
    let mut tally = Tally::new();
    let mut found = Vec::new();
    for one in certificates(node, &mut tally) {
        if one.certificate.ca {
            continue;
        }
        let left = days_left(one.certificate.not_after, now);
        let (severity, what) = if one.certificate.not_before > now {
            (Severity::High, "is not valid yet".to_owned())
        } else if one.certificate.not_after <= now {
            (Severity::Critical, format!("has ended {} ago", days(-left)))
        } else if left < NEAR {
            (Severity::High, format!("ends in {}", days(left)))
        } else if left < SOON {
            (Severity::Medium, format!("ends in {}", days(left)))
        } else {
            continue;
        };
        let mut message = format!("the certificate of {} {what}", one.certificate.common_name);
        let severity = if one.self_made {
            message.push_str(", which it made for itself and nobody can verify (SP-KUB-021)");
            Severity::Low
        } else {
            severity
        };
        found.push((
            one.certificate.not_after,
            offence(Subject::path(one.path), severity, message, [one.at]),
        ));
    }
    found.sort_by_key(|(until, _)| *until);
    for (_, offence) in found {
        tally.offence(offence);
    }
    tally.verdict()
}
