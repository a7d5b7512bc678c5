//! What is asked for each kind, and the right that it takes.

use crate::model::fact::Need;
use crate::probes::probe::{Ask, Extra, Probe};

/// What any list that is watched asks for.
const READ: &[&str] = &["list", "watch"];

const fn listed(
    (group, resource): (&'static str, &'static str),
    path: &'static str,
    extra: Option<Extra>,
) -> Ask {
    Ask::Api {
        group,
        resource,
        verbs: READ,
        path,
        extra,
    }
}

/// A probe for each kind.
pub static PROBES: &[&Probe] = &[
    &Probe {
        need: Need::Services,
        what: "Services with selector, ports and outside addresses",
        asks: &[listed(("", "services"), "/api/v1/services", None)],
    },
    &Probe {
        need: Need::EndpointSlices,
        what: "EndpointSlices that no selector makes",
        asks: &[listed(
            ("discovery.k8s.io", "endpointslices"),
            "/apis/discovery.k8s.io/v1/endpointslices?labelSelector=endpointslice.kubernetes.io%2Fmanaged-by%21%3Dendpointslice-controller.k8s.io",
            None,
        )],
    },
    &Probe {
        need: Need::NetworkPolicies,
        what: "NetworkPolicies: whom they select and what they let through",
        asks: &[listed(
            ("networking.k8s.io", "networkpolicies"),
            "/apis/networking.k8s.io/v1/networkpolicies",
            None,
        )],
    },
    &Probe {
        need: Need::Ingresses,
        what: "Ingresses with their backends",
        asks: &[listed(
            ("networking.k8s.io", "ingresses"),
            "/apis/networking.k8s.io/v1/ingresses",
            None,
        )],
    },
    &Probe {
        need: Need::HttpRoutes,
        what: "HTTPRoutes with their backends, where the Gateway API is served",
        asks: &[listed(
            ("gateway.networking.k8s.io", "httproutes"),
            "/apis/gateway.networking.k8s.io/v1/httproutes",
            None,
        )],
    },
    &Probe {
        need: Need::GrpcRoutes,
        what: "GRPCRoutes with their backends, where the Gateway API is served",
        asks: &[listed(
            ("gateway.networking.k8s.io", "grpcroutes"),
            "/apis/gateway.networking.k8s.io/v1/grpcroutes",
            None,
        )],
    },
    &Probe {
        need: Need::TlsRoutes,
        what: "TLSRoutes with their backends, where the Gateway API is served",
        asks: &[listed(
            ("gateway.networking.k8s.io", "tlsroutes"),
            "/apis/gateway.networking.k8s.io/v1/tlsroutes",
            None,
        )],
    },
    &Probe {
        need: Need::TcpRoutes,
        what: "TCPRoutes with their backends, where the Gateway API is served",
        asks: &[listed(
            ("gateway.networking.k8s.io", "tcproutes"),
            "/apis/gateway.networking.k8s.io/v1alpha2/tcproutes",
            None,
        )],
    },
    &Probe {
        need: Need::UdpRoutes,
        what: "UDPRoutes with their backends, where the Gateway API is served",
        asks: &[listed(
            ("gateway.networking.k8s.io", "udproutes"),
            "/apis/gateway.networking.k8s.io/v1alpha2/udproutes",
            None,
        )],
    },
    &Probe {
        need: Need::PriorityClasses,
        what: "PriorityClasses",
        asks: &[listed(
            ("scheduling.k8s.io", "priorityclasses"),
            "/apis/scheduling.k8s.io/v1/priorityclasses",
            None,
        )],
    },
    &Probe {
        need: Need::ResourceQuotas,
        what: "ResourceQuotas",
        asks: &[listed(
            ("", "resourcequotas"),
            "/api/v1/resourcequotas",
            None,
        )],
    },
    &Probe {
        need: Need::LimitRanges,
        what: "LimitRanges",
        asks: &[listed(("", "limitranges"), "/api/v1/limitranges", None)],
    },
    &Probe {
        need: Need::MutatingWebhooks,
        what: "mutating webhooks: what they are asked about",
        asks: &[listed(
            (
                "admissionregistration.k8s.io",
                "mutatingwebhookconfigurations",
            ),
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
            None,
        )],
    },
    &Probe {
        need: Need::ValidatingWebhooks,
        what: "validating webhooks: what they are asked about",
        asks: &[listed(
            (
                "admissionregistration.k8s.io",
                "validatingwebhookconfigurations",
            ),
            "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
            None,
        )],
    },
    &Probe {
        need: Need::ValidatingPolicies,
        what: "ValidatingAdmissionPolicies",
        asks: &[listed(
            (
                "admissionregistration.k8s.io",
                "validatingadmissionpolicies",
            ),
            "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
            None,
        )],
    },
    &Probe {
        need: Need::ValidatingPolicyBindings,
        what: "ValidatingAdmissionPolicyBindings",
        asks: &[listed(
            (
                "admissionregistration.k8s.io",
                "validatingadmissionpolicybindings",
            ),
            "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
            None,
        )],
    },
    &Probe {
        need: Need::MutatingPolicies,
        what: "MutatingAdmissionPolicies",
        asks: &[listed(
            ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
            "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
            None,
        )],
    },
    &Probe {
        need: Need::MutatingPolicyBindings,
        what: "MutatingAdmissionPolicyBindings",
        asks: &[listed(
            (
                "admissionregistration.k8s.io",
                "mutatingadmissionpolicybindings",
            ),
            "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
            None,
        )],
    },
    &Probe {
        need: Need::ClusterRoles,
        what: "ClusterRoles with their rules",
        asks: &[listed(
            ("rbac.authorization.k8s.io", "clusterroles"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            None,
        )],
    },
    &Probe {
        need: Need::ClusterRoleBindings,
        what: "ClusterRoleBindings",
        asks: &[listed(
            ("rbac.authorization.k8s.io", "clusterrolebindings"),
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            None,
        )],
    },
    &Probe {
        need: Need::Roles,
        what: "Roles: rules on pods, secrets, service accounts and rights",
        asks: &[listed(
            ("rbac.authorization.k8s.io", "roles"),
            "/apis/rbac.authorization.k8s.io/v1/roles",
            None,
        )],
    },
    &Probe {
        need: Need::RoleBindings,
        what: "RoleBindings",
        asks: &[listed(
            ("rbac.authorization.k8s.io", "rolebindings"),
            "/apis/rbac.authorization.k8s.io/v1/rolebindings",
            None,
        )],
    },
    &Probe {
        need: Need::DaemonSets,
        what: "DaemonSets by name and image",
        asks: &[listed(
            ("apps", "daemonsets"),
            "/apis/apps/v1/daemonsets",
            None,
        )],
    },
    &Probe {
        need: Need::CustomResources,
        what: "names of CustomResourceDefinitions",
        asks: &[listed(
            ("apiextensions.k8s.io", "customresourcedefinitions"),
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            None,
        )],
    },
    &Probe {
        need: Need::BootstrapTokens,
        what: "bootstrap tokens: expiration and usages, never the token",
        asks: &[listed(
            ("", "secrets"),
            "/api/v1/namespaces/kube-system/secrets?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken",
            Some(Extra::BootstrapTokens),
        )],
    },
    &Probe {
        need: Need::PersistentVolumes,
        what: "PersistentVolumes, and which of them are paths of a node",
        asks: &[listed(
            ("", "persistentvolumes"),
            "/api/v1/persistentvolumes",
            None,
        )],
    },
];
