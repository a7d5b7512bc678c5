use super::credentials::{Holder, credentials, held};
use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, offence, on_node};
use crate::checks::privilege::containers::each_pod;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-030"),
    title: "No static pod holds an administrator's credential",
    why: "A static pod often faces the network: whoever breaks into one that mounts admin.conf or a CA's key is administrator of the cluster.",
    severity: Severity::Critical,
    since: "0.3.0",
    needs: &[Need::Manifests],
    helps: &[Need::Kubeconfigs, Need::Pki],
    maps: &[
        Maps::Cis("5.1.7"),
        Maps::Attack("T1552"),
        Maps::Source("kube-vip/kube-vip#684"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "make a user with the few rights that the pod needs: kubeadm kubeconfig user --client-name NAME writes its kubeconfig; grant it by a Role of its own",
            ),
            by_hand(
                "copy the manifest out of the folder as a backup; mount that file with readOnly: true in place of the credential",
            ),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        (
            "{kubeconfigs: [], pki: [], manifests: [{file: a.yaml, pod: {metadata: {name: kube-scheduler, namespace: kube-system}, spec: {containers: [{name: c, volumeMounts: [{name: v, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /etc/kubernetes/scheduler.conf}}]}}}]}",
            "PASS",
        ),
        (
            "{kubeconfigs: [], pki: [], manifests: [{file: a.yaml, pod: {metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: c, volumeMounts: [{name: v, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /etc/kubernetes/pki}}]}}}, {file: b.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /etc/kubernetes/pki/etcd}}]}}}]}",
            "PASS: kube-system/kube-apiserver has /etc/kubernetes/pki, as kubeadm gives it; kube-system/etcd has /etc/kubernetes/pki/etcd, as kubeadm gives it",
        ),
        (
            "{kubeconfigs: [], pki: [], manifests: [{file: a.yaml, pod: {metadata: {name: kube-vip, namespace: kube-system}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /etc/kubernetes/super-admin.conf}}]}}}]}",
            "FAIL critical: kube-system/kube-vip has /etc/kubernetes/super-admin.conf, an administrator's kubeconfig (volume v)",
        ),
        (
            "{kubeconfigs: [{role: admin_kubeconfig, path: /etc/kubernetes/admin.conf}], pki: [], manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /etc/kubernetes/}}]}}}]}",
            "FAIL critical: default/a has /etc/kubernetes, and in it /etc/kubernetes/admin.conf, an administrator's kubeconfig (volume v)",
        ),
        (
            "{kubeconfigs: [], pki: [], manifests: [{file: a.yaml, pod: {metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /etc/kubernetes/pki}}]}}}, {file: b.yaml, pod: {metadata: {name: lb}, spec: {containers: [{name: c, volumeMounts: [{name: v, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /etc/kubernetes/pki/ca.key}}]}}}]}",
            "FAIL critical: kube-system/kube-apiserver can write to /etc/kubernetes/pki, the keys of the cluster (volume v); critical: default/lb has /etc/kubernetes/pki/ca.key, the key of a CA (volume v)",
        ),
        (
            "{kubeconfigs: [], pki: [{role: private_key, path: /opt/pki/server-ca.key}], manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v, readOnly: true}, {name: w, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /opt/pki}}, {name: w, hostPath: {path: /etc/kubernetes/pki/ca.crt}}]}}}]}",
            "FAIL critical: default/a has /opt/pki, and in it /opt/pki/server-ca.key, the key of a CA (volume v)",
        ),
        (
            "{kubeconfigs: [], pki: [], manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: w}]}], volumes: [{name: w, hostPath: {path: /etc/kubernetes/pki/front}}, {name: unused, hostPath: {path: /}}]}}}]}",
            "FAIL high: default/a can write to /etc/kubernetes/pki/front, among the keys of the cluster (volume w)",
        ),
        (
            "{kubeconfigs: [], pki: [], manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /etc/kubernetes/pki/sa.key}}]}}}]}",
            "FAIL critical: default/a has /etc/kubernetes/pki/sa.key, the key that signs the tokens of service accounts (volume v)",
        ),
        (
            "{kubeconfigs: {gap: denied}, pki: [], manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, volumeMounts: [{name: v, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /srv/x}}]}}}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{kubeconfigs: [], pki: [], manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let known = credentials(node);
    each_pod(node, |around, tally| {
        let mut any = false;
        for holder in held(&around, &known) {
            any = true;
            match holder {
                Holder::Meant { path } => {
                    tally.note(format!("{} has {path}, as kubeadm gives it", around.name()));
                }
                Holder::Found(found) => {
                    let message = format!(
                        "{} {} (volume {})",
                        around.name(),
                        found.words,
                        found.volume
                    );
                    let subject = around.part(found.volume);
                    tally.offence(offence(subject, found.severity, message, [around.at]));
                }
            }
        }
        // What a mount brings hangs on what lies there; without one nothing is brought.
        if any || around.host_paths().next().is_some() {
            tally.gaps(known.gaps.iter().cloned());
        }
        tally.good(around.at);
    })
}
