use std::collections::BTreeSet;

use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::checks::holders::{Grant, Grants, by_binding, covers, grants, is_everybody};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::objects::{Holder, Rule};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-018"),
    title: "Only controllers approve certificates of the cluster",
    why: "Whoever may approve a certificate signing request of Kubernetes' own signers makes identities of nodes and users at will.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::ClusterRoles, Need::ClusterRoleBindings],
    helps: &[],
    maps: &[
        Maps::Cis("5.1.11"),
        Maps::Attack("T1098"),
        Maps::Source("kubernetes.io: Certificate Signing Requests, Signers"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get clusterrolebindings -o wide"),
            by_hand(
                "take the subject of the finding out of the binding, or name in resourceNames of signers only the signer that it serves; an approver of serving certificates needs kubernetes.io/kubelet-serving and nothing else",
            ),
            kubectl(
                "kubectl auth can-i update certificatesigningrequests --subresource=approval --as USER",
            ),
        ],
        restarts: "nothing; requests that nobody approves stay pending",
        undo: &[by_hand("put the subject back into the binding")],
    },
    examples: &[
        (
            "{cluster_roles: [{name: 'system:controller:certificate-controller', bootstrap: true, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]}, {apiGroups: [certificates.k8s.io], resources: [signers], resourceNames: [kubernetes.io/kube-apiserver-client-kubelet], verbs: [approve]}]}, {name: auto, bootstrap: true, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/nodeclient], verbs: [create]}]}], \
             cluster_role_bindings: [{name: c, roleKind: ClusterRole, role: 'system:controller:certificate-controller', subjects: [{kind: ServiceAccount, namespace: kube-system, name: certificate-controller}]}, {name: a, roleKind: ClusterRole, role: auto, subjects: [{kind: Group, name: 'system:bootstrappers:kubeadm:default-node-token'}]}]}",
            "PASS",
        ),
        (
            "{cluster_roles: [{name: half, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]}]}, {name: own, rules: [{apiGroups: [certificates.k8s.io], resources: [signers], resourceNames: [example.com/one], verbs: [approve]}]}], \
             cluster_role_bindings: [{name: a, roleKind: ClusterRole, role: half, subjects: [{kind: User, name: jo}]}, {name: b, roleKind: ClusterRole, role: own, subjects: [{kind: User, name: jo}]}]}",
            "PASS",
        ),
        (
            "{cluster_roles: [{name: half, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [patch]}]}, {name: other, rules: [{apiGroups: [certificates.k8s.io], resources: [signers], verbs: [approve]}]}, {name: serving, rules: [{apiGroups: [certificates.k8s.io], resources: [signers], resourceNames: [kubernetes.io/kubelet-serving], verbs: [approve]}]}], \
             cluster_role_bindings: [{name: a, roleKind: ClusterRole, role: half, subjects: [{kind: Group, name: 'system:serviceaccounts:ci'}, {kind: User, name: jo}]}, {name: b, roleKind: ClusterRole, role: other, subjects: [{kind: ServiceAccount, namespace: ci, name: runner}]}, {name: c, roleKind: ClusterRole, role: serving, subjects: [{kind: User, name: jo}]}]}",
            "FAIL high: service account ci/runner may approve requests to every signer, by ClusterRoles half and other; medium: user jo may approve requests to kubernetes.io/kubelet-serving, by ClusterRoles half and serving",
        ),
        (
            "{cluster_roles: [{name: auto, rules: [{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/nodeclient], verbs: [create]}]}, {name: huge, cut: true}], cluster_role_bindings: [{name: a, roleKind: ClusterRole, role: auto, subjects: [{kind: Group, name: 'system:authenticated'}]}]}",
            "FAIL critical: requests of group system:authenticated for the identity of any node are approved unseen, by ClusterRole auto; gap: the answer cannot be trusted: ClusterRole huge has more rules than are kept",
        ),
        (
            "{cluster_roles: {gap: forbidden}, cluster_role_bindings: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

const GROUP: &str = "certificates.k8s.io";
const SERVING: &str = "kubernetes.io/kubelet-serving";

fn approves(rule: &Rule) -> bool {
    let resource = "certificatesigningrequests/approval";
    rule.grants("update", GROUP, resource) || rule.grants("patch", GROUP, resource)
}

/// A rule for one of Kubernetes' own signers.
fn signs(rule: &Rule) -> bool {
    let own = |name: &Text| name.as_str().starts_with("kubernetes.io/");
    rule.grants("approve", GROUP, "signers")
        && (rule.resource_names.is_empty() || rule.resource_names.iter().any(own))
}

fn is_automatic(rule: &Rule) -> bool {
    rule.grants("create", GROUP, "certificatesigningrequests/nodeclient")
}

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let objects = &view.snapshot.cluster.objects;
    let approvals = grants(objects, approves)?;
    let signers = grants(objects, signs)?;
    let automatic = grants(objects, is_automatic)?;
    let mut tally = Tally::new();
    tally.all_good(&approvals.evidence);
    both(&approvals, &signers, &mut tally);
    let joins = |grant: &&Grant<'_>| {
        let holder = grant.holder;
        let tokens = holder.name == "system:bootstrappers"
            || holder.name.as_str().starts_with("system:bootstrappers:");
        !(grant.is_expected() || holder.kind == "Group" && tokens)
    };
    for held in by_binding(automatic.all.iter().filter(joins)) {
        let severity = if held.everybody {
            Severity::Critical
        } else {
            Severity::High
        };
        tally.offence(offence(
            Subject::object("clusterrolebindings", "", &held.grant.binding.name),
            severity,
            format!(
                "requests of {} for the identity of any node are approved unseen, by ClusterRole {}",
                held.who, held.grant.role.name
            ),
            held.grant.evidence,
        ));
    }
    for grants in [approvals, signers, automatic] {
        tally.gaps(grants.gaps);
    }
    tally.verdict()
}

/// Those who have both halves of the right, from whichever roles.
fn both(approvals: &Grants<'_>, signers: &Grants<'_>, tally: &mut Tally) {
    let all = approvals.all.iter().chain(&signers.all);
    let holders: BTreeSet<&Holder> = all.map(|grant| grant.holder).collect();
    for holder in holders {
        let approval = approvals
            .all
            .iter()
            .find(|grant| covers(grant.holder, holder));
        let mine = || {
            signers
                .all
                .iter()
                .filter(|grant| covers(grant.holder, holder))
        };
        let signer = mine()
            .find(|grant| !only_serving(grant))
            .or_else(|| mine().next());
        let (Some(approval), Some(signer)) = (approval, signer) else {
            continue;
        };
        if approval.is_expected() && mine().all(Grant::is_expected) {
            continue;
        }
        let severity = match (is_everybody(holder), only_serving(signer)) {
            (true, _) => Severity::Critical,
            (false, true) => Severity::Medium,
            (false, false) => Severity::High,
        };
        let roles = if approval.role.name == signer.role.name {
            format!("by ClusterRole {}", signer.role.name)
        } else {
            format!(
                "by ClusterRoles {} and {}",
                approval.role.name, signer.role.name
            )
        };
        let evidence: BTreeSet<Locator> = [approval.evidence, signer.evidence]
            .into_iter()
            .flatten()
            .collect();
        tally.offence(offence(
            Subject::new(SubjectKind::Setting, format!("approval by {holder}")),
            severity,
            format!(
                "{holder} may approve requests to {}, {roles}",
                which(signer)
            ),
            evidence,
        ));
    }
}

/// The signers that a grant opens.
fn names<'g>(grant: &'g Grant<'_>) -> Option<BTreeSet<&'g str>> {
    let rules = || grant.role.rules.iter().filter(|rule| signs(rule));
    if rules().any(|rule| rule.resource_names.is_empty()) {
        return None;
    }
    let names = rules().flat_map(|rule| &rule.resource_names);
    Some(names.map(Text::as_str).collect())
}

fn which(grant: &Grant<'_>) -> String {
    match names(grant) {
        None => "every signer".to_owned(),
        Some(names) => names.into_iter().take(3).collect::<Vec<_>>().join(", "),
    }
}

fn only_serving(grant: &Grant<'_>) -> bool {
    names(grant).is_some_and(|names| {
        let mut own = names
            .iter()
            .filter(|name| name.starts_with("kubernetes.io/"));
        own.all(|name| *name == SERVING)
    })
}
