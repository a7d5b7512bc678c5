//! RBAC: roles with their rules, and who is bound to them.

use serde::{Deserialize, Serialize};

use super::Named;
use crate::model::text::Text;

/// A ClusterRole or a Role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Role {
    /// Empty for a ClusterRole.
    pub namespace: Text,
    pub name: Text,
    /// Made by the API server itself: `kubernetes.io/bootstrapping=rbac-defaults`.
    pub bootstrap: bool,
    pub rules: Box<[Rule]>,
    /// More rules than are kept.
    pub cut: bool,
}

/// One rule of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Rule {
    pub api_groups: Box<[Text]>,
    pub resources: Box<[Text]>,
    /// Empty: all of them.
    pub resource_names: Box<[Text]>,
    pub verbs: Verbs,
}

/// Verbs that RBAC knows, as bits: clusters have thousands of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Text>", into = "Vec<Text>")]
pub struct Verbs(u16);

/// In the order of their bits; what is not known counts as the last.
const VERBS: [&str; 16] = [
    "*",
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "escalate",
    "bind",
    "impersonate",
    "approve",
    "sign",
    "use",
    "other",
];

impl Verbs {
    /// Whether the verb is granted, by name or by `*`.
    pub fn grants(self, verb: &str) -> bool {
        let bit = VERBS.iter().position(|known| *known == verb);
        self.0 & 1 != 0 || bit.is_some_and(|bit| self.0 & (1 << bit) != 0)
    }
}

impl<T: AsRef<str>> FromIterator<T> for Verbs {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let bit = |verb: &str| {
            let known = VERBS.iter().position(|known| *known == verb);
            1 << known.unwrap_or(VERBS.len() - 1)
        };
        Self(
            items
                .into_iter()
                .fold(0, |all, verb| all | bit(verb.as_ref())),
        )
    }
}

impl From<Vec<Text>> for Verbs {
    fn from(verbs: Vec<Text>) -> Self {
        verbs.iter().map(Text::as_str).collect()
    }
}

impl From<Verbs> for Vec<Text> {
    fn from(verbs: Verbs) -> Self {
        let named = VERBS.iter().enumerate();
        named
            .filter(|(bit, _)| verbs.0 & (1 << bit) != 0)
            .map(|(_, verb)| Text::new(verb))
            .collect()
    }
}

impl Rule {
    /// Whether it grants `verb` on `resource` (`nodes`, `pods/exec`) of `group`; `*` covers subresources too,
    /// `*/exec` those of every resource (plugin/pkg/auth/authorizer/rbac).
    pub fn grants(&self, verb: &str, group: &str, resource: &str) -> bool {
        self.verbs.grants(verb) && self.names(group, resource)
    }

    /// Whether it speaks of a resource.
    pub fn names(&self, group: &str, resource: &str) -> bool {
        let below = resource.split_once('/').map(|(_, below)| below);
        self.api_groups
            .iter()
            .any(|own| *own == "*" || *own == group)
            && self.resources.iter().any(|own| {
                let of_any = own.as_str().strip_prefix("*/");
                *own == "*" || *own == resource || (of_any.is_some() && of_any == below)
            })
    }
}

/// A ClusterRoleBinding or a RoleBinding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Binding {
    /// Empty for a ClusterRoleBinding.
    pub namespace: Text,
    pub name: Text,
    /// `ClusterRole` or `Role`.
    pub role_kind: Text,
    pub role: Text,
    pub subjects: Box<[Holder]>,
    /// More subjects than are kept.
    pub cut: bool,
}

/// A subject of a binding.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Holder {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: Text,
    /// Of a ServiceAccount.
    pub namespace: Text,
    pub name: Text,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind.as_str() {
            "ServiceAccount" => write!(f, "service account {}/{}", self.namespace, self.name),
            "Group" => write!(f, "group {}", self.name),
            "User" => write!(f, "user {}", self.name),
            kind => write!(f, "{kind} {}", self.name),
        }
    }
}

/// A bootstrap token; its secret half is never read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BootstrapToken {
    /// Name of the Secret.
    pub name: Text,
    /// Seconds since the epoch; none: it never expires.
    pub expiration: Option<i64>,
    /// `authentication`, `signing`.
    pub usages: Box<[Text]>,
    pub groups: Box<[Text]>,
}

impl Named for Role {
    fn place(&self) -> Option<&Text> {
        Some(&self.namespace)
    }

    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for Binding {
    fn place(&self) -> Option<&Text> {
        Some(&self.namespace)
    }

    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for BootstrapToken {
    fn name(&self) -> &Text {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_grant_as_the_authorizer_does() {
        let rule = |group: &str, resource: &str, verb: &str| Rule {
            api_groups: [Text::new(group)].into(),
            resources: [Text::new(resource)].into(),
            resource_names: Box::default(),
            verbs: [verb].into_iter().collect(),
        };
        for (group, resource, verb, wanted) in [
            ("", "nodes", "patch", false),
            ("", "nodes/proxy", "get", true),
            ("*", "*", "*", true),
            ("", "*/proxy", "get", true),
            ("", "*/status", "get", false),
            ("apps", "*", "*", false),
            ("", "nodes/proxy", "list", false),
        ] {
            let got = rule(group, resource, verb).grants("get", "", "nodes/proxy");
            assert_eq!(got, wanted, "{group} {resource} {verb}");
        }
    }

    #[test]
    fn verbs_keep_their_names() {
        let verbs: Verbs = ["get", "list", "invent"].into_iter().collect();
        let text = serde_json::to_string(&verbs).expect("JSON");
        assert_eq!(text, r#"["get","list","other"]"#);
        let read: Verbs = serde_json::from_str(&text).expect("verbs");
        assert_eq!(read, verbs);
        assert!(!verbs.grants("patch") && verbs.grants("list"));
    }
}
