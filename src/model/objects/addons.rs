//! What is installed beside Kubernetes itself: network plugins and policy engines are known by it; and volumes that
//! lie on nodes.

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

/// A PersistentVolume, with its place where that is a path of a node: `hostPath` or `local`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PersistentVolume {
    pub name: Text,
    /// Empty where it lies elsewhere.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub path: Text,
    /// The claim that it is bound to: namespace and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<(Text, Text)>,
}

impl Named for PersistentVolume {
    fn name(&self) -> &Text {
        &self.name
    }
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
