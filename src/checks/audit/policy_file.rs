use super::policy::{Level, NO_BACKEND, has_backend, is_mute, level, policy, rules};
use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Fault, NEEDS, Said, bad, good_by};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::{Branch, Tree};
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-AUD-002"),
    title: "The audit policy is there and can be used",
    why: "Without a policy nothing is written, and one that cannot be read keeps the API server from starting.",
    severity: Severity::High,
    since: "0.2.0",
    needs: NEEDS,
    helps: &[Need::NodeObject, Need::ApiServerFiles],
    maps: &[Maps::Cis("3.2.1"), Maps::Nsa("LOG")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "write a Policy (audit.k8s.io/v1) with rules, mount it (hostPath, type File, readOnly) and name it by --audit-policy-file",
        ),
    ]),
    examples: &[
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata}]}}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}",
            "FAIL high: no --audit-policy-file is set: nothing is written",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: []}}",
            "FAIL high: the policy has no rule: nothing is written",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None}]}}",
            "FAIL high: every rule of the policy has the level None: nothing is written",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, omitStages: [RequestReceived, ResponseStarted, ResponseComplete, Panic], rules: [{level: Metadata}]}}",
            "FAIL high: every rule of the policy has the level None or omits the stages that tell of it",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Everything}]}}",
            "FAIL high: rule 1 has no level that the API server knows",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {apiVersion: v1, kind: ConfigMap}}",
            "FAIL high: the file is no Policy of audit.k8s.io/v1",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml'}, audit_policy: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log --audit-policy-file=/etc/kubernetes/audit-policy.yaml --audit-policy-file=/p.yaml'}, api_server_files: [{role: audit_policy, path: /etc/kubernetes/audit-policy.yaml}, {role: audit_policy, path: /p.yaml}], audit_policy: {apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Metadata}]}}",
            "MANUAL: which of /etc/kubernetes/audit-policy.yaml and /p.yaml does kube-apiserver go by? its flags name both",
        ),
        (
            "components: {kube-apiserver: ''}",
            "N/A: no audit backend is configured: SP-AUD-001 judges that",
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
        if !has_backend(given)? {
            return Ok(Said::Moot(NO_BACKEND.to_owned()));
        }
        if !given.has(FLAG)? {
            let message = "no --audit-policy-file is set: nothing is written";
            return Ok(bad(FLAG, Severity::High, message));
        }
        let (policy, at) = policy(node)?;
        Ok(match wrong(policy) {
            None => good_by(at),
            Some(message) => Said::Bad(vec![Fault::new(FLAG, Severity::High, message).by(at)]),
        })
    })
}

const FLAG: &str = "audit-policy-file";

/// Why the API server does not take it, or writes nothing by it.
fn wrong(policy: &Tree) -> Option<String> {
    let text = |key: &str| policy.get(key).and_then(Branch::as_str);
    let group = text("apiVersion").is_some_and(|version| version == "audit.k8s.io/v1");
    if !group || text("kind") != Some("Policy") {
        return Some("the file is no Policy of audit.k8s.io/v1".to_owned());
    }
    let levels: Vec<Option<Level>> = rules(policy).map(level).collect();
    if let Some(at) = levels.iter().position(Option::is_none) {
        return Some(format!(
            "rule {} has no level that the API server knows",
            at + 1
        ));
    }
    if levels.is_empty() {
        return Some("the policy has no rule: nothing is written".to_owned());
    }
    if levels.iter().all(|level| *level == Some(Level::None)) {
        return Some("every rule of the policy has the level None: nothing is written".to_owned());
    }
    let writes = |rule| level(rule) != Some(Level::None) && !is_mute(policy, rule);
    (!rules(policy).any(writes)).then(|| {
        "every rule of the policy has the level None or omits the stages that tell of it".to_owned()
    })
}
