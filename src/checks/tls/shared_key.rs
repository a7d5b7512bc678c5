use super::certificates::of_pki;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-015"),
    title: "Each node has private keys of its own",
    why: "A key that lies on two nodes is lost with either of them, and nobody can tell which of them used it.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Pki],
    helps: &[],
    maps: &[Maps::Attack("T1552.004")],
    fix: Remediation {
        steps: &[
            on_node("openssl x509 -noout -subject -issuer -in {path}"),
            by_hand(
                "have a new key and certificate made on one of the nodes, kubeadm certs renew with kubeadm, and bring no key from node to node; only sa.key and the authorities are the same on all control-plane nodes",
            ),
        ],
        restarts: "the component that is given the new key",
        undo: &[by_hand("keep the former pair until all is well")],
    },
    examples: &[
        (
            "{pki: [], certificates: [{path: /p/a.crt, spki: a}], nodes: {w-1: {pki: [], certificates: [{path: /p/a.crt, spki: b}]}}}",
            "PASS",
        ),
        (
            "{pki: [], certificates: [{path: /p/ca.crt, ca: true, spki: a}, {path: /p/b.crt, spki: b}], nodes: {w-1: {pki: [], certificates: [{path: /p/ca.crt, ca: true, spki: a}]}}}",
            "PASS",
        ),
        (
            "{pki: [], certificates: [{path: /p/a.crt, subject: a, spki: a}], nodes: {w-1: {pki: [], certificates: [{path: /q/a.crt, spki: a}]}}}",
            "FAIL medium: the key of a lies on w-1 too, as /q/a.crt",
        ),
        (
            "{pki: [], certificates: [{path: /p/a.crt, spki: a}], nodes: {w-1: {pki: {gap: denied}}}}",
            "PASS: not held against 1 node whose certificates are not known",
        ),
        (
            "{pki: [{gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
        ("{pki: {gap: denied}}", "UNKNOWN: the login may not read it"),
    ],
    judge: Judge::Peers(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let pki = node.host.pki.get()?;
    let mut tally = Tally::new();
    let own = of_pki(pki, &mut tally);
    let keys = view.keys();
    let unknown = keys.unknown;
    for one in own.iter().filter(|one| !one.certificate.ca) {
        if let Some((name, path)) = keys.beside(&node.name, &one.certificate.spki) {
            let message = format!(
                "the key of {} lies on {name} too, as {path}",
                one.certificate.common_name
            );
            tally.offence(offence(
                Subject::path(one.path),
                Severity::Medium,
                message,
                [one.at],
            ));
        }
    }
    if unknown > 0 {
        let nodes = if unknown == 1 { "node" } else { "nodes" };
        tally.note(format!(
            "not held against {unknown} {nodes} whose certificates are not known"
        ));
    }
    tally.verdict()
}
