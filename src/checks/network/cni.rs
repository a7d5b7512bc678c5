use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, kubectl, offence, pass_note,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::objects::{DaemonSet, of_list};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-001"),
    title: "The network plugin enforces NetworkPolicy",
    why: "Where the plugin ignores network policies every pod reaches every static pod, whatever the policies in the cluster say.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::DaemonSets],
    helps: &[Need::Cni],
    maps: &[Maps::Cis("5.3.1"), Maps::Nsa("NET")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get daemonsets -A -o wide"),
            by_hand(
                "install a plugin that enforces network policies (Calico, Cilium, Antrea, OVN-Kubernetes, kube-router), or beside flannel one that only enforces them (Canal, kube-network-policies); change one node pool at a time",
            ),
        ],
        restarts: "pods of a node lose their network while its plugin is exchanged",
        undo: &[by_hand(
            "install the former plugin again from its manifest, one node pool at a time",
        )],
    },
    examples: &[
        (
            "daemon_sets: [{namespace: calico-system, name: calico-node, images: [docker.io/calico/node:v3.29.1]}]",
            "PASS: calico-system/calico-node enforces network policies",
        ),
        (
            "daemon_sets: [{namespace: kube-flannel, name: kube-flannel-ds, images: ['ghcr.io/flannel-io/flannel:v0.26']}, {namespace: kube-system, name: kube-network-policies, images: ['registry.k8s.io/networking/kube-network-policies:v0.7']}]",
            "PASS: kube-system/kube-network-policies enforces network policies",
        ),
        (
            "daemon_sets: [{namespace: kube-system, name: kindnet, images: ['docker.io/kindest/kindnetd:v20250512-df8de77b']}]",
            "PASS: kube-system/kindnet enforces network policies",
        ),
        (
            "daemon_sets: [{namespace: kube-flannel, name: kube-flannel-ds, images: ['ghcr.io/flannel-io/flannel:v0.26']}]",
            "FAIL high: kube-flannel/kube-flannel-ds is the network plugin, and it enforces no network policies",
        ),
        (
            "{daemon_sets: [], cni: {/etc/cni/net.d: {10-net.conflist: [bridge, portmap]}}, nodes: {w-1: {cni: {/etc/cni/net.d: {10-net.conflist: [ptp]}}}}}",
            "FAIL high: the network plugin of the nodes is bridge, ptp, which enforces no network policies",
        ),
        (
            "{daemon_sets: [], cni: {/etc/cni/net.d: {10-net.conflist: [bridge]}}, nodes: {w-1: {cni: {gap: denied}}}}",
            "FAIL high: the network plugin of the nodes is bridge, which enforces no network policies; gap: the login may not read it",
        ),
        (
            "{daemon_sets: [], cni: {/etc/cni/net.d: {10-calico.conflist: [calico, portmap]}}}",
            "MANUAL: which network plugin is this, and does it enforce network policies?",
        ),
        (
            "daemon_sets: [{namespace: kube-system, name: kube-proxy, images: ['registry.k8s.io/kube-proxy:v1.37.2']}]",
            "MANUAL: which network plugin is this, and does it enforce network policies?",
        ),
        (
            "daemon_sets: {gap: forbidden}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

/// Words in the name or an image of a DaemonSet that enforces network policies.
const ENFORCES: [&str; 16] = [
    "calico-node",
    "calico/node",
    "canal",
    "cilium/cilium",
    "/cilium:",
    "anetd",
    "antrea-agent",
    "ovnkube-node",
    "ovn-kubernetes",
    "kube-ovn-cni",
    "kube-router",
    "weave-net",
    "azure-npm",
    "aws-network-policy-agent",
    "kube-network-policies",
    "romana-agent",
];

/// And of those that are known not to.
const IGNORES: [&str; 2] = ["flannel", "amazon-k8s-cni:"];

/// kindnet enforces policies since this build (kind v0.25).
const KINDNET: u32 = 20_241_007;

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let sets = view.snapshot.cluster.objects.daemon_sets.get()?;
    let all = || of_list(Need::DaemonSets, &sets.value);
    if let Some((at, set)) = all().find(|(_, set)| enforces(set)) {
        let note = format!("{}/{} enforces network policies", set.namespace, set.name);
        return Ok(pass_note([at], note));
    }
    if let Some((names, gaps)) = plain(view) {
        let message = format!(
            "the network plugin of the nodes is {names}, which enforces no network policies"
        );
        let offence = offence(Subject::setting("cni"), Severity::High, message, [sets.at]);
        return Ok(Verdict::Fail {
            offences: vec![offence],
            gaps,
        });
    }
    match all().find(|(_, set)| ignores(set)) {
        Some((at, set)) => Ok(fail(
            Subject::object("daemonsets", set.namespace.as_str(), &set.name),
            Severity::High,
            format!(
                "{}/{} is the network plugin, and it enforces no network policies",
                set.namespace, set.name
            ),
            [at, sets.at],
        )),
        None => Err(Gap::NeedsHuman {
            question: Text::new(
                "which network plugin is this, and does it enforce network policies?",
            ),
        }),
    }
}

/// Plugins that only make a network, as CNI configuration names them.
const PLAIN: [&str; 10] = [
    "bridge",
    "ptp",
    "flannel",
    "loopback",
    "portmap",
    "bandwidth",
    "tuning",
    "macvlan",
    "ipvlan",
    "host-local",
];

/// The first plugins of the nodes whose configuration names none but plain ones, and why other nodes are not known.
/// None where a node has a plugin that is not known: it may enforce policies.
fn plain(view: &View<'_>) -> Option<(String, Vec<Gap>)> {
    let mut names: Vec<&str> = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    for node in view.snapshot.nodes.values() {
        match plugins(node) {
            Ok(types) => {
                if !types.iter().all(|kind| PLAIN.contains(&kind.as_str())) {
                    return None;
                }
                let first = types.first()?.as_str();
                if !names.contains(&first) {
                    names.push(first);
                }
            }
            Err(gap) if gaps.contains(&gap) => {}
            Err(gap) => gaps.push(gap),
        }
    }
    (!names.is_empty()).then(|| (names.join(", "), gaps))
}

/// The plugins of the file that the runtime reads, the first one of the first folder that has any.
fn plugins(node: &NodeFacts) -> Result<&[Text], Gap> {
    let none: &[Text] = &[];
    for folder in &node.host.cni.get()?.value {
        if let Some(file) = folder.files.get()?.value.first() {
            return Ok(&file.types.get()?.value);
        }
    }
    Ok(none)
}

fn says(set: &DaemonSet, words: &[&str]) -> bool {
    let mut texts = set.images.iter().chain([&set.name]);
    texts.any(|text| words.iter().any(|word| text.as_str().contains(word)))
}

fn enforces(set: &DaemonSet) -> bool {
    says(set, &ENFORCES)
        || set
            .images
            .iter()
            .any(|image| kindnet(image).is_some_and(|built| built >= KINDNET))
}

fn ignores(set: &DaemonSet) -> bool {
    says(set, &IGNORES)
        || set
            .images
            .iter()
            .any(|image| kindnet(image).is_some_and(|built| built < KINDNET))
}

/// The date of a kindnetd image, as its tag has it: `v20250512-df8de77b`.
fn kindnet(image: &Text) -> Option<u32> {
    let (_, tag) = image.as_str().split_once("kindnetd:v")?;
    tag.get(..8)?.parse().ok()
}
