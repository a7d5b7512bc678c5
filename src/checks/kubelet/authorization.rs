use super::setting::{garbled, required};
use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, fail, on_node, pass};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "authorization.mode";

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-002"),
    title: "Kubelet asks the API server what a caller may do",
    why: "With AlwaysAllow every caller that the kubelet knows, down to the weakest service account, can run commands in every pod of the node.",
    severity: Severity::Critical,
    since: "0.1.0",
    needs: &[Need::KubeletConfig],
    helps: &[],
    maps: &[Maps::Cis("4.2.2"), Maps::Attack("T1609")],
    fix: Remediation {
        steps: &[
            by_hand(
                "set authorization.mode: Webhook in the kubelet's configuration file, usually /var/lib/kubelet/config.yaml; remove --authorization-mode from its flags",
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
        ("kubelet: {authorization.mode: Webhook}", "PASS"),
        ("kubelet: {}", "PASS"),
        (
            "kubelet: {authorization.mode: AlwaysAllow}",
            "FAIL critical: every caller may do everything (AlwaysAllow), set in /var/lib/kubelet/config.yaml",
        ),
        (
            "kubelet: {legacy: true}",
            "FAIL critical: every caller may do everything (AlwaysAllow), the default without a --config file",
        ),
        (
            "kubelet: {authorization.mode: Sometimes}",
            "UNKNOWN: the answer cannot be trusted: kubelet setting authorization.mode is neither Webhook nor AlwaysAllow",
        ),
        (
            "kubelet: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mode = required(node.host.kubelet.get()?, KEY)?;
    match mode.value.as_str() {
        Some("Webhook") => Ok(pass(mode.evidence)),
        Some("AlwaysAllow") => Ok(fail(
            Subject::setting(KEY),
            Severity::Critical,
            format!(
                "every caller may do everything (AlwaysAllow), {}",
                mode.origin
            ),
            mode.evidence,
        )),
        _ => Err(garbled(KEY, "is neither Webhook nor AlwaysAllow")),
    }
}
