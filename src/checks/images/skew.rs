use super::reference::Reference;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::merge::pairs::{Declared, declared};
use crate::checks::program::started;
use crate::checks::version;
use crate::model::Timestamp;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-IMG-011"),
    title: "Components are maintained and fit to each other",
    why: "A release that is no longer maintained gets no fix for what everybody can read, and versions too far apart were never tested together.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::Manifests, Need::NodeObject],
    helps: &[],
    maps: &[Maps::Nsa("UPG"), Maps::Source("kubescape C-0273")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get nodes -o wide"),
            on_node("kubeadm upgrade plan"),
            by_hand(
                "take a snapshot of etcd; upgrade the control plane one minor at a time, one node after the other, then the kubelets",
            ),
        ],
        restarts: "every component and kubelet, one node at a time",
        undo: &[by_hand(
            "restore the snapshot: a control plane does not go back",
        )],
    },
    examples: &[
        (
            "{version: v1.37.2, object: {version: v1.37.2}, manifests: [{file: a.yaml, pod: {metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: c, image: 'registry.k8s.io/kube-apiserver:v1.37.2'}]}}}, {file: b.yaml, pod: {metadata: {name: kube-scheduler, namespace: kube-system}, spec: {containers: [{name: c, image: 'registry.k8s.io/kube-scheduler:v1.36.1'}]}}}]}",
            "PASS",
        ),
        (
            "{version: v1.37.2, object: {version: v1.34.2}, manifests: []}",
            "PASS",
        ),
        (
            "{version: v1.35.2, object: {version: v1.36.0}, manifests: [{file: b.yaml, pod: {metadata: {name: kube-scheduler, namespace: kube-system}, spec: {containers: [{name: c, image: 'registry.k8s.io/kube-scheduler:v1.33.1'}]}}}]}",
            "FAIL medium: the kubelet is 1.36, newer than the API server (1.35); medium: kube-system/kube-scheduler is 1.33, the API server 1.35: at most one minor may lie between them",
        ),
        (
            "{version: v1.33.1, object: {version: v1.29.9}, manifests: []}",
            "FAIL high: the kubelet is 1.29, which is not maintained since 2025-02-28; the kubelet is 1.29, the API server 1.33: at most three minors may lie between them",
        ),
        (
            "{object: {version: v1.28.0}, manifests: [{file: a.yaml, pod: {metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: c, image: 'registry.k8s.io/kube-apiserver:v1.28.0'}]}}}, {file: e.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: c, image: 'registry.k8s.io/etcd:3.4.13-0'}]}}}]}",
            "FAIL high: the kubelet is 1.28, which is not maintained since 2024-10-28; high: kube-system/kube-apiserver is 1.28, which is not maintained since 2024-10-28; high: kube-system/etcd is 3.4, which is not maintained",
        ),
        (
            "{version: v1.37.0, object: {version: v1.37.0}, manifests: [{file: a.yaml, pod: {metadata: {name: other, namespace: own}, spec: {containers: [{name: p, image: 'r.io/own:v1.37.0'}, {name: c, image: 'r.io/own:v1.28.0', command: [/bin/sh, -c, exec kube-apiserver --v=2]}]}}}]}",
            "FAIL medium: the kubelet is 1.37, newer than the API server (1.28); high: own/other is 1.28, which is not maintained since 2024-10-28",
        ),
        (
            "{version: v1.37.0, object: {version: v1.37.0}, manifests: [{file: a.yaml, pod: {metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: c, image: 'r.io/own@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}]}}}]}",
            "MANUAL: which version is kube-system/kube-apiserver? no tag of its image says so",
        ),
        (
            "{object: {version: v1.37.0}, manifests: []}",
            "UNKNOWN: not asked for in this run",
        ),
        (
            "{version: v1.37.0, object: {version: v1.37.0}, manifests: [{file: a.yaml, unread: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// The last day of each minor (kubernetes/website, content/en/releases/patch-releases); older ones ended before, newer
/// ones are not judged. Seconds since the epoch.
const ENDS: &[(u32, i64, &str)] = &[
    (28, 1_730_073_600, "2024-10-28"),
    (29, 1_740_700_800, "2025-02-28"),
    (30, 1_751_068_800, "2025-06-28"),
    (31, 1_761_609_600, "2025-10-28"),
    (32, 1_772_236_800, "2026-02-28"),
    (33, 1_782_604_800, "2026-06-28"),
    (34, 1_793_059_200, "2026-10-27"),
    (35, 1_803_772_800, "2027-02-28"),
];

/// Components that follow the API server.
const FOLLOWERS: [&str; 2] = ["kube-controller-manager", "kube-scheduler"];
/// All whose version is judged.
const COMPONENTS: [&str; 4] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
];
/// The first minor of etcd 3 that is maintained.
const ETCD: u32 = 5;
/// The kubelet may be this many minors older from 1.25 on (the version skew policy).
const BEHIND: u32 = 3;

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let object = node.api.object.get()?;
    let declared = declared(node)?;
    let mut tally = Tally::new();
    tally.good(object.at);
    declared.tell(&mut tally);
    let own = declared.pods.iter().find(|pod| is(pod, "kube-apiserver"));
    let server = own.and_then(minor).or_else(|| version::server(view));
    let version = object.value.kubelet_version.as_str();
    let subject = Subject::new(SubjectKind::Node, Text::new(node.name.as_str()));
    match version::parse(version) {
        None => tally.gap(Gap::Garbled {
            what: Text::from(format!("the kubelet's version {}", Text::new(version))),
        }),
        Some(kubelet) => {
            let mut say = |severity, message: String| {
                tally.offence(offence(subject.clone(), severity, message, [object.at]));
            };
            if let Some(since) = ended(kubelet, view.now) {
                say(
                    Severity::High,
                    format!("the kubelet is 1.{kubelet}, which is not maintained{since}"),
                );
            }
            if let Some(words) = server.and_then(|server| apart(kubelet, server)) {
                say(Severity::Medium, words);
            }
        }
    }
    if server.is_none() {
        tally.gap(
            view.snapshot
                .cluster
                .version
                .get()
                .err()
                .unwrap_or(Gap::NotAsked),
        );
    }
    for pod in &declared.pods {
        component(pod, server, view.now, &mut tally);
    }
    tally.verdict()
}

/// By its name, or by what it starts, whatever it is called.
fn is(pod: &Declared<'_>, name: &str) -> bool {
    let named = pod.pod.namespace == "kube-system" && pod.pod.name == name;
    named || started(pod.pod, name).is_some()
}

fn component(pod: &Declared<'_>, server: Option<u32>, now: Timestamp, tally: &mut Tally) {
    let name = format!("{}/{}", pod.pod.namespace, pod.pod.name);
    let follows = FOLLOWERS.iter().any(|follower| is(pod, follower));
    let etcd = is(pod, "etcd");
    if !(follows || etcd || is(pod, "kube-apiserver")) {
        return;
    }
    let found = if etcd { of_etcd(pod) } else { minor(pod) };
    let Some(found) = found else {
        return tally.gap(Gap::NeedsHuman {
            question: Text::from(format!(
                "which version is {name}? no tag of its image says so"
            )),
        });
    };
    let mut say = |severity, message: String| {
        let subject = Subject::pod(&pod.pod.namespace, &pod.pod.name);
        tally.offence(offence(subject, severity, message, [pod.at]));
    };
    if etcd {
        if found < ETCD {
            say(
                Severity::High,
                format!("{name} is 3.{found}, which is not maintained"),
            );
        }
        return;
    }
    if let Some(since) = ended(found, now) {
        say(
            Severity::High,
            format!("{name} is 1.{found}, which is not maintained{since}"),
        );
    }
    let Some(server) = server.filter(|_| follows) else {
        return;
    };
    if found > server {
        say(
            Severity::Medium,
            format!("{name} is 1.{found}, newer than the API server (1.{server})"),
        );
    } else if server - found > 1 {
        say(
            Severity::Medium,
            format!(
                "{name} is 1.{found}, the API server 1.{server}: at most one minor may lie between them"
            ),
        );
    }
}

/// How a kubelet does not fit to its API server.
fn apart(kubelet: u32, server: u32) -> Option<String> {
    if kubelet > server {
        return Some(format!(
            "the kubelet is 1.{kubelet}, newer than the API server (1.{server})"
        ));
    }
    let (most, word) = if kubelet < 25 {
        (2, "two")
    } else {
        (BEHIND, "three")
    };
    (server - kubelet > most).then(|| {
        format!(
            "the kubelet is 1.{kubelet}, the API server 1.{server}: at most {word} minors may lie between them"
        )
    })
}

/// Since when a minor is not maintained, as words to follow; none where it is, or where that is not known.
fn ended(minor: u32, now: Timestamp) -> Option<String> {
    let known = ENDS.iter().find(|(known, ..)| *known == minor);
    match known {
        Some((_, end, day)) => (now.as_second() > *end).then(|| format!(" since {day}")),
        None => ENDS
            .first()
            .is_some_and(|(first, ..)| minor < *first)
            .then(String::new),
    }
}

/// Of the container that starts a component; of the first one where none is seen to.
fn tag(pod: &Declared<'_>) -> Option<String> {
    let of = |container: Branch<'_>| {
        let image = container.get("image").and_then(Branch::as_str)?;
        Some(Reference::parse(image)?.tag?.to_owned())
    };
    let mut own = COMPONENTS.iter().filter_map(|name| started(pod.pod, name));
    if let Some((container, _)) = own.next() {
        return of(container);
    }
    let mut all = pod.pod.containers();
    all.find_map(|(_, container)| of(container))
}

fn minor(pod: &Declared<'_>) -> Option<u32> {
    version::parse(&tag(pod)?)
}

/// The minor of etcd 3.
fn of_etcd(pod: &Declared<'_>) -> Option<u32> {
    let tag = tag(pod)?;
    let rest = tag.trim_start_matches('v').strip_prefix("3.")?;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().ok()
}
