use super::pod_reach::reaches;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-020"),
    title: "No ordinary pod writes where static pods come from",
    why: "A pod that writes to the static pod folder, to the kubelet's files or to a runtime's socket needs one file or one call to be root of the node.",
    severity: Severity::Critical,
    since: "0.3.0",
    needs: &[Need::PodUids, Need::ManifestDir, Need::KubeletFiles],
    helps: &[Need::PersistentVolumes],
    maps: &[
        Maps::Cis("5.2.11"),
        Maps::Ms("Writable hostPath mount"),
        Maps::Attack("T1611"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get pod -n {ns} {pod} -o yaml"),
            by_hand(
                "find who made it (its owner, then its service account); mount the one folder that it needs instead of one above, with readOnly: true, and keep a socket out of it",
            ),
            by_hand(
                "keep others from doing the same: enforce baseline in its namespace, which forbids hostPath",
            ),
        ],
        restarts: "the pods of that workload, one after the other",
        undo: &[by_hand("apply the old manifest of the workload again")],
    },
    examples: &[
        (
            "{dir: {}, kubelet_files: [{role: root_dir, path: /var/lib/kubelet}], pods: [{pod: kube-system/kube-proxy-x, account: kube-proxy, mounts: [/run/xtables.lock, /lib/modules ro]}, {pod: a/b}, {pod: csi/node, mounts: [/var/lib/kubelet/plugins/csi.example]}]}",
            "PASS",
        ),
        (
            "{dir: {}, kubelet_files: [], pods: [{pod: a/b, mounts: [/etc/kubernetes/manifests ro, /etc/kubernetes-backup, /etc ro]}, {pod: x/etcd-cp-1, traits: mirror, mounts: [/]}, {pod: a/done, traits: ended, mounts: [/]}]}",
            "PASS",
        ),
        (
            "{dir: {}, kubelet_files: [], pods: [{pod: shop/agent-x, account: agent, mounts: [/etc]}, {pod: shop/web, mounts: [/etc/kubernetes/manifests/sub user]}, {pod: shop/logs, mounts: [/ ro]}]}",
            "FAIL critical: shop/agent-x (service account shop/agent) writes to /etc as root, and so to the static pod folder /etc/kubernetes/manifests; high: shop/web writes to /etc/kubernetes/manifests/sub as a user other than root, and so to the static pod folder /etc/kubernetes/manifests; critical: shop/logs reaches / as root, and so a container runtime's socket /run/buildkit/buildkitd.sock",
        ),
        (
            "{dir: none, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml}, {role: root_dir, path: /var/lib/kubelet}], pods: [{pod: a/b, mounts: [/var/lib/kubelet/pods]}, {pod: a/c, mounts: [/var/run/containerd ro]}, {pod: a/d, mounts: [/var/lib/kubelet]}]}",
            "FAIL high: a/b writes to /var/lib/kubelet/pods as root, and so to the kubelet's own folder /var/lib/kubelet; critical: a/c reaches /run/containerd as root, and so a container runtime's socket /run/containerd/containerd.sock; critical: a/d writes to /var/lib/kubelet as root, and so to the kubelet's configuration /var/lib/kubelet/config.yaml",
        ),
        (
            "{dir: {}, kubelet_files: [], pods: [{pod: a/b, mounts: ['claim:data']}], persistent_volumes: [{name: disk, path: /etc/kubernetes, claim: [a, data]}]}",
            "FAIL critical: a/b writes to /etc/kubernetes as root by volume disk, and so to the static pod folder /etc/kubernetes/manifests",
        ),
        (
            "{dir: {}, kubelet_files: [], pods: [{pod: a/b, mounts: ['claim:data']}], persistent_volumes: [{name: disk, path: /etc/kubernetes, claim: [b, data]}, {name: net}]}",
            "PASS",
        ),
        (
            "{dir: {}, kubelet_files: [], pods: [{pod: a/b, mounts: ['claim:data']}], persistent_volumes: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{dir: {}, kubelet_files: [], pods: [{pod: a/b, mounts: [/srv], cut: true}]}",
            "UNKNOWN: the answer cannot be trusted: a/b mounts more volumes than are kept",
        ),
        (
            "{dir: {}, kubelet_files: [], pods: [], unread: forbidden}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    for reach in reaches(node, view, &mut tally)? {
        let account = match reach.pod.uses.as_deref() {
            Some(uses) if !uses.account.is_empty() => {
                format!(
                    " (service account {}/{})",
                    reach.pod.namespace, uses.account
                )
            }
            _ => String::new(),
        };
        let volume = reach.volume.map(|(_, name)| format!(" by volume {name}"));
        let (verb, to) = if reach.mount.writable {
            ("writes to", "to ")
        } else {
            ("reaches", "")
        };
        let message = format!(
            "{}{account} {verb} {} {}{}, and so {to}{} {}",
            reach.name(),
            reach.path,
            reach.user(),
            volume.unwrap_or_default(),
            reach.place.role.words(),
            reach.place.path,
        );
        let (namespace, name) = (&*reach.pod.namespace, &*reach.pod.name);
        let subject = Subject::pod(&Text::new(namespace), &Text::new(name));
        let evidence = reach.evidence();
        tally.offence(offence(subject, reach.severity, message, evidence));
    }
    tally.verdict()
}
