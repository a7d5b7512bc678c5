//! Services and EndpointSlices.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{IntOrString, LABELS, Meta, PARTS, Shape, field, or_default, texts};
use crate::model::objects::{EndpointSlice, Labels, Service, ServicePort};
use crate::model::text::Text;

#[derive(Deserialize)]
pub(super) struct ServiceItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: ServiceSpec,
    #[serde(default, deserialize_with = "or_default")]
    status: BalancedStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServiceSpec {
    #[serde(rename = "type", deserialize_with = "or_default")]
    kind: String,
    #[serde(deserialize_with = "or_default")]
    selector: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    ports: Vec<PortItem>,
    #[serde(rename = "externalIPs", deserialize_with = "or_default")]
    external_ips: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PortItem {
    port: u16,
    target_port: IntOrString,
    node_port: u16,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct BalancedStatus {
    #[serde(deserialize_with = "or_default")]
    pub(super) load_balancer: Balancer,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Balancer {
    #[serde(deserialize_with = "or_default")]
    ingress: Vec<Given>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Given {
    ip: String,
    hostname: String,
}

impl Balancer {
    /// Addresses, or names where there are none.
    pub(super) fn texts(&self) -> Box<[Text]> {
        let given = self.ingress.iter().take(PARTS);
        given
            .map(|given| {
                field(if given.ip.is_empty() {
                    &given.hostname
                } else {
                    &given.ip
                })
            })
            .collect()
    }
}

/// None where there are more than are kept.
pub(super) fn labels(raw: &BTreeMap<String, String>) -> Option<Labels> {
    let clean = || raw.iter().map(|(key, value)| (field(key), field(value)));
    (raw.len() <= LABELS).then(|| clean().collect::<BTreeMap<_, _>>().into())
}

impl Shape for ServiceItem {
    type Kept = Service;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<Service> {
        let Self {
            metadata,
            spec,
            status,
        } = self;
        let port = |read: &PortItem| ServicePort {
            port: read.port,
            target_port: read.target_port.text(),
            node_port: read.node_port,
        };
        Some(Service {
            namespace: field(&metadata.namespace),
            name: field(&metadata.name),
            kind: field(&spec.kind),
            selector: labels(&spec.selector)?,
            ports: spec.ports.iter().take(PARTS).map(port).collect(),
            external_ips: texts(&spec.external_ips),
            load_balancer: status.load_balancer.texts(),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct SliceItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    endpoints: Vec<EndpointItem>,
    #[serde(default, deserialize_with = "or_default")]
    ports: Vec<SlicePort>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EndpointItem {
    #[serde(deserialize_with = "or_default")]
    addresses: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    target_ref: Target,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Target {
    kind: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SlicePort {
    #[serde(deserialize_with = "or_default")]
    port: u16,
}

/// The most that the API server takes (pkg/apis/discovery/validation).
const ENDPOINTS: usize = 1000;

impl Shape for SliceItem {
    type Kept = EndpointSlice;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<EndpointSlice> {
        let ends = || self.endpoints.iter().take(ENDPOINTS);
        let pods = ends().filter(|end| end.target_ref.kind == "Pod");
        let labels = &self.metadata.labels;
        let service = labels.get("kubernetes.io/service-name");
        Some(EndpointSlice {
            namespace: field(&self.metadata.namespace),
            name: field(&self.metadata.name),
            service: service.map(|name| field(name)).unwrap_or_default(),
            addresses: ends()
                .filter_map(|end| end.addresses.first())
                .map(|address| field(address))
                .collect(),
            pods: pods.map(|end| field(&end.target_ref.name)).collect(),
            ports: self
                .ports
                .iter()
                .take(PARTS)
                .map(|port| port.port)
                .collect(),
        })
    }
}
