//! The table of kinds: their requests, and the fold that reads each.

use super::{Fold, Many, Source, addons, admission, limits, network, policies, rights, routes};
use crate::model::fact::Need;
use crate::model::objects::{
    AdmissionPolicy, Binding, BootstrapToken, CustomResource, DaemonSet, EndpointSlice, Ingress,
    LimitRange, NetworkPolicy, PersistentVolume, PolicyBinding, PriorityClass, ResourceQuota, Role,
    Route, Service, WebhookConfiguration,
};

static SERVICES: Source<Service> = Source {
    need: Need::Services,
    resource: "services",
    paths: &["/api/v1/services"],
    metadata_only: false,
    place: |objects| &mut objects.services,
};

static ENDPOINT_SLICES: Source<EndpointSlice> = Source {
    need: Need::EndpointSlices,
    resource: "endpointslices",
    paths: &[
        "/apis/discovery.k8s.io/v1/endpointslices?labelSelector=endpointslice.kubernetes.io%2Fmanaged-by%21%3Dendpointslice-controller.k8s.io",
    ],
    metadata_only: false,
    place: |objects| &mut objects.endpoint_slices,
};

static NETWORK_POLICIES: Source<NetworkPolicy> = Source {
    need: Need::NetworkPolicies,
    resource: "networkpolicies",
    paths: &["/apis/networking.k8s.io/v1/networkpolicies"],
    metadata_only: false,
    place: |objects| &mut objects.network_policies,
};

static INGRESSES: Source<Ingress> = Source {
    need: Need::Ingresses,
    resource: "ingresses",
    paths: &["/apis/networking.k8s.io/v1/ingresses"],
    metadata_only: false,
    place: |objects| &mut objects.ingresses,
};

static HTTP_ROUTES: Source<Route> = Source {
    need: Need::HttpRoutes,
    resource: "httproutes",
    paths: &[
        "/apis/gateway.networking.k8s.io/v1/httproutes",
        "/apis/gateway.networking.k8s.io/v1beta1/httproutes",
    ],
    metadata_only: false,
    place: |objects| &mut objects.http_routes,
};

static GRPC_ROUTES: Source<Route> = Source {
    need: Need::GrpcRoutes,
    resource: "grpcroutes",
    paths: &[
        "/apis/gateway.networking.k8s.io/v1/grpcroutes",
        "/apis/gateway.networking.k8s.io/v1alpha2/grpcroutes",
    ],
    metadata_only: false,
    place: |objects| &mut objects.grpc_routes,
};

static TLS_ROUTES: Source<Route> = Source {
    need: Need::TlsRoutes,
    resource: "tlsroutes",
    paths: &[
        "/apis/gateway.networking.k8s.io/v1/tlsroutes",
        "/apis/gateway.networking.k8s.io/v1alpha3/tlsroutes",
        "/apis/gateway.networking.k8s.io/v1alpha2/tlsroutes",
    ],
    metadata_only: false,
    place: |objects| &mut objects.tls_routes,
};

static TCP_ROUTES: Source<Route> = Source {
    need: Need::TcpRoutes,
    resource: "tcproutes",
    paths: &["/apis/gateway.networking.k8s.io/v1alpha2/tcproutes"],
    metadata_only: false,
    place: |objects| &mut objects.tcp_routes,
};

static UDP_ROUTES: Source<Route> = Source {
    need: Need::UdpRoutes,
    resource: "udproutes",
    paths: &["/apis/gateway.networking.k8s.io/v1alpha2/udproutes"],
    metadata_only: false,
    place: |objects| &mut objects.udp_routes,
};

static PRIORITY_CLASSES: Source<PriorityClass> = Source {
    need: Need::PriorityClasses,
    resource: "priorityclasses",
    paths: &["/apis/scheduling.k8s.io/v1/priorityclasses"],
    metadata_only: false,
    place: |objects| &mut objects.priority_classes,
};

static RESOURCE_QUOTAS: Source<ResourceQuota> = Source {
    need: Need::ResourceQuotas,
    resource: "resourcequotas",
    paths: &["/api/v1/resourcequotas"],
    metadata_only: false,
    place: |objects| &mut objects.resource_quotas,
};

static LIMIT_RANGES: Source<LimitRange> = Source {
    need: Need::LimitRanges,
    resource: "limitranges",
    paths: &["/api/v1/limitranges"],
    metadata_only: false,
    place: |objects| &mut objects.limit_ranges,
};

static MUTATING_WEBHOOKS: Source<WebhookConfiguration> = Source {
    need: Need::MutatingWebhooks,
    resource: "mutatingwebhookconfigurations",
    paths: &["/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"],
    metadata_only: false,
    place: |objects| &mut objects.mutating_webhooks,
};

static VALIDATING_WEBHOOKS: Source<WebhookConfiguration> = Source {
    need: Need::ValidatingWebhooks,
    resource: "validatingwebhookconfigurations",
    paths: &["/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"],
    metadata_only: false,
    place: |objects| &mut objects.validating_webhooks,
};

static VALIDATING_POLICIES: Source<AdmissionPolicy> = Source {
    need: Need::ValidatingPolicies,
    resource: "validatingadmissionpolicies",
    paths: &[
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
        "/apis/admissionregistration.k8s.io/v1beta1/validatingadmissionpolicies",
    ],
    metadata_only: false,
    place: |objects| &mut objects.validating_policies,
};

static VALIDATING_POLICY_BINDINGS: Source<PolicyBinding> = Source {
    need: Need::ValidatingPolicyBindings,
    resource: "validatingadmissionpolicybindings",
    paths: &[
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
        "/apis/admissionregistration.k8s.io/v1beta1/validatingadmissionpolicybindings",
    ],
    metadata_only: false,
    place: |objects| &mut objects.validating_policy_bindings,
};

static MUTATING_POLICIES: Source<AdmissionPolicy> = Source {
    need: Need::MutatingPolicies,
    resource: "mutatingadmissionpolicies",
    paths: &[
        "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
        "/apis/admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicies",
        "/apis/admissionregistration.k8s.io/v1alpha1/mutatingadmissionpolicies",
    ],
    metadata_only: false,
    place: |objects| &mut objects.mutating_policies,
};

static MUTATING_POLICY_BINDINGS: Source<PolicyBinding> = Source {
    need: Need::MutatingPolicyBindings,
    resource: "mutatingadmissionpolicybindings",
    paths: &[
        "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
        "/apis/admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicybindings",
        "/apis/admissionregistration.k8s.io/v1alpha1/mutatingadmissionpolicybindings",
    ],
    metadata_only: false,
    place: |objects| &mut objects.mutating_policy_bindings,
};

static CLUSTER_ROLES: Source<Role> = Source {
    need: Need::ClusterRoles,
    resource: "clusterroles",
    paths: &["/apis/rbac.authorization.k8s.io/v1/clusterroles"],
    metadata_only: false,
    place: |objects| &mut objects.cluster_roles,
};

static CLUSTER_ROLE_BINDINGS: Source<Binding> = Source {
    need: Need::ClusterRoleBindings,
    resource: "clusterrolebindings",
    paths: &["/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"],
    metadata_only: false,
    place: |objects| &mut objects.cluster_role_bindings,
};

static ROLES: Source<Role> = Source {
    need: Need::Roles,
    resource: "roles",
    paths: &["/apis/rbac.authorization.k8s.io/v1/roles"],
    metadata_only: false,
    place: |objects| &mut objects.roles,
};

static ROLE_BINDINGS: Source<Binding> = Source {
    need: Need::RoleBindings,
    resource: "rolebindings",
    paths: &["/apis/rbac.authorization.k8s.io/v1/rolebindings"],
    metadata_only: false,
    place: |objects| &mut objects.role_bindings,
};

static DAEMON_SETS: Source<DaemonSet> = Source {
    need: Need::DaemonSets,
    resource: "daemonsets",
    paths: &["/apis/apps/v1/daemonsets"],
    metadata_only: false,
    place: |objects| &mut objects.daemon_sets,
};

static CUSTOM_RESOURCES: Source<CustomResource> = Source {
    need: Need::CustomResources,
    resource: "customresourcedefinitions",
    paths: &["/apis/apiextensions.k8s.io/v1/customresourcedefinitions"],
    metadata_only: true,
    place: |objects| &mut objects.custom_resources,
};

static BOOTSTRAP_TOKENS: Source<BootstrapToken> = Source {
    need: Need::BootstrapTokens,
    resource: "secrets",
    paths: &[
        "/api/v1/namespaces/kube-system/secrets?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken",
    ],
    metadata_only: false,
    place: |objects| &mut objects.bootstrap_tokens,
};

static PERSISTENT_VOLUMES: Source<PersistentVolume> = Source {
    need: Need::PersistentVolumes,
    resource: "persistentvolumes",
    paths: &["/api/v1/persistentvolumes"],
    metadata_only: false,
    place: |objects| &mut objects.persistent_volumes,
};

/// The fold for a need; none where the need is no list of objects.
pub fn fold(need: Need) -> Option<Box<dyn Fold>> {
    Some(match need {
        Need::Services => Many::<network::ServiceItem>::boxed(&SERVICES),
        Need::EndpointSlices => Many::<network::SliceItem>::boxed(&ENDPOINT_SLICES),
        Need::NetworkPolicies => Many::<policies::PolicyItem>::boxed(&NETWORK_POLICIES),
        Need::Ingresses => Many::<routes::IngressItem>::boxed(&INGRESSES),
        Need::HttpRoutes => Many::<routes::RouteItem>::boxed(&HTTP_ROUTES),
        Need::GrpcRoutes => Many::<routes::RouteItem>::boxed(&GRPC_ROUTES),
        Need::TlsRoutes => Many::<routes::RouteItem>::boxed(&TLS_ROUTES),
        Need::TcpRoutes => Many::<routes::RouteItem>::boxed(&TCP_ROUTES),
        Need::UdpRoutes => Many::<routes::RouteItem>::boxed(&UDP_ROUTES),
        Need::PriorityClasses => Many::<limits::PriorityItem>::boxed(&PRIORITY_CLASSES),
        Need::ResourceQuotas => Many::<limits::QuotaItem>::boxed(&RESOURCE_QUOTAS),
        Need::LimitRanges => Many::<limits::RangeItem>::boxed(&LIMIT_RANGES),
        Need::MutatingWebhooks => Many::<admission::ConfigurationItem>::boxed(&MUTATING_WEBHOOKS),
        Need::ValidatingWebhooks => {
            Many::<admission::ConfigurationItem>::boxed(&VALIDATING_WEBHOOKS)
        }
        Need::ValidatingPolicies => Many::<admission::PolicyItem>::boxed(&VALIDATING_POLICIES),
        Need::ValidatingPolicyBindings => {
            Many::<admission::BindingItem>::boxed(&VALIDATING_POLICY_BINDINGS)
        }
        Need::MutatingPolicies => Many::<admission::PolicyItem>::boxed(&MUTATING_POLICIES),
        Need::MutatingPolicyBindings => {
            Many::<admission::BindingItem>::boxed(&MUTATING_POLICY_BINDINGS)
        }
        Need::ClusterRoles => Many::<rights::RoleItem>::boxed(&CLUSTER_ROLES),
        Need::ClusterRoleBindings => Many::<rights::BindingItem>::boxed(&CLUSTER_ROLE_BINDINGS),
        Need::Roles => Many::<rights::RoleItem>::boxed(&ROLES),
        Need::RoleBindings => Many::<rights::BindingItem>::boxed(&ROLE_BINDINGS),
        Need::DaemonSets => Many::<addons::DaemonItem>::boxed(&DAEMON_SETS),
        Need::CustomResources => Many::<addons::DefinitionItem>::boxed(&CUSTOM_RESOURCES),
        Need::BootstrapTokens => Many::<rights::TokenItem>::boxed(&BOOTSTRAP_TOKENS),
        Need::PersistentVolumes => Many::<addons::VolumeItem>::boxed(&PERSISTENT_VOLUMES),
        _ => return None,
    })
}
