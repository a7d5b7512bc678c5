use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, few, kubectl, offence,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::objects::of_list;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-005"),
    title: "Nobody is bound to the ClusterRole system:node",
    why: "The Node authorizer gives each kubelet what its own pods need; a binding of system:node gives its holders the secrets and pods of all nodes.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::ClusterRoleBindings, Need::RoleBindings],
    helps: &[],
    maps: &[
        Maps::Cis("5.1.3"),
        Maps::Nsa("authentication and authorization"),
        Maps::Source("kubernetes.io: Using Node Authorization, RBAC Node Permissions"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get {resource} {name} -n {ns} -o yaml"),
            by_hand(
                "see first that SP-KUB-007 passes: the Node authorizer has to be on, else kubelets lose their rights; keep a copy of the binding",
            ),
            kubectl("kubectl delete {resource} {name} -n {ns}"),
            kubectl("kubectl get nodes"),
        ],
        restarts: "nothing",
        undo: &[by_hand("kubectl apply the copy of the binding")],
    },
    examples: &[
        (
            "{cluster_role_bindings: [{name: 'system:node', roleKind: ClusterRole, role: 'system:node'}, {name: a, roleKind: ClusterRole, role: view, subjects: [{kind: Group, name: 'system:nodes'}]}], role_bindings: []}",
            "PASS",
        ),
        (
            "{cluster_role_bindings: [{name: nodes, roleKind: ClusterRole, role: 'system:node', subjects: [{kind: Group, name: 'system:nodes'}, {kind: User, name: jo}]}], role_bindings: [{namespace: web, name: n, roleKind: ClusterRole, role: 'system:node', subjects: [{kind: ServiceAccount, namespace: web, name: a}]}]}",
            "FAIL high: group system:nodes, user jo have the rights of all nodes at once; high: service account web/a has the rights of all nodes in the namespace web",
        ),
        (
            "{cluster_role_bindings: [], role_bindings: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

const ROLE: &str = "system:node";

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let objects = &view.snapshot.cluster.objects;
    let mut tally = Tally::new();
    for (need, list, resource) in [
        (
            Need::ClusterRoleBindings,
            &objects.cluster_role_bindings,
            "clusterrolebindings",
        ),
        (Need::RoleBindings, &objects.role_bindings, "rolebindings"),
    ] {
        let Some(seen) = tally.take(list) else {
            continue;
        };
        tally.good(seen.at);
        for (at, binding) in of_list(need, &seen.value) {
            if binding.role_kind != "ClusterRole"
                || binding.role != ROLE
                || binding.subjects.is_empty()
            {
                continue;
            }
            let names: Vec<String> = binding.subjects.iter().map(ToString::to_string).collect();
            let has = if names.len() == 1 { "has" } else { "have" };
            let place = if binding.namespace.is_empty() {
                "of all nodes at once".to_owned()
            } else {
                format!("of all nodes in the namespace {}", binding.namespace)
            };
            tally.offence(offence(
                Subject::object(resource, binding.namespace.as_str(), &binding.name),
                Severity::High,
                format!("{} {has} the rights {place}", few(&names)),
                [at],
            ));
        }
    }
    tally.verdict()
}
