use super::pairs::{declared, hidden_processes, is_unnamed, mirrors, same_uid, unread};
use super::settle::{changed, comparable, grace, settled, together, window};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, comparing, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need, Seen};
use crate::model::name::CheckId;
use crate::model::node::{NodeFacts, RuntimePod, RuntimePods};
use crate::model::pod::Mirror;
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Offence, Severity, Side3, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-009"),
    title: "Static pods run in the revision that is shown",
    why: "While an older or a second revision of a static pod runs, the mirror tells of a pod that is not, or not alone, the one at work.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::MirrorPods, Need::RuntimePods],
    helps: &[
        Need::Identity,
        Need::KubeletConfig,
        Need::Manifests,
        Need::PodUids,
    ],
    maps: &[Maps::Attack("T1036")],
    fix: Remediation {
        steps: &[
            on_node("crictl pods --name {pod} -o json"),
            on_node("ls -ld /var/log/pods/{ns}_{pod}_*"),
            kubectl("kubectl get pod -n {ns} {pod} -o yaml"),
            by_hand(
                "keep image, command and files of the revision that nobody shows (crictl inspectp), then move the manifest out of the folder, wait until every pod of that name is gone, and move it back; one node at a time",
            ),
        ],
        restarts: "the pod: it is away for up to fileCheckFrequency (20 s) and its start",
        undo: &[by_hand("put the manifest back as it was")],
    },
    examples: &[
        (
            "{mirrors: [{pod: shop/web-cp-1, hash: 8e1f}], runtime: [{uid: 8e1f, log: shop/web-cp-1}]}",
            "PASS",
        ),
        ("{mirrors: [], runtime: []}", "PASS"),
        (
            "{mirrors: [{pod: shop/web-cp-1, hash: 8e1f}], runtime: [{uid: 8e1f, log: shop/web-cp-1}, {uid: 77aa, pids: 0, log: shop/web-cp-1}]}",
            "PASS",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, hash: 8e1f}], runtime: [{uid: 77aa, log: shop/web-cp-1}], clock: 1000, manifests: [{file: web.yaml, pod: shop/web}]}",
            "FAIL high: shop/web-cp-1 runs as revision 77aa, its mirror shows 8e1f",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, hash: 8e1f}], runtime: [{uid: 8e1f, log: shop/web-cp-1}, {uid: 77aa, log: shop/web-cp-1}], clock: 1000, manifests: [{file: web.yaml, unread: denied}]}",
            "FAIL high: 2 revisions of shop/web-cp-1 run at once: 8e1f, 77aa; its mirror shows 8e1f",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, hash: 8e1f}], runtime: [{uid: 8e1f, log: shop/web-cp-1, started: 980}, {uid: 77aa, log: shop/web-cp-1}], clock: 1000}",
            "UNKNOWN: the kubelet may still act for 50 s",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, hash: 8e1f}], runtime: [{uid: 77aa}], pods: []}",
            "MANUAL: which pod is 77aa, which runs without a log folder: crictl pods",
        ),
        (
            "{mirrors: [{pod: shop/web-cp-1, hash: 8e1f}], runtime: {hidepid: true, pods: []}}",
            "UNKNOWN: the login may not read the processes of other users (/proc is mounted with hidepid)",
        ),
        (
            "{mirrors: [], unread: forbidden, runtime: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{mirrors: [], runtime: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let list = node.api.mirrors.get()?;
    let runtime = node.host.runtime_pods.get()?;
    let mut tally = Tally::new();
    tally.all_good(&[list.at, runtime.at]);
    unread(node, &mut tally);
    if runtime.value.hidepid {
        tally.gap(hidden_processes());
    }
    for (at, mirror) in mirrors(list) {
        tally.part(at, revision((node, view), runtime, mirror, at));
    }
    tally.verdict()
}

/// Live pods of the node that carry a mirror's name, or its hash.
pub(super) fn revisions<'r>(runtime: &'r RuntimePods, mirror: &Mirror) -> Vec<&'r RuntimePod> {
    let hash = mirror.hash.as_ref().unwrap_or(&mirror.mirror_hash);
    let is_named = |pod: &RuntimePod| {
        pod.log.as_ref().is_some_and(|(namespace, name)| {
            *namespace == mirror.pod.namespace && *name == mirror.pod.name
        })
    };
    let live = runtime.pods.iter().filter(|pod| pod.pids > 0);
    live.filter(|pod| is_named(pod) || same_uid(pod.uid.as_str(), hash.as_str()))
        .collect()
}

fn revision(
    (node, view): (&NodeFacts, &View<'_>),
    runtime: &Seen<RuntimePods>,
    mirror: &Mirror,
    at: Locator,
) -> Result<Option<Offence>, Gap> {
    let hash = mirror.hash.as_ref().unwrap_or(&mirror.mirror_hash);
    let live = revisions(&runtime.value, mirror);
    let names = format!("{}/{}", mirror.pod.namespace, mirror.pod.name);
    let message = match live.as_slice() {
        // That nothing of it runs is SP-MRG-012's, unless it runs without a name.
        [] => {
            let mut pods = runtime.value.pods.iter();
            return match pods.find(|pod| is_unnamed(node, pod)) {
                Some(pod) => Err(nameless(pod)),
                None => Ok(None),
            };
        }
        [one] if same_uid(one.uid.as_str(), hash.as_str()) => return Ok(None),
        [one] => format!(
            "{names} runs as revision {}, its mirror shows {hash}",
            one.uid
        ),
        more => {
            let uids: Vec<&str> = more.iter().map(|pod| pod.uid.as_str()).take(4).collect();
            format!(
                "{} revisions of {names} run at once: {}; its mirror shows {hash}",
                more.len(),
                uids.join(", ")
            )
        }
    };
    together(node)?;
    comparable(node, view, mirror)?;
    // The old revision may take its time to end.
    let files = declared(node).map(|declared| declared.pods);
    let files = files.unwrap_or_default().into_iter();
    let changes = files
        .filter(|file| file.is_mirrored_by(mirror))
        .map(|file| changed(&file.manifest.walk));
    let starts = live.iter().map(|pod| pod.started);
    settled(node, window(node) + grace(mirror), changes.chain(starts))?;
    let row = Comparison {
        field: Text::new("metadata.annotations[kubernetes.io/config.hash]"),
        manifest: Side3::Unasked,
        mirror: Side3::Value(hash.clone()),
        runtime: Side3::Value(Text::from(
            live.iter()
                .map(|pod| pod.uid.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        )),
    };
    let subject = Subject::pod(&mirror.pod.namespace, &mirror.pod.name);
    let found = offence(subject, Severity::High, message, [at, runtime.at]);
    Ok(Some(comparing(found, vec![row])))
}

/// A pod that runs and whose name nobody tells.
pub(super) fn nameless(pod: &RuntimePod) -> Gap {
    Gap::NeedsHuman {
        question: Text::from(format!(
            "which pod is {}, which runs without a log folder: crictl pods",
            pod.uid
        )),
    }
}
