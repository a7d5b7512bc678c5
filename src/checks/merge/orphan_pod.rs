use std::time::Duration;

use super::pairs::{Declarations, declared, hidden_processes, is_known};
use super::settle::{settled, together};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::{NodeFacts, RuntimePod};
use crate::model::text::Text;
use crate::model::verdict::{Offence, Severity, Subject, SubjectKind, Verdict};

/// A pod may run before its object, or its mirror, is where it belongs.
const STARTING: Duration = Duration::from_mins(1);

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-010"),
    title: "The API server knows every pod that runs",
    why: "A pod that runs on the node and is unknown to the API server hides like a rootkit: no policy, no audit and no kubectl reaches it.",
    severity: Severity::Critical,
    since: "0.1.0",
    needs: &[Need::RuntimePods, Need::PodUids],
    helps: &[Need::Identity, Need::Manifests],
    maps: &[Maps::Attack("T1610"), Maps::Attack("T1564")],
    fix: Remediation {
        steps: &[
            on_node("crictl pods -o json"),
            on_node("ls -l /var/log/pods /etc/kubernetes/manifests"),
            kubectl("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),
            by_hand(
                "find the pod of the finding by its uid, keep its image, command and files as evidence (crictl inspectp), then stop what starts it: a manifest, or someone with access to the container runtime",
            ),
        ],
        restarts: "nothing, until the pod is stopped: crictl stopp ends it at once",
        undo: &[by_hand("put the manifest back that started it")],
    },
    examples: &[
        (
            "{runtime: [{uid: 0a1b_2c}, {uid: 8e1f}], pods: [{pod: a/b, uid: 0a1b-2c}, {pod: c/d-cp-1, uid: other, hash: 8e1f}]}",
            "PASS",
        ),
        (
            "{runtime: [{uid: u1}], pods: [], gone: [{pod: a/b, uid: u1}]}",
            "PASS",
        ),
        (
            "{runtime: [{uid: gone, pids: 0, log: a/b}], pods: []}",
            "PASS: 1 log folder of a pod that is gone",
        ),
        (
            "{runtime: [{uid: 8e1f, pids: 3, log: nowhere/ghost-cp-1, exe: /pause}], pods: [], clock: 1000}",
            "FAIL critical: nowhere/ghost-cp-1 runs and the API server does not know it (uid 8e1f, 3 processes, /pause)",
        ),
        (
            "{runtime: [{uid: 8e1f, log: nowhere/ghost-cp-1}], pods: [], clock: 1000, manifests: [{file: ghost.yaml, pod: nowhere/ghost}]}",
            "FAIL critical: nowhere/ghost-cp-1 runs and the API server does not know it (uid 8e1f, 1 process, from /etc/kubernetes/manifests/ghost.yaml)",
        ),
        (
            "{runtime: {hidepid: true, pods: [{uid: x77}]}, pods: [], clock: 1000}",
            "FAIL critical: a pod without a log folder runs and the API server does not know it (uid x77, 1 process); gap: the login may not read the processes of other users (/proc is mounted with hidepid)",
        ),
        (
            "{runtime: [{uid: 8e1f, started: 990}], pods: [], clock: 1000}",
            "UNKNOWN: the kubelet may still act for 50 s",
        ),
        (
            "{runtime: {hidepid: true, pods: []}, pods: []}",
            "UNKNOWN: the login may not read the processes of other users (/proc is mounted with hidepid)",
        ),
        (
            "{runtime: [{uid: u1}], pods: [], unread: forbidden, clock: 1000}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{runtime: [], pods: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let runtime = node.host.runtime_pods.get()?;
    let known = node.api.pods.get()?;
    let declared = declared(node).ok();
    let mut tally = Tally::new();
    tally.good(runtime.at);
    tally.good(known.at);
    let mut folders = 0_u32;
    for pod in &runtime.value.pods {
        if known
            .value
            .iter()
            .chain(&node.api.gone)
            .any(|id| is_known(pod, id))
        {
            continue;
        }
        // A log folder outlives its pod: without a process it proves nothing.
        if pod.pids == 0 {
            folders += 1;
            continue;
        }
        let evidence = [runtime.at, known.at];
        if let Some(gap) = &node.api.unread {
            tally.gap(gap.clone());
            continue;
        }
        match together(node).and_then(|()| settled(node, STARTING, [pod.started])) {
            Ok(()) => tally.offence(orphan(pod, declared.as_ref(), evidence)),
            Err(gap) => tally.gap(gap),
        }
    }
    if runtime.value.hidepid {
        tally.gap(hidden_processes());
    }
    match folders {
        0 => {}
        1 => tally.note("1 log folder of a pod that is gone"),
        more => tally.note(format!("{more} log folders of pods that are gone")),
    }
    tally.verdict()
}

fn orphan(
    pod: &RuntimePod,
    declared: Option<&Declarations<'_>>,
    evidence: [Locator; 2],
) -> Offence {
    let mut details = vec![format!("uid {}", pod.uid)];
    details.push(match pod.pids {
        1 => "1 process".to_owned(),
        more => format!("{more} processes"),
    });
    details.extend(pod.exe.as_ref().map(Text::to_string));
    let from = declared.and_then(|all| {
        let mut pods = all.pods.iter();
        pods.find(|declared| declared.is(pod))
    });
    if let Some(from) = from {
        details.push(format!("from {}", from.manifest.file));
    }
    // A name outlives a restart, a uid does not. Where there is no other name the uid it is: a waiver for
    // one such pod must not cover the next.
    let (subject, who) = match &pod.log {
        Some((namespace, name)) => (Subject::pod(namespace, name), format!("{namespace}/{name}")),
        None => (
            Subject::new(SubjectKind::Pod, format!("?/{}", pod.uid)),
            "a pod without a log folder".to_owned(),
        ),
    };
    let details = details.join(", ");
    offence(
        subject,
        Severity::Critical,
        format!("{who} runs and the API server does not know it ({details})"),
        evidence.into_iter().chain(from.map(|from| from.at)),
    )
}
