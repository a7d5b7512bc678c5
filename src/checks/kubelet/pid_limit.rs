use super::setting::{garbled, required};
use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, fail, on_node, pass};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "podPidsLimit";

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-023"),
    title: "The number of processes of a pod is limited",
    why: "A single pod that forks without end takes every process id of the node, and the kubelet and sshd cannot start anything either.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: &[Need::KubeletConfig],
    helps: &[],
    maps: &[Maps::Cis("4.2.13"), Maps::Attack("T1499")],
    fix: Remediation {
        steps: &[
            by_hand(
                "set podPidsLimit: 4096 in the kubelet's configuration file, or what the busiest pod needs and some",
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
        ("kubelet: {podPidsLimit: 4096}", "PASS"),
        (
            "kubelet: {}",
            "FAIL low: a pod may start as many processes as the node has ids for, the default",
        ),
        (
            "kubelet: {podPidsLimit: 0}",
            "FAIL low: a pod may start as many processes as the node has ids for, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "kubelet: {podPidsLimit: many}",
            "UNKNOWN: the answer cannot be trusted: kubelet setting podPidsLimit is not a number",
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
    let kubelet = node.host.kubelet.get()?;
    let setting = required(kubelet, KEY)?;
    let limit = setting.value.as_i64();
    if limit.ok_or_else(|| garbled(KEY, "is not a number"))? > 0 {
        return Ok(pass(setting.evidence));
    }
    Ok(fail(
        Subject::setting(KEY),
        Severity::Low,
        format!(
            "a pod may start as many processes as the node has ids for, {}",
            setting.origin
        ),
        setting.evidence,
    ))
}
