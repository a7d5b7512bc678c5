//! The rights that stakeout asks the API server for, printed from the probes' own table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::probe::{Ask, Extra, Probe};
use crate::model::fact::Need;

/// The ClusterRole of the base: get, list and watch of what probes need, never secrets, never nodes/proxy.
///
/// `wanted`: the needs that are asked for; `with`: rights beyond the base. Made to be piped into
/// `kubectl apply -f -` by somebody who may; stakeout itself cannot apply it.
pub fn cluster_role_yaml(wanted: &dyn Fn(Need) -> bool, with: &[Extra]) -> String {
    let probes: Vec<_> = super::all()
        .filter(|probe| !probe.need.is_object() || wanted(probe.need))
        .collect();
    let mut out = render(&probes, with.contains(&Extra::KubeletApi));
    if with.contains(&Extra::BootstrapTokens) {
        out.push_str(TOKENS);
    }
    out
}

/// One rule: the API group, its verbs, and the resources that share both.
type Rules = BTreeMap<(&'static str, Vec<&'static str>), Vec<&'static str>>;

const HEAD: &str = "\
# What stakeout reads through the API server. It never writes: every request that is not listed here
# is refused inside the program before it is sent.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: stakeout
rules:
";

const KUBELET: &str = "\
# --with kubelet-api: the kubelet's own configuration and pods. nodes/proxy is never asked for.
- apiGroups: [\"\"]
  resources: [nodes/configz, nodes/pods]
  verbs: [get]
";

const TAIL: &str = "\
# The server's version, for the title row and for version-dependent checks.
- nonResourceURLs: [/version]
  verbs: [get]
# \"May I?\": create is the verb by which one asks about oneself. The server answers and stores nothing.
- apiGroups: [authorization.k8s.io]
  resources: [selfsubjectaccessreviews, selfsubjectrulesreviews]
  verbs: [create]
---
# Bind it to whoever runs stakeout: replace the subject.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: stakeout
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: stakeout
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: Group
  name: stakeout
";

const TOKENS: &str = "\
---
# --with bootstrap-tokens: bootstrap tokens are Secrets, and RBAC cannot tell one type of Secret from another.
# Whoever holds this role can list every Secret of kube-system. Stakeout asks for bootstrap tokens alone (SP-KUB-019),
# and keeps their expiration and usages, never a token.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: stakeout-bootstrap-tokens
  namespace: kube-system
rules:
- apiGroups: [\"\"]
  resources: [secrets]
  verbs: [list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: stakeout-bootstrap-tokens
  namespace: kube-system
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: stakeout-bootstrap-tokens
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: Group
  name: stakeout
";

fn render(probes: &[&Probe], kubelet: bool) -> String {
    let mut out = String::from(HEAD);
    for ((group, verbs), resources) in rules(probes) {
        let _ = write!(
            out,
            "- apiGroups: [\"{group}\"]\n  resources: [{}]\n  verbs: [{}]\n",
            resources.join(", "),
            verbs.join(", "),
        );
    }
    if kubelet {
        out.push_str(KUBELET);
    }
    out.push_str(TAIL);
    out
}

fn rules(probes: &[&Probe]) -> Rules {
    let mut verbs: BTreeMap<(&'static str, &'static str), Vec<&'static str>> = BTreeMap::new();
    for ask in probes.iter().flat_map(|probe| probe.asks) {
        if let Ask::Api {
            group,
            resource,
            verbs: asked,
            extra: None,
            ..
        } = ask
        {
            let known = verbs.entry((group, resource)).or_default();
            known.extend(asked.iter());
            known.sort_unstable();
            known.dedup();
        }
    }
    let mut rules = Rules::new();
    for ((group, resource), verbs) in verbs {
        rules.entry((group, verbs)).or_default().push(resource);
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_follows_the_table_and_only_reads() {
        let role = cluster_role_yaml(&|_| true, &[]);
        assert!(
            role.contains("resources: [namespaces, nodes, pods]\n  verbs: [get, list, watch]"),
            "{role}"
        );
        for never in [
            "secrets", "proxy", "update", "patch", "delete", "escalate", "\"*\"",
        ] {
            let rules = role.lines().filter(|line| !line.starts_with('#'));
            assert!(
                !rules.into_iter().any(|line| line.contains(never)),
                "{never}"
            );
        }
    }

    #[test]
    fn what_no_check_reads_is_not_asked_for() {
        let role = cluster_role_yaml(&|need| need == Need::Services, &[]);
        assert!(
            role.contains("services") && !role.contains("networkpolicies"),
            "{role}"
        );
    }

    #[test]
    fn extras_are_asked_for_by_name() {
        let role = cluster_role_yaml(&|_| true, &[Extra::KubeletApi, Extra::BootstrapTokens]);
        assert!(
            role.contains("resources: [nodes/configz, nodes/pods]"),
            "{role}"
        );
        assert!(role.contains("resources: [secrets]"), "{role}");
        let rules = role.lines().filter(|line| !line.starts_with('#'));
        assert!(
            !rules.into_iter().any(|line| line.contains("proxy")),
            "{role}"
        );
    }

    #[test]
    fn every_document_is_yaml() {
        use serde::Deserialize as _;
        let role = cluster_role_yaml(&|_| true, &[Extra::KubeletApi, Extra::BootstrapTokens]);
        let kinds: Vec<String> = serde_yaml::Deserializer::from_str(&role)
            .map(|document| {
                let value = serde_yaml::Value::deserialize(document).expect("valid YAML");
                value["kind"].as_str().expect("a kind").to_owned()
            })
            .collect();
        assert_eq!(
            kinds,
            ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]
        );
    }
}
