use std::sync::Arc;

use super::*;
use crate::checks::example::{self, verdict_text};
use crate::model::fact::Fact;
use crate::model::process::{InPod, Processes};
use crate::model::text::Text;

const UUID: &str = "0d6b3a1c-6f0e-4a63-9a59-7d2f5b8c1e11";

/// What a rule that nobody can keep says of an example whose processes were changed.
fn said(yaml: &str, component: Component, change: impl Fn(&mut Processes)) -> String {
    let example = example::read(yaml).expect("the example is read");
    let mut node = (*example.snapshot.nodes[example.node.as_str()]).clone();
    if let Fact::Seen(seen) = &mut Arc::make_mut(&mut node.host).processes {
        change(&mut seen.value);
    }
    let verdict = judge(&node, component, |given| {
        Ok(match given.last("bad")? {
            Some(value) => bad("bad", Severity::Low, format!("it is {value}")),
            None => good(),
        })
    });
    verdict_text(&verdict)
}

/// Puts every process into an ordinary pod.
fn ordinary(all: &mut Processes) {
    for process in &mut all.list {
        process.pod = Some(InPod {
            uid: Text::new(UUID),
            container: Some("c".into()),
        });
    }
}

#[test]
fn a_process_of_an_ordinary_pod_is_another_clusters() {
    let yaml = "running: {etcd: '--bad=1'}";
    assert_eq!(said(yaml, Component::Etcd, |_| {}), "FAIL low: it is 1");
    assert_eq!(
        said(yaml, Component::Etcd, ordinary),
        "N/A: etcd runs here only in pods that are no static pods"
    );
    // It may be the declared one, whose name is not known.
    let declared = "{declared: {etcd: ''}, running: {etcd: '--bad=1'}}";
    let unnamed = |all: &mut Processes| {
        ordinary(all);
        all.containers = Fact::Gap(Gap::Pending);
    };
    assert_eq!(said(declared, Component::Etcd, ordinary), "PASS");
    assert!(said(declared, Component::Etcd, unnamed).starts_with("UNKNOWN"));
}

#[test]
fn a_cut_name_is_not_enough() {
    let yaml = "{manifests: [], processes: [{comm: kube-controller, command: [/usr/bin/kube-controllers, --bad=1]}]}";
    assert_eq!(
        said(yaml, Component::ControllerManager, |_| {}),
        "N/A: neither a manifest nor a process of the node is kube-controller-manager"
    );
    let own = yaml.replace("/usr/bin/kube-controllers", "/x/kube-controller-manager");
    assert_eq!(
        said(&own, Component::ControllerManager, |_| {}),
        "FAIL low: it is 1"
    );
}

#[test]
fn what_may_run_unseen_is_no_pass() {
    let declared = "{declared: {etcd: ''}, processes: []}";
    assert_eq!(said(declared, Component::Etcd, |_| {}), "PASS");
    let hidden = |all: &mut Processes| all.hidepid = true;
    assert!(said(declared, Component::Etcd, hidden).starts_with("UNKNOWN"));
    let cut = |all: &mut Processes| all.more = true;
    assert!(said("components: {}", Component::Etcd, cut).starts_with("UNKNOWN"));
    assert!(said("components: {etcd: ''}", Component::Etcd, cut).starts_with("UNKNOWN"));
    let within = |all: &mut Processes| {
        let mut k3s = all.list[0].clone();
        k3s.comm = Text::new("k3s-server");
        k3s.pod = None;
        all.list.push(k3s);
    };
    assert!(said("components: {etcd: ''}", Component::Etcd, within).starts_with("MANUAL"));
    let untold = |all: &mut Processes| all.list[0].command = Fact::Gap(Gap::Pending);
    let both = "components: {etcd: ''}";
    assert_eq!(said(both, Component::Etcd, |_| {}), "PASS");
    assert!(said(both, Component::Etcd, untold).starts_with("UNKNOWN"));
}

#[test]
fn two_processes_of_one_pod_are_both_judged() {
    let yaml = "components: {etcd: '--bad=1'}";
    let two = |all: &mut Processes| {
        let mut second = all.list[0].clone();
        second.pid += 1;
        all.list.push(second);
    };
    assert_eq!(said(yaml, Component::Etcd, two), "FAIL low: it is 1");
}

#[test]
fn a_static_pod_may_have_a_uid_like_that_of_an_ordinary_one() {
    let pod = |command: &str| {
        format!(
            "{{manifests: [{{file: e.yaml, pod: {{metadata: {{namespace: kube-system, name: e, uid: {UUID}}}, spec: {{containers: [{{name: c, command: [{command}]}}]}}}}}}], processes: [{{comm: etcd, command: [etcd, --bad=1], of: kube-system/e/c}}]}}"
        )
    };
    let pinned = |all: &mut Processes| {
        ordinary(all);
        all.containers = Fact::seen(
            Vec::new(),
            crate::model::fact::Locator::list(Need::Processes),
        );
    };
    for (command, wanted) in [
        // The manifest says nothing of it, the process does.
        (
            "etcd",
            "FAIL low: it is 1; so it runs, its manifest says otherwise",
        ),
        // A start of it that is not understood.
        ("/start.sh", "FAIL low: it is 1"),
    ] {
        assert_eq!(said(&pod(command), Component::Etcd, pinned), wanted);
    }
}

#[test]
fn the_first_word_of_a_program_hides_nothing() {
    let yaml = "{manifests: [], processes: [{comm: etcd, exe: '/usr/bin/etcd (deleted)', command: [bash, --bad=1]}]}";
    assert_eq!(said(yaml, Component::Etcd, |_| {}), "FAIL low: it is 1");
    let other = yaml.replace("/usr/bin/etcd (deleted)", "/usr/bin/sleep");
    assert_eq!(
        said(&other, Component::Etcd, |_| {}),
        "N/A: neither a manifest nor a process of the node is etcd"
    );
}
