use super::leads::{Lead, leads};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::objects::{Backend, List, Objects, Route, of_list, of_namespace};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-009"),
    title: "No Ingress or route leads to a static pod",
    why: "An Ingress or Gateway route in front of such a Service is a path from the internet to a pod that runs beside the node's keys.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[
        Need::Services,
        Need::EndpointSlices,
        Need::MirrorPods,
        Need::NodeObject,
        Need::Ingresses,
        Need::HttpRoutes,
        Need::GrpcRoutes,
        Need::TlsRoutes,
        Need::TcpRoutes,
        Need::UdpRoutes,
    ],
    helps: &[],
    maps: &[Maps::Source("Kubescape C-0266"), Maps::Attack("T1190")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get {resource} {name} -n {ns} -o yaml"),
            by_hand(
                "take the backend of the finding out of the object, or narrow the selector of the Service behind it so that it no longer meets the static pod (SP-NET-008)",
            ),
        ],
        restarts: "nothing; connections on that way end",
        undo: &[by_hand(
            "apply the former object again from the output of the first step",
        )],
    },
    examples: &[
        (
            "{services: [{namespace: shop, name: web, selector: {app: web}}], endpoint_slices: [], object: {}, mirrors: [{pod: shop/a-cp-1}], ingresses: [{namespace: shop, name: front, backends: [{namespace: shop, service: web}]}], http_routes: [], grpc_routes: [], tls_routes: [], tcp_routes: [], udp_routes: []}",
            "PASS",
        ),
        (
            "{services: [{namespace: shop, name: web, selector: {app: web}, ports: [{port: 80}]}], endpoint_slices: [], object: {}, mirrors: [{pod: {metadata: {namespace: shop, name: a-cp-1, labels: {app: web}}, spec: {}}}], ingresses: [{namespace: shop, name: front, backends: [{namespace: shop, service: web, host: shop.example.org/, port: '80'}]}], http_routes: [], grpc_routes: [], tls_routes: [], tcp_routes: {gap: forbidden}, udp_routes: []}",
            "FAIL high: shop.example.org/ -> ingress shop/front -> service shop/web:80 -> pod shop/a-cp-1 -> node cp-1; gap: the API server forbids list pods",
        ),
        (
            "{services: [{namespace: shop, name: web, selector: {app: web}, ports: [{port: 80}]}], endpoint_slices: [], object: {}, mirrors: [{pod: {metadata: {namespace: shop, name: a-cp-1, labels: {app: web}}, spec: {}}}], ingresses: [], http_routes: [{namespace: shop, name: front, gateways: [edge/public], backends: [{namespace: shop, service: web, host: shop.example.org}]}], grpc_routes: [], tls_routes: [], tcp_routes: [], udp_routes: []}",
            "FAIL high: shop.example.org -> gateway edge/public -> httproute shop/front -> service shop/web:80 -> pod shop/a-cp-1 -> node cp-1",
        ),
        (
            "{services: [{namespace: shop, name: web, selector: {app: web}, ports: [{port: 80}]}], endpoint_slices: [], object: {}, mirrors: [{pod: {metadata: {namespace: shop, name: a-cp-1, labels: {app: web}}, spec: {}}}], ingresses: [], http_routes: [], grpc_routes: [], tls_routes: [], tcp_routes: [{namespace: other, name: raw, gateways: [edge/public], backends: [{namespace: shop, service: web}]}], udp_routes: []}",
            "FAIL medium: gateway edge/public -> tcproute other/raw -> service shop/web:80 -> pod shop/a-cp-1 -> node cp-1, where a ReferenceGrant lets it into shop",
        ),
        (
            "{services: [], endpoint_slices: [], object: {}, mirrors: [], ingresses: [], http_routes: {gap: forbidden}, grpc_routes: [], tls_routes: [], tcp_routes: [], udp_routes: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Where the routes of one kind are.
type Place = fn(&Objects) -> &List<Route>;

/// Routes by their need, their resource as kubectl spells it, and where they are.
const ROUTES: [(Need, &str, Place); 5] = [
    (Need::HttpRoutes, "httproute", |objects| {
        &objects.http_routes
    }),
    (Need::GrpcRoutes, "grpcroute", |objects| {
        &objects.grpc_routes
    }),
    (Need::TlsRoutes, "tlsroute", |objects| &objects.tls_routes),
    (Need::TcpRoutes, "tcproute", |objects| &objects.tcp_routes),
    (Need::UdpRoutes, "udproute", |objects| &objects.udp_routes),
];

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let objects = &view.snapshot.cluster.objects;
    let mut tally = Tally::new();
    let found = leads(node, view.snapshot, &mut tally);
    if let Some(ingresses) = tally.take(&objects.ingresses) {
        tally.good(ingresses.at);
        for lead in &found {
            let namespace = lead.service.namespace.as_str();
            for (at, ingress) in of_namespace(Need::Ingresses, &ingresses.value, namespace) {
                let way = Way {
                    resource: "ingress",
                    namespace: &ingress.namespace,
                    name: &ingress.name,
                    before: None,
                    at,
                };
                way.follow((node, lead), (&ingress.backends, ingress.cut), &mut tally);
            }
        }
    }
    for (need, resource, list) in ROUTES {
        let Some(routes) = tally.take(list(objects)) else {
            continue;
        };
        tally.good(routes.at);
        for lead in &found {
            for (at, route) in of_list(need, &routes.value) {
                let way = Way {
                    resource,
                    namespace: &route.namespace,
                    name: &route.name,
                    before: route.gateways.first(),
                    at,
                };
                way.follow((node, lead), (&route.backends, route.cut), &mut tally);
            }
        }
    }
    tally.verdict()
}

/// Something that leads to Services.
struct Way<'o> {
    resource: &'static str,
    namespace: &'o Text,
    name: &'o Text,
    /// The gateway in front of it.
    before: Option<&'o Text>,
    at: Locator,
}

impl Way<'_> {
    fn follow(
        &self,
        (node, lead): (&NodeFacts, &Lead<'_>),
        (backends, cut): (&[Backend], bool),
        tally: &mut Tally,
    ) {
        let Self {
            resource,
            namespace,
            name,
            ..
        } = self;
        let service = lead.service;
        let is = |backend: &&Backend| {
            backend.namespace == service.namespace && backend.service == service.name
        };
        let Some(backend) = backends.iter().find(is) else {
            if cut {
                tally.gap(Gap::Garbled {
                    what: format!("{resource} {namespace}/{name} has more backends than are kept")
                        .into(),
                });
            }
            return;
        };
        let mut path = Vec::new();
        if !backend.host.is_empty() {
            path.push(backend.host.to_string());
        }
        path.extend(self.before.map(|gateway| format!("gateway {gateway}")));
        path.push(format!("{resource} {namespace}/{name}"));
        path.push(lead.path(node));
        let mut message = path.join(" -> ");
        let mut severity = Severity::High;
        if backend.namespace != **namespace {
            severity = Severity::Medium;
            message.push_str(&format!(
                ", where a ReferenceGrant lets it into {}",
                backend.namespace
            ));
        }
        let plural = if *resource == "ingress" {
            "ingresses".to_owned()
        } else {
            format!("{resource}s")
        };
        tally.offence(offence(
            Subject::object(&plural, namespace.as_str(), name),
            severity,
            message,
            lead.evidence.iter().copied().chain([self.at]),
        ));
    }
}
