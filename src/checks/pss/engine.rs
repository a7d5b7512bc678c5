use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::objects::{AdmissionRule, of_list};
use crate::model::verdict::{Offence, Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PSS-009"),
    title: "A policy engine looks at pods beside Pod Security",
    why: "Pod Security knows three levels and no site's own rules; an engine has them, but sees the mirror of a static pod only after the pod runs.",
    severity: Severity::Info,
    since: "0.3.0",
    needs: &[
        Need::ValidatingWebhooks,
        Need::ValidatingPolicies,
        Need::ValidatingPolicyBindings,
    ],
    helps: &[Need::CustomResources],
    maps: &[Maps::Cis("5.2.1")],
    fix: Remediation {
        steps: &[
            kubectl(
                "kubectl get validatingwebhookconfigurations,validatingadmissionpolicybindings",
            ),
            by_hand(
                "write the site's rules for pods as a ValidatingAdmissionPolicy, which needs nothing installed, and bind it with the action Audit first: a binding that denies mirror pods hides static pods",
            ),
        ],
        restarts: "nothing",
        undo: &[by_hand("delete the binding of the policy")],
    },
    examples: &[
        (
            "{validating_webhooks: [{name: kyverno-resource-validating-webhook-cfg, webhooks: [{name: validate.kyverno.svc-fail, rules: [{apiGroups: [''], resources: [pods], operations: [CREATE, UPDATE]}]}]}], validating_policies: [], validating_policy_bindings: [], custom_resources: []}",
            "PASS: webhook kyverno-resource-validating-webhook-cfg is asked about pods; it cannot stop a static pod, what it refuses is the mirror",
        ),
        (
            "{validating_webhooks: [], validating_policies: [{name: site, rules: [{apiGroups: ['*'], resources: ['*'], operations: ['*']}]}], validating_policy_bindings: [{name: site, policy: site, actions: [Deny]}], custom_resources: []}",
            "PASS: policy site is asked about pods; it cannot stop a static pod, what it refuses is the mirror",
        ),
        (
            "{validating_webhooks: [{name: certs, webhooks: [{name: c, rules: [{apiGroups: [cert-manager.io], resources: ['*'], operations: ['*']}]}]}], validating_policies: [{name: site, rules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]}], validating_policy_bindings: [], custom_resources: []}",
            "FAIL info: no webhook and no policy in force is asked when a pod is created",
        ),
        (
            "{validating_webhooks: [], validating_policies: [], validating_policy_bindings: [], custom_resources: [{name: constrainttemplates.templates.gatekeeper.sh}]}",
            "FAIL info: no webhook and no policy in force is asked when a pod is created, although constrainttemplates.templates.gatekeeper.sh is installed",
        ),
        (
            "{validating_webhooks: {gap: forbidden}, validating_policies: [], validating_policy_bindings: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

/// Kinds that engines bring along.
const KINDS: &[&str] = &[
    "clusteradmissionpolicies.policies.kubewarden.io",
    "clusterpolicies.kyverno.io",
    "constrainttemplates.templates.gatekeeper.sh",
    "validatingpolicies.policies.kyverno.io",
];

/// As many engines as are named.
const NAMED: usize = 3;

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let objects = &view.snapshot.cluster.objects;
    let webhooks = objects.validating_webhooks.get()?;
    let policies = objects.validating_policies.get()?;
    let bindings = objects.validating_policy_bindings.get()?;
    let mut tally = Tally::new();
    let lists = [webhooks.at, policies.at, bindings.at];
    tally.all_good(&lists);
    let asked =
        |rules: &[AdmissionRule]| rules.iter().any(|rule| rule.covers("", "pods", "CREATE"));
    let mut engines: Vec<(String, Locator)> = Vec::new();
    for (at, configuration) in of_list(Need::ValidatingWebhooks, &webhooks.value) {
        if configuration
            .webhooks
            .iter()
            .any(|webhook| asked(&webhook.rules))
        {
            engines.push((format!("webhook {}", configuration.name), at));
        }
    }
    for (at, policy) in of_list(Need::ValidatingPolicies, &policies.value) {
        let mut bound = bindings
            .value
            .iter()
            .filter(|binding| binding.policy == policy.name);
        if asked(&policy.rules) && bound.any(|binding| !binding.actions.is_empty()) {
            engines.push((format!("policy {}", policy.name), at));
        }
    }
    if engines.is_empty() {
        tally.offence(nobody(view, &lists));
        return tally.verdict();
    }
    tally.note(told(&engines));
    for (_, at) in engines {
        tally.good(at);
    }
    tally.verdict()
}

fn told(engines: &[(String, Locator)]) -> String {
    let shown = engines.iter().take(NAMED).map(|(name, _)| name.as_str());
    let shown: Vec<&str> = shown.collect();
    let more = engines.len() - shown.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let rest = if engines.len() == 1 {
        "is asked about pods; it cannot stop a static pod, what it refuses is the mirror"
    } else {
        "are asked about pods; none can stop a static pod, what they refuse is the mirror"
    };
    format!("{}{more} {rest}", shown.join(", "))
}

fn nobody(view: &View<'_>, lists: &[Locator]) -> Offence {
    let mut message = "no webhook and no policy in force is asked when a pod is created".to_owned();
    let kinds = view.snapshot.cluster.objects.custom_resources.get().ok();
    let mut names = kinds.iter().flat_map(|kinds| kinds.value.iter());
    if let Some(kind) = names.find(|kind| KINDS.contains(&kind.name.as_str())) {
        message.push_str(&format!(", although {} is installed", kind.name));
    }
    let subject = Subject::setting("admission of pods");
    offence(subject, Severity::Info, message, lists.iter().copied())
}
