//! What is installed beside Kubernetes itself: network plugins and policy engines are known by it.

use serde::{Deserialize, Serialize};

use super::Named;
use crate::model::text::Text;

/// A DaemonSet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DaemonSet {
    pub namespace: Text,
    pub name: Text,
    /// Of all its containers, as written.
    pub images: Box<[Text]>,
}

/// A CustomResourceDefinition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CustomResource {
    /// `plural.group`.
    pub name: Text,
}

impl Named for DaemonSet {
    fn place(&self) -> Option<&Text> {
        Some(&self.namespace)
    }

    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for CustomResource {
    fn name(&self) -> &Text {
        &self.name
    }
}
