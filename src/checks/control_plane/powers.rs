//! Rights that lead to all others, and who has to have them.

use crate::checks::holders::Grant;
use crate::model::objects::Rule;
use crate::model::text::Text;

const RBAC: &str = "rbac.authorization.k8s.io";
/// Verbs of which one is enough, group, resources of which one is enough, and what they come to.
type Power = (
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
    &'static str,
);
const POWERS: &[Power] = &[
    (&["create"], "", &["pods"], "create pods"),
    (
        &["create"],
        "",
        &["serviceaccounts/token"],
        "create tokens of service accounts",
    ),
    (
        &["escalate"],
        RBAC,
        &["clusterroles"],
        "raise rights of roles",
    ),
    (&["bind"], RBAC, &["clusterroles"], "bind roles"),
    (
        &["impersonate"],
        "",
        &["users", "groups", "serviceaccounts"],
        "act as others",
    ),
    (
        &["create", "update", "patch"],
        "admissionregistration.k8s.io",
        &[
            "mutatingwebhookconfigurations",
            "validatingwebhookconfigurations",
        ],
        "change webhooks",
    ),
];
/// As which the API server calls kubelets, in the role that it made for that.
pub fn is_api_server(grant: &Grant<'_>) -> bool {
    grant.holder.kind == "User"
        && grant.holder.name == "kube-apiserver-kubelet-client"
        && grant.role.bootstrap
        && grant.role.name == "system:kubelet-api-admin"
}

/// What a rule gives over all; a rule for named objects gives it over those alone.
pub fn powers(rule: &Rule) -> Vec<&'static str> {
    if !rule.resource_names.is_empty() {
        return Vec::new();
    }
    if rule.grants("*", "*", "*") {
        return vec!["do everything"];
    }
    let granted = POWERS.iter().filter(|(verbs, group, resources, _)| {
        let verb = verbs.iter().any(|verb| rule.verbs.grants(verb));
        verb && resources.iter().any(|resource| rule.names(group, resource))
    });
    let mut out: Vec<&str> = granted.map(|(.., power)| *power).collect();
    // An operator may have all of its own kinds.
    let shared = |group: &Text| ["", "*", RBAC].contains(&group.as_str());
    let wild = rule.verbs.grants("*") || rule.resources.iter().any(|own| *own == "*");
    if wild && rule.api_groups.iter().any(shared) {
        out.push("use wildcards");
    }
    out
}
