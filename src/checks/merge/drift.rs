use super::compare::{compare, differing, shortened};
use super::pairs::{Declared, both, mirrors};
use super::settle::{changed, comparable, grace, settled, window};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, comparing, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Mirror;
use crate::model::verdict::{Comparison, Offence, Severity, Side3, Subject, Verdict};

/// As many rows as a finding carries.
const ROWS: usize = 60;

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-007"),
    title: "Mirror pods say what their manifests say",
    why: "A mirror can be edited by anyone who may patch pods, and a manifest by anyone on the node: where they differ, what kubectl shows is not what runs.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::MirrorPods],
    helps: &[Need::Identity, Need::KubeletConfig],
    maps: &[Maps::Attack("T1036"), Maps::Attack("T1565.001")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get pod -n {ns} {pod} -o yaml --show-managed-fields"),
            on_node("ls -l --time-style=full-iso /etc/kubernetes/manifests"),
            by_hand(
                "if the manifest is right, delete the mirror: the kubelet makes it anew from what it runs. If the manifest was changed by nobody you know, put the last reviewed version back first",
            ),
            kubectl("kubectl delete pod -n {ns} {pod}"),
        ],
        restarts: "nothing: deleting a mirror stops no container, the copy is back within seconds. Touching the manifest does not renew it",
        undo: &[by_hand("none needed: the kubelet makes the mirror anew")],
    },
    examples: &[
        (
            "{manifests: [{file: web.yaml, pod: shop/web}], mirrors: [{pod: shop/web-cp-1}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: web.yaml, pod: shop/web}], mirrors: []}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r/a:1', args: [--x=1, --y]}]}}}], \
             mirrors: [{pod: {metadata: {name: a-cp-1}, spec: {containers: [{name: c, image: 'r/a:1', args: [--x=2, --y]}]}}}], clock: 1000}",
            "FAIL high: default/a-cp-1 differs from its manifest in 1 field: spec.containers[c].args[0] is --x=2, the manifest says --x=1",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r/a:1'}]}}}], \
             mirrors: [{pod: {metadata: {name: a-cp-1}, spec: {hostPID: true, containers: [{name: c, image: 'r/a:2'}]}}}], clock: 1000}",
            "FAIL high: default/a-cp-1 differs from its manifest in 2 fields: spec.hostPID is true, the manifest has none",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, image: 'r/a:1'}]}}}], \
             mirrors: [{pod: {metadata: {name: a-cp-1}, spec: {containers: [{name: c, image: 'r/a:1', imagePullPolicy: Always, resources: {limits: {cpu: 1}}}]}}}], clock: 1000}",
            "FAIL low: admission mutation of default/a-cp-1 in 3 fields: spec.containers[c].imagePullPolicy is Always, the manifest says IfNotPresent",
        ),
        (
            "{manifests: [{file: a.yaml, ctime: 990, pod: a/a}], mirrors: [{pod: {metadata: {namespace: a, name: a-cp-1}, spec: {}}}], clock: 1000}",
            "UNKNOWN: the kubelet may still act for 60 s",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostPID: true}}}, {file: a.yaml.bak, pod: {metadata: {name: a}, spec: {}}}], \
             mirrors: [{pod: {metadata: {name: a-cp-1}, spec: {}}}], clock: 1000}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, unread: denied}], mirrors: [{pod: a/a-cp-1}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [], mirrors: {gap: api}}",
            "UNKNOWN: the API server did not answer: connection refused",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let (declared, list, mut tally) = both(node)?;
    for (at, mirror) in mirrors(list) {
        let pods = declared.pods.iter();
        let files: Vec<&Declared<'_>> = pods.filter(|pod| pod.is_mirrored_by(mirror)).collect();
        tally.part(at, drift((node, view), &files, mirror, at));
    }
    tally.verdict()
}

/// The difference to the nearest of the files that declare the pod: which of several counts is SP-MRG-011's.
fn drift(
    (node, view): (&NodeFacts, &View<'_>),
    files: &[&Declared<'_>],
    mirror: &Mirror,
    at: Locator,
) -> Result<Option<Offence>, Gap> {
    let compared = files.iter().map(|file| {
        let rows = compare(file.pod, &mirror.pod, node.name.as_str());
        (differing(&rows).count(), rows)
    });
    let Some((count, rows)) = compared.min_by_key(|(count, _)| *count) else {
        return Ok(None);
    };
    if count == 0 {
        return Ok(None);
    }
    comparable(node, view, mirror)?;
    let changes = files.iter().map(|file| changed(&file.manifest.walk));
    let started = node.host.kubelet.get().ok();
    let started = started.and_then(|kubelet| kubelet.value.process.as_ref()?.started);
    let limit = window(node) + grace(mirror);
    settled(node, limit, changes.chain([started]))?;
    let names = format!("{}/{}", mirror.pod.namespace, mirror.pod.name);
    let (severity, head) = if differing(&rows).all(is_mutation) {
        (Severity::Low, format!("admission mutation of {names}"))
    } else {
        (Severity::High, format!("{names} differs from its manifest"))
    };
    let fields = if count == 1 { "field" } else { "fields" };
    let first = foremost(&rows).map(told).unwrap_or_default();
    let evidence = files.iter().map(|file| file.at).chain([at]);
    let subject = Subject::pod(&mirror.pod.namespace, &mirror.pod.name);
    let message = format!("{head} in {count} {fields}: {first}");
    let offence = offence(subject, severity, message, evidence);
    Ok(Some(comparing(offence, shortened(rows, ROWS))))
}

/// What LimitRange, AlwaysPullImages and a RuntimeClass do to a mirror: the node's pod is as its manifest says.
pub(super) fn is_mutation(row: &Comparison) -> bool {
    let field = row.field.as_str();
    let added = row.manifest == Side3::Absent;
    let pulled = matches!(&row.mirror, Side3::Value(policy) if *policy == "Always");
    (field.ends_with(".imagePullPolicy") && pulled)
        || (added && field.contains(".resources."))
        || (added && field.starts_with("spec.overhead"))
        || (added && field == "metadata.annotations[kubernetes.io/limit-ranger]")
}

/// The difference that is told first.
pub(super) fn foremost(rows: &[Comparison]) -> Option<&Comparison> {
    differing(rows).min_by_key(|row| weight(row.field.as_str()))
}

/// Which of several differences is told first: what a container may do, what it runs, then the rest.
fn weight(field: &str) -> usize {
    let order = [
        ".privileged",
        "spec.host",
        ".image",
        ".command[",
        ".args[",
        ".hostPath.",
        "spec.",
    ];
    let found = order.iter().position(|part| field.contains(part));
    found.unwrap_or(order.len())
}

/// One row in words; long values are cut, the rows themselves are not.
fn told(row: &Comparison) -> String {
    let side = |side: &Side3| match side {
        Side3::Value(text) if text.as_str().chars().count() > 60 => {
            let head: String = text.as_str().chars().take(57).collect();
            format!("{head}...")
        }
        Side3::Value(text) => text.to_string(),
        _ => "missing".to_owned(),
    };
    let (mirror, manifest) = (side(&row.mirror), side(&row.manifest));
    match row.manifest {
        Side3::Value(_) => format!("{} is {mirror}, the manifest says {manifest}", row.field),
        _ => format!("{} is {mirror}, the manifest has none", row.field),
    }
}
