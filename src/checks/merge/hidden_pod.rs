use super::blockers::Cause;
use super::pairs::{Declared, declared, is_unnamed};
use super::settle::{changed, kubelet_started, settled, together, window};
use super::why::{in_short, proof, why};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, comparing, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Offence, Severity, Side3, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-001"),
    title: "Every static pod shows as a mirror pod",
    why: "A static pod without a mirror runs as root where no kubectl, no admission and no policy ever sees it.",
    severity: Severity::Critical,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::MirrorPods],
    helps: &[
        Need::Identity,
        Need::KubeletConfig,
        Need::RuntimePods,
        Need::NodeObject,
        Need::PodUids,
        Need::KubeletLog,
        Need::Namespaces,
        Need::ApiServerFiles,
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
    maps: &[
        Maps::Ms("MS-TA9017"),
        Maps::Attack("T1036"),
        Maps::Source("kubernetes.io: API server bypass risks"),
    ],
    fix: Remediation {
        steps: &[
            on_node("ls -l {path}"),
            on_node(
                "journalctl -u kubelet --since -1h | grep -e 'Failed creating a mirror pod' -e 'static pods may not reference' -e 'Pod admission denied'",
            ),
            kubectl("kubectl get namespaces"),
            by_hand(
                "if the pod is wanted, remove the cause that the kubelet names (missing namespace, Pod Security, quota, a reference to an API object); if nobody knows it, keep a copy as evidence and go on",
            ),
            on_node("mv {path} /root/"),
        ],
        restarts: "nothing while the cause is mended; moving the file stops its pod within 20 s",
        undo: &[on_node("mv /root/{file} {dir}/")],
    },
    examples: &[
        (
            "{manifests: [{file: web.yaml, pod: shop/web}], mirrors: [{pod: shop/web-cp-1}]}",
            "PASS",
        ),
        ("{manifests: [], mirrors: []}", "PASS"),
        (
            "{manifests: [{file: ghost.yaml, pod: nowhere/ghost}], mirrors: [], kubelet: {}, clock: 1000, runtime: [{uid: 8e1f, pids: 2, log: nowhere/ghost-cp-1}]}",
            "FAIL critical: nowhere/ghost-cp-1 runs without a mirror pod",
        ),
        (
            "{manifests: [{file: ghost.yaml, pod: nowhere/ghost}], mirrors: [], kubelet: {}, clock: 1000}",
            "FAIL critical: nowhere/ghost-cp-1 has no mirror pod; whether it runs is not known",
        ),
        (
            "{manifests: [{file: ghost.yaml, pod: nowhere/ghost}], mirrors: [], kubelet: {}, clock: 1000, runtime: []}",
            "FAIL high: nowhere/ghost-cp-1 has no mirror pod, and nothing of it runs: the kubelet refuses it",
        ),
        (
            "{manifests: [{file: ghost.yaml, pod: nowhere/ghost}], mirrors: [], kubelet: {}, clock: 1000, runtime: [{uid: 8e1f}, {uid: u1}], pods: [{pod: a/b, uid: u1}]}",
            "FAIL critical: nowhere/ghost-cp-1 has no mirror pod; whether it runs is not known",
        ),
        (
            "{manifests: [{file: ghost.yaml, pod: nowhere/ghost}], mirrors: [], namespaces: {}, kubelet: {}, clock: 1000, runtime: [{uid: 8e1f, log: nowhere/ghost-cp-1}]}",
            "FAIL critical: nowhere/ghost-cp-1 runs without a mirror pod; cause: the namespace nowhere does not exist",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], namespaces: {shop: {}}, kubelet: {}, clock: 1000, runtime: [{uid: 8e1f, log: shop/a-cp-1}], mutating_webhooks: [], validating_webhooks: [{name: guard, webhooks: [{name: pods.guard.example, failurePolicy: Fail, rules: [{apiGroups: [''], resources: [pods], operations: ['*']}]}]}], resource_quotas: [{namespace: shop, name: few, hard: {pods: '9'}, used: {pods: '3'}}], limit_ranges: []}",
            "FAIL critical: shop/a-cp-1 runs without a mirror pod; possible: the webhook pods.guard.example of validatingwebhookconfiguration guard can refuse it, and does where it does not answer",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], namespaces: {shop: {}}, kubelet: {}, clock: 1000, runtime: [{uid: 8e1f, log: shop/a-cp-1}], resource_quotas: [{namespace: shop, name: few, hard: {pods: '3'}, used: {pods: '3'}}]}",
            "FAIL critical: shop/a-cp-1 runs without a mirror pod; cause: the quota few is full (pods 3 of 3)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], namespaces: {shop: {}}, kubelet: {}, clock: 1000, runtime: [{uid: 8e1f, log: shop/a-cp-1}], kubelet_log: [{at: 990, text: 'E1124 kubelet.go:1] \"Failed creating a mirror pod\" err=\"admission webhook \\\"w.example\\\" denied the request: no\" pod=\"shop/a-cp-1\"'}], validating_webhooks: [{name: v, webhooks: [{name: w.example, failurePolicy: Ignore, rules: [{apiGroups: ['*'], resources: ['*'], operations: [CREATE]}]}, {name: other.example, rules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]}]}], mutating_webhooks: []}",
            "FAIL critical: shop/a-cp-1 runs without a mirror pod; cause: the webhook w.example of validatingwebhookconfiguration v can refuse it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], mirrors: [], kubelet: {}, clock: 1000, runtime: [{uid: 8e1f, log: shop/a-cp-1}], kubelet_log: [{at: 990, text: 'E1124 \"Failed creating a mirror pod\" err=\"something new\" pod=\"shop/a-cp-1\"'}]}",
            "FAIL critical: shop/a-cp-1 runs without a mirror pod; cause: the kubelet says: something new",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {hostPID: true}}}], mirrors: [], namespaces: {shop: {enforce: baseline}}, kubelet: {}, clock: 1000, runtime: [{uid: 8e1f, log: shop/a-cp-1}]}",
            "FAIL critical: shop/a-cp-1 runs without a mirror pod; possible: the namespace shop enforces Pod Security baseline:latest, and it breaks hostNamespaces",
        ),
        (
            "{manifests: [{file: new.yaml, pod: shop/new, ctime: 990}], mirrors: [], kubelet: {}, clock: 1000, runtime: []}",
            "UNKNOWN: the kubelet may still act for 30 s",
        ),
        (
            "{manifests: [{file: new.yaml, pod: shop/new}], mirrors: [], kubelet: {started: 995, fileCheckFrequency: 1m}, clock: 1000}",
            "UNKNOWN: the kubelet may still act for 75 s",
        ),
        (
            "{manifests: [{file: touched.yaml, pod: shop/old, ctime: 999}], mirrors: [], kubelet: {}, clock: 1000, runtime: [{uid: 8e1f, log: shop/old-cp-1, started: 200}]}",
            "FAIL critical: shop/old-cp-1 runs without a mirror pod",
        ),
        (
            "{manifests: [{file: web.yaml, pod: shop/web}], mirrors: [], kubelet: {stopped: true}, clock: 1000, runtime: []}",
            "UNKNOWN: the kubelet does not act: no kubelet process on the node",
        ),
        (
            "{manifests: [{file: web.yaml, pod: shop/web}], mirrors: [], kubelet: {}, clock: 1000, runtime: [], object: {ready: Unknown}}",
            "UNKNOWN: the kubelet does not act: it no longer reports to the API server",
        ),
        (
            "{manifests: [{file: web.yaml, pod: shop/web}], mirrors: [], unread: forbidden, kubelet: {}, clock: 1000, runtime: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{manifests: [{file: web.yaml, pod: shop/web}], mirrors: [], gone: [{pod: shop/web-cp-1, uid: u1}], kubelet: {}, clock: 1000, runtime: []}",
            "UNKNOWN: the kubelet may still act for 40 s",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, uid: rooted}, spec: {}}}], mirrors: [], kubelet: {}, clock: 1000, runtime: [{uid: rooted}]}",
            "FAIL critical: default/a-cp-1 runs without a mirror pod",
        ),
        (
            "{manifests: [{file: a.yaml, broken: no}, {file: b.yaml, unread: denied}], mirrors: []}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: a/a}], mirrors: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Peers(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let mirrors = node.api.mirrors.get()?;
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    tally.good(mirrors.at);
    for pod in &declared.pods {
        if !mirrors
            .value
            .iter()
            .any(|mirror| pod.is_mirrored_by(mirror))
        {
            let outcome = hidden((node, view), pod, mirrors.at);
            tally.part(pod.at, outcome.map(Some));
        }
    }
    tally.verdict()
}

/// What is known of the pod at run time.
#[derive(Clone, Copy)]
enum Runs {
    Since(Option<i64>),
    No,
    NotKnown,
}

/// A pod without a mirror: an offence once the kubelet had its time.
fn hidden(
    (node, view): (&NodeFacts, &View<'_>),
    pod: &Declared<'_>,
    mirrors: Locator,
) -> Result<Offence, Gap> {
    if let Some(gap) = &node.api.unread {
        return Err(gap.clone());
    }
    together(node)?;
    let limit = window(node);
    // The mirror was there after the node was read: the kubelet took it away, or is about to make it anew.
    if node.api.gone.iter().any(|id| pod.is_named(id)) {
        return Err(Gap::Settling { left: limit });
    }
    let runs = runs(node, pod);
    // What has run long enough is proof by itself: touching the file does not start the time again.
    let proven = match runs {
        Runs::Since(Some(started)) => settled(node, limit, [Some(started)]).is_ok(),
        _ => false,
    };
    if !proven {
        let started = kubelet_started(node)?;
        settled(node, limit, [Some(started), changed(&pod.manifest.walk)])?;
    }
    Ok(told(node, &why(node, view, pod), runs, (pod, mirrors)))
}

fn told(
    node: &NodeFacts,
    causes: &[Cause],
    runs: Runs,
    (pod, mirrors): (&Declared<'_>, Locator),
) -> Offence {
    let names = pod.names();
    let (severity, message, runtime) = match runs {
        Runs::Since(_) => (
            Severity::Critical,
            format!("{names} runs without a mirror pod"),
            Side3::Value(Text::from(&names)),
        ),
        Runs::No => (
            Severity::High,
            format!("{names} has no mirror pod, and nothing of it runs: the kubelet refuses it"),
            Side3::Absent,
        ),
        Runs::NotKnown => (
            Severity::Critical,
            format!("{names} has no mirror pod; whether it runs is not known"),
            Side3::Unasked,
        ),
    };
    let row = Comparison {
        field: Text::new("pod"),
        manifest: Side3::Value(Text::from(names)),
        mirror: Side3::Absent,
        runtime,
    };
    let runtime = node.host.runtime_pods.get().ok().map(|seen| seen.at);
    let evidence = [pod.at, mirrors].into_iter().chain(runtime);
    let subject = Subject::path(&pod.manifest.file);
    let message = format!("{message}{}", in_short(causes));
    let evidence = evidence.chain(proof(causes));
    comparing(offence(subject, severity, message, evidence), vec![row])
}

fn runs(node: &NodeFacts, pod: &Declared<'_>) -> Runs {
    let Ok(runtime) = node.host.runtime_pods.get() else {
        return Runs::NotKnown;
    };
    let live = pod.running(&runtime.value);
    match live.iter().map(|pod| pod.started).min() {
        Some(started) => Runs::Since(started),
        None if runtime.value.hidepid
            || runtime.value.pods.iter().any(|pod| is_unnamed(node, pod)) =>
        {
            Runs::NotKnown
        }
        None => Runs::No,
    }
}
