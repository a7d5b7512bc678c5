use super::certificates::certificates;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-011"),
    title: "Keys and signatures of certificates are strong",
    why: "A key that is too short can be computed, and a signature by SHA-1 can be made to fit another certificate.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Pki, Need::Kubeconfigs],
    helps: &[],
    maps: &[Maps::Source("NIST SP 800-57, SP 800-131A")],
    fix: Remediation {
        steps: &[
            on_node("openssl x509 -noout -text -in {path}"),
            by_hand(
                "have it made again with RSA of 2048 bits or more, ECDSA of 256 or Ed25519, signed with SHA-256 or better; kubeadm certs renew makes such",
            ),
        ],
        restarts: "the component that uses it, when it is given the new one",
        undo: &[by_hand(
            "keep the former file beside the new one until all is well",
        )],
    },
    examples: &[
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/a.crt, subject: a}, {path: /p/b.crt, subject: b, key: EC, bits: 256, signature: ecdsa-with-SHA256}, {path: /p/c.crt, key: ED25519, bits: 256, signature: ED25519}]}",
            "PASS",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/a.crt, subject: a, bits: 1024}]}",
            "FAIL medium: the key of a is RSA of 1024 bits",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/a.crt, subject: a, signature: sha1WithRSAEncryption}]}",
            "FAIL medium: the certificate of a is signed by sha1WithRSAEncryption",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/ca.crt, subject: a, ca: true, self_signed: true, signature: sha1WithRSAEncryption}]}",
            "PASS",
        ),
        (
            "{pki: [], kubeconfigs: [], certificates: [{path: /p/a.crt, subject: a, key: EC, bits: 192, signature: ecdsa-with-SHA1}]}",
            "FAIL medium: the key of a is EC of 192 bits; the certificate of a is signed by ecdsa-with-SHA1",
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

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    for one in certificates(node, &mut tally) {
        let own = one.certificate;
        let name = &own.common_name;
        let mut tell = |message: String| {
            tally.offence(offence(
                Subject::path(one.path),
                Severity::Medium,
                message,
                [one.at],
            ));
        };
        if own.key_bits < least(own.key.as_str()) {
            tell(format!(
                "the key of {name} is {} of {} bits",
                own.key, own.key_bits
            ));
        }
        let signature = own.signature.as_str().to_ascii_lowercase();
        // Nobody checks by what a root signed itself.
        if !own.self_signed && (signature.contains("sha1") || signature.contains("md5")) {
            tell(format!(
                "the certificate of {name} is signed by {}",
                own.signature
            ));
        }
    }
    tally.verdict()
}

fn least(kind: &str) -> u32 {
    match kind {
        "RSA" | "DSA" => 2048,
        "EC" => 256,
        _ => 0,
    }
}
