//! Every other kind of object against the double: listed, watched, refused, not served, huge, hostile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stakeout::checks;
use stakeout::collect::kube::{Access, Mode, Options, connect, run};
use stakeout::model::fact::{Gap, Need};
use stakeout::model::link::{ObjectDelta, Update};
use stakeout::model::objects::Objects;
use stakeout::probes::api::objects::{PROBES, fold};
use stakeout::probes::mask::Masker;
use stakeout::probes::probe::Ask;

use crate::lab_api::{self, Api, Content, Effect};

/// A run of which only the lists are looked at.
struct Run {
    updates: Option<Receiver<Update>>,
    objects: Objects,
    told: BTreeMap<Need, usize>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Gone: the run is given up, as it is when the program ends.
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Run {
    fn start(api: &Api, mode: Mode) -> Self {
        let (sender, updates) = sync_channel(2);
        let name = format!(
            "stakeout-objects-{}-{}",
            std::process::id(),
            api.address().port()
        );
        let file = std::env::temp_dir().join(name);
        let text = api.kubeconfig();
        stakeout::disk::write(&file, |out| out.write_all(text.as_bytes())).expect("a file");
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async {
                let access = Access {
                    kubeconfig: Some(file.clone()),
                    ..Access::default()
                };
                let connection = connect(&access).await.expect("a kubeconfig");
                // It is read: a left-over file in the temporary folder hurts nobody.
                let _ = std::fs::remove_file(&file);
                let options = Options {
                    namespaces: Vec::new(),
                    masker: Arc::new(Masker::new([5; 32])),
                };
                tokio::select! {
                    () = run(&connection, &options, sender, mode) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            updates: Some(updates),
            objects: Objects::default(),
            told: BTreeMap::new(),
            thread: Some(thread),
            stop: Some(stop),
        }
    }

    fn take(&mut self, update: Update) {
        if let Update::Object(ObjectDelta::Objects(need, objects)) = update {
            self.objects.adopt(need, *objects);
            *self.told.entry(need).or_default() += 1;
        }
    }

    /// Everything until the run ends by itself.
    fn finish(mut self) -> Objects {
        let updates = self.updates.take().expect("not finished before");
        while let Ok(update) = updates.recv_timeout(Duration::from_mins(1)) {
            self.take(update);
        }
        std::mem::take(&mut self.objects)
    }

    fn until(&mut self, what: &str, wanted: impl Fn(&Objects) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !wanted(&self.objects) {
            let left = deadline.saturating_duration_since(Instant::now());
            let updates = self.updates.as_ref().expect("not finished before");
            match updates.recv_timeout(left) {
                Ok(update) => self.take(update),
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop = None;
        self.updates = None;
        if let Some(thread) = self.thread.take() {
            // Its panic has failed the test already, or is about to.
            let _ = thread.join();
        }
    }
}

/// Needs that some check reads, with the resource of each.
fn asked() -> Vec<(Need, &'static str)> {
    let all = Need::ALL.iter().filter(|need| checks::read(**need));
    all.filter_map(|need| Some((*need, fold(*need)?.resource())))
        .collect()
}

fn object(resource: &str, name: &str) -> Value {
    let mut object =
        json!({"metadata": {"name": name}, "roleRef": {"kind": "ClusterRole", "name": "r"}});
    let namespaced = ![
        "clusterroles",
        "clusterrolebindings",
        "customresourcedefinitions",
        "persistentvolumes",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "mutatingwebhookconfigurations",
        "validatingwebhookconfigurations",
        "priorityclasses",
    ]
    .contains(&resource);
    if namespaced {
        object["metadata"]["namespace"] = json!("shop");
    }
    if resource == "secrets" {
        object["metadata"]["namespace"] = json!("kube-system");
        object["type"] = json!("bootstrap.kubernetes.io/token");
    }
    object
}

fn content(objects: Vec<(String, Value)>) -> Content {
    Content {
        nodes: vec![lab_api::node("cp-1", "198.51.100.11")],
        namespaces: ["kube-system", "shop"].map(lab_api::namespace).into(),
        objects,
        ..Content::default()
    }
}

fn one_of_each() -> Vec<(String, Value)> {
    let all = asked().into_iter();
    all.map(|(_, resource)| (resource.to_owned(), object(resource, "one")))
        .collect()
}

fn len(objects: &Objects, need: Need) -> Option<usize> {
    let list = objects.list(need)?;
    list.gap().is_none().then(|| list.len())
}

#[test]
fn each_kind_is_listed_once_and_only_read() {
    let api = Api::start(content(one_of_each()));
    let objects = Run::start(&api, Mode::Once).finish();
    for (need, resource) in asked() {
        assert_eq!(len(&objects, need), Some(1), "{need:?}");
        let lists = api
            .seen()
            .iter()
            .filter(|seen| seen.is("list", resource))
            .count();
        assert_eq!(lists, 1, "{resource}");
    }
    assert_eq!(api.violations(), Vec::<String>::new());
    let seen = api.seen();
    assert!(seen.iter().any(|seen| seen.resource == "secrets"));
    for seen in seen.iter().filter(|seen| seen.resource == "secrets") {
        let only = seen.query.get("fieldSelector").map(String::as_str);
        assert_eq!(seen.namespace, "kube-system", "{}", seen.path);
        assert_eq!(only, Some("type=bootstrap.kubernetes.io/token"));
    }
}

#[test]
fn kinds_that_no_check_reads_are_not_asked_for() {
    let api = Api::start(content(Vec::new()));
    Run::start(&api, Mode::Once).finish();
    for probe in PROBES.iter().filter(|probe| !checks::read(probe.need)) {
        let Some(Ask::Api { resource, .. }) = probe.asks.first() else {
            panic!("{:?} asks nothing", probe.need);
        };
        assert!(
            !api.seen().iter().any(|seen| seen.resource == *resource),
            "{resource}"
        );
    }
}

#[test]
fn a_kind_that_is_not_served_is_an_empty_list() {
    let api = Api::start(content(Vec::new()));
    let objects = Run::start(&api, Mode::Once).finish();
    for need in [
        Need::HttpRoutes,
        Need::GrpcRoutes,
        Need::TlsRoutes,
        Need::TcpRoutes,
        Need::UdpRoutes,
    ] {
        assert_eq!(len(&objects, need), Some(0), "{need:?}");
    }
    let asked = api.seen();
    let versions: Vec<_> = asked
        .iter()
        .filter(|seen| seen.resource == "tlsroutes")
        .collect();
    assert_eq!(versions.len(), 3, "every version is tried");
}

#[test]
fn a_refusal_is_a_gap_of_that_kind_alone() {
    let api = Api::start(content(one_of_each()));
    api.rule(|seen| {
        let refused = ["httproutes", "clusterroles"].contains(&seen.resource.as_str());
        refused.then_some(Effect::Status(403))
    });
    let objects = Run::start(&api, Mode::Once).finish();
    for (need, resource) in asked() {
        let list = objects.list(need).expect("a list of objects");
        if ["httproutes", "clusterroles"].contains(&resource) {
            let wanted = Gap::Forbidden {
                verb: "list".into(),
                resource: resource.into(),
            };
            assert_eq!(list.gap(), Some(&wanted));
        } else {
            assert_eq!(list.len(), 1, "{need:?}");
        }
    }
}

#[test]
fn each_kind_is_watched() {
    let api = Api::start(content(one_of_each()));
    let mut run = Run::start(&api, Mode::Live);
    run.until("the first lists", |objects| {
        asked()
            .iter()
            .all(|(need, _)| len(objects, *need) == Some(1))
    });
    for (need, resource) in asked() {
        api.put(resource, object(resource, "two"));
        run.until(resource, |objects| len(objects, need) == Some(2));
        let namespace = object(resource, "one")["metadata"]["namespace"]
            .as_str()
            .unwrap_or("")
            .to_owned();
        api.remove(resource, &namespace, "one");
        run.until(resource, |objects| len(objects, need) == Some(1));
        let (_, name) = run
            .objects
            .list(need)
            .and_then(|list| list.names(0))
            .expect("one");
        assert_eq!(*name, "two");
    }
    assert_eq!(api.violations(), Vec::<String>::new());
}

#[test]
fn nothing_is_told_where_nothing_that_is_kept_changed() {
    let api = Api::start(content(one_of_each()));
    let mut run = Run::start(&api, Mode::Live);
    run.until("the first list", |objects| {
        len(objects, Need::DaemonSets) == Some(1)
    });
    let mut status = object("daemonsets", "one");
    status["status"] = json!({"numberReady": 7});
    api.put("daemonsets", status);
    api.put("daemonsets", object("daemonsets", "two"));
    run.until("the second one", |objects| {
        len(objects, Need::DaemonSets) == Some(2)
    });
    assert!(run.told[&Need::DaemonSets] <= 2, "{:?}", run.told);
}

#[test]
fn huge_and_hostile_objects_are_bounded_and_cleaned() {
    let ports: Vec<Value> = (0..20_000)
        .map(|port| json!({"port": port, "targetPort": "x\u{1b}[2J"}))
        .collect();
    let huge = json!({"metadata": {"namespace": "shop", "name": "huge\u{202e}"}, "spec": {"ports": ports,
        "selector": {"app\u{7}": "a\nb"}, "externalIPs": ["x".repeat(100_000)]}});
    let api = Api::start(content(vec![("services".to_owned(), huge)]));
    let objects = Run::start(&api, Mode::Once).finish();
    let services = objects.services.get().expect("known");
    let service = &services.value[0];
    assert_eq!(service.ports.len(), 256);
    assert!(service.external_ips[0].as_str().len() < 1_100);
    assert_eq!(service.name.as_str(), "huge\\u{202e}");
    assert_eq!(service.ports[0].target_port.as_str(), "x\\x1b[2J");
    assert!(
        serde_json::to_string(&services.value).is_ok(),
        "a snapshot can be written"
    );
}
