use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::checks::holders::{Grant, by_binding, grants, nodes};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::objects::Rule;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-017"),
    title: "Only the API server may call kubelets",
    why: "Whoever may get or create nodes/proxy runs commands in every pod of a node by its kubelet, static pods included, without admission and without a line in the audit log.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::ClusterRoles, Need::ClusterRoleBindings],
    helps: &[],
    maps: &[
        Maps::Cis("5.1.10"),
        Maps::Attack("T1609"),
        Maps::Source("kubernetes.io: Kubelet authentication/authorization"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get {resource} {name} -o yaml"),
            by_hand(
                "in the role of that binding replace nodes/proxy by what is used: nodes/metrics and nodes/stats for monitoring, nodes/pods, nodes/healthz and nodes/configz (1.33 and later), nodes/log for logs",
            ),
            kubectl("kubectl auth can-i get nodes --subresource=proxy --as USER"),
        ],
        restarts: "nothing; a program that really needs the right is refused from then on",
        undo: &[by_hand("put nodes/proxy back into the role")],
    },
    examples: &[
        (
            "{cluster_roles: [{name: 'system:kubelet-api-admin', bootstrap: true, rules: [{apiGroups: [''], resources: [nodes/proxy], verbs: ['*']}]}, {name: 'system:controller:generic-garbage-collector', bootstrap: true, rules: [{apiGroups: ['*'], resources: ['*'], verbs: [get, delete]}]}, {name: m, rules: [{apiGroups: [''], resources: [nodes/metrics, nodes/stats], verbs: [get]}, {apiGroups: [''], resources: ['*'], verbs: [list, watch]}]}], \
             cluster_role_bindings: [{name: a, roleKind: ClusterRole, role: 'system:kubelet-api-admin', subjects: [{kind: User, name: kube-apiserver-kubelet-client}]}, {name: g, roleKind: ClusterRole, role: 'system:controller:generic-garbage-collector', subjects: [{kind: ServiceAccount, namespace: kube-system, name: generic-garbage-collector}]}, {name: m, roleKind: ClusterRole, role: m, subjects: [{kind: ServiceAccount, namespace: mon, name: prometheus}]}]}",
            "PASS",
        ),
        (
            "{cluster_roles: [{name: mon, rules: [{apiGroups: [''], resources: [nodes/proxy], verbs: [get]}]}], cluster_role_bindings: [{name: mon, roleKind: ClusterRole, role: mon, subjects: [{kind: ServiceAccount, namespace: mon, name: prometheus}]}]}",
            "FAIL high: service account mon/prometheus may run commands in every pod of nodes by ClusterRole mon (nodes/proxy)",
        ),
        (
            "{cluster_roles: [{name: all, rules: [{apiGroups: ['*'], resources: ['*/proxy'], verbs: ['*']}]}, {name: one, rules: [{apiGroups: [''], resources: [nodes/proxy], resourceNames: [w-1], verbs: [create]}]}, {name: keep, rules: [{apiGroups: [''], resources: [nodes/checkpoint], verbs: [create]}]}, {name: huge, cut: true}], \
             cluster_role_bindings: [{name: all, roleKind: ClusterRole, role: all, subjects: [{kind: Group, name: 'system:authenticated'}]}, {name: keep, roleKind: ClusterRole, role: keep, subjects: [{kind: User, name: jo}]}, {name: one, roleKind: ClusterRole, role: one, subjects: [{kind: User, name: kube-apiserver-kubelet-client}]}]}",
            "FAIL critical: group system:authenticated may run commands in every pod of nodes by ClusterRole all (nodes/proxy); medium: user jo may write the memory of containers to disk on nodes by ClusterRole keep (nodes/checkpoint); high: user kube-apiserver-kubelet-client may run commands in every pod of the node w-1 by ClusterRole one (nodes/proxy); gap: the answer cannot be trusted: ClusterRole huge has more rules than are kept",
        ),
        (
            "{cluster_roles: [], cluster_role_bindings: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

/// A call with GET reaches exec over a websocket; the kubelet has no way to run commands for the other verbs.
fn calls(rule: &Rule) -> bool {
    rule.grants("get", "", "nodes/proxy") || rule.grants("create", "", "nodes/proxy")
}

fn checkpoints(rule: &Rule) -> bool {
    rule.grants("create", "", "nodes/checkpoint")
}

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let objects = &view.snapshot.cluster.objects;
    let grants = grants(objects, |rule| calls(rule) || checkpoints(rule))?;
    let mut tally = Tally::new();
    tally.all_good(&grants.evidence);
    tally.gaps(grants.gaps);
    let foreign = grants
        .all
        .iter()
        .filter(|grant| !grant.is_expected() && !is_api_server(grant));
    for held in by_binding(foreign) {
        let (role, evidence) = (held.grant.role, held.grant.evidence);
        let (severity, message) = if role.rules.iter().any(calls) {
            let severity = if held.everybody {
                Severity::Critical
            } else {
                Severity::High
            };
            let message = format!(
                "{} may run commands in every pod of {} by ClusterRole {} (nodes/proxy)",
                held.who,
                nodes(role, calls),
                role.name
            );
            (severity, message)
        } else {
            let message = format!(
                "{} may write the memory of containers to disk on {} by ClusterRole {} (nodes/checkpoint)",
                held.who,
                nodes(role, checkpoints),
                role.name
            );
            (Severity::Medium, message)
        };
        let subject = Subject::object("clusterrolebindings", "", &held.grant.binding.name);
        tally.offence(offence(subject, severity, message, evidence));
    }
    tally.verdict()
}

/// The user of kubeadm's certificate of the API server towards kubelets, by the role that is made for it.
fn is_api_server(grant: &Grant<'_>) -> bool {
    grant.holder.kind == "User"
        && grant.holder.name == "kube-apiserver-kubelet-client"
        && grant.role.bootstrap
        && grant.role.name == "system:kubelet-api-admin"
}
