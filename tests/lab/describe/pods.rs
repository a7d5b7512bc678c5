//! What runs on a node: the kubelet's way from files to pods, and the traces that every pod leaves.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;

use super::running::{Rights, container_id};
use super::spec::RightsSpec;
use super::tree::{Kind, Login, Tree};
use super::{Process, hex32, uuid};

/// A pod that the kubelet started from a file.
#[derive(Clone, Debug)]
pub struct StaticPod {
    pub namespace: String,
    /// Without the node's name.
    pub name: String,
    /// The pod's uid on the node.
    pub hash: String,
    /// The file that won.
    pub file: String,
    /// As read, nothing defaulted.
    pub pod: Value,
}

/// A pod that the API server put on the node.
#[derive(Clone, Debug)]
pub struct Workload {
    pub namespace: String,
    pub name: String,
    pub uid: String,
}

impl Workload {
    /// The pods of a node of which no story is told: kube-proxy, then applications.
    pub fn numbered(node: &str, number: usize) -> Self {
        let (namespace, app) = match number {
            0 => ("kube-system", "kube-proxy"),
            _ => ("shop", ["shop", "cart", "search", "mail"][number % 4]),
        };
        let suffix = hex32(&["suffix", node, app, &number.to_string()]);
        Self::new(node, namespace, &format!("{app}-{}", &suffix[..5]))
    }

    pub fn new(node: &str, namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uuid(&["pod", node, namespace, name]),
        }
    }
}

/// What the kubelet runs: every file of the folder whose name has no dot in front, links followed, the last one of
/// two that define the same pod (pkg/kubelet/config/file.go). `before`: what it read of files that changed later.
pub fn run(
    node: &str,
    tree: &Tree,
    folder: &str,
    before: &BTreeMap<String, String>,
) -> Vec<StaticPod> {
    let Ok((real, _)) = tree.find(&Login::ROOT, folder, true) else {
        return Vec::new();
    };
    let mut pods: BTreeMap<(String, String), StaticPod> = BTreeMap::new();
    for name in tree.names(&real).filter(|name| !name.starts_with('.')) {
        let file = format!("{folder}/{name}");
        let Ok((_, entry)) = tree.find(&Login::ROOT, &file, true) else {
            continue;
        };
        let Kind::File(content) = &entry.kind else {
            continue;
        };
        let content = before.get(&file).map_or(&**content, String::as_str);
        if let Some(pod) = read(node, &file, content) {
            pods.insert((pod.namespace.clone(), pod.name.clone()), pod);
        }
    }
    pods.into_values().collect()
}

fn read(node: &str, file: &str, content: &str) -> Option<StaticPod> {
    let document = serde_yaml::Deserializer::from_str(content).next()?;
    let pod = Value::deserialize(document).ok()?;
    let meta = pod.get("metadata")?;
    let text = |key: &str| {
        meta.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let hash = match text("uid") {
        Some(pinned) => pinned.to_owned(),
        None => hex32(&["static", node, file, content]),
    };
    Some(StaticPod {
        namespace: text("namespace").unwrap_or("default").to_owned(),
        name: text("name")?.to_owned(),
        hash,
        file: file.to_owned(),
        pod,
    })
}

/// Processes, cgroups and log folders of the pods of a node.
pub struct Traces {
    pub processes: Vec<Process>,
    pub logs: Vec<String>,
    /// Names in `/var/log/containers`.
    pub containers: Vec<String>,
    node: String,
    start: i64,
    pid: u32,
}

impl Traces {
    /// Pods that started at one time.
    pub fn new(node: &str, start: i64) -> Self {
        Self {
            processes: Vec::new(),
            logs: Vec::new(),
            containers: Vec::new(),
            node: node.to_owned(),
            start,
            pid: 1400,
        }
    }

    pub fn of_static(&mut self, pod: &StaticPod, given: &BTreeMap<String, RightsSpec>) {
        let name = format!("{}-{}", pod.name, self.node);
        self.log(&pod.namespace, &name, &pod.hash);
        let slice = slice("burstable", &pod.hash);
        self.pause(&slice, &pod.hash);
        let containers = pod.pod["spec"]["containers"].as_array();
        for container in containers.into_iter().flatten() {
            let words = |key: &str| container[key].as_array().cloned().unwrap_or_default();
            let mut argv: Vec<String> = words("command")
                .iter()
                .chain(&words("args"))
                .filter_map(|word| word.as_str().map(str::to_owned))
                .collect();
            if argv.is_empty() {
                argv.push("/entrypoint".to_owned());
            }
            let name = container["name"].as_str().unwrap_or("main");
            let file = format!("{}-{}_{}_{name}", pod.name, self.node, pod.namespace);
            self.containers
                .push(format!("{file}-{}.log", container_id(&pod.hash, name)));
            let mut rights = Rights::of(&pod.pod["spec"], container);
            let uid = &container["securityContext"]["runAsUser"];
            let uid = uid
                .as_u64()
                .or(pod.pod["spec"]["securityContext"]["runAsUser"].as_u64());
            let mut uid = u32::try_from(uid.unwrap_or(0)).expect("an id");
            if let Some(spec) = given.get(&format!("{}/{}/{name}", pod.namespace, pod.name)) {
                rights.give(spec);
                uid = spec.uid.unwrap_or(uid);
            }
            self.process(&slice, (&pod.hash, name), argv, rights);
            if let Some(process) = self.processes.last_mut() {
                process.uid = uid;
            }
        }
    }

    pub fn of_workload(&mut self, pod: &Workload) {
        self.log(&pod.namespace, &pod.name, &pod.uid);
        let slice = slice("besteffort", &pod.uid);
        self.pause(&slice, &pod.uid);
        let argv = vec![format!("/{}", pod.name)];
        let rights = Rights::of(&Value::Null, &Value::Null);
        self.process(&slice, (&pod.uid, "main"), argv, rights);
    }

    fn log(&mut self, namespace: &str, name: &str, uid: &str) {
        self.logs.push(format!("{namespace}_{name}_{uid}"));
    }

    fn pause(&mut self, slice: &str, uid: &str) {
        let argv = vec!["/pause".to_owned()];
        self.process(slice, (uid, "pause"), argv, Rights::sandbox());
    }

    fn process(
        &mut self,
        slice: &str,
        (uid, container): (&str, &str),
        argv: Vec<String>,
        rights: Rights,
    ) {
        let id = container_id(uid, container);
        self.pid += 11;
        self.processes.push(Process {
            pid: self.pid,
            comm: comm(&argv),
            argv,
            uid: 0,
            cgroup: format!("{slice}/cri-containerd-{id}.scope"),
            start: self.start,
            rights,
        });
    }
}

/// The cgroup of a pod under the systemd driver: dashes of the uid become underscores.
pub fn slice(class: &str, uid: &str) -> String {
    let uid = uid.replace('-', "_");
    format!("/kubepods.slice/kubepods-{class}.slice/kubepods-{class}-pod{uid}.slice")
}

/// The kernel's name of a process: the program without its folder, 15 bytes.
pub fn comm(argv: &[String]) -> String {
    let program = argv.first().map_or("", String::as_str);
    let base = program.rsplit('/').next().unwrap_or(program);
    base.chars().take(15).collect()
}
