use super::pairs::{hidden_processes, is_known, is_unnamed};
use super::running_revision::nameless;
use super::settle::{settled, together, window};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::{NodeFacts, RuntimePod};
use crate::model::pod::PodId;
use crate::model::text::Text;
use crate::model::verdict::{Offence, Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-024"),
    title: "The kubelet keeps no pod by a name the API lacks",
    why: "A pod that the kubelet keeps under a name of which the API server has none was given to the kubelet past it: by a file, a URL, or a stolen kubelet socket.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::RuntimePods, Need::PodUids],
    helps: &[Need::Identity, Need::KubeletConfig],
    maps: &[
        Maps::Attack("T1610"),
        Maps::Source("kubernetes.io: API server bypass risks"),
    ],
    fix: Remediation {
        steps: &[
            on_node("ls -ld /var/log/pods/{ns}_{pod}_*"),
            on_node("crictl pods --name {pod} -o json"),
            kubectl("kubectl get pod -n {ns} {pod}"),
            by_hand(
                "find what gave it to the kubelet: a manifest, staticPodURL, or whoever reaches the kubelet's socket; keep its image, command and files as evidence, then take the source away",
            ),
        ],
        restarts: "nothing, until the source is taken away: then the pod ends within 20 s",
        undo: &[by_hand("put the manifest back that started it")],
    },
    examples: &[
        (
            "{runtime: [{uid: u1, log: a/b}], pods: [{pod: a/b, uid: u1}]}",
            "PASS: told by log folders and cgroups: the kubelet's own list is behind nodes/proxy, which can run commands and is not asked for",
        ),
        (
            "{runtime: [{uid: u2, log: a/b}, {uid: gone, pids: 0, log: a/c}], pods: [{pod: a/b, uid: u1}]}",
            "PASS: told by log folders and cgroups: the kubelet's own list is behind nodes/proxy, which can run commands and is not asked for",
        ),
        (
            "{runtime: [{uid: 8e1f, pids: 2, log: nowhere/ghost-cp-1}], pods: [], clock: 1000}",
            "FAIL high: the kubelet keeps nowhere/ghost-cp-1 (uid 8e1f, 2 processes), and the API server has no pod of that name",
        ),
        (
            "{runtime: {hidepid: true, pods: [{uid: 8e1f, log: nowhere/ghost-cp-1}]}, pods: [], clock: 1000}",
            "FAIL high: the kubelet keeps nowhere/ghost-cp-1 (uid 8e1f, 1 process), and the API server has no pod of that name; gap: the login may not read the processes of other users (/proc is mounted with hidepid)",
        ),
        (
            "{runtime: [{uid: 8e1f, log: nowhere/ghost-cp-1, started: 990}], pods: [], clock: 1000}",
            "UNKNOWN: the kubelet may still act for 30 s",
        ),
        (
            "{runtime: [{uid: 8e1f}], pods: []}",
            "MANUAL: which pod is 8e1f, which runs without a log folder: crictl pods",
        ),
        (
            "{runtime: [{uid: u1, log: a/b}], pods: [], unread: forbidden, clock: 1000}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{runtime: {gap: denied}, pods: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let runtime = node.host.runtime_pods.get()?;
    let known = node.api.pods.get()?;
    let mut tally = Tally::new();
    tally.all_good(&[runtime.at, known.at]);
    if runtime.value.hidepid {
        tally.gap(hidden_processes());
    }
    let ids = || known.value.iter().chain(&node.api.gone);
    for pod in runtime.value.pods.iter().filter(|pod| pod.pids > 0) {
        if ids().any(|id| is_known(pod, id)) {
            continue;
        }
        match &pod.log {
            Some(log) if ids().any(|id| is_named(log, id)) => {}
            Some(log) => match waited(node, pod) {
                Ok(()) => tally.offence(extra(log, pod, [runtime.at, known.at])),
                Err(gap) => tally.gap(gap),
            },
            None if is_unnamed(node, pod) => tally.gap(nameless(pod)),
            None => {}
        }
    }
    tally.note(
        "told by log folders and cgroups: the kubelet's own list is behind nodes/proxy, which can run commands and is not asked for",
    );
    tally.verdict()
}

fn is_named((namespace, name): &(Text, Text), id: &PodId) -> bool {
    *id.namespace == *namespace.as_str() && *id.name == *name.as_str()
}

/// Whether the kubelet and the API server had their time.
fn waited(node: &NodeFacts, pod: &RuntimePod) -> Result<(), Gap> {
    if let Some(gap) = &node.api.unread {
        return Err(gap.clone());
    }
    together(node)?;
    settled(node, window(node), [pod.started])
}

fn extra((namespace, name): &(Text, Text), pod: &RuntimePod, evidence: [Locator; 2]) -> Offence {
    let count = match pod.pids {
        1 => "1 process".to_owned(),
        more => format!("{more} processes"),
    };
    offence(
        Subject::pod(namespace, name),
        Severity::High,
        format!(
            "the kubelet keeps {namespace}/{name} (uid {}, {count}), and the API server has no pod of that name",
            pod.uid
        ),
        evidence,
    )
}
