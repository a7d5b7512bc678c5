//! Objects of the API server beside nodes, pods and namespaces, each kind a list, reduced to what a check reads.
//!
//! Lives here: their compact shapes, and the small questions that follow from Kubernetes' own rules (does a
//! selector match, does a rule grant). Never lives here: the JSON that they are read from, or an opinion.

mod addons;
mod admission;
mod labels;
mod network;
mod rights;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fact::{Fact, Gap, Locator, Need};
use super::text::Text;

pub use addons::{CustomResource, DaemonSet, PersistentVolume};
pub use admission::{
    AdmissionPolicy, AdmissionRule, Limit, LimitRange, PolicyBinding, PriorityClass, ResourceQuota,
    Webhook, WebhookConfiguration,
};
pub use labels::{Expression, Labels, Selector, label_of};
pub use network::{
    Backend, EndpointSlice, Ingress, NetworkPolicy, Route, Service, ServicePort, Traffic,
};
pub use rights::{Binding, BootstrapToken, Holder, Role, Rule, Verbs};

/// All objects of a kind, sorted by namespace and name; shared, so that a new list of one kind copies no other.
pub type List<T> = Fact<Arc<Vec<T>>>;

/// What has a name, and where it lives.
pub trait Named {
    /// None for a kind that lives in no namespace.
    fn place(&self) -> Option<&Text> {
        None
    }

    /// Empty for an object of the cluster.
    fn namespace(&self) -> &str {
        self.place().map_or("", Text::as_str)
    }

    fn name(&self) -> &Text;
}

/// Every kind of object, one list for each need.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Objects {
    pub services: List<Service>,
    pub endpoint_slices: List<EndpointSlice>,
    pub network_policies: List<NetworkPolicy>,
    pub ingresses: List<Ingress>,
    pub http_routes: List<Route>,
    pub grpc_routes: List<Route>,
    pub tls_routes: List<Route>,
    pub tcp_routes: List<Route>,
    pub udp_routes: List<Route>,
    pub priority_classes: List<PriorityClass>,
    pub resource_quotas: List<ResourceQuota>,
    pub limit_ranges: List<LimitRange>,
    pub mutating_webhooks: List<WebhookConfiguration>,
    pub validating_webhooks: List<WebhookConfiguration>,
    pub validating_policies: List<AdmissionPolicy>,
    pub validating_policy_bindings: List<PolicyBinding>,
    pub mutating_policies: List<AdmissionPolicy>,
    pub mutating_policy_bindings: List<PolicyBinding>,
    pub cluster_roles: List<Role>,
    pub cluster_role_bindings: List<Binding>,
    pub roles: List<Role>,
    pub role_bindings: List<Binding>,
    pub daemon_sets: List<DaemonSet>,
    pub custom_resources: List<CustomResource>,
    pub bootstrap_tokens: List<BootstrapToken>,
    pub persistent_volumes: List<PersistentVolume>,
}

/// A list of any kind.
pub trait AnyList {
    /// Takes the list away.
    fn forget(&mut self, gap: Gap);

    /// Why there is none.
    fn gap(&self) -> Option<&Gap>;

    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Namespace and name of an object.
    fn names(&self, item: usize) -> Option<(&str, &Text)>;

    /// An object with the fields that are kept of it.
    fn json(&self, item: usize) -> Option<serde_json::Value>;

    /// Replaces the list by one that is written down.
    ///
    /// # Errors
    /// Says what is not understood, also of a field that the kind does not have.
    fn read(&mut self, need: Need, json: &serde_json::Value) -> Result<(), String>;
}

impl<T: Named + Serialize + for<'de> Deserialize<'de>> AnyList for List<T> {
    fn forget(&mut self, gap: Gap) {
        *self = Fact::Gap(gap);
    }

    fn gap(&self) -> Option<&Gap> {
        match self {
            Fact::Seen(_) => None,
            Fact::Gap(gap) => Some(gap),
        }
    }

    fn len(&self) -> usize {
        match self {
            Fact::Seen(seen) => seen.value.len(),
            Fact::Gap(_) => 0,
        }
    }

    fn names(&self, item: usize) -> Option<(&str, &Text)> {
        let Fact::Seen(seen) = self else {
            return None;
        };
        let found = seen.value.get(item)?;
        Some((found.namespace(), found.name()))
    }

    fn json(&self, item: usize) -> Option<serde_json::Value> {
        let Fact::Seen(seen) = self else {
            return None;
        };
        serde_json::to_value(seen.value.get(item)?).ok()
    }

    fn read(&mut self, need: Need, json: &serde_json::Value) -> Result<(), String> {
        let wrong = |error: serde_json::Error| format!("{}: {error}", need.name());
        let mut list: Vec<T> = Deserialize::deserialize(json).map_err(wrong)?;
        let back = serde_json::to_value(&list).map_err(wrong)?;
        if let Some(path) = beyond(json, &back) {
            return Err(format!("{}: {path} is not a field of it", need.name()));
        }
        list.sort_by(|left, right| {
            (left.namespace(), left.name()).cmp(&(right.namespace(), right.name()))
        });
        *self = Fact::seen(Arc::new(list), Locator::list(need));
        Ok(())
    }
}

/// The first key of `written` that `read` does not have.
fn beyond(written: &serde_json::Value, read: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            written.iter().find_map(|(key, value)| match read.get(key) {
                Some(known) => beyond(value, known),
                None => Some(key.clone()),
            })
        }
        (Value::Array(written), Value::Array(read)) => {
            let mut both = written.iter().zip(read);
            both.find_map(|(written, read)| beyond(written, read))
        }
        _ => None,
    }
}

impl Objects {
    /// The list of a need; none where the need is no list of objects.
    pub fn list(&self, need: Need) -> Option<&dyn AnyList> {
        Some(match need {
            Need::Services => &self.services,
            Need::EndpointSlices => &self.endpoint_slices,
            Need::NetworkPolicies => &self.network_policies,
            Need::Ingresses => &self.ingresses,
            Need::HttpRoutes => &self.http_routes,
            Need::GrpcRoutes => &self.grpc_routes,
            Need::TlsRoutes => &self.tls_routes,
            Need::TcpRoutes => &self.tcp_routes,
            Need::UdpRoutes => &self.udp_routes,
            Need::PriorityClasses => &self.priority_classes,
            Need::ResourceQuotas => &self.resource_quotas,
            Need::LimitRanges => &self.limit_ranges,
            Need::MutatingWebhooks => &self.mutating_webhooks,
            Need::ValidatingWebhooks => &self.validating_webhooks,
            Need::ValidatingPolicies => &self.validating_policies,
            Need::ValidatingPolicyBindings => &self.validating_policy_bindings,
            Need::MutatingPolicies => &self.mutating_policies,
            Need::MutatingPolicyBindings => &self.mutating_policy_bindings,
            Need::ClusterRoles => &self.cluster_roles,
            Need::ClusterRoleBindings => &self.cluster_role_bindings,
            Need::Roles => &self.roles,
            Need::RoleBindings => &self.role_bindings,
            Need::DaemonSets => &self.daemon_sets,
            Need::CustomResources => &self.custom_resources,
            Need::BootstrapTokens => &self.bootstrap_tokens,
            Need::PersistentVolumes => &self.persistent_volumes,
            _ => return None,
        })
    }

    /// The same, to be changed.
    pub fn list_mut(&mut self, need: Need) -> Option<&mut dyn AnyList> {
        Some(match need {
            Need::Services => &mut self.services,
            Need::EndpointSlices => &mut self.endpoint_slices,
            Need::NetworkPolicies => &mut self.network_policies,
            Need::Ingresses => &mut self.ingresses,
            Need::HttpRoutes => &mut self.http_routes,
            Need::GrpcRoutes => &mut self.grpc_routes,
            Need::TlsRoutes => &mut self.tls_routes,
            Need::TcpRoutes => &mut self.tcp_routes,
            Need::UdpRoutes => &mut self.udp_routes,
            Need::PriorityClasses => &mut self.priority_classes,
            Need::ResourceQuotas => &mut self.resource_quotas,
            Need::LimitRanges => &mut self.limit_ranges,
            Need::MutatingWebhooks => &mut self.mutating_webhooks,
            Need::ValidatingWebhooks => &mut self.validating_webhooks,
            Need::ValidatingPolicies => &mut self.validating_policies,
            Need::ValidatingPolicyBindings => &mut self.validating_policy_bindings,
            Need::MutatingPolicies => &mut self.mutating_policies,
            Need::MutatingPolicyBindings => &mut self.mutating_policy_bindings,
            Need::ClusterRoles => &mut self.cluster_roles,
            Need::ClusterRoleBindings => &mut self.cluster_role_bindings,
            Need::Roles => &mut self.roles,
            Need::RoleBindings => &mut self.role_bindings,
            Need::DaemonSets => &mut self.daemon_sets,
            Need::CustomResources => &mut self.custom_resources,
            Need::BootstrapTokens => &mut self.bootstrap_tokens,
            Need::PersistentVolumes => &mut self.persistent_volumes,
            _ => return None,
        })
    }

    /// Takes over the list of one need from `other`.
    pub fn adopt(&mut self, need: Need, other: Self) {
        match need {
            Need::Services => self.services = other.services,
            Need::EndpointSlices => self.endpoint_slices = other.endpoint_slices,
            Need::NetworkPolicies => self.network_policies = other.network_policies,
            Need::Ingresses => self.ingresses = other.ingresses,
            Need::HttpRoutes => self.http_routes = other.http_routes,
            Need::GrpcRoutes => self.grpc_routes = other.grpc_routes,
            Need::TlsRoutes => self.tls_routes = other.tls_routes,
            Need::TcpRoutes => self.tcp_routes = other.tcp_routes,
            Need::UdpRoutes => self.udp_routes = other.udp_routes,
            Need::PriorityClasses => self.priority_classes = other.priority_classes,
            Need::ResourceQuotas => self.resource_quotas = other.resource_quotas,
            Need::LimitRanges => self.limit_ranges = other.limit_ranges,
            Need::MutatingWebhooks => self.mutating_webhooks = other.mutating_webhooks,
            Need::ValidatingWebhooks => self.validating_webhooks = other.validating_webhooks,
            Need::ValidatingPolicies => self.validating_policies = other.validating_policies,
            Need::ValidatingPolicyBindings => {
                self.validating_policy_bindings = other.validating_policy_bindings;
            }
            Need::MutatingPolicies => self.mutating_policies = other.mutating_policies,
            Need::MutatingPolicyBindings => {
                self.mutating_policy_bindings = other.mutating_policy_bindings;
            }
            Need::ClusterRoles => self.cluster_roles = other.cluster_roles,
            Need::ClusterRoleBindings => self.cluster_role_bindings = other.cluster_role_bindings,
            Need::Roles => self.roles = other.roles,
            Need::RoleBindings => self.role_bindings = other.role_bindings,
            Need::DaemonSets => self.daemon_sets = other.daemon_sets,
            Need::CustomResources => self.custom_resources = other.custom_resources,
            Need::BootstrapTokens => self.bootstrap_tokens = other.bootstrap_tokens,
            Need::PersistentVolumes => self.persistent_volumes = other.persistent_volumes,
            _ => {}
        }
    }
}

/// Objects of one namespace with their evidence, out of a list that is sorted by namespace.
pub fn of_namespace<'o, T: Named>(
    need: Need,
    list: &'o [T],
    namespace: &str,
) -> impl Iterator<Item = (Locator, &'o T)> {
    let from = list.partition_point(|object| object.namespace() < namespace);
    let count = list[from..].partition_point(|object| object.namespace() == namespace);
    let first = u32::try_from(from).unwrap_or(u32::MAX);
    (first..)
        .zip(&list[from..from + count])
        .map(move |(item, object)| (Locator::new(need, item), object))
}

/// All objects of a list with their evidence.
pub fn of_list<T>(need: Need, list: &[T]) -> impl Iterator<Item = (Locator, &T)> {
    (0_u32..)
        .zip(list)
        .map(move |(item, object)| (Locator::new(need, item), object))
}
