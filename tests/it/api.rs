//! The API side against the double: what arrives, what becomes a gap, and that nothing but reads is sent.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use stakeout::collect::kube::{Access, Mode, Options, connect, run, unreachable};
use stakeout::model::cluster::{ClusterFacts, Namespace};
use stakeout::model::fact::{Gap, Need};
use stakeout::model::link::{ListedPod, ObjectDelta, PodDelta, Update};
use stakeout::model::node::NodeObject;
use stakeout::model::objects::Objects;
use stakeout::model::tree::Branch;
use stakeout::probes::mask::Masker;

use crate::lab_api::{self, Api, Bulk, Content, Effect};

/// What an engine would know.
#[derive(Default)]
struct Model {
    nodes: BTreeMap<String, NodeObject>,
    namespaces: Option<Result<Vec<Namespace>, Gap>>,
    pods: BTreeMap<(String, String), ListedPod>,
    incoming: Option<BTreeMap<(String, String), ListedPod>>,
    /// How the last list of pods ended.
    listed: Option<Result<Option<Gap>, Gap>>,
    /// Namespaces whose pods could be listed, where not all.
    read: Option<u32>,
    nodes_failed: Option<Gap>,
    nodes_listed: bool,
    cluster: Option<ClusterFacts>,
    objects: Objects,
    /// How often each watch was said to be alive.
    fresh: BTreeMap<Need, usize>,
    log: Vec<String>,
    lists: usize,
}

impl Model {
    fn take(&mut self, update: Update) {
        match update {
            Update::Object(ObjectDelta::Node(name, object, _)) => {
                match object {
                    Some(object) => self.nodes.insert(name.to_string(), *object),
                    None => self.nodes.remove(name.as_str()),
                };
            }
            Update::Object(ObjectDelta::NodesFailed(gap)) => self.nodes_failed = Some(gap),
            Update::Object(ObjectDelta::NodesListed) => self.nodes_listed = true,
            Update::Object(ObjectDelta::Namespaces(outcome)) => self.namespaces = Some(outcome),
            Update::Object(ObjectDelta::Cluster(facts)) => self.cluster = Some(*facts),
            Update::Object(ObjectDelta::Objects(need, objects)) => {
                self.objects.adopt(need, *objects);
            }
            Update::Object(ObjectDelta::Fresh(need, _)) => {
                *self.fresh.entry(need).or_default() += 1;
            }
            Update::Pods(delta) => self.pods(delta),
            Update::Log(line) => self.log.push(line.message.to_string()),
            other => panic!("the API side sent {other:?}"),
        }
    }

    fn pods(&mut self, delta: PodDelta) {
        match delta {
            PodDelta::Relist => {
                self.lists += 1;
                self.incoming = Some(BTreeMap::new());
            }
            PodDelta::Upsert(pods) => {
                let target = self.incoming.as_mut().unwrap_or(&mut self.pods);
                for pod in pods {
                    target.insert((pod.id.namespace.to_string(), pod.id.name.to_string()), pod);
                }
            }
            PodDelta::Remove(namespace, name) => {
                self.pods.remove(&(namespace.to_string(), name.to_string()));
            }
            PodDelta::Listed { missing, .. } => {
                self.pods = self.incoming.take().expect("a list began");
                self.listed = Some(Ok(missing));
            }
            PodDelta::Failed(gap) => self.listed = Some(Err(gap)),
            PodDelta::Read(namespaces) => self.read = namespaces,
        }
    }

    fn has_pod(&self, namespace: &str, name: &str) -> bool {
        self.pods
            .contains_key(&(namespace.to_owned(), name.to_owned()))
    }
}

fn small() -> Content {
    Content {
        nodes: vec![
            lab_api::node("cp-1", "198.51.100.11"),
            lab_api::node("w-1", "198.51.100.21"),
        ],
        namespaces: ["default", "kube-system", "shop"]
            .map(lab_api::namespace)
            .into(),
        pods: vec![
            lab_api::mirror("kube-system", "etcd-cp-1", "cp-1"),
            lab_api::pod("shop", "web", "w-1"),
        ],
        ..Content::default()
    }
}

/// A kubeconfig on disk for as long as the test needs it.
struct File(std::path::PathBuf);

impl File {
    fn new(text: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "stakeout-it-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        stakeout::disk::write(&path, |out| out.write_all(text.as_bytes()))
            .expect("a temporary file");
        Self(path)
    }

    fn access(&self) -> Access {
        Access {
            kubeconfig: Some(self.0.clone()),
            ..Access::default()
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // A left-over file in the temporary folder hurts nobody.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A run in a thread of its own, as the program has it.
struct Run {
    updates: Option<Receiver<Update>>,
    model: Model,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Gone: the run is given up, as it is when the program ends.
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Run {
    fn start(api: &Api, mode: Mode) -> Self {
        Self::with(File::new(&api.kubeconfig()), &[], mode)
    }

    fn with(file: File, namespaces: &[&str], mode: Mode) -> Self {
        let (sender, updates) = sync_channel(2);
        let options = Options {
            namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
            masker: Arc::new(Masker::new([5; 32])),
        };
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async {
                match connect(&file.access()).await {
                    Ok(mut connection) => {
                        connection.patience.answer = Duration::from_secs(2);
                        connection.patience.pause = Duration::from_secs(2);
                        tokio::select! {
                            () = run(&connection, &options, sender, mode) => {}
                            _ = stopped => {}
                        }
                    }
                    Err(gap) => unreachable(&gap, &sender).expect("a listener"),
                }
            });
        });
        Self {
            updates: Some(updates),
            model: Model::default(),
            thread: Some(thread),
            stop: Some(stop),
        }
    }

    /// Everything until the run ends by itself.
    fn finish(mut self) -> Model {
        let updates = self.updates.take().expect("not finished before");
        while let Ok(update) = updates.recv_timeout(Duration::from_mins(1)) {
            self.model.take(update);
        }
        let thread = self.thread.take().expect("not joined before");
        thread.join().expect("no panic");
        std::mem::take(&mut self.model)
    }

    /// Takes what comes within a time.
    fn pump(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        let updates = self.updates.as_ref().expect("not finished before");
        let left = || deadline.saturating_duration_since(Instant::now());
        while let Ok(update) = updates.recv_timeout(left()) {
            self.model.take(update);
        }
    }

    /// Takes updates until the model is as wanted.
    fn until(&mut self, what: &str, wanted: impl Fn(&Model) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(1);
        let updates = self.updates.as_ref().expect("not finished before");
        while !wanted(&self.model) {
            let left = deadline.saturating_duration_since(Instant::now());
            match updates.recv_timeout(left) {
                Ok(update) => self.model.take(update),
                Err(error) => panic!("{what}: {error}; log: {:#?}", self.model.log),
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

fn settled(model: &Model) -> bool {
    matches!(model.listed, Some(Ok(_)))
        && matches!(model.namespaces, Some(Ok(_)))
        && model
            .cluster
            .as_ref()
            .is_some_and(|cluster| cluster.nodes.is_seen())
}

fn assert_only_reads(api: &Api) {
    assert_eq!(api.violations(), Vec::<String>::new());
    assert!(api.seen().iter().all(|seen| seen.method == "GET"));
}

#[test]
fn one_run_brings_everything_once() {
    let api = Api::start(small());
    let model = Run::start(&api, Mode::Once).finish();
    assert_eq!(model.nodes.keys().collect::<Vec<_>>(), ["cp-1", "w-1"]);
    assert!(model.nodes_listed);
    assert_eq!(model.nodes["cp-1"].addresses[0].1, "198.51.100.11");
    let names: Vec<_> = model
        .namespaces
        .as_ref()
        .expect("told")
        .as_ref()
        .expect("known")
        .iter()
        .map(|one| one.name.to_string())
        .collect();
    assert_eq!(names, ["default", "kube-system", "shop"]);
    let etcd = &model.pods[&("kube-system".into(), "etcd-cp-1".into())];
    assert_eq!(
        etcd.mirror
            .as_ref()
            .expect("a mirror")
            .pod
            .raw
            .pointer("/spec/containers/0/name"),
        Some(Branch::String("main"))
    );
    assert_eq!(etcd.id.hash.as_deref(), Some("hash-etcd-cp-1"));
    assert!(model.pods[&("shop".into(), "web".into())].mirror.is_none());
    let cluster = model.cluster.expect("told");
    assert_eq!(cluster.version.get().expect("known").value, "v1.37.2");
    assert_eq!(cluster.uid.get().expect("known").value, "uid-kube-system");
    assert_eq!(cluster.nodes.get().expect("known").value, 2);
    assert_eq!((cluster.context.as_str(), cluster.insecure), ("lab", false));
    let named = |seen: &lab_api::Seen| seen.headers["user-agent"].starts_with("stakeout/");
    assert!(
        api.seen().iter().all(named),
        "the server's audit log can tell us from others"
    );
    assert_only_reads(&api);
}

#[test]
fn what_kubeadm_makes_is_read() {
    let items = |name: &str| {
        let path = format!(
            "{}/tests/fixtures/kubeadm/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = stakeout::disk::read_text(path.as_ref(), 1 << 20).expect("a fixture");
        let list: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        list["items"].as_array().expect("a list").clone()
    };
    let api = Api::start(Content {
        nodes: items("nodes"),
        pods: items("pods"),
        ..small()
    });
    let model = Run::start(&api, Mode::Once).finish();
    assert!(model.nodes["cp-1"].is_control_plane() && !model.nodes["w-1"].is_control_plane());
    assert_eq!(
        model.nodes["cp-1"].taints[0].key,
        "node-role.kubernetes.io/control-plane"
    );
    assert_eq!(model.nodes["w-1"].ready, Some("True".into()));
    assert_eq!(model.pods.len(), 4);
    for ((namespace, name), pod) in &model.pods {
        let mirror = pod.mirror.as_ref().expect("all of them are mirrors");
        assert_eq!(
            (namespace.as_str(), &*pod.node),
            ("kube-system", "cp-1"),
            "{name}"
        );
        assert_eq!(mirror.hash.as_ref(), Some(&mirror.mirror_hash), "{name}");
        assert_eq!(
            pod.id.hash.as_deref(),
            Some(mirror.mirror_hash.as_str()),
            "{name}"
        );
        assert_eq!(
            (mirror.source.clone(), mirror.phase.as_str()),
            (Some("file".into()), "Running"),
            "{name}"
        );
        assert_eq!(
            (
                mirror.owners[0].kind.as_str(),
                mirror.owners[0].name.as_str()
            ),
            ("Node", "cp-1"),
            "{name}"
        );
        assert!(
            mirror.created.is_some() && !mirror.resource_version.is_empty(),
            "{name}"
        );
        assert_eq!(mirror.pod.containers().count(), 1, "{name}");
    }
}

#[test]
fn long_lists_come_in_pages() {
    let api = Api::start(Content {
        bulk: Some(Bulk::spread(1_800, 30, "w-")),
        ..small()
    });
    let model = Run::start(&api, Mode::Once).finish();
    assert_eq!(model.pods.len(), 1_802);
    assert_eq!(
        model
            .pods
            .values()
            .filter(|pod| pod.mirror.is_some())
            .count(),
        1 + 1_800 / 50
    );
    let pages: Vec<_> = api
        .seen()
        .into_iter()
        .filter(|seen| seen.is("list", "pods"))
        .collect();
    assert_eq!(pages.len(), 4);
    assert!(pages.iter().all(|page| page.query["limit"] == "500"));
    assert_only_reads(&api);
}

#[test]
fn a_token_that_grew_old_starts_the_list_again() {
    for (times, asked) in [(1, 2), (2, 3)] {
        let api = Api::start(Content {
            bulk: Some(Bulk::spread(900, 9, "w-")),
            ..small()
        });
        let left = AtomicUsize::new(times);
        api.rule(move |seen| {
            let gone = seen.is("list", "pods") && seen.continues();
            let again = gone
                && left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok();
            again.then_some(Effect::Status(410))
        });
        let model = Run::start(&api, Mode::Once).finish();
        assert_eq!(
            (model.pods.len(), model.lists),
            (902, asked),
            "{:?}",
            model.log
        );
        let unpaged = api
            .seen()
            .iter()
            .filter(|seen| seen.is("list", "pods") && !seen.query.contains_key("limit"))
            .count();
        assert_eq!(unpaged, usize::from(times == 2));
        assert_only_reads(&api);
    }
}

#[test]
fn each_refusal_is_a_gap_with_its_grant() {
    let api = Api::start(small());
    api.rule(|seen| (seen.resource != "namespaces").then_some(Effect::Status(403)));
    let model = Run::start(&api, Mode::Once).finish();
    let forbidden = |resource: &str| Gap::Forbidden {
        verb: "list".into(),
        resource: resource.into(),
    };
    assert_eq!(model.nodes_failed, Some(forbidden("nodes")));
    assert_eq!(model.listed, Some(Err(forbidden("pods"))));
    assert!(
        matches!(model.namespaces, Some(Ok(_))),
        "one refusal is no other's"
    );
    assert_eq!(
        model.cluster.expect("told").nodes.get(),
        Err(forbidden("nodes"))
    );
    assert!(
        forbidden("pods")
            .next_step()
            .as_str()
            .contains("rbac print")
    );
    assert_only_reads(&api);
}

#[test]
fn pods_of_some_namespaces_come_with_what_is_missing() {
    let api = Api::start(small());
    api.rule(|seen| {
        (seen.is("list", "pods") && !["kube-system", "shop"].contains(&seen.namespace.as_str()))
            .then_some(Effect::Status(403))
    });
    let file = File::new(&api.kubeconfig());
    let model = Run::with(file, &["secret", "shop"], Mode::Once).finish();
    assert!(model.has_pod("kube-system", "etcd-cp-1") && model.has_pod("shop", "web"));
    let Some(Ok(Some(Gap::Forbidden { resource, .. }))) = model.listed else {
        panic!("{:?}", model.listed);
    };
    assert_eq!(resource, "pods outside of kube-system, shop");
    assert_eq!(model.read, Some(2));
    assert!(
        model.log.iter().any(|line| line.contains("pods in secret")),
        "{:?}",
        model.log
    );
    assert_only_reads(&api);
}

#[test]
fn faults_are_named_in_words() {
    for (effect, words) in [
        (Effect::Status(401), "401 unauthorised"),
        (Effect::Status(404), "404 not found"),
        (Effect::Status(503), "503 unavailable"),
        (Effect::Cut(100), "cut in mid-answer"),
        (Effect::Silent, "no answer within 2s"),
        (Effect::Slow(Duration::from_millis(100)), ""),
        (
            Effect::Body(b"<html>login</html>".to_vec()),
            "list of nodes: expected value",
        ),
        (
            Effect::Body(br#"{"kind":"Status","metadata":{}}"#.to_vec()),
            "missing field `items`",
        ),
    ] {
        let api = Api::start(small());
        let rule = effect.clone();
        api.rule(move |seen| seen.is("list", "nodes").then(|| rule.clone()));
        let model = Run::start(&api, Mode::Once).finish();
        if words.is_empty() {
            assert_eq!(model.nodes.len(), 2, "a slow answer is an answer");
            continue;
        }
        let gap = model
            .nodes_failed
            .unwrap_or_else(|| panic!("{effect:?} went unseen"))
            .to_string();
        assert!(gap.contains(words), "{effect:?}: {gap}");
        assert_only_reads(&api);
    }
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    let (api, other) = (Api::start(small()), Api::start(small()));
    let text = api
        .kubeconfig()
        .replace(&api.address().to_string(), &other.address().to_string());
    let model = Run::with(File::new(&text), &[], Mode::Once).finish();
    let gap = model.nodes_failed.expect("a gap").to_string();
    assert!(gap.contains("certificate"), "{gap}");
    assert!(other.seen().is_empty());
}

#[test]
fn an_unverified_connection_is_known_as_one() {
    let api = Api::start(small());
    let cluster = serde_json::json!({"server": format!("https://{}", api.address()), "insecure-skip-tls-verify": true});
    let user = serde_json::json!({"token": lab_api::TOKEN});
    let model = Run::with(
        File::new(&lab_api::kubeconfig(&cluster, &user)),
        &[],
        Mode::Once,
    )
    .finish();
    assert!(model.cluster.expect("told").insecure);
    assert_eq!(model.nodes.len(), 2);
}

#[test]
fn a_dead_server_costs_seconds_and_gaps() {
    let api = Api::start(small());
    api.down();
    let began = Instant::now();
    let model = Run::start(&api, Mode::Once).finish();
    assert!(began.elapsed() < Duration::from_secs(15));
    let gap = model.nodes_failed.expect("a gap").to_string();
    assert!(gap.contains("connection refused"), "{gap}");
    assert!(matches!(model.listed, Some(Err(Gap::Api { .. }))));
    assert!(matches!(model.namespaces, Some(Err(Gap::Api { .. }))));
}

#[test]
fn a_kubeconfig_that_leads_nowhere_is_a_gap_too() {
    for (text, words) in [
        ("{}", "no current-context"),
        (r#"{"current-context": "x"}"#, "no context x"),
        ("[1, 2", "cannot read"),
    ] {
        let model = Run::with(File::new(text), &[], Mode::Once).finish();
        let gap = model.nodes_failed.expect("a gap").to_string();
        assert!(gap.contains(words), "{gap}");
    }
}

#[test]
fn kubeconfig_files_merge_and_missing_ones_are_passed_over() {
    let api = Api::start(small());
    let users = serde_json::json!({"current-context": "lab", "users": [{"name": "lab", "user": {"token": lab_api::TOKEN}}]});
    let (first, second) = (File::new(&users.to_string()), File::new(&api.kubeconfig()));
    let list = std::env::join_paths([
        "/nonexistent/kubeconfig".into(),
        first.0.clone(),
        second.0.clone(),
    ])
    .expect("clean paths");
    let access = Access {
        env: HashMap::from([("KUBECONFIG".into(), list)]),
        ..Access::default()
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (sender, updates) = sync_channel(1_000);
    let options = Options {
        namespaces: Vec::new(),
        masker: Arc::new(Masker::new([5; 32])),
    };
    runtime.block_on(async {
        let connection = connect(&access).await.expect("a kubeconfig");
        run(&connection, &options, sender, Mode::Once).await;
    });
    assert!(
        updates
            .iter()
            .any(|update| matches!(update, Update::Object(ObjectDelta::Node(..))))
    );
    let with_token = api
        .seen()
        .iter()
        .all(|seen| seen.headers.contains_key("authorization"));
    assert!(with_token, "the first file to name a user wins");
}

/// A kubeconfig whose user logs in by a program.
fn login(api: &Api, command: &str, script: &str) -> File {
    let user = serde_json::json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": command,
        "args": ["-c", script],
        "interactiveMode": "IfAvailable",
        "installHint": "install it from the intranet",
    }});
    File::new(&api.kubeconfig_with(&user))
}

#[test]
fn a_login_program_is_run_and_its_failure_told() {
    let api = Api::start(small());
    let credential = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": lab_api::TOKEN},
    });
    let model = Run::with(
        login(&api, "/bin/sh", &format!("echo '{credential}'")),
        &[],
        Mode::Once,
    )
    .finish();
    assert_eq!(model.nodes.len(), 2, "{:?}", model.nodes_failed);
    for (command, script, words) in [
        (
            "/bin/sh",
            "echo first >&2; echo 'token expired: log in again' >&2; exit 3",
            "token expired: log in again",
        ),
        ("/bin/sh", "echo garbage", "did not answer with credentials"),
        ("/nonexistent/login", "", "install it from the intranet"),
    ] {
        let model = Run::with(login(&api, command, script), &[], Mode::Once).finish();
        let gap = model.nodes_failed.expect("a gap").to_string();
        assert!(gap.contains(words) && !gap.contains("Output {"), "{gap}");
    }
}

/// A proxy for one connection at a time; it counts the tunnels to `server`.
fn tunnel(server: std::net::SocketAddr) -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("a client");
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1)
            {
                head.push(byte[0]);
            }
            if !head.starts_with(format!("CONNECT {server} ").as_bytes()) {
                continue;
            }
            counted.fetch_add(1, Ordering::Relaxed);
            let mut far = std::net::TcpStream::connect(server).expect("the double");
            client
                .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
                .expect("a client");
            let (mut from, mut to) = (
                client.try_clone().expect("a socket"),
                far.try_clone().expect("a socket"),
            );
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            std::thread::spawn(move || std::io::copy(&mut far, &mut client));
        }
    });
    (address, count)
}

#[test]
fn the_proxy_of_the_kubeconfig_is_used() {
    let api = Api::start(small());
    let (proxy, tunnels) = tunnel(api.address());
    let text = api.kubeconfig();
    let mut config: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    config["clusters"][0]["cluster"]["proxy-url"] = format!("http://{proxy}").into();
    let model = Run::with(File::new(&config.to_string()), &[], Mode::Once).finish();
    assert_eq!(model.nodes.len(), 2, "{:?}", model.nodes_failed);
    assert!(tunnels.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_list_without_the_right_to_watch_is_polled() {
    let api = Api::start(small());
    api.rule(|seen| seen.is("watch", "pods").then_some(Effect::Status(403)));
    let mut run = Run::start(&api, Mode::Live);
    run.until("the refusal is told", |model| {
        model
            .log
            .iter()
            .any(|line| line.contains("forbids watch pods"))
    });
    assert!(run.model.has_pod("shop", "web"));
    assert!(matches!(run.model.listed, Some(Ok(None))));
    assert_eq!(run.model.lists, 1, "the server is not asked again at once");
    assert_only_reads(&api);
}

#[test]
fn impersonation_is_sent_as_kubectl_sends_it() {
    let api = Api::start(small());
    let file = File::new(&api.kubeconfig());
    let access = Access {
        as_user: Some("auditor".into()),
        as_groups: vec!["readers".into()],
        ..file.access()
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (sender, updates) = sync_channel(1_000);
    let options = Options {
        namespaces: Vec::new(),
        masker: Arc::new(Masker::new([5; 32])),
    };
    runtime.block_on(async {
        let connection = connect(&access).await.expect("a kubeconfig");
        run(&connection, &options, sender, Mode::Once).await;
        let alone = Access {
            as_user: None,
            ..access.clone()
        };
        assert!(connect(&alone).await.is_err(), "groups without a user");
    });
    drop(updates);
    for seen in api.seen() {
        assert_eq!(
            (
                seen.headers["impersonate-user"].as_str(),
                seen.headers["impersonate-group"].as_str()
            ),
            ("auditor", "readers")
        );
    }
}

#[test]
fn hostile_strings_are_shown_and_not_obeyed() {
    let mut content = small();
    let escape = "\u{1b}]0;owned\u{7}";
    content.nodes[0]["metadata"]["labels"][escape] = "\u{202e}".into();
    content
        .nodes
        .push(lab_api::node("-oProxyCommand=touch", "198.51.100.99"));
    content.namespaces.push(lab_api::namespace(escape));
    content.pods.push(lab_api::pod(escape, "a\nb", "w-1"));
    let api = Api::start(content);
    let model = Run::start(&api, Mode::Once).finish();
    assert_eq!(
        model.nodes.len(),
        2,
        "a name that no Node can have is no node"
    );
    assert_eq!(
        model
            .cluster
            .as_ref()
            .expect("told")
            .nodes
            .get()
            .expect("known")
            .value,
        3
    );
    assert!(model.nodes["cp-1"].labels.contains_key(r"\x1b]0;owned\x07"));
    assert!(model.has_pod(r"\x1b]0;owned\x07", r"a\nb"));
    assert_only_reads(&api);
}

#[test]
fn a_watch_brings_what_changes() {
    let api = Api::start(small());
    let mut run = Run::start(&api, Mode::Live);
    run.until("the first lists", settled);
    api.put(
        "pods",
        lab_api::mirror("kube-system", "kube-apiserver-cp-1", "cp-1"),
    );
    run.until("a pod is added", |model| {
        model.has_pod("kube-system", "kube-apiserver-cp-1")
    });
    let mut moved = lab_api::pod("shop", "web", "cp-1");
    moved["metadata"]["uid"] = "another".into();
    api.put("pods", moved);
    run.until("a pod is replaced", |model| {
        &*model.pods[&("shop".into(), "web".into())].id.uid == "another"
    });
    api.remove("pods", "shop", "web");
    run.until("a pod is removed", |model| !model.has_pod("shop", "web"));
    api.put("nodes", lab_api::node("w-2", "198.51.100.22"));
    run.until("a node is added", |model| {
        model.nodes.contains_key("w-2")
            && model
                .cluster
                .as_ref()
                .is_some_and(|cluster| cluster.nodes.get().is_ok_and(|count| count.value == 3))
    });
    api.remove("nodes", "", "w-1");
    run.until("a node is removed", |model| {
        !model.nodes.contains_key("w-1")
    });
    api.put("namespaces", lab_api::namespace("new"));
    let count = |model: &Model| {
        model
            .namespaces
            .as_ref()
            .map(|outcome| outcome.as_ref().map_or(0, Vec::len))
    };
    run.until("a namespace is added", |model| count(model) == Some(4));
    api.remove("namespaces", "", "new");
    run.until("a namespace is removed", |model| count(model) == Some(3));
    assert_eq!(run.model.lists, 1, "none of it needed a new list");
    assert_only_reads(&api);
}

#[test]
fn a_watch_that_ends_goes_on_where_it_was() {
    let api = Api::start(small());
    let mut run = Run::start(&api, Mode::Live);
    run.until("the first lists", settled);
    api.bookmark();
    api.put("pods", lab_api::pod("shop", "first", "w-1"));
    run.until("the watch works", |model| model.has_pod("shop", "first"));
    api.end_watches();
    api.put("pods", lab_api::pod("shop", "second", "w-1"));
    run.until("the next watch works", |model| {
        model.has_pod("shop", "second")
    });
    assert_eq!(run.model.lists, 1);
    assert_only_reads(&api);
}

#[test]
fn a_past_that_is_gone_is_listed_again() {
    let api = Api::start(small());
    let mut run = Run::start(&api, Mode::Live);
    run.until("the first lists", settled);
    api.rule({
        let mut once = false;
        move |seen| {
            (seen.is("watch", "pods") && !std::mem::replace(&mut once, true))
                .then_some(Effect::Status(410))
        }
    });
    api.remove("pods", "shop", "web");
    api.compact();
    api.end_watches();
    api.put("pods", lab_api::pod("shop", "late", "w-1"));
    run.until("a new list", |model| {
        model.has_pod("shop", "late") && !model.has_pod("shop", "web")
    });
    assert_only_reads(&api);
}

#[test]
fn a_server_that_dies_and_comes_back_is_followed() {
    let api = Api::start(small());
    let mut run = Run::start(&api, Mode::Live);
    run.until("the first lists", settled);
    api.down();
    run.until("the loss is told", |model| {
        model
            .log
            .iter()
            .any(|line| line.contains("pods") && line.contains("keeps its age"))
    });
    assert!(
        run.model.has_pod("shop", "web") && run.model.nodes_failed.is_none(),
        "what was known stays"
    );
    api.put("pods", lab_api::pod("shop", "meanwhile", "w-1"));
    api.remove("nodes", "", "w-1");
    api.up();
    run.until("the return", |model| {
        model.has_pod("shop", "meanwhile") && !model.nodes.contains_key("w-1")
    });
    run.until("the return is told", |model| {
        model
            .log
            .iter()
            .any(|line| line.contains("pods are read again"))
    });
    assert_only_reads(&api);
}

#[test]
fn a_run_ends_when_nobody_listens() {
    let api = Api::start(small());
    let mut run = Run::start(&api, Mode::Live);
    run.until("the first lists", settled);
    run.updates = None;
    api.put("pods", lab_api::pod("shop", "x", "w-1"));
    api.put("nodes", lab_api::node("w-2", "198.51.100.22"));
    let thread = run.thread.take().expect("not joined before");
    thread.join().expect("no panic");
}

#[test]
fn a_quiet_watch_stays_fresh_by_its_bookmarks() {
    let api = Api::start(small());
    let mut run = Run::start(&api, Mode::Live);
    run.until("the first lists", settled);
    let told = |model: &Model, need| model.fresh.get(&need).copied().unwrap_or(0);
    let lists = (
        told(&run.model, Need::PodUids),
        told(&run.model, Need::NodeObject),
    );
    let deadline = Instant::now() + Duration::from_mins(1);
    while told(&run.model, Need::PodUids) <= lists.0.max(1)
        || told(&run.model, Need::NodeObject) <= lists.1.max(1)
    {
        assert!(Instant::now() < deadline, "{:?}", run.model.fresh);
        api.bookmark();
        run.pump(Duration::from_millis(300));
    }
    assert_eq!(run.model.lists, 1, "a bookmark is no reason to list");
    assert_only_reads(&api);
}
