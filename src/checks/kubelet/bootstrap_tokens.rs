use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::model::Timestamp;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::objects::{BootstrapToken, of_list};
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-019"),
    title: "Tokens that join nodes end within a day",
    why: "Whoever finds a join command in a shell history or a wiki makes a node of a machine of their own, for as long as its token holds.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::BootstrapTokens],
    helps: &[],
    maps: &[
        Maps::Cis("3.1.3"),
        Maps::Attack("T1552"),
        Maps::Source("kubernetes.io: Authenticating with Bootstrap Tokens"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get secret {name} -n {ns} -o jsonpath='{.data.expiration}'"),
            kubectl("kubectl delete secret {name} -n {ns}"),
            by_hand(
                "make one when a node is to join: kubeadm token create --ttl 1h --print-join-command",
            ),
        ],
        restarts: "nothing; nodes that have joined keep their own certificates",
        undo: &[by_hand("kubeadm token create makes another one")],
    },
    examples: &[
        ("bootstrap_tokens: []", "PASS"),
        (
            "bootstrap_tokens: [{name: bootstrap-token-a, expiration: 1750080000, usages: [authentication, signing]}, {name: bootstrap-token-b, expiration: 1749000000, usages: [authentication]}, {name: bootstrap-token-c}]",
            "PASS",
        ),
        (
            "bootstrap_tokens: [{name: bootstrap-token-a, usages: [authentication]}, {name: bootstrap-token-b, expiration: 1751000000, usages: [authentication]}, {name: bootstrap-token-c, usages: [signing]}]",
            "FAIL medium: the token never ends; low: the token holds for 11 days more; low: the token never ends; it signs cluster-info and cannot log in",
        ),
        (
            "{api_offset: 7200, bootstrap_tokens: [{name: bootstrap-token-a, expiration: 1750090000, usages: [authentication]}]}",
            "PASS",
        ),
        (
            "{api_offset: -7200, bootstrap_tokens: [{name: bootstrap-token-a, expiration: 1750086400, usages: [authentication]}]}",
            "FAIL low: the token holds for 1 day more",
        ),
        (
            "bootstrap_tokens: {gap: forbidden}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

const DAY: i64 = 86_400;

/// A token that was made for a day, seen from a clock that is behind.
const SLACK: i64 = 900;

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let tokens = view.snapshot.cluster.objects.bootstrap_tokens.get()?;
    let mut tally = Tally::new();
    tally.good(tokens.at);
    // The API server ends a token by its own clock.
    let offset = view.snapshot.cluster.clock;
    let now = offset.map_or(view.now, |offset| offset.shifted(view.now));
    for (at, token) in of_list(Need::BootstrapTokens, &tokens.value) {
        if let Some((severity, message)) = lasts(token, now) {
            let subject = Subject::object("secrets", "kube-system", &token.name);
            tally.offence(offence(subject, severity, message, [at]));
        }
    }
    tally.verdict()
}

/// How a token outlasts a day; none where it does not, or is good for nothing. One whose end cannot be read is over
/// (k8s.io/cluster-bootstrap token/util).
fn lasts(token: &BootstrapToken, now: Timestamp) -> Option<(Severity, String)> {
    let may = |usage: &str| token.usages.iter().any(|own| *own == usage);
    let logs_in = may("authentication");
    if !logs_in && !may("signing") {
        return None;
    }
    let (severity, mut message) = match token.expiration {
        None => (Severity::Medium, "the token never ends".to_owned()),
        Some(until) => {
            let left = until.saturating_sub(now.as_second());
            if left <= DAY + SLACK {
                return None;
            }
            let days = left / DAY;
            let text = format!("the token holds for {days} days more");
            (Severity::Low, text.replace(" 1 days", " 1 day"))
        }
    };
    if logs_in {
        return Some((severity, message));
    }
    message.push_str("; it signs cluster-info and cannot log in");
    Some((Severity::Low, message))
}
