//! DaemonSets by name and image, CustomResourceDefinitions by name, PersistentVolumes that lie on nodes.

use serde::Deserialize;

use super::{Meta, PARTS, Shape, field, or_default};
use crate::model::objects::{CustomResource, DaemonSet, PersistentVolume};

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

#[derive(Deserialize)]
pub(super) struct VolumeItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: VolumeSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VolumeSpec {
    host_path: Option<OnNode>,
    local: Option<OnNode>,
    claim_ref: Option<ClaimRef>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OnNode {
    path: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClaimRef {
    namespace: String,
    name: String,
}

impl Shape for VolumeItem {
    type Kept = PersistentVolume;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<PersistentVolume> {
        let name = field(&self.metadata.name);
        let Some(place) = self.spec.host_path.or(self.spec.local) else {
            return Some(PersistentVolume {
                name,
                ..PersistentVolume::default()
            });
        };
        let claim = self.spec.claim_ref;
        Some(PersistentVolume {
            name,
            path: field(&place.path),
            claim: claim.map(|claim| (field(&claim.namespace), field(&claim.name))),
        })
    }
}
