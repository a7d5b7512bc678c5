use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::checks::holders::{by_binding, grants, nodes};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::objects::Rule;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-012"),
    title: "Only administrators can change nodes",
    why: "Whoever may patch nodes takes the taint off a control plane or a dedicated pool, and any pod can land there.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::ClusterRoles, Need::ClusterRoleBindings],
    helps: &[],
    maps: &[
        Maps::Cis("5.1.3"),
        Maps::Attack("T1098"),
        Maps::Source("CVE-2025-5187, the same by a node that deletes itself"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get {resource} {name} -o yaml"),
            by_hand(
                "bind the subject of the finding to a role without patch and update on nodes; where it only labels nodes, let an administrator do that. Autoscalers and some network plugins need the right: waive those by name",
            ),
            kubectl("kubectl auth can-i patch nodes --as USER"),
        ],
        restarts: "nothing",
        undo: &[by_hand("bind the former role again")],
    },
    examples: &[
        (
            "{cluster_roles: [{name: cluster-admin, bootstrap: true, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}, {name: 'system:controller:node-controller', bootstrap: true, rules: [{apiGroups: [''], resources: [nodes], verbs: [patch, update]}]}], cluster_role_bindings: [{name: cluster-admin, roleKind: ClusterRole, role: cluster-admin, subjects: [{kind: Group, name: 'system:masters'}]}, {name: c, roleKind: ClusterRole, role: 'system:controller:node-controller', subjects: [{kind: ServiceAccount, namespace: kube-system, name: node-controller}]}]}",
            "PASS",
        ),
        (
            "{cluster_roles: [{name: labeller, rules: [{apiGroups: [''], resources: [nodes], verbs: [get, patch]}]}], cluster_role_bindings: [{name: labeller, roleKind: ClusterRole, role: labeller, subjects: [{kind: ServiceAccount, namespace: tools, name: labeller}]}]}",
            "FAIL medium: service account tools/labeller may change nodes by ClusterRole labeller",
        ),
        (
            "{cluster_roles: [{name: ops, rules: [{apiGroups: ['*'], resources: ['*'], verbs: [update]}]}, {name: huge, cut: true}], cluster_role_bindings: [{name: ops, roleKind: ClusterRole, role: ops, subjects: [{kind: Group, name: ops}, {kind: User, name: jo}]}]}",
            "FAIL medium: group ops, user jo may change nodes by ClusterRole ops; gap: the answer cannot be trusted: ClusterRole huge has more rules than are kept",
        ),
        (
            "{cluster_roles: [{name: own, rules: [{apiGroups: [''], resources: [nodes], resourceNames: [cp-1, cp-2], verbs: [patch]}]}], cluster_role_bindings: [{name: own, roleKind: ClusterRole, role: own, subjects: [{kind: User, name: jo}]}]}",
            "FAIL medium: user jo may change the 2 nodes cp-1, cp-2 by ClusterRole own",
        ),
        (
            "{cluster_roles: [{name: status, rules: [{apiGroups: [''], resources: [nodes/status], verbs: [patch]}]}], cluster_role_bindings: [{name: status, roleKind: ClusterRole, role: status, subjects: [{kind: Group, name: ops}]}]}",
            "PASS",
        ),
        (
            "{cluster_roles: {gap: forbidden}, cluster_role_bindings: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let changes =
        |rule: &Rule| rule.grants("patch", "", "nodes") || rule.grants("update", "", "nodes");
    let grants = grants(&view.snapshot.cluster.objects, changes)?;
    let mut tally = Tally::new();
    tally.all_good(&grants.evidence);
    tally.gaps(grants.gaps);
    let foreign = grants.all.iter().filter(|grant| !grant.is_expected());
    for held in by_binding(foreign) {
        let grant = held.grant;
        tally.offence(offence(
            Subject::object("clusterrolebindings", "", &grant.binding.name),
            Severity::Medium,
            format!(
                "{} may change {} by ClusterRole {}",
                held.who,
                nodes(grant.role, changes),
                grant.role.name
            ),
            grant.evidence,
        ));
    }
    tally.verdict()
}
