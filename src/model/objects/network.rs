//! Services, endpoints, network policies, ingresses and routes, reduced to what leads where and who is kept out.

use serde::{Deserialize, Serialize};

use super::Named;
use super::labels::{Labels, Selector};
use crate::model::text::Text;

/// A Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Service {
    pub namespace: Text,
    pub name: Text,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// Empty: no pod is selected, its endpoints are made by somebody else.
    pub selector: Labels,
    pub ports: Box<[ServicePort]>,
    #[serde(rename = "externalIPs")]
    pub external_ips: Box<[Text]>,
    /// Addresses or names that a load balancer has given it.
    pub load_balancer: Box<[Text]>,
}

/// A port of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServicePort {
    pub port: u16,
    /// A number, or the name of a port of the pod.
    pub target_port: Text,
    /// 0: none.
    pub node_port: u16,
}

/// An EndpointSlice that does not follow from a Service's selector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EndpointSlice {
    pub namespace: Text,
    pub name: Text,
    /// The Service that it belongs to.
    pub service: Text,
    pub addresses: Box<[Text]>,
    /// Names of pods in the same namespace.
    pub pods: Box<[Text]>,
    pub ports: Box<[u16]>,
}

/// A NetworkPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NetworkPolicy {
    pub namespace: Text,
    pub name: Text,
    pub pod_selector: Selector,
    /// `None`: it says nothing of this direction.
    pub ingress: Option<Traffic>,
    pub egress: Option<Traffic>,
}

/// What one direction of a NetworkPolicy lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Traffic {
    /// 0: nothing passes.
    pub rules: u32,
    /// What lets nearly anything through, in words, the first few.
    pub wide: Box<[Text]>,
    /// A rule reaches 169.254.169.254 on port 80.
    pub metadata: bool,
}

/// An Ingress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ingress {
    pub namespace: Text,
    pub name: Text,
    pub class: Option<Text>,
    pub backends: Box<[Backend]>,
    /// Addresses or names that a controller has given it.
    pub addresses: Box<[Text]>,
    /// More backends than are kept.
    pub cut: bool,
}

/// A route of the Gateway API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Route {
    pub namespace: Text,
    pub name: Text,
    /// `namespace/name` of the gateways that it asks to be attached to.
    pub gateways: Box<[Text]>,
    pub backends: Box<[Backend]>,
    /// More backends than are kept.
    pub cut: bool,
}

/// A Service that something leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Backend {
    pub namespace: Text,
    pub service: Text,
    /// By which host name and path, empty where any.
    pub host: Text,
    /// A number, or the name of a port of the Service.
    pub port: Text,
}

impl Named for Service {
    fn place(&self) -> Option<&Text> {
        Some(&self.namespace)
    }

    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for EndpointSlice {
    fn place(&self) -> Option<&Text> {
        Some(&self.namespace)
    }

    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for NetworkPolicy {
    fn place(&self) -> Option<&Text> {
        Some(&self.namespace)
    }

    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for Ingress {
    fn place(&self) -> Option<&Text> {
        Some(&self.namespace)
    }

    fn name(&self) -> &Text {
        &self.name
    }
}

impl Named for Route {
    fn place(&self) -> Option<&Text> {
        Some(&self.namespace)
    }

    fn name(&self) -> &Text {
        &self.name
    }
}
