use super::pairs::{mirrors, unread};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, comparing, kubectl, offence, on_node,
};
use crate::checks::kubelet::setting::effective;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Mirror;
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Offence, Severity, Side3, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-014"),
    title: "Mirror pods come from where the kubelet looks",
    why: "A mirror that names a source its kubelet does not have was made by something else: an unknown injector, or a forgery.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::MirrorPods, Need::KubeletConfig],
    helps: &[],
    maps: &[Maps::Attack("T1036")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get pod -n {ns} {pod} -o yaml --show-managed-fields"),
            on_node(
                "grep -rn -e staticPodPath -e staticPodURL /var/lib/kubelet/config.yaml /etc/kubernetes/kubelet.conf.d",
            ),
            on_node("ps -o args= -C kubelet"),
            by_hand(
                "find out who made the mirror: creator and time stand in the API server's audit log; where a static pod stands behind it, the kubelet was reconfigured after it was made",
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
            "{mirrors: [{pod: shop/web-cp-1}], kubelet: {staticPodPath: /etc/kubernetes/manifests}}",
            "PASS",
        ),
        ("{mirrors: [], kubelet: {}}", "PASS"),
        (
            "{mirrors: [{pod: shop/web-cp-1, source: http}], kubelet: {staticPodURL: 'https://boot.example.org/'}}",
            "PASS",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, source: http}], kubelet: {staticPodPath: /etc/kubernetes/manifests}}",
            "FAIL high: shop/web-cp-1 says that it comes from a URL, and the kubelet has no staticPodURL",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1}], kubelet: {}}",
            "FAIL high: shop/web-cp-1 says that it comes from a file, and the kubelet has no staticPodPath",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, source: api}, {pod: shop/b-cp-1, source: none}], kubelet: {gap: denied}}",
            "FAIL high: shop/web-cp-1 says that it comes from api, which no static pod does; high: shop/b-cp-1 does not say where it comes from; gap: the login may not read it",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1}], kubelet: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{mirrors: [], unread: forbidden, kubelet: {}}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{mirrors: {gap: forbidden}, kubelet: {}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let list = node.api.mirrors.get()?;
    let mut tally = Tally::new();
    tally.good(list.at);
    unread(node, &mut tally);
    if let Some(kubelet) = tally.take(&node.host.kubelet) {
        tally.good(kubelet.at);
    }
    for (at, mirror) in mirrors(list) {
        match mismatch(node, mirror, at) {
            // That the configuration is not known was said above.
            Err(gap) => tally.gap(gap),
            outcome => tally.part(at, outcome),
        }
    }
    tally.verdict()
}

fn mismatch(node: &NodeFacts, mirror: &Mirror, at: Locator) -> Result<Option<Offence>, Gap> {
    let source = mirror.source.as_ref().map(Text::as_str);
    let (words, key) = match source {
        Some("file") => ("a file", Some("staticPodPath")),
        Some("http") => ("a URL", Some("staticPodURL")),
        Some(other) => (other, None),
        None => ("", None),
    };
    let names = format!("{}/{}", mirror.pod.namespace, mirror.pod.name);
    let mut evidence = vec![at];
    let message = match (source, key) {
        (_, Some(key)) => {
            let kubelet = node.host.kubelet.get()?;
            let set = effective(kubelet, key)?;
            let is_set = set.and_then(|set| set.value.as_str().map(|value| !value.is_empty()));
            if is_set.unwrap_or(false) {
                return Ok(None);
            }
            evidence.push(kubelet.at);
            format!("{names} says that it comes from {words}, and the kubelet has no {key}")
        }
        (None, None) => format!("{names} does not say where it comes from"),
        (Some(_), None) => {
            format!("{names} says that it comes from {words}, which no static pod does")
        }
    };
    let row = Comparison {
        field: Text::new("metadata.annotations[kubernetes.io/config.source]"),
        manifest: Side3::Unasked,
        mirror: mirror
            .source
            .as_ref()
            .map_or(Side3::Absent, |source| Side3::Value(source.clone())),
        runtime: match key {
            Some(_) => Side3::Absent,
            None => Side3::Unasked,
        },
    };
    let subject = Subject::pod(&mirror.pod.namespace, &mirror.pod.name);
    let found = offence(subject, Severity::High, message, evidence);
    Ok(Some(comparing(found, vec![row])))
}
