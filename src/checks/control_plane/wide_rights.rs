use super::powers::{is_api_server, powers};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::checks::holders::{Held, by_binding, grants};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-016"),
    title: "Nobody but administrators has rights over all",
    why: "Each of these rights leads to all others: who may make pods, tokens or webhooks, or bind roles, becomes whoever he wants.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::ClusterRoles, Need::ClusterRoleBindings],
    helps: &[],
    maps: &[
        Maps::Cis("5.1.1"),
        Maps::Cis("5.1.3"),
        Maps::Cis("5.1.4"),
        Maps::Cis("5.1.8"),
        Maps::Cis("5.1.12"),
        Maps::Cis("5.1.13"),
        Maps::Attack("T1078"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get clusterrolebinding {name} -o yaml"),
            by_hand(
                "narrow the role to the resources and verbs that its holder uses, or bind it by a RoleBinding in the namespaces where it is needed; what an addon brings along is changed in its chart",
            ),
        ],
        restarts: "nothing; whoever used the right is refused from then on",
        undo: &[by_hand(
            "apply the role or the binding as it was: keep the output of the first command",
        )],
    },
    examples: &[
        (
            "{cluster_roles: [{name: r, rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}], cluster_role_bindings: [{name: b, roleKind: ClusterRole, role: r, subjects: [{kind: ServiceAccount, namespace: shop, name: bot}]}]}",
            "PASS",
        ),
        (
            "{cluster_roles: [{name: r, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}], cluster_role_bindings: [{name: b, roleKind: ClusterRole, role: r, subjects: [{kind: Group, name: system:masters}]}]}",
            "PASS",
        ),
        (
            "{cluster_roles: [{name: r, rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}], cluster_role_bindings: [{name: b, roleKind: ClusterRole, role: r, subjects: [{kind: ServiceAccount, namespace: shop, name: bot}]}]}",
            "FAIL medium: service account shop/bot may do everything",
        ),
        (
            "{cluster_roles: [{name: r, rules: [{apiGroups: [''], resources: [pods, serviceaccounts/token], verbs: [create]}]}], cluster_role_bindings: [{name: b, roleKind: ClusterRole, role: r, subjects: [{kind: ServiceAccount, namespace: shop, name: bot}, {kind: User, name: eve}]}]}",
            "FAIL medium: service account shop/bot, user eve may create pods, create tokens of service accounts",
        ),
        (
            "{cluster_roles: [{name: r, rules: [{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind, escalate]}]}], cluster_role_bindings: [{name: b, roleKind: ClusterRole, role: r, subjects: [{kind: Group, name: ops}]}]}",
            "FAIL medium: group ops may raise rights of roles, bind roles",
        ),
        (
            "{cluster_roles: [{name: r, rules: [{apiGroups: [own.io], resources: ['*'], verbs: ['*']}]}], cluster_role_bindings: [{name: b, roleKind: ClusterRole, role: r, subjects: [{kind: ServiceAccount, namespace: shop, name: bot}]}]}",
            "PASS",
        ),
        (
            "{cluster_roles: [{name: r, rules: [{apiGroups: [''], resources: ['*'], verbs: [get]}]}], cluster_role_bindings: [{name: b, roleKind: ClusterRole, role: r, subjects: [{kind: ServiceAccount, namespace: shop, name: bot}]}]}",
            "FAIL medium: service account shop/bot may use wildcards",
        ),
        (
            "{cluster_roles: [{name: r, rules: [{apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], verbs: [update]}]}], cluster_role_bindings: [{name: b, roleKind: ClusterRole, role: r, subjects: [{kind: ServiceAccount, namespace: shop, name: bot}]}]}",
            "FAIL medium: service account shop/bot may change webhooks",
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
    let found = grants(&view.snapshot.cluster.objects, |rule| {
        !powers(rule).is_empty()
    })?;
    let mut tally = Tally::new();
    tally.all_good(&found.evidence);
    tally.gaps(found.gaps);
    let all = found.all.iter();
    let all = all.filter(|grant| !grant.is_expected() && !is_api_server(grant));
    for held in by_binding(all) {
        let Held { who, grant, .. } = held;
        let mut may: Vec<&str> = Vec::new();
        for power in grant.role.rules.iter().flat_map(powers) {
            if !may.contains(&power) {
                may.push(power);
            }
        }
        if may.contains(&"do everything") {
            may = vec!["do everything"];
        }
        tally.offence(offence(
            Subject::object("clusterrolebindings", "", &grant.binding.name),
            Severity::Medium,
            format!("{who} may {}", may.join(", ")),
            grant.evidence,
        ));
    }
    tally.verdict()
}
