//! What the API server asks, beside Pod Security, before it takes the mirror of a static pod.
//!
//! Lives here: which webhook, policy, quota, limit and priority stands in the way of one pod, and how surely. Never
//! lives here: a verdict. Expressions (CEL) are not evaluated: what is decided by one may refuse, no more is said.

mod from_files;
mod priority;
mod quotas;

use std::collections::BTreeMap;

use super::pairs::Declared;
use crate::checks::check::View;
use crate::model::cluster::Namespace;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::node::NodeFacts;
use crate::model::objects::{
    AdmissionPolicy, AdmissionRule, Objects, PolicyBinding, Selector, WebhookConfiguration,
    label_of, of_list,
};
use crate::model::text::Text;

pub use from_files::from_files;
pub use quotas::bent;

/// How sure it is that something keeps a mirror away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Proven,
    /// It is asked and can.
    Possible,
    /// It does not.
    RuledOut,
    Unknown(Gap),
}

impl Standing {
    /// As it is shown.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Possible => "possible",
            Self::RuledOut => "ruled out",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What a cause is about, in the order in which a reader follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseKind {
    KubeletLog,
    Namespace,
    Reference,
    PodSecurity,
    Webhook,
    Policy,
    Quota,
    Limits,
    Priority,
}

impl CauseKind {
    /// As it is shown in front of the words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KubeletLog => "kubelet's log",
            Self::Namespace => "namespace",
            Self::Reference => "API objects",
            Self::PodSecurity => "Pod Security",
            Self::Webhook => "webhook",
            Self::Policy => "admission policy",
            Self::Quota => "quota",
            Self::Limits => "LimitRange",
            Self::Priority => "priority",
        }
    }
}

/// One thing that can keep a mirror away, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub kind: CauseKind,
    /// A clause without a subject: `the namespace shop does not exist`.
    pub words: String,
    pub standing: Standing,
    pub evidence: Vec<Locator>,
    /// A webhook whose failure is ignored: it refuses only what it was made to refuse.
    pub mild: bool,
    /// What the kubelet's log has where it was this one.
    pub(super) token: Option<String>,
}

impl Cause {
    pub(super) fn new(kind: CauseKind, standing: Standing, words: impl Into<String>) -> Self {
        Self {
            kind,
            words: words.into(),
            standing,
            evidence: Vec::new(),
            mild: false,
            token: None,
        }
    }

    pub(super) fn at(mut self, places: impl IntoIterator<Item = Locator>) -> Self {
        self.evidence.extend(places);
        self
    }

    fn told_as(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }

    pub(super) fn unknown(kind: CauseKind, gap: Gap) -> Self {
        Self::new(kind, Standing::Unknown(gap), "not known")
    }
}

/// One pod that the API server is asked to take.
pub struct Asked<'a> {
    pub pod: &'a Declared<'a>,
    pub namespace: &'a Namespace,
    pub objects: &'a Objects,
    /// Whether it has its mirror already; none where that is not known.
    pub mirrored: Option<bool>,
}

impl<'a> Asked<'a> {
    /// None where the namespace of the pod does not exist.
    ///
    /// # Errors
    /// The gap where namespaces are not known.
    pub fn of(
        node: &NodeFacts,
        view: &'a View<'_>,
        pod: &'a Declared<'a>,
    ) -> Result<Option<Self>, Gap> {
        let cluster = &view.snapshot.cluster;
        let Some((_, namespace)) = cluster.namespace(pod.pod.namespace.as_str())? else {
            return Ok(None);
        };
        let mirrors = node.api.mirrors.get().ok();
        let found = mirrors.map(|list| list.value.iter().any(|one| pod.is_mirrored_by(one)));
        Ok(Some(Self {
            pod,
            namespace,
            objects: &cluster.objects,
            // What could not be listed may be there.
            mirrored: found.filter(|found| *found || node.api.unread.is_none()),
        }))
    }

    /// `namespace/name` of the mirror.
    pub fn names(&self) -> String {
        self.pod.names()
    }

    fn is_selected(&self, namespaces: &Selector, objects: &Selector) -> bool {
        let namespace = self.namespace;
        namespaces.matches(|key| label_of_namespace(namespace, key))
            && objects.matches(|key| label_of(self.pod.pod.metadata(), key))
    }

    /// Everything that is asked; of each kind at least one cause.
    pub fn causes(&self) -> Vec<Cause> {
        let mut all = self.webhooks();
        all.extend(self.policies());
        all.extend(quotas::quotas(self));
        all.extend(quotas::limits(self));
        all.push(priority::priority(self));
        all
    }

    fn webhooks(&self) -> Vec<Cause> {
        let kind = CauseKind::Webhook;
        let mut out = Vec::new();
        let mut seen = Vec::new();
        for (need, list, how) in [
            (
                Need::MutatingWebhooks,
                &self.objects.mutating_webhooks,
                "mutatingwebhookconfiguration",
            ),
            (
                Need::ValidatingWebhooks,
                &self.objects.validating_webhooks,
                "validatingwebhookconfiguration",
            ),
        ] {
            match list.get() {
                Err(gap) => out.push(Cause::unknown(kind, gap)),
                Ok(list) => {
                    seen.push(list.at);
                    for (at, one) in of_list(need, &list.value) {
                        out.extend(self.of_configuration(one, how, at));
                    }
                }
            }
        }
        none_found(out, kind, "no webhook is asked about it", seen)
    }

    fn of_configuration<'s>(
        &'s self,
        configuration: &'s WebhookConfiguration,
        how: &'s str,
        at: Locator,
    ) -> impl Iterator<Item = Cause> + 's {
        let asked = configuration.webhooks.iter().filter(|webhook| {
            covers(&webhook.rules)
                && self.is_selected(&webhook.namespace_selector, &webhook.object_selector)
        });
        asked.map(move |webhook| {
            let (name, of) = (&webhook.name, &configuration.name);
            let standing = if webhook.match_conditions {
                conditions(&format!("the webhook {name} of {how} {of}"))
            } else {
                Standing::Possible
            };
            let mild = webhook.failure_policy == "Ignore";
            let fails = if mild {
                "can refuse it"
            } else {
                "can refuse it, and does where it does not answer"
            };
            let cause = Cause::new(
                CauseKind::Webhook,
                standing,
                format!("the webhook {name} of {how} {of} {fails}"),
            )
            .at([at])
            .told_as(format!("admission webhook \"{name}\""));
            Cause { mild, ..cause }
        })
    }

    fn policies(&self) -> Vec<Cause> {
        let kind = CauseKind::Policy;
        let objects = self.objects;
        let mut out = Vec::new();
        let mut seen = Vec::new();
        for (policies, bindings, need, mutates) in [
            (
                &objects.validating_policies,
                &objects.validating_policy_bindings,
                Need::ValidatingPolicies,
                false,
            ),
            (
                &objects.mutating_policies,
                &objects.mutating_policy_bindings,
                Need::MutatingPolicies,
                true,
            ),
        ] {
            let both = policies
                .get()
                .and_then(|policies| Ok((policies, bindings.get()?)));
            match both {
                Err(gap) => out.push(Cause::unknown(kind, gap)),
                Ok((policies, bindings)) => {
                    seen.extend([policies.at, bindings.at]);
                    for (at, policy) in of_list(need, &policies.value) {
                        out.extend(self.of_policy(policy, &bindings.value, mutates, at));
                    }
                }
            }
        }
        none_found(out, kind, "no admission policy in force covers it", seen)
    }

    fn of_policy(
        &self,
        policy: &AdmissionPolicy,
        bindings: &[PolicyBinding],
        mutates: bool,
        at: Locator,
    ) -> Option<Cause> {
        let is_asked = covers(&policy.rules)
            && !covers(&policy.exclude_rules)
            && self.is_selected(&policy.namespace_selector, &policy.object_selector);
        // One that mutates refuses only where it fails.
        if !is_asked || (mutates && policy.failure_policy == "Ignore") {
            return None;
        }
        let binding = bindings.iter().find(|binding| {
            binding.policy == policy.name
                && (mutates || binding.actions.iter().any(|action| *action == "Deny"))
                && (binding.rules.is_empty() || covers(&binding.rules))
                && self.is_selected(&binding.namespace_selector, &binding.object_selector)
        })?;
        let (name, bound) = (&policy.name, &binding.name);
        let (what, how) = if mutates {
            ("MutatingAdmissionPolicy", "refuses it where it fails")
        } else {
            ("ValidatingAdmissionPolicy", "can refuse it")
        };
        let standing = if policy.match_conditions {
            conditions(&format!("the {what} {name}"))
        } else {
            Standing::Possible
        };
        let words = format!("the {what} {name} (binding {bound}) {how}");
        let cause = Cause::new(CauseKind::Policy, standing, words).at([at]);
        Some(cause.told_as(format!("{what} '{name}'")))
    }
}

/// The label that the API server gives to every namespace counts even where it is not told.
fn label_of_namespace<'n>(namespace: &'n Namespace, key: &str) -> Option<&'n str> {
    let labels: &BTreeMap<Text, Text> = &namespace.labels;
    let own = labels.get(key).map(Text::as_str);
    own.or((key == "kubernetes.io/metadata.name").then_some(namespace.name.as_str()))
}

/// Whether a pod that is made is asked about.
fn covers(rules: &[AdmissionRule]) -> bool {
    rules.iter().any(|rule| rule.covers("", "pods", "CREATE"))
}

fn conditions(who: &str) -> Standing {
    Standing::Unknown(Gap::NeedsHuman {
        question: Text::from(format!(
            "{who} is asked only where its matchConditions hold: do they leave out the group system:nodes?"
        )),
    })
}

/// The causes, or that there is none of the kind.
fn none_found(
    mut causes: Vec<Cause>,
    kind: CauseKind,
    words: &str,
    seen: Vec<Locator>,
) -> Vec<Cause> {
    if causes.is_empty() {
        causes.push(Cause::new(kind, Standing::RuledOut, words).at(seen));
    }
    causes
}
