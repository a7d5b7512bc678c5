//! RBAC, and bootstrap tokens without their secret half.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Meta, PARTS, Shape, field, or_default, texts};
use crate::model::Timestamp;
use crate::model::objects::{Binding, BootstrapToken, Holder, Role, Rule};

/// Set by the API server on the roles that it makes itself.
const BOOTSTRAPPING: &str = "kubernetes.io/bootstrapping";

#[derive(Deserialize)]
pub(super) struct RoleItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    rules: Vec<RuleItem>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RuleItem {
    #[serde(deserialize_with = "or_default")]
    api_groups: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    resources: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    resource_names: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    verbs: Vec<String>,
}

/// What a Role of one namespace can open beyond it: the rest of its rules are nobody's concern here.
const TELLING: [&str; 8] = [
    "*",
    "pods",
    "secrets",
    "configmaps",
    "serviceaccounts",
    "roles",
    "rolebindings",
    "nodes",
];

impl RuleItem {
    fn tells(&self) -> bool {
        self.resources.iter().any(|resource| {
            let base = resource.split('/').next().unwrap_or_default();
            TELLING.contains(&base)
        })
    }

    fn keep(&self) -> Rule {
        Rule {
            api_groups: texts(&self.api_groups),
            resources: texts(&self.resources),
            resource_names: texts(&self.resource_names),
            verbs: self.verbs.iter().collect(),
        }
    }

    /// More parts than are kept.
    fn is_cut(&self) -> bool {
        let lists = [&self.api_groups, &self.resources, &self.resource_names];
        lists.iter().any(|list| list.len() > PARTS)
    }
}

impl Shape for RoleItem {
    type Kept = Role;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<Role> {
        let Self { metadata, rules } = self;
        let all = metadata.namespace.is_empty();
        let wanted = || {
            let rules = rules.iter();
            rules.filter(|rule| !rule.resources.is_empty() && (all || rule.tells()))
        };
        let made = metadata.labels.get(BOOTSTRAPPING);
        Some(Role {
            namespace: field(&metadata.namespace),
            name: field(&metadata.name),
            bootstrap: made.is_some_and(|value| value == "rbac-defaults"),
            cut: wanted().count() > PARTS || wanted().any(RuleItem::is_cut),
            rules: wanted().take(PARTS).map(RuleItem::keep).collect(),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BindingItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    role_ref: Reference,
    #[serde(default, deserialize_with = "or_default")]
    subjects: Vec<Reference>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    kind: String,
    namespace: String,
    name: String,
}

/// A binding of a large site lists each of its users.
const SUBJECTS: usize = 2000;

impl Shape for BindingItem {
    type Kept = Binding;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<Binding> {
        let holder = |read: &Reference| Holder {
            kind: field(&read.kind),
            namespace: field(&read.namespace),
            name: field(&read.name),
        };
        Some(Binding {
            namespace: field(&self.metadata.namespace),
            name: field(&self.metadata.name),
            role_kind: field(&self.role_ref.kind),
            role: field(&self.role_ref.name),
            subjects: self.subjects.iter().take(SUBJECTS).map(holder).collect(),
            cut: self.subjects.len() > SUBJECTS,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct TokenItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    data: TokenFields,
}

/// The fields that say how a token may be used. `token-secret` is not among them: it is never read.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct TokenFields {
    expiration: Option<String>,
    usage_bootstrap_authentication: Option<String>,
    usage_bootstrap_signing: Option<String>,
    auth_extra_groups: Option<String>,
}

/// The type of a Secret that holds a bootstrap token.
const TOKEN: &str = "bootstrap.kubernetes.io/token";

fn plain(encoded: Option<&String>) -> Option<String> {
    let bytes = openssl::base64::decode_block(encoded?).ok()?;
    String::from_utf8(bytes).ok()
}

impl Shape for TokenItem {
    type Kept = BootstrapToken;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<BootstrapToken> {
        let Self {
            metadata,
            kind,
            data,
        } = self;
        if kind != TOKEN {
            return None;
        }
        let until = plain(data.expiration.as_ref());
        let usages = BTreeMap::from([
            ("authentication", data.usage_bootstrap_authentication),
            ("signing", data.usage_bootstrap_signing),
        ]);
        let groups = plain(data.auth_extra_groups.as_ref()).unwrap_or_default();
        let groups = groups.split(',').filter(|group| !group.is_empty());
        Some(BootstrapToken {
            name: field(&metadata.name),
            expiration: match until {
                Some(until) => Some(until.parse::<Timestamp>().ok()?.as_second()),
                None => None,
            },
            usages: usages
                .iter()
                .filter(|(_, value)| plain(value.as_ref()).as_deref() == Some("true"))
                .map(|(usage, _)| field(usage))
                .collect(),
            groups: groups.take(PARTS).map(field).collect(),
        })
    }
}
