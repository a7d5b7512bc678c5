//! A login that fails when the program starts is not the end: it is tried again, and on request at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use stakeout::collect::inventory::Inventory;
use stakeout::collect::kube::{Access, Mode};
use stakeout::collect::options::{Host, Options};
use stakeout::collect::supervisor::{self, Plan};
use stakeout::model::link::{Level, ObjectDelta, Order, Update};
use stakeout::model::name::NodeName;
use stakeout::probes::mask::Masker;

use crate::lab_api::{self, Api, Content};
use crate::scratch::Scratch;

fn plan(kubeconfig: PathBuf) -> Plan {
    let name = NodeName::parse("cp-1").expect("a name");
    let host = Host {
        api_only: true,
        ..Host::default()
    };
    Plan {
        access: Access {
            kubeconfig: Some(kubeconfig),
            ..Access::default()
        },
        namespaces: Vec::new(),
        nodes: Arc::new(Options {
            hosts: [(name, host)].into(),
            ..Options::default()
        }),
        masker: Arc::new(Masker::new([5; 32])),
        mode: Mode::Live,
        known: Vec::new(),
        only: stakeout::collect::supervisor::Only::Named(Vec::new()),
        claims: Vec::new(),
        inventory: Inventory::default(),
        keep: Box::new(|_| {}),
    }
}

fn until(updates: &Receiver<Update>, what: &str, wanted: impl Fn(&Update) -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match updates.recv_timeout(left) {
            Ok(update) if wanted(&update) => return,
            Ok(_) => {}
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

#[test]
fn a_login_that_fails_is_tried_again_when_asked() {
    let api = Api::start(Content {
        nodes: vec![lab_api::node("cp-1", "198.51.100.11")],
        namespaces: vec![lab_api::namespace("kube-system")],
        ..Content::default()
    });
    let folder = Scratch::new("retry");
    let (ready, kubeconfig) = (folder.join("ready"), folder.join("kubeconfig"));
    let credential = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": lab_api::TOKEN},
    });
    let script = format!(
        "test -e '{}' || {{ echo 'log in first' >&2; exit 1; }}; echo '{credential}'",
        ready.display()
    );
    let user = serde_json::json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
        "args": ["-c", script], "interactiveMode": "Never",
    }});
    let text = api.kubeconfig_with(&user);
    stakeout::disk::write(&kubeconfig, |out| out.write_all(text.as_bytes())).expect("a file");
    let (sender, updates) = sync_channel(1);
    let run = supervisor::start(plan(kubeconfig), sender).expect("threads start");
    until(&updates, "the failure is told", |update| {
        matches!(update, Update::Log(line)
            if line.level == Level::Error && line.message.as_str().contains("log in first"))
    });
    until(&updates, "nodes are a gap", |update| {
        matches!(update, Update::Object(ObjectDelta::NodesFailed(_)))
    });
    stakeout::disk::write(&ready, |_| Ok(())).expect("a file");
    let orders = run.orders();
    orders.send(Order::Recollect(Vec::new())).expect("it runs");
    until(&updates, "the node comes", |update| {
        matches!(update, Update::Object(ObjectDelta::Node(_, Some(_), _)))
    });
    orders.send(Order::Stop).expect("it runs");
    drop(updates);
    run.join();
    // A left-over folder in the temporary folder hurts nobody.
}
