use super::setting::{effective, garbled, switch};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, fail, not_applicable, offence, on_node,
};
use crate::checks::exposure::{Exposure, looked};
use crate::model::fact::Seen;
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::kubelet::Kubelet;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::WalkEnd;
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "authentication.x509.clientCAFile";
/// What CIS asks of the file.
const LIMIT: u32 = 0o644;

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-003"),
    title: "The kubelet knows callers by a client CA of root alone",
    why: "Whoever changes that file signs certificates that the kubelet takes for the administrator's; without one it cannot tell the API server from anybody else.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::KubeletConfig, Need::KubeletFiles],
    helps: &[Need::Accounts],
    maps: &[
        Maps::Cis("4.2.3"),
        Maps::Cis("4.1.7"),
        Maps::Cis("4.1.8"),
        Maps::Attack("T1556"),
    ],
    fix: Remediation {
        steps: &[
            by_hand(
                "set authentication.x509.clientCAFile to the CA of the API server's client certificate in the kubelet's configuration file, on kubeadm /etc/kubernetes/pki/ca.crt",
            ),
            on_node("chown root:root {path}"),
            on_node("chmod 644 {path}"),
            by_hand(
                "compare the file with the same one of another node: whoever could change it may have added a CA of their own",
            ),
            on_node("systemctl restart kubelet"),
        ],
        restarts: "the kubelet, for a few seconds; pods keep running",
        undo: &[
            by_hand("put the old value back into the configuration file"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        (
            "{kubelet: {authentication.x509.clientCAFile: /etc/kubernetes/pki/ca.crt}, kubelet_files: [{role: client_ca, path: /etc/kubernetes/pki/ca.crt, mode: '0644'}]}",
            "PASS",
        ),
        (
            "{kubelet: {}, kubelet_files: []}",
            "N/A: the kubelet takes tokens alone: it has no client CA, and refuses anonymous callers",
        ),
        (
            "{kubelet: {authentication.webhook.enabled: false}, kubelet_files: []}",
            "FAIL high: no client CA is set, and tokens are not checked either",
        ),
        (
            "{kubelet: {legacy: true}, kubelet_files: []}",
            "FAIL high: no client CA is set, and callers without a certificate are let in as anonymous",
        ),
        (
            "{kubelet: {authentication.x509.clientCAFile: /etc/k/ca.crt}, kubelet_files: [{role: client_ca, path: /etc/k/ca.crt, absent: true}]}",
            "FAIL high: /etc/k/ca.crt does not exist, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "{kubelet: {authentication.x509.clientCAFile: /etc/k/ca.crt}, kubelet_files: [{role: client_ca, path: /etc/k/ca.crt, mode: '0646'}]}",
            "FAIL critical: mode 0646: everyone can change it",
        ),
        (
            "{kubelet: {authentication.x509.clientCAFile: /etc/k/ca.crt}, kubelet_files: [{role: client_ca, path: /etc/k/ca.crt, mode: '0666'}], fs: {/etc/k: {mode: '0700'}}}",
            "FAIL low: mode 0666, owner 0:0, although nobody but root gets to it",
        ),
        (
            "{kubelet: {authentication.x509.clientCAFile: /etc/k/ca.crt}, kubelet_files: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{kubelet: {gap: denied}, kubelet_files: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let Some(setting) = effective(kubelet, KEY)? else {
        return unset(kubelet);
    };
    let path = setting.value.as_str();
    let path = path.ok_or_else(|| garbled(KEY, "is not a string"))?;
    if path.is_empty() {
        return unset(kubelet);
    }
    let list = &node.host.kubelet_files.get()?.value.list;
    let files = looked(&node.host, list, Need::KubeletFiles, &[FileRole::ClientCa]);
    let Some(seen) = files.iter().find(|seen| *seen.path == path) else {
        let gap = list.gaps.first().cloned();
        return Err(gap.unwrap_or_else(|| garbled(KEY, "names a file that was not looked at")));
    };
    let mut tally = Tally::new();
    tally.all_good(&setting.evidence);
    tally.good(seen.at);
    if seen.walk.end == WalkEnd::Absent {
        let message = format!("{path} does not exist, {}", setting.origin);
        let subject = Subject::setting(KEY);
        tally.offence(offence(subject, Severity::High, message, setting.evidence));
    }
    let mut exposure = Exposure::new(&node.host);
    if exposure.changed(seen, Severity::Critical, &mut tally) {
        exposure.nominal(seen, LIMIT, &mut tally);
    }
    exposure.done(&mut tally);
    tally.verdict()
}

/// Without a CA no certificate is taken: tokens are left, or nobody is known.
fn unset(kubelet: &Seen<Kubelet>) -> Result<Verdict, Gap> {
    let (anonymous, open) = switch(kubelet, "authentication.anonymous.enabled")?;
    let (tokens, webhook) = switch(kubelet, "authentication.webhook.enabled")?;
    let evidence = open.evidence.into_iter().chain(webhook.evidence);
    let message = match (anonymous, tokens) {
        (false, true) => {
            let why = "the kubelet takes tokens alone: it has no client CA, and refuses anonymous callers";
            return Ok(not_applicable(evidence, why));
        }
        (true, _) => {
            "no client CA is set, and callers without a certificate are let in as anonymous"
        }
        (false, false) => "no client CA is set, and tokens are not checked either",
    };
    Ok(fail(
        Subject::setting(KEY),
        Severity::High,
        message,
        evidence,
    ))
}
