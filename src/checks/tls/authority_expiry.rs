use super::certificates::{SOON, days, days_left, of_pki};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-010"),
    title: "No authority ends within a year",
    why: "When an authority ends every certificate that it signed ends with it, and the whole cluster has to be given new ones at once.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::Pki],
    helps: &[],
    maps: &[Maps::Source(
        "kubernetes.io: manual rotation of CA certificates",
    )],
    fix: Remediation {
        steps: &[
            on_node("kubeadm certs check-expiration"),
            by_hand(
                "plan the rotation: make a new authority, let every component trust both, give out new certificates, then take the old one out (kubernetes.io: Manual Rotation of CA Certificates)",
            ),
        ],
        restarts: "every component and every kubelet, one after the other",
        undo: &[by_hand(
            "the old authority goes on to be trusted until it is taken out of the files of trust",
        )],
    },
    examples: &[
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/ca.crt, subject: kubernetes, ca: true}]}",
            "PASS",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/ca.crt, subject: kubernetes, ca: true, until: 1767280000}]}",
            "FAIL high: the authority kubernetes ends in 200 days",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/ca.crt, subject: kubernetes, ca: true, until: 1750864000}]}",
            "FAIL critical: the authority kubernetes ends in 10 days",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/ca.crt, subject: kubernetes, ca: true, until: 1749136000}]}",
            "FAIL critical: the authority kubernetes has ended 10 days ago",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/kubelet.crt, subject: cp-1@1700000000, issuer: CN=cp-1-ca@1700000000, until: 1750086400}, {path: /p/kubelet.crt, subject: cp-1-ca@1700000000, ca: true, self_signed: true, issuer: CN=cp-1-ca@1700000000, until: 1750086400}]}",
            "N/A: no certificate of an authority lies on the node",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/ca.crt, subject: cp-1-ca@1700000000, ca: true, self_signed: true, issuer: CN=cp-1-ca@1700000000, until: 1750086400}]}",
            "FAIL critical: the authority cp-1-ca@1700000000 ends in 1 day",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/a.crt, subject: a}]}",
            "N/A: no certificate of an authority lies on the node",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/ca.crt, gap: denied}]}",
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

const YEAR: i64 = 365;

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let now = view.now.as_second();
    let pki = node.host.pki.get()?;
    let mut tally = Tally::new();
    let mut any = false;
    for one in of_pki(pki, &mut tally) {
        // What a component signs itself with for want of a certificate ends with it, and nobody trusts it.
        if !one.certificate.ca || one.self_made {
            continue;
        }
        any = true;
        let left = days_left(one.certificate.not_after, now);
        let (severity, what) = if one.certificate.not_after <= now {
            (Severity::Critical, format!("has ended {} ago", days(-left)))
        } else if left < SOON {
            (Severity::Critical, format!("ends in {}", days(left)))
        } else if left < YEAR {
            (Severity::High, format!("ends in {}", days(left)))
        } else {
            continue;
        };
        let message = format!("the authority {} {what}", one.certificate.common_name);
        tally.offence(offence(
            Subject::path(one.path),
            severity,
            message,
            [one.at],
        ));
    }
    let whole = pki.value.list.gaps.is_empty()
        && pki
            .value
            .certificates
            .iter()
            .all(|file| file.content.is_seen());
    if !any && whole {
        let why = "no certificate of an authority lies on the node";
        return Ok(not_applicable([pki.at], why));
    }
    tally.verdict()
}
