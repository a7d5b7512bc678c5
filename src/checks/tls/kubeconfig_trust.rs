use super::kubeconfigs::{self, Rule};
use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, on_node};
use crate::model::fact::{Gap, Need};
use crate::model::files::{FileRole, KubeconfigContent};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-012"),
    title: "Kubeconfigs of components verify the API server",
    why: "A component that does not verify whom it talks to gives its credentials to whoever answers, and does what he says.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Kubeconfigs],
    helps: &[],
    maps: &[Maps::Nsa("NET")],
    fix: Remediation {
        steps: &[
            on_node("cp -p {path} /root/"),
            by_hand(
                "set server to https://, put the authority into certificate-authority-data, and take insecure-skip-tls-verify out; kubeadm init phase kubeconfig makes the file anew",
            ),
        ],
        restarts: "the component that reads it, when it is restarted",
        undo: &[by_hand("put the file back from /root/")],
    },
    examples: &[
        (
            "{kubeconfigs: [{role: component_kubeconfig, path: /etc/kubernetes/scheduler.conf}], kubeconfig_contents: [{path: /etc/kubernetes/scheduler.conf, servers: ['https://10.0.0.1:6443']}]}",
            "PASS",
        ),
        (
            "{kubeconfigs: [{role: component_kubeconfig, path: /etc/kubernetes/scheduler.conf}], kubeconfig_contents: [{path: /etc/kubernetes/scheduler.conf, servers: ['http://10.0.0.1:8080']}]}",
            "FAIL high: it talks to http://10.0.0.1:8080 without TLS",
        ),
        (
            "{kubeconfigs: [{role: component_kubeconfig, path: /etc/kubernetes/scheduler.conf}], kubeconfig_contents: [{path: /etc/kubernetes/scheduler.conf, servers: ['https://10.0.0.1:6443'], skips_verification: true}]}",
            "FAIL high: it takes any certificate (insecure-skip-tls-verify)",
        ),
        (
            "{kubeconfigs: [{role: component_kubeconfig, path: /etc/kubernetes/scheduler.conf}], kubeconfig_contents: [{path: /etc/kubernetes/scheduler.conf, servers: ['https://10.0.0.1:6443'], no_ca: true}]}",
            "FAIL high: it names no authority: whatever the system trusts may answer",
        ),
        (
            "{kubeconfigs: [{role: user_kubeconfig, path: /home/a/.kube/config}], kubeconfig_contents: [{path: /home/a/.kube/config, servers: ['http://a']}]}",
            "N/A: no kubeconfig of a component lies on the node",
        ),
        (
            "{kubeconfigs: [{role: component_kubeconfig, path: /etc/kubernetes/scheduler.conf}], kubeconfig_contents: [{path: /etc/kubernetes/scheduler.conf, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubeconfigs: [{gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubeconfigs: []",
            "N/A: no kubeconfig of a component lies on the node",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    kubeconfigs::judge(node, &RULE)
}

const RULE: Rule = Rule {
    is_judged: |roles| !roles.contains(&FileRole::UserKubeconfig),
    severity: Severity::High,
    said,
    none: "no kubeconfig of a component lies on the node",
};

fn said(content: &KubeconfigContent) -> Vec<String> {
    let mut out: Vec<String> = content
        .servers
        .iter()
        .filter(|server| !server.as_str().starts_with("https://"))
        .map(|server| format!("it talks to {server} without TLS"))
        .collect();
    if content.skips_verification {
        out.push("it takes any certificate (insecure-skip-tls-verify)".to_owned());
    } else if !content.has_ca && out.is_empty() {
        out.push("it names no authority: whatever the system trusts may answer".to_owned());
    }
    out
}
