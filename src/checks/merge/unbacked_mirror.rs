use super::pairs::{Declarations, both, mirrors, same_uid};
use super::settle::{changed, comparable, settled, window};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, comparing, kubectl, offence, on_node,
};
use crate::checks::kubelet::setting::effective;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Mirror;
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Offence, Severity, Side3, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-002"),
    title: "Every mirror pod has its manifest on the node",
    why: "A mirror without a manifest is forged, or stands for a pod that came from somewhere nobody looks.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::MirrorPods],
    helps: &[
        Need::Identity,
        Need::KubeletConfig,
        Need::ManifestDir,
        Need::RuntimePods,
    ],
    maps: &[Maps::Attack("T1036"), Maps::Ms("MS-TA9017")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get pod -n {ns} {pod} -o yaml --show-managed-fields"),
            on_node("journalctl -u kubelet --since -1d | grep -F {pod}"),
            by_hand(
                "find out who made it: creator and time stand in the API server's audit log, and in managedFields above",
            ),
            kubectl("kubectl delete pod -n {ns} {pod}"),
        ],
        restarts: "nothing: deleting a mirror stops no container; the kubelet makes it anew where a static pod stands behind it",
        undo: &[by_hand(
            "none needed: what the kubelet runs, it shows again within seconds",
        )],
    },
    examples: &[
        (
            "{mirrors: [{pod: shop/web-cp-1}], manifests: [{file: web.yaml, pod: shop/web}]}",
            "PASS",
        ),
        ("{mirrors: [], manifests: []}", "PASS"),
        (
            "{mirrors: [{pod: shop/web-cp-1}], manifests: [], clock: 1000, dir: {}}",
            "FAIL high: shop/web-cp-1 has no manifest on the node",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, hash: 8e1f}], manifests: [], clock: 1000, dir: {}, runtime: [{uid: 8e1f}]}",
            "FAIL high: shop/web-cp-1 has no manifest on the node, and its pod runs all the same",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, hash: 8e1f}], manifests: [], clock: 1000, dir: none, runtime: []}",
            "FAIL high: shop/web-cp-1 has no manifest on the node, and nothing of it runs",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1}], manifests: [], clock: 1000, dir: {ctime: 980}}",
            "UNKNOWN: the kubelet may still act for 20 s",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, created: 1750000020}], manifests: [], clock: 1000, dir: {}}",
            "UNKNOWN: the kubelet may still act for 80 s",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, created: 1750000020}], api_offset: 300, manifests: [], clock: 1000, dir: {}}",
            "FAIL high: shop/web-cp-1 has no manifest on the node",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, created: 1749999800}], api_offset: -300, manifests: [], clock: 1000, dir: {}}",
            "UNKNOWN: the kubelet may still act for 160 s",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, source: http}], manifests: [], clock: 1000, dir: {}, kubelet: {staticPodURL: 'https://boot.example.org/'}}",
            "PASS: shop/web-cp-1 comes from staticPodURL",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, source: http}], manifests: [], clock: 1000, dir: {}, kubelet: {}}",
            "FAIL high: shop/web-cp-1 says that it comes from a URL, and the kubelet has none",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1}], manifests: [{file: web.yaml, unread: denied}], clock: 1000, dir: {}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{mirrors: [], unread: forbidden, manifests: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{mirrors: {gap: forbidden}, manifests: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let (declared, list, mut tally) = both(node)?;
    for (at, mirror) in mirrors(list) {
        if declared.pods.iter().any(|pod| pod.is_mirrored_by(mirror)) {
            tally.good(at);
            continue;
        }
        match unbacked((node, view), &declared, mirror, at) {
            Ok(Some(found)) => tally.offence(found),
            Ok(None) => {
                tally.good(at);
                tally.note(format!("{} comes from staticPodURL", names(mirror)));
            }
            Err(gap) => tally.gap(gap),
        }
    }
    tally.verdict()
}

fn names(mirror: &Mirror) -> String {
    format!("{}/{}", mirror.pod.namespace, mirror.pod.name)
}

/// A mirror without a manifest: explained by a URL, an offence, or not known.
fn unbacked(
    (node, view): (&NodeFacts, &View<'_>),
    declared: &Declarations<'_>,
    mirror: &Mirror,
    at: Locator,
) -> Result<Option<Offence>, Gap> {
    let from_url = mirror
        .source
        .as_ref()
        .is_some_and(|source| *source == "http");
    if from_url {
        let kubelet = node.host.kubelet.get()?;
        let url = effective(kubelet, "staticPodURL")?;
        if url.is_some_and(|url| url.value.as_str().is_some_and(|url| !url.is_empty())) {
            return Ok(None);
        }
    }
    // The manifest that could not be read may be the one that is missing here.
    if let (false, Some(gap)) = (from_url, declared.gaps.first()) {
        return Err(gap.clone());
    }
    comparable(node, view, mirror)?;
    let dir = node.host.manifest_dir.get()?;
    let changed = dir.value.as_ref().and_then(|dir| changed(&dir.walk));
    settled(node, window(node), [changed])?;
    let (words, runtime) = if from_url {
        let words = "says that it comes from a URL, and the kubelet has none";
        (words, Side3::Unasked)
    } else {
        running(node, mirror)
    };
    let names = names(mirror);
    let row = Comparison {
        field: Text::new("pod"),
        manifest: Side3::Absent,
        mirror: Side3::Value(Text::from(&names)),
        runtime,
    };
    let runtime = node.host.runtime_pods.get().ok().map(|seen| seen.at);
    let evidence = [at, declared.at, dir.at].into_iter().chain(runtime);
    let subject = Subject::pod(&mirror.pod.namespace, &mirror.pod.name);
    let offence = offence(
        subject,
        Severity::High,
        format!("{names} {words}"),
        evidence,
    );
    Ok(Some(comparing(offence, vec![row])))
}

/// What the node runs of it.
fn running(node: &NodeFacts, mirror: &Mirror) -> (&'static str, Side3) {
    let hash = mirror.hash.as_ref().unwrap_or(&mirror.mirror_hash);
    match node.host.runtime_pods.get() {
        Ok(runtime) => {
            let mut live = runtime.value.pods.iter().filter(|pod| pod.pids > 0);
            if live.any(|pod| same_uid(pod.uid.as_str(), hash.as_str())) {
                let words = "has no manifest on the node, and its pod runs all the same";
                (words, Side3::Value(Text::from(names(mirror))))
            } else if runtime.value.hidepid {
                ("has no manifest on the node", Side3::Unasked)
            } else {
                let words = "has no manifest on the node, and nothing of it runs";
                (words, Side3::Absent)
            }
        }
        Err(_) => ("has no manifest on the node", Side3::Unasked),
    }
}
