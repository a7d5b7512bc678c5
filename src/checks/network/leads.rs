//! What leads to a static pod: Services by selector or by endpoints, and what stands before them.

use crate::checks::check::Tally;
use crate::checks::merge::pairs::mirrors;
use crate::model::fact::{Locator, Need, Seen};
use crate::model::node::{NodeFacts, NodeObject};
use crate::model::objects::{EndpointSlice, Service, label_of, of_list, of_namespace};
use crate::model::pod::Mirror;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;

/// A Service that leads to a static pod, or to the node itself.
pub struct Lead<'s> {
    pub service: &'s Service,
    pub evidence: Vec<Locator>,
    /// `None`: its endpoints name an address of the node and no pod.
    pub mirror: Option<&'s Mirror>,
}

impl Lead<'_> {
    /// `service shop/web:80 -> pod kube-system/web-cp-1 -> node cp-1`.
    pub fn path(&self, node: &NodeFacts) -> String {
        let Service {
            namespace,
            name,
            ports,
            ..
        } = self.service;
        let port = ports
            .first()
            .map_or_else(String::new, |port| format!(":{}", port.port));
        let pod = self.mirror.map_or_else(String::new, |mirror| {
            format!("pod {}/{} -> ", mirror.pod.namespace, mirror.pod.name)
        });
        format!(
            "service {namespace}/{name}{port} -> {pod}node {}",
            node.name
        )
    }

    /// How it can be reached from outside of the cluster, in words.
    pub fn outside(&self) -> Option<String> {
        let service = self.service;
        let join = |list: &[Text]| list.iter().map(Text::as_str).collect::<Vec<_>>().join(" ");
        if !service.external_ips.is_empty() {
            return Some(format!("external address {}", join(&service.external_ips)));
        }
        let node_ports: Vec<_> = service
            .ports
            .iter()
            .filter(|port| port.node_port > 0)
            .collect();
        match service.kind.as_str() {
            "LoadBalancer" if service.load_balancer.is_empty() => Some("load balancer".to_owned()),
            "LoadBalancer" => Some(format!("load balancer {}", join(&service.load_balancer))),
            "NodePort" => Some(match node_ports.first() {
                Some(port) => format!("port {} of every node", port.node_port),
                None => "a port of every node".to_owned(),
            }),
            _ => None,
        }
    }
}

/// Every Service that leads to a static pod of the node, once for each pod; what is not known stays in the tally.
pub fn leads<'s>(node: &'s NodeFacts, snapshot: &'s Snapshot, tally: &mut Tally) -> Vec<Lead<'s>> {
    let objects = &snapshot.cluster.objects;
    let services = tally.take(&objects.services);
    let slices = tally.take(&objects.endpoint_slices);
    let list = tally.take(&node.api.mirrors);
    let object = tally.take(&node.api.object);
    if let Some(gap) = &node.api.unread {
        tally.gap(gap.clone());
    }
    for at in [
        services.map(|seen| seen.at),
        slices.map(|seen| seen.at),
        list.map(|seen| seen.at),
    ] {
        tally.all_good(at.as_slice());
    }
    let (Some(services), Some(list)) = (services, list) else {
        return Vec::new();
    };
    let mut found = by_selector(&services.value, list);
    let slices = slices.map_or(&[][..], |seen| &seen.value);
    for (at, slice) in of_list(Need::EndpointSlices, slices) {
        let namespace = slice.namespace.as_str();
        let mut own = of_namespace(Need::Services, &services.value, namespace);
        let addressed = object.filter(|object| is_addressed(slice, &object.value));
        let named: Vec<_> = mirrors(list)
            .filter(|(_, mirror)| names(slice, mirror))
            .map(|(end, mirror)| (end, Some(mirror)))
            .collect();
        let ends = match addressed {
            Some(object) if named.is_empty() => vec![(object.at, None)],
            _ => named,
        };
        if ends.is_empty() {
            continue;
        }
        if let Some((from, service)) = own.find(|(_, service)| service.name == slice.service) {
            found.extend(ends.into_iter().map(|(end, mirror)| Lead {
                service,
                evidence: vec![from, at, end],
                mirror,
            }));
        }
    }
    found
}

fn by_selector<'s>(services: &'s [Service], list: &'s Seen<Vec<Mirror>>) -> Vec<Lead<'s>> {
    let mut found = Vec::new();
    for (at, mirror) in mirrors(list) {
        let metadata = mirror.pod.metadata();
        let namespace = mirror.pod.namespace.as_str();
        for (from, service) in of_namespace(Need::Services, services, namespace) {
            let selects = !service.selector.is_empty()
                && service.kind != "ExternalName"
                && service.selector.within(|key| label_of(metadata, key));
            if selects {
                found.push(Lead {
                    service,
                    evidence: vec![from, at],
                    mirror: Some(mirror),
                });
            }
        }
    }
    found
}

fn names(slice: &EndpointSlice, mirror: &Mirror) -> bool {
    slice.namespace == mirror.pod.namespace && slice.pods.contains(&mirror.pod.name)
}

fn is_addressed(slice: &EndpointSlice, object: &NodeObject) -> bool {
    let addresses = object.addresses.iter();
    let own = addresses.filter(|(kind, _)| kind.as_str().ends_with("IP"));
    slice
        .addresses
        .iter()
        .any(|address| own.clone().any(|(_, own)| own == address))
}

/// The Service by which every pod reaches the API server: the API server itself keeps its endpoints.
pub fn is_api_server(service: &Service) -> bool {
    service.namespace == "default" && service.name == "kubernetes" && service.selector.is_empty()
}
