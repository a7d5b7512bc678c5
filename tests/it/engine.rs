//! The engine: deltas in, one consistent model out.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use stakeout::checks::example;
use stakeout::engine::{self, Judged};
use stakeout::model::Timestamp;
use stakeout::model::fact::{Fact, Gap, Locator, Need};
use stakeout::model::link::{ListedPod, ObjectDelta, PodDelta, Update};
use stakeout::model::name::NodeName;
use stakeout::model::node::HostFacts;
use stakeout::model::pod::{PodId, PodTraits};
use stakeout::model::policy::{File, Policy, Standing, Waiver};
use stakeout::model::snapshot::Snapshot;
use stakeout::model::text::Text;

fn epoch() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn start() -> (Sender<Update>, Receiver<Arc<Judged>>) {
    let (updates, inbox) = channel();
    let (views, outbox) = channel();
    let options = engine::Options {
        policy: Policy::none(),
        start: Snapshot::empty(epoch()),
        now: Box::new(epoch),
        interval: Duration::from_millis(1),
    };
    engine::spawn(options, inbox, views).expect("a thread starts");
    (updates, outbox)
}

/// Sends everything and takes the last view.
fn settle(all: Vec<Update>) -> Arc<Judged> {
    let (updates, views) = start();
    for update in all {
        updates.send(update).expect("the engine runs");
    }
    drop(updates);
    let last = views.iter().last().expect("at least one view");
    assert!(last.complete);
    last
}

fn node(name: &str) -> NodeName {
    NodeName::parse(name).expect("a fixed name")
}

fn pod(node: &str, name: &str) -> ListedPod {
    let id = PodId {
        namespace: "default".into(),
        name: name.into(),
        uid: format!("uid-{name}").into(),
        hash: None,
        traits: PodTraits::default(),
        uses: None,
    };
    ListedPod {
        node: node.into(),
        id,
        mirror: None,
    }
}

fn names(judged: &Judged, on: &str) -> Vec<String> {
    match &judged.snapshot.nodes[on].api.pods {
        Fact::Seen(seen) => {
            let mut names: Vec<String> = seen.value.iter().map(|id| id.name.to_string()).collect();
            names.sort();
            names
        }
        Fact::Gap(gap) => panic!("no pods on {on}: {gap}"),
    }
}

fn listed() -> Update {
    Update::Pods(PodDelta::Listed {
        at: epoch(),
        missing: None,
    })
}

fn upsert(pods: Vec<ListedPod>) -> Update {
    Update::Pods(PodDelta::Upsert(pods))
}

#[test]
fn pods_are_pending_until_the_list_is_whole() {
    let judged = settle(vec![
        Update::Known(node("a")),
        Update::Pods(PodDelta::Relist),
        upsert(vec![pod("a", "one")]),
    ]);
    assert_eq!(judged.snapshot.nodes["a"].api.pods, Fact::Gap(Gap::Pending));
}

#[test]
fn a_list_replaces_what_was_there() {
    let judged = settle(vec![
        Update::Pods(PodDelta::Relist),
        upsert(vec![
            pod("a", "one"),
            pod("a", "two"),
            pod("b", "three"),
            pod("", "unbound"),
        ]),
        listed(),
        Update::Pods(PodDelta::Relist),
        upsert(vec![pod("b", "two")]),
        listed(),
    ]);
    assert_eq!(names(&judged, "a"), Vec::<String>::new());
    assert_eq!(names(&judged, "b"), ["two"]);
    assert_eq!(judged.snapshot.nodes.len(), 2);
}

#[test]
fn a_watch_changes_moves_and_removes() {
    let judged = settle(vec![
        Update::Pods(PodDelta::Relist),
        upsert(vec![pod("a", "one"), pod("a", "two")]),
        listed(),
        upsert(vec![pod("b", "one"), pod("a", "two"), pod("a", "new")]),
        Update::Pods(PodDelta::Remove("default".into(), "two".into())),
        Update::Pods(PodDelta::Remove("default".into(), "never-there".into())),
    ]);
    assert_eq!(names(&judged, "a"), ["new"]);
    assert_eq!(names(&judged, "b"), ["one"]);
}

#[test]
fn a_failed_list_is_a_gap_and_never_an_empty_node() {
    let gap = Gap::Forbidden {
        verb: "list".into(),
        resource: "pods".into(),
    };
    let judged = settle(vec![
        Update::Known(node("a")),
        Update::Pods(PodDelta::Failed(gap.clone())),
        Update::Known(node("b")),
    ]);
    for name in ["a", "b"] {
        assert_eq!(judged.snapshot.nodes[name].api.pods, Fact::Gap(gap.clone()));
        assert_eq!(
            judged.snapshot.nodes[name].api.mirrors,
            Fact::Gap(gap.clone())
        );
    }
}

#[test]
fn a_node_without_a_node_object_is_known_not_to_have_one() {
    let judged = settle(vec![
        Update::Known(node("only-in-config")),
        Update::Object(ObjectDelta::NodesListed),
    ]);
    assert!(matches!(
        &judged.snapshot.nodes["only-in-config"].api.object,
        Fact::Gap(Gap::Api { .. })
    ));
}

#[test]
fn host_facts_replace_one_another_as_one() {
    let gap = Gap::Denied {
        what: Text::new("everything"),
    };
    let judged = settle(vec![
        Update::Node(node("a"), Arc::new(HostFacts::gap(&Gap::Pending))),
        Update::Node(node("a"), Arc::new(HostFacts::gap(&gap))),
    ]);
    assert_eq!(judged.snapshot.nodes["a"].host.kubelet, Fact::Gap(gap));
}

/// A pod that ends after the node was read must not look like one that the API server never knew.
#[test]
fn what_went_away_is_remembered_until_the_node_was_read_again() {
    let read = || Update::Node(node("a"), Arc::new(HostFacts::default()));
    let gone = |judged: &Judged| -> Vec<String> {
        let gone = judged.snapshot.nodes["a"].api.gone.iter();
        gone.map(|id| id.name.to_string()).collect()
    };
    let mut all = vec![
        Update::Pods(PodDelta::Relist),
        upsert(vec![pod("a", "one"), pod("a", "two"), pod("a", "three")]),
        listed(),
        read(),
        upsert(vec![pod("a", "one")]),
        Update::Pods(PodDelta::Remove("default".into(), "one".into())),
        Update::Pods(PodDelta::Relist),
        upsert(vec![pod("a", "three")]),
        listed(),
    ];
    assert_eq!(gone(&settle(all.clone())), ["one", "two"]);
    // This reading may have begun before they went away.
    all.push(read());
    assert_eq!(gone(&settle(all.clone())), ["one", "two"]);
    all.push(Update::Pods(PodDelta::Remove(
        "default".into(),
        "three".into(),
    )));
    all.push(read());
    assert_eq!(gone(&settle(all.clone())), ["three"]);
    all.push(upsert(vec![pod("a", "three")]));
    assert_eq!(gone(&settle(all)), Vec::<String>::new());
}

#[test]
fn facts_of_another_machine_are_dropped_whichever_side_comes_last() {
    let host = |id: &str| {
        let identity = serde_json::json!({
            "hostname": "h", "machine_id": id, "boot_id": null, "os": "", "clock": 0, "uid": 0,
            "way": "login-only", "collector": "1",
        });
        let identity = serde_json::from_value(identity).expect("an identity");
        let at = Locator::new(Need::Identity, 0);
        Update::Node(
            node("a"),
            Arc::new(HostFacts {
                identity: Fact::seen(identity, at),
                ..HostFacts::default()
            }),
        )
    };
    let object = || {
        let object = serde_json::json!({
            "uid": "u", "labels": {}, "taints": [], "ready": null, "addresses": [], "machine_id": "right",
            "boot_id": "", "kubelet_version": "", "os_image": "", "resource_version": "",
        });
        let object = serde_json::from_value(object).expect("an object");
        Update::Object(ObjectDelta::Node(
            node("a"),
            Some(Box::new(object)),
            epoch(),
        ))
    };
    for updates in [vec![host("wrong"), object()], vec![object(), host("wrong")]] {
        let judged = settle(updates);
        assert!(matches!(
            judged.snapshot.nodes["a"].host.identity,
            Fact::Gap(Gap::WrongMachine { .. })
        ));
    }
    let judged = settle(vec![host("right"), object()]);
    assert!(judged.snapshot.nodes["a"].host.identity.is_seen());
}

#[test]
fn what_one_node_says_of_all_is_heard_on_those_that_were_read_before_it() {
    let facts = example::read(
        "{node: w-1, nodes: {cp-1: {manifests: [{file: k.yaml, pod: {metadata: {name: k, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver]}]}}}]}}, \
         manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {hostPID: true}}}], namespaces: {shop: {}, kube-system: {}}}",
    )
    .expect("an example");
    let host = |name: &str| {
        let host = Arc::clone(&facts.snapshot.nodes[name].host);
        Update::Node(node(name), host)
    };
    let (updates, views) = start();
    let send = |update| updates.send(update).expect("the engine runs");
    let namespaces = facts.snapshot.cluster.namespaces.get().expect("namespaces");
    let namespaces = ObjectDelta::Namespaces(Ok(namespaces.value.clone()));
    send(Update::Object(namespaces));
    send(Update::Known(node("cp-1")));
    send(host("w-1"));
    let badge = |view: &Judged| {
        let mut findings = view.findings();
        let found = findings.find(|it| {
            it.check.id.0 == "SP-MRG-004" && it.node.is_some_and(|name| name.as_str() == "w-1")
        });
        found.map(|finding| finding.verdict.badge())
    };
    // The API server's configuration may exempt its namespace, and is not known yet.
    let unknown = views.iter().find(|view| badge(view) == Some("UNKNOWN"));
    assert!(unknown.is_some());
    send(host("cp-1"));
    drop(updates);
    let last = views.iter().last().expect("a view");
    assert_eq!(badge(&last), Some("PASS"));
}

#[test]
fn a_policy_file_that_changed_is_judged_by_at_once() {
    let source = "{dir: {}, manifests: [{file: a.yaml, mode: '0666', pod: x/a}]}";
    let example = example::read(source).expect("an example");
    let name = example.node.clone();
    let host = Arc::clone(&example.snapshot.nodes[&name].host);
    let updates = vec![
        Update::Known(name.clone()),
        Update::Node(name.clone(), host),
    ];
    let before = settle(updates.clone());
    let found = before.findings().find_map(|finding| {
        let offence = finding.verdict.offences().first()?;
        finding.node?;
        Some((finding.check.id, offence.clone()))
    });
    let (check, offence) = found.expect("a file for everybody is an offence");
    assert!(offence.waived.is_none());
    let mut file = File::default();
    file.waivers.push(Arc::new(Waiver {
        check: Text::new(check.0),
        node: Some(name.clone()),
        subject: offence.subject.key.clone(),
        severity: offence.severity,
        owner: Text::new("ops"),
        reason: Text::new("known"),
        expires: epoch() + jiff::SignedDuration::from_hours(1),
        line: 1,
    }));
    let mut all = updates;
    all.push(Update::Policy(Arc::new(file)));
    let after = settle(all);
    let waived = after
        .findings()
        .filter(|finding| finding.check.id == check)
        .flat_map(|finding| finding.verdict.offences())
        .filter(|offence| offence.waived.is_some());
    assert_eq!(waived.count(), 1);
    assert_eq!(after.policy.standing, [Standing::Used]);
}
