use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::images::reference::Reference;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::policy::{Declared, File, is_match};
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::verdict::{Offence, Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-026"),
    title: "Every static pod is declared by the policy",
    why: "No admission ever looks at a static pod: a file that nobody declared is how an attacker stays on a node.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests, Need::Policy],
    helps: &[Need::NodeObject],
    maps: &[Maps::Ms("MS-TA9017"), Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "find out who put it there; where it is not meant, move the file out of the folder: cp first, the pod stops at once",
            ),
            by_hand(
                "where it is meant: add {pod} to static_pods: in the policy file, with its nodes and images",
            ),
        ],
        restarts: "the pod, where its file is removed; nothing, where the policy is changed",
        undo: &[by_hand("put the file back under its old name")],
    },
    examples: &[
        (
            "{policy: {static_pods: [{pod: kube-system/etcd}]}, manifests: []}",
            "PASS",
        ),
        (
            "{policy: {static_pods: [{pod: 'kube-system/*', nodes: {names: ['cp-*']}}]}, manifests: [{file: a.yaml, pod: kube-system/etcd}]}",
            "PASS",
        ),
        (
            "{policy: {static_pods: [{pod: kube-system/etcd, nodes: {labels: {role: cp}}, images: [r.io/etcd]}]}, object: {labels: {role: cp}}, manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: c, image: 'r.io/etcd:3'}]}}}]}",
            "PASS",
        ),
        (
            "{policy: {static_pods: [{pod: kube-system/etcd}]}, manifests: [{file: a.yaml, pod: x/miner}, {file: b.yaml, unread: denied}]}",
            "FAIL high: x/miner is not declared for this node; gap: the login may not read it",
        ),
        (
            "{policy: {static_pods: [{pod: kube-system/etcd, nodes: {names: [cp-2]}}]}, manifests: [{file: a.yaml, pod: kube-system/etcd}]}",
            "FAIL high: kube-system/etcd is not declared for this node",
        ),
        (
            "{policy: {static_pods: [{pod: x/a, images: [r.io/a]}]}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, image: 'r.io/b:1'}]}}}]}",
            "FAIL high: x/a is declared with images of r.io/a, container c runs r.io/b:1",
        ),
        (
            "{policy: {static_pods: [{pod: kube-system/etcd, nodes: {labels: {role: cp}}}]}, object: {gap: forbidden}, manifests: [{file: a.yaml, pod: kube-system/etcd}]}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{policy: none, manifests: []}",
            "N/A: no policy declares static pods: stakeout policy init",
        ),
        (
            "{policy: {static_pods: []}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let manifests = node.host.manifests.get()?;
    let policy = view.policy.file.get()?;
    let declared = policy
        .value
        .as_deref()
        .and_then(|file| Some((file, file.static_pods.as_deref()?)));
    let Some((file, declared)) = declared else {
        return Ok(not_applicable(
            [policy.at],
            "no policy declares static pods: stakeout policy init",
        ));
    };
    let mut tally = Tally::new();
    tally.all_good(&[manifests.at, policy.at]);
    for manifest in &manifests.value {
        let Some(manifest) = tally.take(manifest) else {
            continue;
        };
        let Some(parsed) = tally.take(&manifest.value.pod) else {
            continue;
        };
        if let Some(pod) = parsed.value.pod() {
            let outcome = one(node, file, declared, (pod, parsed.at));
            tally.part(manifest.at, outcome);
        }
    }
    tally.verdict()
}

/// One entry that fits is enough; a node that may or may not be meant is a gap only where none does.
fn one(
    node: &NodeFacts,
    file: &File,
    declared: &[Declared],
    (pod, at): (&Pod, Locator),
) -> Result<Option<Offence>, Gap> {
    let name = format!("{}/{}", pod.namespace, pod.name);
    let say = |message, line: Option<u32>| {
        let subject = Subject::pod(&pod.namespace, &pod.name);
        let entry = line.map_or(Locator::list(Need::Policy), |line| {
            Locator::new(Need::Policy, line)
        });
        Ok(Some(offence(subject, Severity::High, message, [at, entry])))
    };
    let (mut gap, mut foreign) = (None, None);
    for entry in declared
        .iter()
        .filter(|it| is_match(it.pod.as_str(), &name))
    {
        match entry.nodes.covers(&node.name, &node.api.object) {
            Ok(false) => {}
            Err(why) => gap = Some(why),
            Ok(true) => match from_elsewhere(pod, entry, file) {
                None => return Ok(None),
                Some(image) => foreign = Some((entry, image)),
            },
        }
    }
    match (foreign, gap) {
        (Some((entry, image)), None) => {
            let places: Vec<&str> = places(entry, file).iter().map(Text::as_str).collect();
            let places = places.join(", ");
            say(
                format!("{name} is declared with images of {places}, {image}"),
                Some(entry.line),
            )
        }
        (_, Some(gap)) => Err(gap),
        (None, None) => say(format!("{name} is not declared for this node"), None),
    }
}

fn places<'f>(entry: &'f Declared, file: &'f File) -> &'f [Text] {
    if entry.images.is_empty() {
        &file.registries
    } else {
        &entry.images
    }
}

/// The first image that the entry does not allow. What is no reference comes from nowhere.
fn from_elsewhere(pod: &Pod, entry: &Declared, file: &File) -> Option<String> {
    let places = places(entry, file);
    if places.is_empty() {
        return None;
    }
    pod.containers().find_map(|(_, container)| {
        let image = container.get("image").and_then(Branch::as_str)?;
        let reference = Reference::parse(image);
        let fits =
            reference.is_some_and(|it| places.iter().any(|place| it.is_from(place.as_str())));
        let name = container.get("name").and_then(Branch::as_str).unwrap_or("");
        (!fits).then(|| format!("container {name} runs {image}"))
    })
}
