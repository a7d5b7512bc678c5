use std::collections::{BTreeMap, BTreeSet};

use super::pairs::{Declared, declared};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, few, not_applicable, offence, on_node,
};
use crate::checks::privilege::containers::{Around, word, writes};
use crate::checks::privilege::places::plain;
use crate::checks::program::own_words;
use crate::model::fact::{Gap, Need};
use crate::model::known::CONTROL_PLANE_COMPONENTS;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-025"),
    title: "Peers of the control plane are told the same",
    why: "The weakest of several control planes decides: one API server without audit or with a flag of its own is the one that an attacker asks.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject, Need::MirrorPods],
    maps: &[Maps::Nsa("UPG"), Maps::Attack("T1562")],
    fix: Remediation {
        steps: &[
            on_node("cat /etc/kubernetes/manifests/{pod}.yaml"),
            by_hand(
                "compare it with the same file of the other nodes and decide which one is right; copy the file out of the folder as a backup before you align it, one node at a time",
            ),
            by_hand(
                "keep the right one: ClusterConfiguration of the ConfigMap kubeadm-config, then kubeadm upgrade node",
            ),
        ],
        restarts: "the component, once, as soon as the file is saved: 10 to 60 s away",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        (
            "{object: {addresses: {InternalIP: 10.0.0.1}}, manifests: [{file: a.yaml, pod: {metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: c, image: 'r.io/a:1', command: [kube-apiserver, --advertise-address=10.0.0.1, '--x=https://10.0.0.1:1/cp-1']}]}}}], nodes: {cp-2: {object: {addresses: {InternalIP: 10.0.0.11}}, manifests: [{file: a.yaml, pod: {metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: c, image: 'r.io/a:1', command: [kube-apiserver, --advertise-address=10.0.0.11, --x, 'https://10.0.0.11:1/cp-2']}]}}}]}}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: c, image: 'r.io/a:1', command: [kube-apiserver, --anonymous-auth=true]}]}}}], nodes: {cp-2: {manifests: [{file: a.yaml, pod: {metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: c, image: 'r.io/a:2', command: [kube-apiserver], volumeMounts: [{name: v, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /etc/audit/}}]}}}]}}}",
            "FAIL high: kube-system/kube-apiserver differs from its peers in 3 fields: --anonymous-auth is true, cp-2 has none; image of c is r.io/a:1, cp-2 has r.io/a:2; volume v is not there, cp-2 has /etc/audit read-only",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}}}], nodes: {cp-2: {manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}}}]}, cp-3: {manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: c, image: 'r.io/a:2'}]}}}]}}}",
            "PASS: another node is the odd one out",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, manifests: [{file: a.yaml, pod: kube-system/etcd}], nodes: {cp-2: {object: {labels: {node-role.kubernetes.io/control-plane: ''}}, manifests: {gap: denied}}}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{count: 2, manifests: [{file: a.yaml, pod: kube-system/etcd}], nodes: {w-1: {object: {}, mirrors: [], manifests: {gap: denied}}}}",
            "N/A: no other node runs a component of the control plane",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/web}]}",
            "N/A: no component of the control plane is declared here",
        ),
        (
            "{manifests: [{file: a.yaml, unread: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Peers(judge),
    file: file!(),
};

/// Flags that have to differ, or may for a good reason.
const OWN: [&str; 5] = [
    "advertise-address",
    "etcd-servers",
    "initial-cluster",
    "initial-cluster-state",
    "name",
];

/// As many fields as a message tells.
const TOLD: usize = 3;

/// Field to value, what is the node's own taken out.
type Shape = BTreeMap<String, String>;

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let own = declared(node)?;
    let mut tally = Tally::new();
    own.tell(&mut tally);
    let components: Vec<&Declared<'_>> = own.pods.iter().filter(|pod| is_component(pod)).collect();
    if components.is_empty() {
        if !own.gaps.is_empty() {
            return tally.verdict();
        }
        return Ok(not_applicable(
            [own.at],
            "no component of the control plane is declared here",
        ));
    }
    let mut others = Vec::new();
    for other in view.snapshot.nodes.values() {
        if other.name == node.name {
            continue;
        }
        match peer(other) {
            Ok(false) => {}
            Err(gap) => tally.gap(gap),
            Ok(true) => match declared(other) {
                Ok(all) => {
                    tally.gaps(all.gaps.iter().cloned());
                    others.push((other, all));
                }
                Err(gap) => tally.gap(gap),
            },
        }
    }
    for component in components {
        let mut shapes = Vec::new();
        for (other, all) in &others {
            let same = |pod: &&Declared<'_>| {
                (&pod.pod.namespace, &pod.pod.name)
                    == (&component.pod.namespace, &component.pod.name)
            };
            let found = all.pods.iter().find(same);
            shapes.extend(found.map(|pod| (other.name.as_str(), shape(other, pod))));
        }
        compare(node, component, &shapes, &mut tally);
    }
    let verdict = tally.verdict()?;
    if others.is_empty() && matches!(verdict, Verdict::Pass { .. }) {
        // Without the list of nodes there may be more of them than are known here.
        view.snapshot.cluster.nodes.get()?;
        return Ok(not_applicable(
            [own.at],
            "no other node runs a component of the control plane",
        ));
    }
    Ok(verdict)
}

fn is_component(pod: &Declared<'_>) -> bool {
    pod.pod.namespace == "kube-system" && CONTROL_PLANE_COMPONENTS.contains(&pod.pod.name.as_str())
}

/// Whether another node runs the control plane too.
fn peer(node: &NodeFacts) -> Result<bool, Gap> {
    let object = node.api.object.get();
    if object
        .as_ref()
        .is_ok_and(|object| object.value.is_control_plane())
    {
        return Ok(true);
    }
    if let Ok(all) = declared(node)
        && (all.gaps.is_empty() || all.pods.iter().any(is_component))
    {
        return Ok(all.pods.iter().any(is_component));
    }
    let mirrors = node.api.mirrors.get()?;
    let suffix = format!("-{}", node.name.as_str().to_ascii_lowercase());
    let found = mirrors.value.iter().any(|mirror| {
        let name = mirror.pod.name.as_str();
        CONTROL_PLANE_COMPONENTS.contains(&name.strip_suffix(&suffix).unwrap_or(name))
    });
    match &node.api.unread {
        Some(gap) if !found => Err(gap.clone()),
        _ => object.map(|_| found),
    }
}

/// What a component is told.
fn shape(node: &NodeFacts, pod: &Declared<'_>) -> Shape {
    let mut own: Vec<String> = vec![node.name.to_string()];
    if let Ok(object) = node.api.object.get() {
        own.extend(
            object
                .value
                .addresses
                .iter()
                .map(|(_, address)| address.to_string()),
        );
    }
    let mut out = Shape::new();
    for (_, container) in pod.pod.containers() {
        let name = word(container.get("name"));
        out.insert(
            format!("image of {name}"),
            word(container.get("image")).to_owned(),
        );
    }
    let words = own_words(pod.pod, pod.pod.name.as_str()).unwrap_or_default();
    for (flag, value) in flags(&words) {
        if !OWN.contains(&flag.as_str()) {
            let value = own.iter().fold(value, |value, own| without(&value, own));
            let entry = out.entry(format!("--{flag}")).or_default();
            if !entry.is_empty() {
                entry.push(',');
            }
            entry.push_str(&value);
        }
    }
    let around = Around {
        pod: pod.pod,
        at: pod.at,
    };
    for (volume, path) in around.host_paths() {
        let mut containers = pod.pod.containers();
        let mode = if containers.any(|(_, one)| writes(one, volume) == Some(true)) {
            ""
        } else {
            " read-only"
        };
        out.insert(format!("volume {volume}"), format!("{}{mode}", plain(path)));
    }
    out
}

/// Flags with their values, in their order.
fn flags(words: &[String]) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(flag) = words.next() {
        let Some(flag) = flag.strip_prefix("--").or_else(|| flag.strip_prefix('-')) else {
            continue;
        };
        let (name, value) = if let Some((name, value)) = flag.split_once('=') {
            (name, value.to_owned())
        } else {
            let next = words.next_if(|next| !next.starts_with('-'));
            (flag, next.cloned().unwrap_or_default())
        };
        out.push((name.replace('_', "-"), value));
    }
    out
}

/// The value with a name of the node's own taken out, where it stands as a word.
fn without(value: &str, own: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let mut out = String::with_capacity(value.len());
    let (mut rest, mut before) = (value, None);
    while let Some(at) = rest.find(own).filter(|_| !own.is_empty()) {
        let (head, tail) = rest.split_at(at);
        let after = &tail[own.len()..];
        let starts = head.chars().next_back().or(before).is_none_or(|c| !part(c));
        let ends = after.chars().next().is_none_or(|c| !part(c));
        out.push_str(head);
        out.push_str(if starts && ends { "*" } else { own });
        before = own.chars().next_back();
        rest = after;
    }
    out.push_str(rest);
    out
}

fn compare(node: &NodeFacts, pod: &Declared<'_>, peers: &[(&str, Shape)], tally: &mut Tally) {
    let own = shape(node, pod);
    let keys: BTreeSet<&String> = own
        .keys()
        .chain(peers.iter().flat_map(|(_, shape)| shape.keys()))
        .collect();
    let mut odd = Vec::new();
    let mut differ = false;
    for key in keys {
        let mine = own.get(key);
        let mut votes: BTreeMap<Option<&String>, Vec<&str>> = BTreeMap::new();
        for (name, shape) in peers {
            votes.entry(shape.get(key)).or_default().push(name);
        }
        let agree = votes.remove(&mine).map_or(1, |names| names.len() + 1);
        differ |= !votes.is_empty();
        let most = votes.into_iter().max_by_key(|(_, names)| names.len());
        if let Some((theirs, names)) = most.filter(|(_, names)| names.len() >= agree) {
            odd.push(told(key, mine, theirs, &names));
        }
    }
    if odd.is_empty() {
        if differ {
            tally.note("another node is the odd one out");
        }
        return;
    }
    tally.offence(outlier(pod, &odd));
}

fn outlier(pod: &Declared<'_>, odd: &[String]) -> Offence {
    let fields = if odd.len() == 1 { "field" } else { "fields" };
    let shown = odd.len().min(TOLD);
    let message = format!(
        "{}/{} differs from its peers in {} {fields}: {}",
        pod.pod.namespace,
        pod.pod.name,
        odd.len(),
        odd[..shown].join("; ")
    );
    let subject = Subject::pod(&pod.pod.namespace, &pod.pod.name);
    offence(subject, Severity::High, message, [pod.at])
}

fn told(key: &str, mine: Option<&String>, theirs: Option<&String>, names: &[&str]) -> String {
    let cut = |value: &String| {
        if value.is_empty() {
            return "set".to_owned();
        }
        let head: String = value.chars().take(60).collect();
        if head.len() < value.len() {
            format!("{head}...")
        } else {
            head
        }
    };
    let mine = mine.map_or_else(|| "not there".to_owned(), &cut);
    let theirs = theirs.map_or_else(|| "none".to_owned(), &cut);
    let verb = if names.len() == 1 { "has" } else { "have" };
    format!("{key} is {mine}, {} {verb} {theirs}", few(names))
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn a_name_is_taken_out_as_a_word() {
        for (value, own, wanted) in [
            (
                "https://10.0.0.1:2379,https://10.0.0.11:2379",
                "10.0.0.1",
                "https://*:2379,https://10.0.0.11:2379",
            ),
            ("cp-1", "cp-1", "*"),
            ("cp-1=https://cp-10", "cp-1", "*=https://cp-10"),
            ("xcp-1", "cp-1", "xcp-1"),
            ("a", "", "a"),
            ("[fd00::1]:2379", "fd00::1", "[*]:2379"),
        ] {
            assert_eq!(without(value, own), wanted);
        }
    }
}
