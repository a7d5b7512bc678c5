use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, on_node};
use crate::checks::component::{self, Component, Fault, HELPS, NEEDS, faults};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-018"),
    title: "No feature gate re-opens what was closed",
    why: "A gate that is turned back gives a compromised kubelet the names or the tokens that it was cut off from.",
    severity: Severity::High,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[
        Maps::Source("kubernetes.io: feature gates"),
        Maps::Attack("T1562"),
    ],
    fix: Remediation {
        steps: &[
            on_node("cp -a /etc/kubernetes/manifests /root/manifests-before"),
            by_hand(
                "take the gate of the finding out of --feature-gates in the component's manifest",
            ),
        ],
        restarts: "the component of the finding on this node, for about 20 s",
        undo: &[on_node(
            "cp -p /root/manifests-before/. /etc/kubernetes/manifests/ -r",
        )],
    },
    examples: &[
        (
            "components: {kube-apiserver: '--feature-gates=Other=true'}",
            "PASS",
        ),
        ("components: {kube-apiserver: ''}", "PASS"),
        (
            "components: {kube-apiserver: '--feature-gates=kube:AllowInsecureKubeletCertificateSigningRequests=true'}",
            "FAIL high: the gate AllowInsecureKubeletCertificateSigningRequests=true: a kubelet may ask for the certificate of another node",
        ),
        (
            "components: {kube-apiserver: '--feature-gates=A=true --feature-gates=ServiceAccountNodeAudienceRestriction=false'}",
            "FAIL high: the gate ServiceAccountNodeAudienceRestriction=false: a kubelet may ask for tokens for any audience",
        ),
        (
            "components: {kube-apiserver: '--feature-gates=AllBeta=false,AuthorizePodWebsocketUpgradeCreatePermission=false'}",
            "FAIL medium: the gate AuthorizePodWebsocketUpgradeCreatePermission=false: who may get pods/exec runs commands in pods, without the right to create; the gate AllBeta=false: every protection that is still beta is off",
        ),
        (
            "components: {kube-controller-manager: '--feature-gates=GitRepoVolumeDriver=true'}",
            "FAIL medium: the gate GitRepoVolumeDriver=true: volumes of git run code of their repository as root",
        ),
        (
            "components: {}",
            "N/A: neither a manifest nor a process of the node is kube-apiserver, kube-controller-manager or kube-scheduler",
        ),
        (
            "{components: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

const ALL: [Component; 3] = [
    Component::ApiServer,
    Component::ControllerManager,
    Component::Scheduler,
];
/// Gate, the value that harms, and what it does.
const HARMFUL: &[(&str, bool, Severity, &str)] = &[
    (
        "AllowInsecureKubeletCertificateSigningRequests",
        true,
        Severity::High,
        "a kubelet may ask for the certificate of another node",
    ),
    (
        "ServiceAccountNodeAudienceRestriction",
        false,
        Severity::High,
        "a kubelet may ask for tokens for any audience",
    ),
    (
        "AuthorizePodWebsocketUpgradeCreatePermission",
        false,
        Severity::Medium,
        "who may get pods/exec runs commands in pods, without the right to create",
    ),
    (
        "GitRepoVolumeDriver",
        true,
        Severity::Medium,
        "volumes of git run code of their repository as root",
    ),
    (
        "AllBeta",
        false,
        Severity::Medium,
        "every protection that is still beta is off",
    ),
];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    component::judge_all(node, &ALL, |component, given| {
        let mut found = Vec::new();
        for (gate, harmful, severity, what) in HARMFUL {
            if given.gate(gate)? == Some(*harmful) {
                let message = format!("the gate {gate}={harmful}: {what}");
                found.push(Fault::new("feature-gates", *severity, message).of(component));
            }
        }
        Ok(faults(found))
    })
}
