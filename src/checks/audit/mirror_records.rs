use super::policy::{Deed, moot, policy, silent, told};
use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Fault, NEEDS, Said, good_by};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-AUD-004"),
    title: "The audit policy records what kubelets do to pods",
    why: "A compromised kubelet makes and deletes mirror pods and edits its node: a rule that passes over system:nodes hides all of it.",
    severity: Severity::High,
    since: "0.2.0",
    needs: NEEDS,
    helps: &[Need::NodeObject, Need::ApiServerFiles],
    maps: &[
        Maps::Cis("3.2.2"),
        Maps::Nsa("LOG"),
        Maps::Source("kubernetes.io: API server bypass risks"),
    ],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "put a rule of level Metadata for create and delete of pods and patch of nodes, users in system:nodes, before every rule with the level None that names system:nodes, kubelets or these resources",
        ),
    ]),
    examples: &[
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata}]}}",
            "PASS",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, userGroups: ['system:nodes']}, {level: Metadata}]}}",
            "FAIL high: a kubelet's create pods, delete pods, patch pods/status, patch nodes are not written: rule 1 has the level None",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, userGroups: ['system:nodes'], verbs: [get]}, {level: None, resources: [{group: '', resources: [pods/status]}]}, {level: Metadata}]}}",
            "FAIL high: a kubelet's patch pods/status is not written: rule 2 has the level None",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata, resources: [{group: '', resources: [pods, pods/*]}]}]}}",
            "FAIL high: a kubelet's patch nodes is not written: no rule is for it",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, namespaces: [kube-system]}, {level: Metadata}]}}",
            "FAIL high: a kubelet's create pods, delete pods, patch pods/status are not written: rule 1 has the level None",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "components: {kube-apiserver: ''}",
            "N/A: no audit backend is configured: SP-AUD-001 judges that",
        ),
        (
            "components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}",
            "N/A: no audit policy is named: SP-AUD-002 judges that",
        ),
        (
            "components: {}",
            "N/A: neither a manifest nor a process of the node is kube-apiserver",
        ),
        (
            "{components: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    component::judge(node, Component::ApiServer, |given| {
        if let Some(why) = moot(given)? {
            return Ok(Said::Moot(why.to_owned()));
        }
        let (policy, at) = policy(node)?;
        let user = format!("system:node:{}", node.name);
        let deed = |verb, resource, namespace| Deed {
            user: &user,
            groups: &["system:nodes", "system:authenticated"],
            verb,
            group: "",
            resource,
            namespace,
        };
        let deeds = [
            deed("create", "pods", "kube-system"),
            deed("delete", "pods", "kube-system"),
            deed("patch", "pods/status", "kube-system"),
            deed("patch", "nodes", ""),
        ];
        let silent = silent(policy, &deeds)?;
        Ok(match told(policy, &silent) {
            None => good_by(at),
            Some(told) => {
                let message = format!("a kubelet's {told}");
                Said::Bad(vec![
                    Fault::new("audit-policy-file", Severity::High, message).by(at),
                ])
            }
        })
    })
}
