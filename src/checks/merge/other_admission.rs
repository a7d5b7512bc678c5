use super::blockers::{Asked, Cause, Standing, bent, from_files};
use super::pairs::{Declarations, Declared, declared, unread};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-006"),
    title: "No other admission can keep a mirror away",
    why: "What refuses a mirror does not stop the static pod: a webhook, a policy or a full quota makes it run where no kubectl sees it.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[
        Need::Manifests,
        Need::MirrorPods,
        Need::Namespaces,
        Need::MutatingWebhooks,
        Need::ValidatingWebhooks,
        Need::ValidatingPolicies,
        Need::ValidatingPolicyBindings,
        Need::MutatingPolicies,
        Need::MutatingPolicyBindings,
        Need::ResourceQuotas,
        Need::LimitRanges,
        Need::PriorityClasses,
    ],
    helps: &[Need::ApiServerFiles],
    maps: &[
        Maps::Attack("T1564"),
        Maps::Source("kubernetes.io: API server bypass risks"),
    ],
    fix: Remediation {
        steps: &[
            kubectl(
                "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings -o wide",
            ),
            kubectl("kubectl get resourcequotas,limitranges -n {ns}"),
            on_node("journalctl -u kubelet --since -1h | grep -F 'Failed creating a mirror pod'"),
            by_hand(
                "leave mirror pods out of what the message names: a namespaceSelector without {ns}, or a matchCondition !('system:nodes' in request.userInfo.groups); for a quota or a LimitRange move the pod to a namespace of its own; for a priority correct the manifest",
            ),
        ],
        restarts: "nothing: the kubelet tries to make the mirror again by itself",
        undo: &[by_hand("put the old selector, quota or manifest back")],
    },
    examples: &[
        (
            "{version: v1.36.1, manifests: [{file: a.yaml, pod: shop/a}], mirrors: [{pod: shop/a-cp-1}], namespaces: {shop: {}}, mutating_webhooks: [], validating_webhooks: [{name: v, webhooks: [{name: not-here, rules: [{apiGroups: ['*'], resources: ['*'], operations: ['*']}], namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [shop]}]}}, {name: not-pods, rules: [{apiGroups: [apps], resources: [deployments], operations: ['*']}]}]}], validating_policies: [{name: p, rules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]}], validating_policy_bindings: [{name: b, policy: p, actions: [Audit]}], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [{namespace: shop, name: q, hard: {pods: '9'}}, {namespace: other, name: q, hard: {pods: '0'}}], limit_ranges: [], priority_classes: []}",
            "PASS",
        ),
        (
            "{version: v1.36.1, manifests: [{file: a.yaml, pod: shop/a}], mirrors: [{pod: shop/a-cp-1}], namespaces: {shop: {}}, mutating_webhooks: [], validating_webhooks: [{name: v, webhooks: [{name: w.example, failurePolicy: Fail, rules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]}]}], validating_policies: [], validating_policy_bindings: [], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [], limit_ranges: [], priority_classes: []}",
            "FAIL medium: the next mirror of shop/a-cp-1 can be kept away: the webhook w.example of validatingwebhookconfiguration v can refuse it, and does where it does not answer",
        ),
        (
            "{version: v1.36.1, manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], namespaces: {shop: {}}, mutating_webhooks: [], validating_webhooks: [], validating_policies: [{name: p, rules: [{apiGroups: [''], resources: [pods], operations: ['*']}]}], validating_policy_bindings: [{name: b, policy: p, actions: [Deny]}], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [], limit_ranges: [], priority_classes: []}",
            "FAIL high: shop/a-cp-1 has no mirror: the ValidatingAdmissionPolicy p (binding b) can refuse it",
        ),
        (
            "{version: v1.36.1, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}]}}}], mirrors: [{pod: shop/a-cp-1}], namespaces: {shop: {}}, mutating_webhooks: [], validating_webhooks: [], validating_policies: [], validating_policy_bindings: [], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [{namespace: shop, name: q, hard: {requests.cpu: '2'}}], limit_ranges: [], priority_classes: []}",
            "PASS",
        ),
        (
            "{version: v1.36.1, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}]}}}], mirrors: [{pod: shop/a-cp-1}], namespaces: {shop: {}}, mutating_webhooks: [], validating_webhooks: [], validating_policies: [], validating_policy_bindings: [], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [{namespace: shop, name: q, hard: {requests.cpu: '1e99'}}], limit_ranges: [], priority_classes: []}",
            "UNKNOWN: the answer cannot be trusted: requests.cpu of the quota q: 1e99",
        ),
        (
            "{version: v1.36.1, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {priority: 7, containers: [{name: c, resources: {limits: {memory: 2Gi}}}]}}}], mirrors: [{pod: shop/a-cp-1}], namespaces: {shop: {}}, mutating_webhooks: [], validating_webhooks: [], validating_policies: [], validating_policy_bindings: [], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [{namespace: shop, name: q, hard: {requests.cpu: '1'}}], limit_ranges: [{namespace: shop, name: l, limits: [{type: Container, max: {memory: 1Gi}}]}], priority_classes: []}",
            "FAIL medium: the next mirror of shop/a-cp-1 can be kept away: the quota q demands requests.cpu of every container, and c has none, the LimitRange l allows a limit of memory of at most 1Gi, and c has 2Gi, spec.priority is 7, and what the API server computes is 0: the number must not be given",
        ),
        (
            "{version: v1.36.1, manifests: [{file: a.yaml, pod: shop/a}], mirrors: [{pod: shop/a-cp-1}], namespaces: {shop: {}}, mutating_webhooks: [], validating_webhooks: [], validating_policies: [], validating_policy_bindings: [], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [], limit_ranges: [{namespace: shop, name: l, limits: [{type: Container, default: {memory: 1Gi}}]}], priority_classes: []}",
            "FAIL low: the LimitRange l writes resources into the mirror of shop/a-cp-1: the kubelet's status is refused, and it stays Pending while the pod runs",
        ),
        (
            "{version: v1.36.1, manifests: [{file: a.yaml, pod: shop/a}], mirrors: [{pod: shop/a-cp-1}], namespaces: {shop: {}}, mutating_webhooks: [{name: m, webhooks: [{name: w.example, matchConditions: true, rules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]}]}], validating_webhooks: [], validating_policies: [], validating_policy_bindings: [], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [], limit_ranges: [], priority_classes: []}",
            "MANUAL: the webhook w.example of mutatingwebhookconfiguration m is asked only where its matchConditions hold: do they leave out the group system:nodes?",
        ),
        (
            "{version: v1.36.1, manifests: [{file: a.yaml, pod: shop/a}], mirrors: [{pod: shop/a-cp-1}], namespaces: {shop: {}}, mutating_webhooks: [], validating_webhooks: [{name: v, webhooks: [{name: w.example, failurePolicy: Ignore, rules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]}]}], validating_policies: [], validating_policy_bindings: [], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: {gap: forbidden}, limit_ranges: [], priority_classes: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [{pod: shop/a-cp-1}], namespaces: {shop: {}}, mutating_webhooks: [], validating_webhooks: [], validating_policies: [], validating_policy_bindings: [], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [], limit_ranges: [], priority_classes: []}",
            "UNKNOWN: not asked for in this run",
        ),
        (
            "{version: v1.37.2, manifests: [{file: k.yaml, pod: {metadata: {name: k, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, --admission-control-config-file=/a]}]}}}], admission: {kind: AdmissionConfiguration, plugins: [{name: ValidatingAdmissionPolicy, configuration: {staticManifestsDir: /etc/kubernetes/admission}}]}, mirrors: [{pod: kube-system/k-cp-1}], namespaces: {kube-system: {}}, mutating_webhooks: [], validating_webhooks: [], validating_policies: [], validating_policy_bindings: [], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [], limit_ranges: [], priority_classes: []}",
            "MANUAL: the API server of cp-1 reads admission from /etc/kubernetes/admission, which is not read here: does anything there refuse mirror pods?",
        ),
        (
            "{version: v1.37.2, manifests: [{file: k.yaml, pod: {metadata: {name: k, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver], resources: {requests: {cpu: 100m}}}]}}}], mirrors: [{pod: kube-system/k-cp-1}], namespaces: {kube-system: {}}, mutating_webhooks: [], validating_webhooks: [], validating_policies: [], validating_policy_bindings: [], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [], limit_ranges: [{namespace: kube-system, name: l, limits: [{type: Pod, max: {cpu: '2'}, min: {cpu: 50m}}]}], priority_classes: []}",
            "FAIL medium: the next mirror of kube-system/k-cp-1 can be kept away: the LimitRange l demands a limit of cpu of at most 2, and the pod has none",
        ),
        (
            "{manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Peers(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let cluster = &view.snapshot.cluster;
    let mirrors = node.api.mirrors.get()?.at;
    let mut tally = Tally::new();
    tally.all_good(&[mirrors, cluster.namespaces.get()?.at]);
    lists(view, &mut tally);
    declared.tell(&mut tally);
    unread(node, &mut tally);
    // Without a static pod there is nothing to keep away.
    if !declared.pods.is_empty()
        && let Standing::Unknown(gap) = from_files(view).standing
    {
        tally.gap(gap);
    }
    pods(node, view, &declared, &mut tally);
    tally.verdict()
}

/// Every list has to be known, also where no pod asks for it yet.
fn lists(view: &View<'_>, tally: &mut Tally) {
    let objects = &view.snapshot.cluster.objects;
    for need in CHECK.needs {
        if let Some(list) = objects.list(*need) {
            match list.gap() {
                Some(gap) => tally.gap(gap.clone()),
                None => tally.good(Locator::list(*need)),
            }
        }
    }
}

fn pods(node: &NodeFacts, view: &View<'_>, declared: &Declarations<'_>, tally: &mut Tally) {
    for pod in &declared.pods {
        // Of a namespace that does not exist: SP-MRG-003.
        match Asked::of(node, view, pod) {
            Ok(Some(asked)) => one(pod, &asked, tally),
            Ok(None) => {}
            Err(gap) => tally.gap(gap),
        }
    }
}

fn one(pod: &Declared<'_>, asked: &Asked<'_>, tally: &mut Tally) {
    let mut found: Vec<Cause> = Vec::new();
    for cause in asked.causes() {
        match &cause.standing {
            Standing::Unknown(gap) => tally.gap(gap.clone()),
            Standing::RuledOut => tally.all_good(&cause.evidence),
            Standing::Possible if cause.mild => {
                tally.note(format!("{}: {}", asked.names(), cause.words));
            }
            Standing::Proven | Standing::Possible => found.push(cause),
        }
    }
    let subject = Subject::pod(&pod.pod.namespace, &pod.mirror_name);
    if let Some((at, range)) = bent(asked) {
        let message = format!(
            "the LimitRange {} writes resources into the mirror of {}: the kubelet's status is refused, and it stays Pending while the pod runs",
            range.name,
            asked.names()
        );
        tally.offence(offence(
            subject.clone(),
            Severity::Low,
            message,
            [pod.at, at],
        ));
    }
    if found.is_empty() {
        return;
    }
    let words: Vec<&str> = found.iter().map(|cause| cause.words.as_str()).collect();
    let words = words.join(", ");
    let (severity, message) = match asked.mirrored {
        Some(false) => (
            Severity::High,
            format!("{} has no mirror: {words}", asked.names()),
        ),
        _ => (
            Severity::Medium,
            format!(
                "the next mirror of {} can be kept away: {words}",
                asked.names()
            ),
        ),
    };
    let places = found
        .iter()
        .flat_map(|cause| cause.evidence.iter().copied());
    let evidence: Vec<Locator> = [pod.at].into_iter().chain(places).collect();
    tally.offence(offence(subject, severity, message, evidence));
}
