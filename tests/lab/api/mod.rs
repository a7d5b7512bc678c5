//! An API server double: HTTPS on loopback, lists in pages, watches, and whatever can go wrong.
//!
//! It serves what it was given, records every request, and holds every verb that writes against whoever
//! sent it: [`Api::violations`] is empty or the test fails.

mod certs;
mod content;
mod feed;
mod route;
mod serve;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

pub use certs::Authority;
pub use content::{Bulk, Content};
pub use route::{Effect, Seen};
pub use serve::TOKEN;

use content::Store;

/// Decides what happens to a request; the first rule that says something counts.
type Rule = Box<dyn FnMut(&Seen) -> Option<Effect> + Send>;

/// What the connections share.
struct Shared {
    store: Mutex<Store>,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    violations: Mutex<Vec<String>>,
    /// Rises with every change, for watches that wait.
    version: watch::Sender<u64>,
    /// Rises when all watches are to end.
    cut: watch::Sender<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running double. It stops when it is dropped.
pub struct Api {
    shared: Arc<Shared>,
    authority: Authority,
    address: SocketAddr,
    up: watch::Sender<bool>,
    /// Ends with the runtime of the double.
    thread: Option<std::thread::JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

impl Api {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// Where loopback or OpenSSL do not work.
    pub fn start(content: Content) -> Self {
        let authority = Authority::new();
        let store = Store::new(content);
        let shared = Arc::new(Shared {
            version: watch::Sender::new(store.version()),
            store: Mutex::new(store),
            rules: Mutex::default(),
            seen: Mutex::default(),
            violations: Mutex::default(),
            cut: watch::Sender::new(0),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let (up, upped) = watch::channel(true);
        let (stop, stopped) = watch::channel(false);
        let inside = serve::Inside {
            shared: Arc::clone(&shared),
            acceptor: authority.acceptor(),
            address,
            up: upped,
            stop: stopped,
        };
        let thread = std::thread::spawn(move || serve::run(listener, inside));
        Self {
            shared,
            authority,
            address,
            up,
            thread: Some(thread),
            stop,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A kubeconfig with a client certificate; its only context is `lab`.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig_with(&self.authority.client_user())
    }

    /// The same with other fields of the user, as JSON.
    pub fn kubeconfig_with(&self, user: &Value) -> String {
        let cluster = serde_json::json!({
            "server": format!("https://{}", self.address),
            "certificate-authority-data": self.authority.ca_base64(),
        });
        kubeconfig(&cluster, user)
    }

    /// Adds a rule; later rules are asked first.
    pub fn rule(&self, rule: impl FnMut(&Seen) -> Option<Effect> + Send + 'static) {
        lock(&self.shared.rules).insert(0, Box::new(rule));
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// Every request that may not happen; must be empty.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.shared.violations).clone()
    }

    /// Adds or replaces an object of a resource and tells the watches; a kind that was not served is served from now on.
    pub fn put(&self, resource: &str, object: Value) {
        let version = lock(&self.shared.store).put(resource, object);
        self.shared.version.send_replace(version);
    }

    /// Removes an object; the namespace is empty where the kind has none.
    pub fn remove(&self, resource: &str, namespace: &str, name: &str) {
        let version = lock(&self.shared.store).remove(resource, namespace, name);
        self.shared.version.send_replace(version);
    }

    /// Forgets the past: continue tokens and versions from before now are answered with 410.
    pub fn compact(&self) {
        lock(&self.shared.store).compact();
    }

    /// Ends all watches in good order.
    pub fn end_watches(&self) {
        self.shared.cut.send_modify(|cut| *cut += 1);
    }

    /// Sends every watch a bookmark at the present version.
    pub fn bookmark(&self) {
        let version = lock(&self.shared.store).bookmark();
        self.shared.version.send_replace(version);
    }

    /// Closes the port and every connection.
    pub fn down(&self) {
        self.up.send_replace(false);
        while std::net::TcpStream::connect(self.address).is_ok() {
            std::thread::yield_now();
        }
    }

    /// Listens again on the same port.
    pub fn up(&self) {
        self.up.send_replace(true);
        while std::net::TcpStream::connect(self.address).is_err() {
            std::thread::yield_now();
        }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A double that panicked has made its test fail already.
            let _ = thread.join();
        }
    }
}

/// A kubeconfig of one context, as JSON, which is YAML.
pub fn kubeconfig(cluster: &Value, user: &Value) -> String {
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "lab", "user": user}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
    })
    .to_string()
}

/// A Node as a kubeadm cluster has it, for tests that change one thing.
pub fn node(name: &str, address: &str) -> Value {
    serde_json::json!({
        "metadata": {"name": name, "uid": format!("uid-{name}"), "labels": {"kubernetes.io/hostname": name}},
        "spec": {"taints": []},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
            "nodeInfo": {"machineID": format!("machine-{name}"), "bootID": format!("boot-{name}"),
                "kubeletVersion": "v1.37.2", "osImage": "Debian GNU/Linux 12 (bookworm)"},
        },
    })
}

/// A namespace with its well-known label.
pub fn namespace(name: &str) -> Value {
    serde_json::json!({
        "metadata": {"name": name, "uid": format!("uid-{name}"), "labels": {"kubernetes.io/metadata.name": name}},
        "status": {"phase": "Active"},
    })
}

/// A pod of one container on a node.
pub fn pod(namespace: &str, name: &str, node: &str) -> Value {
    serde_json::json!({
        "metadata": {"name": name, "namespace": namespace, "uid": format!("uid-{namespace}-{name}")},
        "spec": {"nodeName": node, "containers": [{"name": "main", "image": "registry.example/app:1"}]},
        "status": {"phase": "Running"},
    })
}

/// The same as a mirror of a static pod.
pub fn mirror(namespace: &str, name: &str, node: &str) -> Value {
    let mut pod = pod(namespace, name, node);
    let hash = format!("hash-{name}");
    pod["metadata"]["annotations"] = serde_json::json!({
        "kubernetes.io/config.mirror": hash,
        "kubernetes.io/config.hash": hash,
        "kubernetes.io/config.source": "file",
    });
    pod["metadata"]["ownerReferences"] = serde_json::json!([
        {"apiVersion": "v1", "kind": "Node", "name": node, "uid": format!("uid-{node}"), "controller": true}
    ]);
    pod
}

/// Objects by namespace and name.
type Objects = BTreeMap<(String, String), Arc<str>>;
