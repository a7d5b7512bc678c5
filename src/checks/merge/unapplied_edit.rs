use super::compare::{compare, differing};
use super::drift::is_mutation;
use super::pairs::{Declared, both, mirrors};
use super::settle::{AHEAD, comparable, settled, window};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, comparing, kubectl, offence, on_node,
};
use crate::model::Timestamp;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::known::CONFIG_SEEN;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Mirror;
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Offence, Severity, Side3, Subject, Verdict};

/// Rows of the comparison that stand beside the times.
const ROWS: usize = 8;

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-008"),
    title: "No manifest was edited after the kubelet read it",
    why: "An edit that the kubelet has not taken up waits for its next start: what runs now is not what the folder says, and what comes then was never seen running.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::Manifests, Need::MirrorPods],
    helps: &[Need::Identity, Need::KubeletConfig],
    maps: &[Maps::Attack("T1565.001")],
    fix: Remediation {
        steps: &[
            on_node("ls -l --time-style=full-iso {path}"),
            kubectl("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),
            on_node("journalctl -u kubelet --since -1h | grep -F {file}"),
            by_hand(
                "read what was changed before it comes to life. If it is wanted: systemctl restart kubelet; a kubelet that a FIFO in the folder has frozen takes up nothing else until then. If not: put the last reviewed version back",
            ),
        ],
        restarts: "the kubelet, then the pod where its spec was changed",
        undo: &[by_hand(
            "put the last reviewed version of the manifest back",
        )],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, mtime: 500, pod: a/a}], mirrors: [{pod: {metadata: {namespace: a, name: a-cp-1, annotations: {kubernetes.io/config.seen: '1970-01-01T00:08:21.5Z'}}, spec: {containers: [{name: main, image: 'registry.k8s.io/pause:3.10'}]}}}]}",
            "PASS",
        ),
        ("{manifests: [], mirrors: []}", "PASS"),
        (
            "{manifests: [{file: a.yaml, mtime: 700, pod: a/a}], mirrors: [{pod: {metadata: {namespace: a, name: a-cp-1, annotations: {kubernetes.io/config.seen: '1970-01-01T01:08:20.000000001+01:00'}}, spec: {containers: [{name: main, image: 'registry.k8s.io/pause:3.10'}]}}}], clock: 1000}",
            "FAIL info: a.yaml was written 200 s after the kubelet read a/a, and says the same",
        ),
        (
            "{manifests: [{file: a.yaml, mtime: 700, pod: a/a}], mirrors: [{pod: {metadata: {namespace: a, name: a-cp-1, annotations: {kubernetes.io/config.seen: '1970-01-01T00:08:20Z'}}, spec: {containers: [{name: main, image: 'registry.k8s.io/pause:3.9'}]}}}], clock: 1000}",
            "FAIL high: a.yaml was written 200 s after the kubelet read a/a, and the edit is not applied: spec.containers[main].image",
        ),
        (
            "{manifests: [{file: a.yaml, mtime: 700, pod: a/a}], mirrors: [{pod: {metadata: {namespace: a, name: a-cp-1, annotations: {kubernetes.io/config.seen: '1970-01-01T00:08:20Z'}}, spec: {hostPID: true, containers: [{name: main, image: 'registry.k8s.io/pause:3.10'}]}}}], clock: 710}",
            "UNKNOWN: the kubelet may still act for 30 s",
        ),
        (
            "{manifests: [{file: a.yaml, mtime: 700, pod: a/a}], mirrors: [{pod: a/a-cp-1}], clock: 1000}",
            "UNKNOWN: the answer cannot be trusted: when the kubelet read a/a-cp-1 (kubernetes.io/config.seen)",
        ),
        (
            "{manifests: [{file: a.yaml, mtime: 5000, pod: a/a}], mirrors: [{pod: {metadata: {namespace: a, name: a-cp-1, annotations: {kubernetes.io/config.seen: '1970-01-01T00:08:20Z'}}, spec: {}}}], clock: 1000}",
            "MANUAL: /etc/kubernetes/manifests/a.yaml is dated 4000 s ahead of the node's clock: was the clock set back, or the time of the file set?",
        ),
        (
            "{manifests: [{file: a.yaml, unread: denied}], mirrors: []}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [], mirrors: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let (declared, list, mut tally) = both(node)?;
    for (at, mirror) in mirrors(list) {
        for file in declared
            .pods
            .iter()
            .filter(|file| file.is_mirrored_by(mirror))
        {
            tally.part(at, edit((node, view), file, mirror, at));
        }
    }
    tally.verdict()
}

/// Both times are the node's own: when the file was written, and when the kubelet that made the mirror saw the pod.
/// So the offset to other clocks plays no part.
fn edit(
    (node, view): (&NodeFacts, &View<'_>),
    file: &Declared<'_>,
    mirror: &Mirror,
    at: Locator,
) -> Result<Option<Offence>, Gap> {
    let names = format!("{}/{}", mirror.pod.namespace, mirror.pod.name);
    let seen = mirror.pod.annotation(CONFIG_SEEN);
    let seen = seen.and_then(|seen| seen.parse::<Timestamp>().ok());
    let seen = seen.map(Timestamp::as_second).ok_or_else(|| Gap::Garbled {
        what: Text::from(format!("when the kubelet read {names} ({CONFIG_SEEN})")),
    })?;
    let path = &file.manifest.file;
    let written = file.manifest.walk.object().and_then(|hop| hop.stat.mtime);
    let written = written.ok_or_else(|| Gap::Garbled {
        what: Text::from(format!("when {path} was written")),
    })?;
    let late = written.saturating_sub(seen);
    let slack = i64::try_from(window(node).as_secs()).unwrap_or(i64::MAX);
    if late <= slack {
        return Ok(None);
    }
    comparable(node, view, mirror)?;
    let clock = node.host.identity.get()?.value.clock;
    let ahead = written.saturating_sub(clock);
    if ahead > AHEAD {
        return Err(Gap::NeedsHuman {
            question: Text::from(format!(
                "{path} is dated {ahead} s ahead of the node's clock: was the clock set back, or the time of the file set?"
            )),
        });
    }
    settled(node, window(node), [Some(written)])?;
    let rows = compare(file.pod, &mirror.pod, node.name.as_str());
    let mut differ = differing(&rows).filter(|row| !is_mutation(row));
    let first = differ.next().map(|row| row.field.to_string());
    let (severity, words) = match first {
        None => (Severity::Info, "and says the same".to_owned()),
        Some(field) => (
            Severity::High,
            format!("and the edit is not applied: {field}"),
        ),
    };
    let name = path.as_str().rsplit('/').next().unwrap_or_default();
    let pod = format!("{}/{}", file.pod.namespace, file.pod.name);
    let message = format!("{name} was written {late} s after the kubelet read {pod}, {words}");
    let times = Comparison {
        field: Text::new("written, read (seconds of the node's clock)"),
        manifest: Side3::Value(Text::from(written.to_string())),
        mirror: Side3::Value(Text::from(seen.to_string())),
        runtime: Side3::Unasked,
    };
    let shown = differing(&rows).take(ROWS).cloned();
    let compared = [times].into_iter().chain(shown).collect();
    let found = offence(Subject::path(path), severity, message, [file.at, at]);
    Ok(Some(comparing(found, compared)))
}
