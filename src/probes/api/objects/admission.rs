//! Webhooks and admission policies: what they are asked about, and for whom.

use serde::Deserialize;

use super::policies::SelectorItem;
use super::{Meta, PARTS, Shape, field, or_default, texts};
use crate::model::objects::{
    AdmissionPolicy, AdmissionRule, PolicyBinding, Selector, Webhook, WebhookConfiguration,
};
use crate::model::text::Text;

/// Expressions of a policy that are kept.
const EXPRESSIONS: usize = 16;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RuleItem {
    #[serde(deserialize_with = "or_default")]
    api_groups: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    resources: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    operations: Vec<String>,
}

fn rules(read: &[RuleItem]) -> Box<[AdmissionRule]> {
    let rule = |read: &RuleItem| AdmissionRule {
        api_groups: texts(&read.api_groups),
        resources: texts(&read.resources),
        operations: texts(&read.operations),
    };
    read.iter().take(PARTS).map(rule).collect()
}

fn selector(read: Option<&SelectorItem>) -> Option<Selector> {
    read.map_or(Some(Selector::default()), SelectorItem::keep)
}

#[derive(Deserialize)]
pub(super) struct ConfigurationItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    webhooks: Vec<WebhookItem>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WebhookItem {
    name: String,
    failure_policy: Option<String>,
    #[serde(deserialize_with = "or_default")]
    rules: Vec<RuleItem>,
    namespace_selector: Option<SelectorItem>,
    object_selector: Option<SelectorItem>,
    #[serde(deserialize_with = "or_default")]
    match_conditions: Vec<serde::de::IgnoredAny>,
    #[serde(deserialize_with = "or_default")]
    client_config: Client,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Client {
    service: Option<ClientService>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClientService {
    namespace: String,
    name: String,
}

impl WebhookItem {
    fn keep(&self) -> Option<Webhook> {
        let client = self.client_config.service.as_ref();
        Some(Webhook {
            name: field(&self.name),
            failure_policy: field(self.failure_policy.as_deref().unwrap_or("Fail")),
            rules: rules(&self.rules),
            namespace_selector: selector(self.namespace_selector.as_ref())?,
            object_selector: selector(self.object_selector.as_ref())?,
            match_conditions: !self.match_conditions.is_empty(),
            client: client.map_or_else(
                || Text::new("url"),
                |service| field(&format!("{}/{}", service.namespace, service.name)),
            ),
        })
    }
}

impl Shape for ConfigurationItem {
    type Kept = WebhookConfiguration;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<WebhookConfiguration> {
        if self.webhooks.len() > PARTS {
            return None;
        }
        let webhooks: Option<_> = self.webhooks.iter().map(WebhookItem::keep).collect();
        Some(WebhookConfiguration {
            name: field(&self.metadata.name),
            webhooks: webhooks?,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Matching {
    #[serde(deserialize_with = "or_default")]
    resource_rules: Vec<RuleItem>,
    #[serde(deserialize_with = "or_default")]
    exclude_resource_rules: Vec<RuleItem>,
    namespace_selector: Option<SelectorItem>,
    object_selector: Option<SelectorItem>,
}

#[derive(Deserialize)]
pub(super) struct PolicyItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: PolicySpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PolicySpec {
    failure_policy: Option<String>,
    #[serde(deserialize_with = "or_default")]
    match_constraints: Matching,
    #[serde(deserialize_with = "or_default")]
    match_conditions: Vec<serde::de::IgnoredAny>,
    #[serde(deserialize_with = "or_default")]
    validations: Vec<Expression>,
    #[serde(deserialize_with = "or_default")]
    mutations: Vec<Mutation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Expression {
    expression: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Mutation {
    #[serde(deserialize_with = "or_default")]
    apply_configuration: Expression,
    #[serde(deserialize_with = "or_default")]
    json_patch: Expression,
}

impl Shape for PolicyItem {
    type Kept = AdmissionPolicy;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<AdmissionPolicy> {
        let Self { metadata, spec } = self;
        let matching = &spec.match_constraints;
        let demands = spec.validations.iter();
        let changes = spec.mutations.iter();
        let changes = changes.flat_map(|one| [&one.apply_configuration, &one.json_patch]);
        let all = demands.chain(changes).map(|one| one.expression.as_str());
        Some(AdmissionPolicy {
            name: field(&metadata.name),
            failure_policy: field(spec.failure_policy.as_deref().unwrap_or("Fail")),
            rules: rules(&matching.resource_rules),
            exclude_rules: rules(&matching.exclude_resource_rules),
            namespace_selector: selector(matching.namespace_selector.as_ref())?,
            object_selector: selector(matching.object_selector.as_ref())?,
            match_conditions: !spec.match_conditions.is_empty(),
            expressions: all
                .filter(|text| !text.is_empty())
                .take(EXPRESSIONS)
                .map(field)
                .collect(),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct BindingItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: BindingSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BindingSpec {
    policy_name: String,
    #[serde(deserialize_with = "or_default")]
    validation_actions: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    match_resources: Matching,
}

impl Shape for BindingItem {
    type Kept = PolicyBinding;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<PolicyBinding> {
        let Self { metadata, spec } = self;
        let matching = &spec.match_resources;
        Some(PolicyBinding {
            name: field(&metadata.name),
            policy: field(&spec.policy_name),
            actions: texts(&spec.validation_actions),
            rules: rules(&matching.resource_rules),
            namespace_selector: selector(matching.namespace_selector.as_ref())?,
            object_selector: selector(matching.object_selector.as_ref())?,
        })
    }
}
