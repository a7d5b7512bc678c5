use std::collections::BTreeMap;

use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::checks::holders::cut;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::objects::{Binding, Holder, Role, Rule, of_list};
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-006"),
    title: "Nodes have no rights beyond those of a node",
    why: "The Node authorizer keeps a kubelet to its own pods; whatever RBAC gives to all nodes, one stolen kubelet identity has for the whole cluster.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[
        Need::ClusterRoles,
        Need::ClusterRoleBindings,
        Need::Roles,
        Need::RoleBindings,
    ],
    helps: &[],
    maps: &[
        Maps::Cis("5.1.1"),
        Maps::Cis("5.1.2"),
        Maps::Cis("5.1.3"),
        Maps::Cis("5.1.4"),
        Maps::Attack("T1098"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get {resource} {name} -n {ns} -o yaml"),
            by_hand(
                "give what runs on the nodes a service account of its own with these rights, and take system:nodes and system:node:NAME out of the binding",
            ),
            kubectl("kubectl auth can-i --list --as system:node:NAME --as-group system:nodes"),
        ],
        restarts: "nothing",
        undo: &[by_hand("put the subject back into the binding")],
    },
    examples: &[
        (
            "{cluster_roles: [{name: self, bootstrap: true, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/selfnodeclient], verbs: [create]}]}, {name: 'system:node', rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]}], \
             cluster_role_bindings: [{name: a, roleKind: ClusterRole, role: self, subjects: [{kind: Group, name: 'system:nodes'}]}], \
             roles: [{namespace: kube-system, name: kubelet-config, rules: [{apiGroups: [''], resources: [configmaps], resourceNames: [kubelet-config], verbs: [get]}]}], \
             role_bindings: [{namespace: kube-system, name: k, roleKind: Role, role: kubelet-config, subjects: [{kind: Group, name: 'system:nodes'}]}]}",
            "PASS",
        ),
        (
            "{cluster_roles: [{name: all, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}, {name: n, rules: [{apiGroups: [''], resources: [nodes], verbs: [list]}]}, {name: huge, cut: true}], \
             cluster_role_bindings: [{name: a, roleKind: ClusterRole, role: all, subjects: [{kind: User, name: 'system:node:w-1'}]}, {name: b, roleKind: ClusterRole, role: n, subjects: [{kind: Group, name: 'system:nodes'}]}, {name: c, roleKind: ClusterRole, role: huge, subjects: [{kind: Group, name: 'system:nodes'}]}], roles: [], role_bindings: []}",
            "FAIL high: user system:node:w-1 may do everything by ClusterRole all; low: group system:nodes may list nodes by ClusterRole n; gap: the answer cannot be trusted: ClusterRole huge has more rules than are kept",
        ),
        (
            "{cluster_roles: [], cluster_role_bindings: [], roles: [{namespace: web, name: s, rules: [{apiGroups: [''], resources: [secrets], resourceNames: [one], verbs: [get]}, {apiGroups: [''], resources: [pods], verbs: [create]}]}], \
             role_bindings: [{namespace: web, name: r, roleKind: Role, role: s, subjects: [{kind: Group, name: 'system:authenticated'}, {kind: User, name: jo}]}]}",
            "FAIL high: group system:authenticated may create pods in the namespace web by Role s",
        ),
        (
            "{cluster_roles: [], cluster_role_bindings: [], roles: {gap: forbidden}, role_bindings: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{cluster_roles: [], cluster_role_bindings: [{name: many, cut: true}], roles: [], role_bindings: []}",
            "UNKNOWN: the answer cannot be trusted: binding many has more subjects than are kept",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

/// What the API server and kubeadm give to nodes, or to everybody, and what says nothing of others.
const HARMLESS: [&str; 7] = [
    "system:node-proxier",
    "system:node-bootstrapper",
    "system:basic-user",
    "system:discovery",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
    "system:cluster-trust-bundle-discovery",
];

/// By namespace and name; a ClusterRole has no namespace.
type Roles<'o> = BTreeMap<(&'o str, &'o str), (Locator, &'o Role)>;

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let objects = &view.snapshot.cluster.objects;
    let cluster_roles = objects.cluster_roles.get()?;
    let roles = objects.roles.get()?;
    let bindings = [
        (
            Need::ClusterRoleBindings,
            objects.cluster_role_bindings.get()?,
        ),
        (Need::RoleBindings, objects.role_bindings.get()?),
    ];
    let all =
        of_list(Need::ClusterRoles, &cluster_roles.value).chain(of_list(Need::Roles, &roles.value));
    let known: Roles<'_> = all
        .map(|(at, role)| {
            let key = (role.namespace.as_str(), role.name.as_str());
            (key, (at, role))
        })
        .collect();
    let mut tally = Tally::new();
    tally.all_good(&[cluster_roles.at, roles.at]);
    for (need, seen) in bindings {
        tally.good(seen.at);
        for (at, binding) in of_list(need, &seen.value) {
            one(at, binding, &known, &mut tally);
        }
    }
    tally.verdict()
}

fn one(at: Locator, binding: &Binding, known: &Roles<'_>, tally: &mut Tally) {
    let namespace = match binding.role_kind.as_str() {
        "Role" => binding.namespace.as_str(),
        _ => "",
    };
    // SP-KUB-005 tells who has the role of a node.
    if namespace.is_empty() && binding.role == "system:node" {
        return;
    }
    let nodes = binding.subjects.iter().find(|holder| is_node(holder));
    let everybody =
        |holder: &&Holder| holder.kind == "Group" && holder.name == "system:authenticated";
    let Some(holder) = nodes.or_else(|| binding.subjects.iter().find(everybody)) else {
        if binding.cut {
            tally.gap(cut("binding", &binding.name, "subjects"));
        }
        return;
    };
    let Some((from, role)) = known.get(&(namespace, binding.role.as_str())) else {
        return;
    };
    let harmless = role.bootstrap && HARMLESS.contains(&role.name.as_str());
    let kind = if namespace.is_empty() {
        "ClusterRole"
    } else {
        "Role"
    };
    if role.cut && !harmless {
        tally.gap(cut(kind, &role.name, "rules"));
    }
    let grades = role.rules.iter().filter(|_| !harmless);
    let mut worst: Option<(Severity, String)> = None;
    for found in grades.filter_map(|rule| grade(rule, binding)) {
        if worst
            .as_ref()
            .is_none_or(|(severity, _)| *severity < found.0)
        {
            worst = Some(found);
        }
    }
    // What everybody may is told of nodes where it is more than a node should be able to do.
    let Some((severity, what)) =
        worst.filter(|(severity, _)| nodes.is_some() || *severity > Severity::Low)
    else {
        return;
    };
    let (resource, place) = match binding.namespace.as_str() {
        "" => ("clusterrolebindings", String::new()),
        own => ("rolebindings", format!(" in the namespace {own}")),
    };
    tally.offence(offence(
        Subject::object(resource, binding.namespace.as_str(), &binding.name),
        severity,
        format!("{holder} may {what}{place} by {kind} {}", role.name),
        [at, *from],
    ));
}

fn is_node(holder: &Holder) -> bool {
    match holder.kind.as_str() {
        "Group" => holder.name == "system:nodes",
        "User" => holder.name.as_str().starts_with("system:node:"),
        _ => false,
    }
}

/// Rights with which one node has others: verbs, group, resource, and what it is.
const STRONG: [(&[&str], &str, &str, &str); 14] = [
    (&["get", "list", "watch"], "", "secrets", "read secrets"),
    (&["create"], "", "pods", "create pods"),
    (&["create", "get"], "", "pods/exec", "run commands in pods"),
    (&["patch", "update"], "", "nodes", "change nodes"),
    (&["create", "get"], "", "nodes/proxy", "call all kubelets"),
    (
        &["create"],
        "",
        "serviceaccounts/token",
        "make tokens of service accounts",
    ),
    (&["impersonate"], "", "users", "be any user"),
    (&["impersonate"], "", "groups", "be in any group"),
    (
        &["impersonate"],
        "",
        "serviceaccounts",
        "be any service account",
    ),
    (
        &["bind", "escalate"],
        RBAC,
        "clusterroles",
        "give any right",
    ),
    (&["bind", "escalate"], RBAC, "roles", "give any right"),
    (
        &["update", "patch"],
        "certificates.k8s.io",
        "certificatesigningrequests/approval",
        "approve certificates",
    ),
    (
        &["create", "update", "patch"],
        "apps",
        "daemonsets",
        "create pods by DaemonSets",
    ),
    (
        &["create", "update", "patch"],
        "apps",
        "deployments",
        "create pods by Deployments",
    ),
];

const RBAC: &str = "rbac.authorization.k8s.io";

/// How much a rule is beyond what a node may have, and what it is.
fn grade(rule: &Rule, binding: &Binding) -> Option<(Severity, String)> {
    if rule.grants("*", "*", "*") {
        return Some((Severity::High, "do everything".to_owned()));
    }
    let strong = STRONG.iter().find(|(verbs, group, resource, _)| {
        let mut verbs = verbs.iter();
        verbs.any(|verb| rule.grants(verb, group, resource))
    });
    if let Some((.., what)) = strong {
        let severity = if rule.resource_names.is_empty() {
            Severity::High
        } else {
            Severity::Medium
        };
        return Some((severity, (*what).to_owned()));
    }
    if is_own(rule, binding) {
        return None;
    }
    let verbs: Vec<crate::model::text::Text> = rule.verbs.into();
    let verb = verbs.first().map(ToString::to_string).unwrap_or_default();
    let resource = rule.resources.first();
    let resource = resource.map(ToString::to_string).unwrap_or_default();
    Some((Severity::Low, format!("{verb} {resource}")))
}

/// What nodes need beside the Node authorizer: certificates of their own, one named ConfigMap, and in old clusters the
/// pod security policy of their mirror pods.
fn is_own(rule: &Rule, binding: &Binding) -> bool {
    let all = |own: &[&str]| {
        rule.resources
            .iter()
            .all(|resource| own.contains(&resource.as_str()))
    };
    let groups = |own: &[&str]| {
        rule.api_groups
            .iter()
            .all(|group| own.contains(&group.as_str()))
    };
    let requests = groups(&["certificates.k8s.io"])
        && all(&[
            "certificatesigningrequests",
            "certificatesigningrequests/selfnodeclient",
            "certificatesigningrequests/selfnodeserver",
        ]);
    let configuration = groups(&[""])
        && all(&["configmaps"])
        && !rule.resource_names.is_empty()
        && !binding.namespace.is_empty()
        && !["list", "create", "update", "patch", "delete"]
            .iter()
            .any(|verb| rule.verbs.grants(verb));
    let policies = groups(&["policy", "extensions"]) && all(&["podsecuritypolicies"]);
    // Roles of one namespace are read as far as they lead beyond it.
    requests || configuration || policies
}
