//! DaemonSets by name and image, CustomResourceDefinitions by name.

use serde::Deserialize;

use super::{Meta, PARTS, Shape, field, or_default};
use crate::model::objects::{CustomResource, DaemonSet};

#[derive(Deserialize)]
pub(super) struct DaemonItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: DaemonSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DaemonSpec {
    #[serde(deserialize_with = "or_default")]
    template: Template,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Template {
    #[serde(deserialize_with = "or_default")]
    spec: PodSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodSpec {
    #[serde(deserialize_with = "or_default")]
    containers: Vec<Container>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    image: String,
}

impl Shape for DaemonItem {
    type Kept = DaemonSet;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<DaemonSet> {
        let containers = self.spec.template.spec.containers;
        let images = containers.iter().take(PARTS);
        Some(DaemonSet {
            namespace: field(&self.metadata.namespace),
            name: field(&self.metadata.name),
            images: images.map(|container| field(&container.image)).collect(),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct DefinitionItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
}

impl Shape for DefinitionItem {
    type Kept = CustomResource;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<CustomResource> {
        Some(CustomResource {
            name: field(&self.metadata.name),
        })
    }
}
