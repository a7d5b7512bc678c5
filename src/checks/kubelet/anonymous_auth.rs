use super::setting::{garbled, required};
use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, fail, on_node, pass};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "authentication.anonymous.enabled";

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-001"),
    title: "Kubelet refuses anonymous requests",
    why: "Anyone who reaches port 10250 can run commands in every pod of the node.",
    severity: Severity::Critical,
    since: "0.1.0",
    needs: &[Need::KubeletConfig],
    helps: &[],
    maps: &[Maps::Cis("4.2.1"), Maps::Attack("T1609")],
    fix: Remediation {
        steps: &[
            by_hand(
                "set authentication.anonymous.enabled: false in the kubelet's configuration file, usually /var/lib/kubelet/config.yaml; remove --anonymous-auth from its flags",
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
        ("kubelet: {authentication.anonymous.enabled: false}", "PASS"),
        ("kubelet: {}", "PASS"),
        (
            "kubelet: {authentication.anonymous.enabled: true}",
            "FAIL critical: anonymous requests are accepted, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "kubelet: {legacy: true}",
            "FAIL critical: anonymous requests are accepted, the default without a --config file",
        ),
        (
            "kubelet: {layers: [{kind: flag, origin: --anonymous-auth, set: {authentication.anonymous.enabled: true}}]}",
            "FAIL critical: anonymous requests are accepted, set by --anonymous-auth",
        ),
        (
            "kubelet: {layers: [{kind: drop_in, origin: /etc/kubelet.conf.d/99-x.conf, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubelet: {authentication.anonymous.enabled: 'yes'}",
            "UNKNOWN: the answer cannot be trusted: kubelet setting authentication.anonymous.enabled is not true or false",
        ),
        (
            "kubelet: {gap: connect-timeout}",
            "UNKNOWN: the node was not read (connect-timeout): in an example",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let anonymous = required(node.host.kubelet.get()?, KEY)?;
    match anonymous.value.as_bool() {
        Some(false) => Ok(pass(anonymous.evidence)),
        Some(true) => Ok(fail(
            Subject::setting(KEY),
            Severity::Critical,
            format!("anonymous requests are accepted, {}", anonymous.origin),
            anonymous.evidence,
        )),
        None => Err(garbled(KEY, "is not true or false")),
    }
}
