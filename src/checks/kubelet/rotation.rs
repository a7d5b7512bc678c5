use super::setting::{effective, switch};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node, pass,
};
use crate::model::fact::Seen;
use crate::model::fact::{Gap, Need};
use crate::model::files::KubeconfigContent;
use crate::model::kubelet::LayerKind;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "rotateCertificates";

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-020"),
    title: "The kubelet renews its client certificate",
    why: "A certificate that is not renewed lasts for a year or more, and so does what a copy of it is good for; when it ends, so does the node.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::KubeletConfig],
    helps: &[Need::Kubeconfigs],
    maps: &[Maps::Cis("4.2.10"), Maps::Attack("T1552")],
    fix: Remediation {
        steps: &[
            by_hand(
                "set rotateCertificates: true in the kubelet's configuration file; let its kubeconfig name /var/lib/kubelet/pki/kubelet-client-current.pem",
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
        ("kubelet: {rotateCertificates: true}", "PASS"),
        (
            "{kubelet: {rotateCertificates: false}, kubeconfig_contents: []}",
            "FAIL medium: off, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "kubelet: {layers: [{kind: flag, origin: --kubeconfig, set: {'--kubeconfig': /var/lib/kubelet/kubeconfig}}]}",
            "FAIL low: off, the default; gap: not asked for in this run",
        ),
        (
            "{kubelet: {layers: [{kind: flag, origin: --kubeconfig, set: {'--kubeconfig': /var/lib/kubelet/kubeconfig}}]}, kubeconfig_contents: [{path: /var/lib/kubelet/kubeconfig, logins: [exec]}]}",
            "N/A: the kubelet logs in by a program, and not by a certificate",
        ),
        (
            "{kubelet: {layers: [{kind: flag, origin: --kubeconfig, set: {'--kubeconfig': /etc/k.conf}}]}, kubeconfig_contents: [{path: /etc/k.conf, client_files: [/p.pem]}]}",
            "FAIL low: off, the default",
        ),
        (
            "kubelet: {rotateCertificates: true, layers: [{kind: drop_in, origin: /etc/k.d, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let (on, setting) = switch(kubelet, KEY)?;
    if on {
        return Ok(pass(setting.evidence));
    }
    let mut tally = Tally::new();
    match content(node) {
        Ok(Some(content)) => {
            let KubeconfigContent {
                clients,
                client_files,
                logins,
                ..
            } = &content.value;
            let by_program = logins.iter().any(|login| *login == "exec");
            if by_program && clients.is_empty() && client_files.is_empty() {
                let why = "the kubelet logs in by a program, and not by a certificate";
                return Ok(not_applicable([content.at], why));
            }
        }
        Ok(None) => {}
        Err(gap) => tally.gap(gap),
    }
    let found = kubelet.value.setting(KEY)?;
    let by_default = found.is_some_and(|(_, layer)| {
        matches!(layer.kind, LayerKind::Defaults | LayerKind::LegacyDefaults)
    });
    let severity = if by_default {
        Severity::Low
    } else {
        Severity::Medium
    };
    let message = format!("off, {}", setting.origin);
    let subject = Subject::setting(KEY);
    tally.offence(offence(subject, severity, message, setting.evidence));
    tally.verdict()
}

/// The kubeconfig that the kubelet was started with, where it was started with one.
fn content(node: &NodeFacts) -> Result<Option<&Seen<KubeconfigContent>>, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let Some(path) = effective(kubelet, "--kubeconfig")? else {
        return Ok(None);
    };
    let known = node.host.kubeconfigs.get()?;
    let mut all = known.value.contents.iter();
    let found = all.find(|one| path.value.as_str() == Some(one.path.as_str()));
    match found.map(|found| &found.content) {
        Some(content) => content.get().map(Some),
        None => Ok(None),
    }
}
