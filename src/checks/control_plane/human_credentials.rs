use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, on_node};
use crate::checks::tls::kubeconfigs::{self, Rule};
use crate::model::fact::{Gap, Need};
use crate::model::files::{Certificate, FileRole, KubeconfigContent};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-015"),
    title: "People do not log in as system:masters or by token",
    why: "A certificate of system:masters passes by RBAC and cannot be taken back, and a token of a service account names no person in the audit log.",
    severity: Severity::Info,
    since: "0.2.0",
    needs: &[Need::Kubeconfigs],
    helps: &[],
    maps: &[Maps::Cis("3.1.1"), Maps::Cis("3.1.2"), Maps::Nsa("AUTH")],
    fix: Remediation {
        steps: &[
            on_node("kubectl --kubeconfig {path} auth whoami"),
            by_hand(
                "give people a way to log in that names them and ends (OIDC), bind what they need by RBAC, and delete the file",
            ),
        ],
        restarts: "nothing: no component reads it",
        undo: &[by_hand(
            "kubeadm init phase kubeconfig makes an administrator's file again",
        )],
    },
    examples: &[
        (
            "{kubeconfigs: [{role: admin_kubeconfig, path: /etc/kubernetes/admin.conf}], kubeconfig_contents: [{path: /etc/kubernetes/admin.conf, servers: ['https://a:6443'], clients: [{subject: kubernetes-admin, organizations: [kubeadm:cluster-admins]}]}]}",
            "PASS",
        ),
        (
            "{kubeconfigs: [{role: super_admin_kubeconfig, path: /etc/kubernetes/super-admin.conf}], kubeconfig_contents: [{path: /etc/kubernetes/super-admin.conf, servers: ['https://a:6443'], clients: [{subject: kubernetes-super-admin, organizations: [system:masters]}]}]}",
            "N/A: no kubeconfig of a person lies on the node",
        ),
        (
            "{kubeconfigs: [{role: admin_kubeconfig, path: /etc/kubernetes/admin.conf}], kubeconfig_contents: [{path: /etc/kubernetes/admin.conf, servers: ['https://a:6443'], clients: [{subject: kubernetes-admin, organizations: [system:masters]}]}]}",
            "FAIL info: kubernetes-admin is of system:masters, which no rule of RBAC limits",
        ),
        (
            "{kubeconfigs: [{role: user_kubeconfig, path: /home/a/.kube/config}], kubeconfig_contents: [{path: /home/a/.kube/config, servers: ['https://a:6443'], logins: [token]}]}",
            "FAIL info: it logs in by token: where that is of a service account, no person is named",
        ),
        (
            "{kubeconfigs: [{role: user_kubeconfig, path: /home/a/.kube/config}], kubeconfig_contents: [{path: /home/a/.kube/config, servers: ['https://a:6443'], logins: [exec]}]}",
            "PASS",
        ),
        (
            "{kubeconfigs: [{role: user_kubeconfig, path: /home/a/.kube/config}], kubeconfig_contents: [{path: /home/a/.kube/config, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{kubeconfigs: [{role: admin_kubeconfig, path: /etc/kubernetes/admin.conf, absent: true}], kubeconfig_contents: [{path: /etc/kubernetes/admin.conf, gap: denied}]}",
            "N/A: no kubeconfig of a person lies on the node",
        ),
        (
            "kubeconfigs: [{gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubeconfigs: []",
            "N/A: no kubeconfig of a person lies on the node",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    kubeconfigs::judge(node, &RULE)
}

const RULE: Rule = Rule {
    is_judged: |roles| {
        // super-admin.conf is SP-FILE-023's.
        let personal = [FileRole::AdminKubeconfig, FileRole::UserKubeconfig];
        roles.iter().any(|role| personal.contains(role))
    },
    severity: Severity::Info,
    said,
    none: "no kubeconfig of a person lies on the node",
};

fn said(content: &KubeconfigContent) -> Vec<String> {
    let masters = |client: &&Certificate| {
        client
            .organizations
            .iter()
            .any(|own| *own == "system:masters")
    };
    let clients = content.clients.iter().filter(masters).map(|client| {
        format!(
            "{} is of system:masters, which no rule of RBAC limits",
            client.common_name
        )
    });
    let by_token = content
        .logins
        .iter()
        .find(|login| login.as_str().starts_with("token"));
    let token = by_token.map(|login| {
        format!("it logs in by {login}: where that is of a service account, no person is named")
    });
    clients.chain(token).collect()
}
