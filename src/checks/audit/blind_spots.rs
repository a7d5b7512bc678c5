use super::policy::{Deed, Level, first, moot, policy, silent, told};
use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Fault, NEEDS, Said, good_by};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-AUD-005"),
    title: "The audit policy has no blind spots",
    why: "Reading Secrets, running commands in pods and changing rights are what an intruder does first: what is not written was not seen.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: NEEDS,
    helps: &[Need::NodeObject, Need::ApiServerFiles],
    maps: &[Maps::Cis("3.2.2"), Maps::Nsa("LOG")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "put rules of level Metadata for secrets, configmaps, tokenreviews, pods/exec, pods/portforward, pods/proxy, services/proxy and nodes/proxy, and for rbac.authorization.k8s.io and admissionregistration.k8s.io, before every rule with the level None; never a higher level for secrets: their content would be in the log",
        ),
    ]),
    examples: &[
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata}]}}",
            "PASS",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, resources: [{group: '', resources: [secrets]}]}, {level: Metadata}]}}",
            "FAIL medium: get secrets, list secrets, watch secrets, create secrets are not written: rule 1 has the level None",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata, resources: [{group: '', resources: ['*', '*/*']}]}]}}",
            "FAIL medium: create clusterrolebindings, create rolebindings, patch clusterroles, update mutatingwebhookconfigurations are not written: no rule is for them",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: RequestResponse}]}}",
            "FAIL medium: the content of Secrets is written into the log: rule 1 has the level RequestResponse",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, omitStages: [RequestReceived], rules: [{level: Metadata, resources: [{group: '', resources: [secrets]}], omitStages: [ResponseComplete]}, {level: Metadata}]}}",
            "FAIL medium: get secrets, list secrets, watch secrets, create secrets are not written: rule 1 omits the stages that tell of it",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, verbs: [list, watch]}, {level: Metadata}]}}",
            "FAIL medium: list secrets, watch secrets are not written: rule 1 has the level None",
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

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
/// Verb, group, resource, namespace. A list and a watch bring the content too.
const WATCHED: [(&str, &str, &str, &str); 14] = [
    ("get", "", "secrets", "kube-system"),
    ("list", "", "secrets", "kube-system"),
    ("watch", "", "secrets", "kube-system"),
    ("create", "", "secrets", "kube-system"),
    ("create", "", "serviceaccounts/token", "kube-system"),
    ("create", "", "pods/exec", "kube-system"),
    ("get", "", "pods/exec", "kube-system"),
    ("create", "", "pods/portforward", "kube-system"),
    ("create", "", "nodes/proxy", ""),
    ("get", "", "nodes/proxy", ""),
    ("create", RBAC, "clusterrolebindings", ""),
    ("create", RBAC, "rolebindings", "kube-system"),
    ("patch", RBAC, "clusterroles", ""),
    ("update", ADMISSION, "mutatingwebhookconfigurations", ""),
];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    component::judge(node, Component::ApiServer, |given| {
        if let Some(why) = moot(given)? {
            return Ok(Said::Moot(why.to_owned()));
        }
        let (policy, at) = policy(node)?;
        let deeds = WATCHED.map(|(verb, group, resource, namespace)| Deed {
            user: "somebody",
            groups: &["system:authenticated"],
            verb,
            group,
            resource,
            namespace,
        });
        let mut messages: Vec<String> =
            told(policy, &silent(policy, &deeds)?).into_iter().collect();
        for deed in deeds.iter().filter(|deed| deed.resource == "secrets") {
            if let Some((rule, level)) = first(policy, deed)?
                && level > Level::Metadata
            {
                messages.push(format!(
                    "the content of Secrets is written into the log: rule {rule} has the level {level:?}"
                ));
                break;
            }
        }
        Ok(if messages.is_empty() {
            good_by(at)
        } else {
            let message = messages.join("; ");
            Said::Bad(vec![
                Fault::new("audit-policy-file", Severity::Medium, message).by(at),
            ])
        })
    })
}
