use super::spots::is_infrastructure;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::declared::declares;
use crate::checks::merge::pairs::declared;
use crate::checks::role;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-004"),
    title: "Workers run no static pods but infrastructure",
    why: "A static pod on a worker is rolled out by hand past admission, quota and RBAC, and stays when everybody has forgotten it.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::NodeObject, Need::MirrorPods],
    helps: &[Need::Policy],
    maps: &[
        Maps::Ms("MS-TA9017"),
        Maps::Source("kubernetes.io: static pods, use a DaemonSet instead"),
    ],
    fix: Remediation {
        steps: &[
            on_node("cat {path}"),
            by_hand(
                "write the pod as a DaemonSet with a nodeSelector for the nodes that need it and apply it; when its pod runs there, take the file away",
            ),
            on_node("mv {path} /root/"),
        ],
        restarts: "the static pod stops within fileCheckFrequency (20 s) of the move",
        undo: &[on_node("mv /root/{file} {dir}/")],
    },
    examples: &[
        ("{object: {}, manifests: [], mirrors: []}", "PASS"),
        (
            "{object: {}, manifests: [{file: p.yaml, pod: kube-system/kube-proxy}], mirrors: []}",
            "PASS: kube-system/kube-proxy is infrastructure",
        ),
        (
            "{object: {}, manifests: [{file: agent.yaml, pod: kube-system/agent}], mirrors: []}",
            "FAIL medium: static pod kube-system/agent runs on a worker; a DaemonSet would pass admission and can be managed",
        ),
        (
            "{policy: {static_pods: [{pod: kube-system/agent}]}, object: {}, manifests: [{file: agent.yaml, pod: kube-system/agent}], mirrors: []}",
            "PASS: kube-system/agent is declared by kube-system/agent",
        ),
        (
            "{object: {}, manifests: [{file: etcd.yaml, pod: kube-system/etcd}], mirrors: []}",
            "N/A: the node is a control plane by its manifest of etcd",
        ),
        (
            "{object: {}, manifests: [{file: agent.yaml, pod: kube-system/agent}, {file: b.yaml, gap: denied}], mirrors: []}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{object: {}, manifests: {gap: denied}, mirrors: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    // Whether it is a worker takes every source: a manifest that could not be read may be etcd's.
    let role = role::of(node)?;
    if let Some(proof) = role.control_plane {
        let why = format!("the node is a control plane by {proof}");
        return Ok(not_applicable(role.evidence, why));
    }
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    tally.all_good(&role.evidence);
    for pod in &declared.pods {
        let (namespace, name) = (&pod.pod.namespace, &pod.pod.name);
        if is_infrastructure(namespace.as_str(), name.as_str()) {
            tally.note(format!("{namespace}/{name} is infrastructure"));
            continue;
        }
        match declares(node, pod.pod, view, |_| true) {
            Ok(Some(entry)) => {
                tally.note(format!("{namespace}/{name} is declared by {}", entry.pod));
                continue;
            }
            Ok(None) => {}
            Err(gap) => tally.gap(gap),
        }
        tally.offence(offence(
            Subject::path(&pod.manifest.file),
            Severity::Medium,
            format!(
                "static pod {namespace}/{name} runs on a worker; a DaemonSet would pass admission and can be managed"
            ),
            [pod.at].into_iter().chain(role.evidence.iter().copied()),
        ));
    }
    tally.verdict()
}
