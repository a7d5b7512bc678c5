use super::setting::{effective, garbled};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, few, not_applicable, offence, on_node,
    pass,
};
use crate::checks::declared::declares;
use crate::checks::merge::pairs::declared;
use crate::checks::role;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "staticPodPath";

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-013"),
    title: "Workers have no static pod folder without a use for it",
    why: "Whoever once becomes root on the node leaves a file in the folder, and has a pod there that no API call removes.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: &[
        Need::KubeletConfig,
        Need::Manifests,
        Need::NodeObject,
        Need::MirrorPods,
    ],
    helps: &[Need::Policy],
    maps: &[Maps::Stig("V-242397"), Maps::Ms("MS-TA9017")],
    fix: Remediation {
        steps: &[
            by_hand(
                "remove staticPodPath from the kubelet's configuration file of workers, and --pod-manifest-path from its flags; on kubeadm the next kubeadm upgrade node writes it again unless a patch for kubeletconfiguration removes it",
            ),
            on_node("systemctl restart kubelet"),
            by_hand(
                "where static pods are meant: declare them under static_pods: in the policy file",
            ),
        ],
        restarts: "the kubelet, for a few seconds; pods keep running",
        undo: &[
            by_hand("put the old value back into the configuration file"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        (
            "{kubelet: {}, object: {}, manifests: [], mirrors: []}",
            "PASS",
        ),
        (
            "{kubelet: {staticPodPath: /etc/kubernetes/manifests}, object: {}, manifests: [], mirrors: []}",
            "FAIL low: static pods are on without a use: nothing lies in /etc/kubernetes/manifests, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "{kubelet: {staticPodPath: /m}, object: {}, manifests: [{file: /m/a.yaml, pod: kube-system/agent}], mirrors: []}",
            "FAIL low: static pods are on for kube-system/agent, which no policy declares, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "{policy: {static_pods: [{pod: kube-system/agent}]}, kubelet: {staticPodPath: /m}, object: {}, manifests: [{file: /m/a.yaml, pod: kube-system/agent}], mirrors: []}",
            "PASS: all static pods of it are declared by the policy",
        ),
        (
            "{kubelet: {staticPodPath: /m}, object: {labels: {node-role.kubernetes.io/control-plane: ''}}, manifests: [], mirrors: []}",
            "N/A: the node is a control plane by its role label",
        ),
        (
            "{kubelet: {staticPodPath: /m}, object: {}, manifests: [{file: /m/a.yaml, unread: denied}], mirrors: []}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{kubelet: {gap: denied}, object: {}, manifests: [], mirrors: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let declared = declared(node)?;
    let role = role::of(node)?;
    if let Some(proof) = role.control_plane {
        let why = format!("the node is a control plane by {proof}");
        return Ok(not_applicable(role.evidence, why));
    }
    let setting = effective(kubelet, KEY)?;
    let path = match &setting {
        None => "",
        Some(setting) => {
            let path = setting.value.as_str();
            path.ok_or_else(|| garbled(KEY, "is not a string"))?
        }
    };
    let Some(setting) = setting.filter(|_| !path.is_empty()) else {
        return Ok(pass([kubelet.at].into_iter().chain(role.evidence)));
    };
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    tally.all_good(&role.evidence);
    tally.all_good(&setting.evidence);
    let mut strangers = Vec::new();
    for pod in &declared.pods {
        match declares(node, pod.pod, view, |_| true) {
            Ok(Some(_)) => {}
            Ok(None) => strangers.push(format!("{}/{}", pod.pod.namespace, pod.pod.name)),
            Err(gap) => tally.gap(gap),
        }
    }
    let words = if !strangers.is_empty() {
        let named = few(&strangers);
        format!("static pods are on for {named}, which no policy declares")
    } else if declared.pods.is_empty() && declared.gaps.is_empty() {
        format!("static pods are on without a use: nothing lies in {path}")
    } else {
        tally.note("all static pods of it are declared by the policy");
        return tally.verdict();
    };
    tally.offence(offence(
        Subject::setting(KEY),
        Severity::Low,
        format!("{words}, {}", setting.origin),
        setting.evidence.into_iter().chain(role.evidence),
    ));
    tally.verdict()
}
