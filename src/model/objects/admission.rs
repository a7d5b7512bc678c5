//! What the API server asks before it takes an object: webhooks and policies, quotas, limits and priorities.

use serde::{Deserialize, Serialize};

use super::Named;
use super::labels::{Labels, Selector};
use crate::model::text::Text;

/// A MutatingWebhookConfiguration or a ValidatingWebhookConfiguration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WebhookConfiguration {
    pub name: Text,
    pub webhooks: Box<[Webhook]>,
}

/// One webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Webhook {
    pub name: Text,
    /// `Fail` or `Ignore`.
    pub failure_policy: Text,
    pub rules: Box<[AdmissionRule]>,
    pub namespace_selector: Selector,
    pub object_selector: Selector,
    /// It is asked only where expressions hold, which are not evaluated here.
    pub match_conditions: bool,
    /// `namespace/name` of the Service that answers, or `url`.
    pub client: Text,
}

/// What is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AdmissionRule {
    pub api_groups: Box<[Text]>,
    pub resources: Box<[Text]>,
    pub operations: Box<[Text]>,
}

impl AdmissionRule {
    /// Whether `operation` (`CREATE`, ...) on `resource` of `group` is asked about.
    pub fn covers(&self, group: &str, resource: &str, operation: &str) -> bool {
        let named = |list: &[Text], wanted: &str| {
            list.iter()
                .any(|own| *own == "*" || *own == "*/*" || *own == wanted)
        };
        named(&self.api_groups, group)
            && named(&self.resources, resource)
            && named(&self.operations, operation)
    }
}

/// A ValidatingAdmissionPolicy or a MutatingAdmissionPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AdmissionPolicy {
    pub name: Text,
    /// `Fail` or `Ignore`.
    pub failure_policy: Text,
    pub rules: Box<[AdmissionRule]>,
    pub exclude_rules: Box<[AdmissionRule]>,
    pub namespace_selector: Selector,
    pub object_selector: Selector,
    /// It applies only where expressions hold, which are not evaluated here.
    pub match_conditions: bool,
    /// Of what it demands or changes, the first few.
    pub expressions: Box<[Text]>,
}

/// What puts a policy into force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PolicyBinding {
    pub name: Text,
    pub policy: Text,
    /// `Deny`, `Warn`, `Audit`; empty for a policy that mutates.
    pub actions: Box<[Text]>,
    pub rules: Box<[AdmissionRule]>,
    pub namespace_selector: Selector,
    pub object_selector: Selector,
}

/// A ResourceQuota.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceQuota {
    pub namespace: Text,
    pub name: Text,
    pub hard: Labels,
    pub used: Labels,
    pub scopes: Box<[Text]>,
}

/// A LimitRange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LimitRange {
    pub namespace: Text,
    pub name: Text,
    pub limits: Box<[Limit]>,
}

/// One item of a LimitRange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Limit {
    /// `Container`, `Pod`, `PersistentVolumeClaim`.
    #[serde(rename = "type")]
    pub kind: Text,
    pub default: Labels,
    pub default_request: Labels,
    pub min: Labels,
    pub max: Labels,
}

/// A PriorityClass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PriorityClass {
    pub name: Text,
    pub value: i32,
    pub global_default: bool,
}

impl Named for WebhookConfiguration {
    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for AdmissionPolicy {
    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for PolicyBinding {
    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for ResourceQuota {
    fn place(&self) -> Option<&Text> {
        Some(&self.namespace)
    }

    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for LimitRange {
    fn place(&self) -> Option<&Text> {
        Some(&self.namespace)
    }

    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for PriorityClass {
    fn name(&self) -> &Text {
        &self.name
    }
}
