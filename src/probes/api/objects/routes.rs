//! Ingresses and routes of the Gateway API: which Services they lead to.

use serde::Deserialize;

use super::network::BalancedStatus;
use super::{IntOrString, Meta, PARTS, Shape, field, or_default};
use crate::model::objects::{Backend, Ingress, Route};
use crate::model::text::Text;

#[derive(Deserialize)]
pub(super) struct IngressItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: IngressSpec,
    #[serde(default, deserialize_with = "or_default")]
    status: BalancedStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct IngressSpec {
    ingress_class_name: Option<String>,
    #[serde(deserialize_with = "or_default")]
    default_backend: IngressBackend,
    #[serde(deserialize_with = "or_default")]
    rules: Vec<IngressRule>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IngressRule {
    host: String,
    #[serde(deserialize_with = "or_default")]
    http: IngressPaths,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IngressPaths {
    #[serde(deserialize_with = "or_default")]
    paths: Vec<IngressPath>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IngressPath {
    path: String,
    #[serde(deserialize_with = "or_default")]
    backend: IngressBackend,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IngressBackend {
    #[serde(deserialize_with = "or_default")]
    service: IngressService,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IngressService {
    name: String,
    #[serde(deserialize_with = "or_default")]
    port: IngressPort,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IngressPort {
    name: String,
    number: u16,
}

impl Shape for IngressItem {
    type Kept = Ingress;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<Ingress> {
        let Self {
            metadata,
            spec,
            status,
        } = self;
        let mut backends = Backends::new(&metadata.namespace);
        backends.ingress("", &spec.default_backend);
        for rule in &spec.rules {
            for path in &rule.http.paths {
                backends.ingress(&format!("{}{}", rule.host, path.path), &path.backend);
            }
        }
        let (backends, cut) = backends.done();
        Some(Ingress {
            namespace: field(&metadata.namespace),
            name: field(&metadata.name),
            class: spec.ingress_class_name.as_deref().map(field),
            backends,
            addresses: status.load_balancer.texts(),
            cut,
        })
    }
}

/// Backends of one object: the first way to each Service and port counts.
struct Backends {
    namespace: Text,
    all: Vec<Backend>,
    cut: bool,
}

impl Backends {
    fn new(namespace: &str) -> Self {
        Self {
            namespace: field(namespace),
            all: Vec::new(),
            cut: false,
        }
    }

    fn ingress(&mut self, host: &str, backend: &IngressBackend) {
        let port = &backend.service.port;
        let port = IntOrString::Int(port.number.into()).text_or(&port.name);
        let namespace = self.namespace.clone();
        self.put(Backend {
            namespace,
            service: field(&backend.service.name),
            host: field(host),
            port,
        });
    }

    fn put(&mut self, backend: Backend) {
        let is = |own: &Backend| {
            (&own.namespace, &own.service, &own.port)
                == (&backend.namespace, &backend.service, &backend.port)
        };
        if backend.service.is_empty() || self.all.iter().any(is) {
            return;
        }
        if self.all.len() >= PARTS {
            self.cut = true;
        } else {
            self.all.push(backend);
        }
    }

    fn done(self) -> (Box<[Backend]>, bool) {
        (self.all.into(), self.cut)
    }
}

impl IntOrString {
    fn text_or(&self, name: &str) -> Text {
        let text = self.text();
        if text.is_empty() { field(name) } else { text }
    }
}

#[derive(Deserialize)]
pub(super) struct RouteItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: RouteSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RouteSpec {
    #[serde(deserialize_with = "or_default")]
    parent_refs: Vec<Reference>,
    #[serde(deserialize_with = "or_default")]
    hostnames: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    rules: Vec<RouteRule>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RouteRule {
    #[serde(deserialize_with = "or_default")]
    backend_refs: Vec<Reference>,
    #[serde(deserialize_with = "or_default")]
    filters: Vec<Filter>,
}

/// A mirrored request reaches its backend as well.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Filter {
    #[serde(deserialize_with = "or_default")]
    request_mirror: Mirrored,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Mirrored {
    #[serde(deserialize_with = "or_default")]
    backend_ref: Reference,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    kind: Option<String>,
    name: String,
    namespace: Option<String>,
    #[serde(deserialize_with = "or_default")]
    port: i64,
}

impl Shape for RouteItem {
    type Kept = Route;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<Route> {
        let Self { metadata, spec } = self;
        let place = |named: &Reference| {
            let namespace = named.namespace.as_deref();
            namespace.unwrap_or(&metadata.namespace).to_owned()
        };
        let host = spec.hostnames.first().map_or("", String::as_str);
        let mut backends = Backends::new(&metadata.namespace);
        for rule in &spec.rules {
            let mirrored = rule
                .filters
                .iter()
                .map(|filter| &filter.request_mirror.backend_ref);
            for named in rule.backend_refs.iter().chain(mirrored) {
                if named.kind.as_deref().unwrap_or("Service") == "Service" {
                    backends.put(Backend {
                        namespace: field(&place(named)),
                        service: field(&named.name),
                        host: field(host),
                        port: IntOrString::Int(named.port).text(),
                    });
                }
            }
        }
        let (backends, cut) = backends.done();
        let gateways = spec.parent_refs.iter().take(PARTS);
        Some(Route {
            gateways: gateways
                .map(|named| field(&format!("{}/{}", place(named), named.name)))
                .collect(),
            namespace: field(&metadata.namespace),
            name: field(&metadata.name),
            backends,
            cut,
        })
    }
}
