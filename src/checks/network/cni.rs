use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, kubectl, offence, pass_note,
};
use crate::checks::images::reference::Reference;
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
            "{daemon_sets: [{namespace: calico-system, name: calico-node, images: [docker.io/calico/node:v3.29.1]}], cni: {/etc/cni/net.d: {10-calico.conflist: [calico, portmap]}}}",
            "PASS: calico-system/calico-node enforces network policies",
        ),
        (
            "{daemon_sets: [{namespace: calico-system, name: calico-node, images: [docker.io/calico/node:v3.29.1]}], cni: {gap: denied}}",
            "UNKNOWN: the login may not read it",
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
            "daemon_sets: [{namespace: shop, name: calico-node, images: ['docker.io/shop/not-calico/node-exporter:v1']}, {namespace: shop, name: b, images: ['docker.io/shop/kube-router-metrics:v1']}]",
            "MANUAL: which network plugin is this, and does it enforce network policies?",
        ),
        (
            "daemon_sets: [{namespace: kube-system, name: aws-node, images: ['602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.19', '602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon/aws-network-policy-agent:v1.1']}]",
            "MANUAL: does aws-network-policy-agent of kube-system/aws-node run with --enable-network-policy=true?",
        ),
        (
            "{daemon_sets: [{namespace: kube-system, name: calico-node, images: ['mirror.example/oss/calico/node:v3.29.1']}], cni: {/etc/cni/net.d: {10-net.conflist: [bridge, portmap]}}}",
            "MANUAL: kube-system/calico-node would enforce network policies, and the network plugin of the nodes is bridge: is it in use?",
        ),
        (
            "{daemon_sets: [{namespace: kube-system, name: kube-router, images: ['docker.io/cloudnativelabs/kube-router:v2']}], cni: {/etc/cni/net.d: {10-kuberouter.conflist: [bridge, portmap]}}}",
            "PASS: kube-system/kube-router enforces network policies",
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

/// Repositories of plugins that enforce network policies: the last parts of the path, whole.
const ENFORCES: [&str; 14] = [
    "antrea/antrea-agent-ubi",
    "antrea/antrea-agent-ubuntu",
    "antrea/antrea-ubuntu",
    "calico-node",
    "calico/node",
    "cilium/cilium",
    "hardened-calico",
    "isovalent/cilium",
    "kubeovn/kube-ovn",
    "mirrored-calico-node",
    "mirrored-cilium-cilium",
    "ovn-kube-fedora",
    "ovn-kube-ubuntu",
    "ovn-kubernetes/ovn-kube-u",
];

/// The same of those that enforce beside any plugin.
const BESIDE: [&str; 5] = [
    "azure-npm",
    "kube-network-policies",
    "kube-router",
    "romana/agent",
    "weave-npc",
];

/// And of those that are known not to.
const IGNORES: [&str; 5] = [
    "amazon-k8s-cni",
    "flannel",
    "hardened-flannel",
    "mirrored-flannel-flannel",
    "mirrored-flannelcni-flannel",
];

/// It enforces where an argument of its container says so.
const AGENT: &str = "aws-network-policy-agent";

/// kindnet enforces policies since this build (kind v0.25).
const KINDNET: u32 = 20_241_007;

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let sets = view.snapshot.cluster.objects.daemon_sets.get()?;
    let all = || of_list(Need::DaemonSets, &sets.value);
    let plugins = plugins_of(view);
    let beside = all().find(|(_, set)| is(set, &BESIDE) || kindnet(set) == Some(true));
    if let Some((at, set)) = beside {
        let note = format!("{}/{} enforces network policies", set.namespace, set.name);
        return Ok(pass_note([at], note));
    }
    if let Some((at, set)) = all().find(|(_, set)| is(set, &ENFORCES)) {
        return match plugins {
            Plugins::Unknown(gap) => Err(gap),
            Plugins::Other => {
                let note = format!("{}/{} enforces network policies", set.namespace, set.name);
                Ok(pass_note([at], note))
            }
            Plugins::Plain(names, _) => Err(human(format!(
                "{}/{} would enforce network policies, and the network plugin of the nodes is {names}: is it in use?",
                set.namespace, set.name
            ))),
        };
    }
    if let Some((_, set)) = all().find(|(_, set)| is(set, &[AGENT])) {
        return Err(human(format!(
            "does {AGENT} of {}/{} run with --enable-network-policy=true?",
            set.namespace, set.name
        )));
    }
    if let Plugins::Plain(names, gaps) = plugins {
        let message = format!(
            "the network plugin of the nodes is {names}, which enforces no network policies"
        );
        let offence = offence(Subject::setting("cni"), Severity::High, message, [sets.at]);
        return Ok(Verdict::Fail {
            offences: vec![offence],
            gaps,
        });
    }
    match all().find(|(_, set)| is(set, &IGNORES) || kindnet(set) == Some(false)) {
        Some((at, set)) => Ok(fail(
            Subject::object("daemonsets", set.namespace.as_str(), &set.name),
            Severity::High,
            format!(
                "{}/{} is the network plugin, and it enforces no network policies",
                set.namespace, set.name
            ),
            [at, sets.at],
        )),
        None => Err(human(
            "which network plugin is this, and does it enforce network policies?".to_owned(),
        )),
    }
}

fn human(question: String) -> Gap {
    Gap::NeedsHuman {
        question: Text::from(question),
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

/// What the configuration of the nodes says of their network plugin.
enum Plugins {
    /// A node has one that is not plain: it may enforce policies.
    Other,
    /// The first plugins of the nodes, none of which is more than plain, and why other nodes are not known.
    Plain(String, Vec<Gap>),
    /// No node shows one.
    Unknown(Gap),
}

fn plugins_of(view: &View<'_>) -> Plugins {
    let mut names: Vec<&str> = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    for node in view.snapshot.nodes.values() {
        match plugins(node) {
            Ok(types) => {
                if !types.iter().all(|kind| PLAIN.contains(&kind.as_str())) {
                    return Plugins::Other;
                }
                let first = types.first().map(Text::as_str);
                names.extend(first.filter(|first| !names.contains(first)));
            }
            Err(gap) if gaps.contains(&gap) => {}
            Err(gap) => gaps.push(gap),
        }
    }
    if names.is_empty() {
        return Plugins::Unknown(gaps.into_iter().next().unwrap_or(Gap::NotAsked));
    }
    Plugins::Plain(names.join(", "), gaps)
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

/// Whether an image of the set is of one of the repositories, in whatever registry or mirror.
fn is(set: &DaemonSet, repositories: &[&str]) -> bool {
    let mut images = set.images.iter().map(Text::as_str);
    images.any(|image| {
        let path = Reference::parse(image).map(|reference| reference.path);
        let within = |wanted: &&str| {
            let rest = path.as_ref().and_then(|path| path.strip_suffix(wanted));
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        repositories.iter().any(within)
    })
}

/// Whether a kindnetd image is new enough, by the date in its tag: `v20250512-df8de77b`; none where there is no such
/// image.
fn kindnet(set: &DaemonSet) -> Option<bool> {
    let built = set.images.iter().find_map(|image| {
        let image = Reference::parse(image.as_str())?;
        let own = image.path.rsplit('/').next() == Some("kindnetd");
        let date = image.tag?.strip_prefix('v')?.get(..8)?;
        date.parse().ok().filter(|_: &u32| own)
    });
    built.map(|built| built >= KINDNET)
}
