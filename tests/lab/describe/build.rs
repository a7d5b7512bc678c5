//! From a description to a node.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pods::{self, Traces, Workload};
use super::running::Rights;
use super::spec::{FileSpec, KindSpec, Template, Twist, Workloads, seconds};
use super::tree::{Entry, Grant, Kind, Tag, Tree};
use super::{Clock, Description, Node, Process, hex32, kubeadm, uuid};

impl Description {
    /// The node that is described. `address`: its InternalIP.
    ///
    /// # Panics
    /// On a description that makes no sense: it is ours, and the message says what is wrong with it.
    pub fn build(&self, name: &str, address: &str, clock: Clock) -> Node {
        let (config, static_pods) = self.kubelet_config();
        let mut tree = Tree::new(clock.installed());
        kubeadm::worker(&mut tree, name, clock.installed(), &config);
        if self.is_control_plane() {
            kubeadm::control_plane(&mut tree, name, address, clock.installed());
            let log = Entry::new(
                Kind::File("".into()),
                0o600,
                clock.now + self.clock_offset - 20,
            );
            tree.put("/var/log/kubernetes/audit/audit.log", log);
        }
        let passwd = lines(kubeadm::PASSWD, &self.users);
        let group = lines(kubeadm::GROUP, &self.groups);
        tree.file("/etc/passwd", 0o644, &passwd);
        tree.file("/etc/group", 0o644, &group);
        let before = self.place(&mut tree, clock);
        let machine = if self.has(Twist::WrongMachine) {
            "other"
        } else {
            name
        };
        let mut node = Node {
            name: name.to_owned(),
            address: address.to_owned(),
            spec: self.clone(),
            clock,
            hostname: name.to_owned(),
            machine_id: Some(hex32(&["machine", machine])),
            boot_id: uuid(&["boot", machine]),
            booted: clock.booted() + self.clock_offset,
            clock_offset: self.clock_offset,
            hidepid: self.has(Twist::Hidepid),
            passwd,
            group,
            mounts: lines(kubeadm::MOUNTS, &self.mounts),
            unit: kubeadm::UNIT.to_owned(),
            listeners: self.sockets(address),
            processes: self.host_processes(clock),
            logs: self.logs.clone(),
            containers: Vec::new(),
            missing: self.missing.clone(),
            pods: pods::run(name, &tree, &static_pods, &before),
            workloads: self.workloads(name),
            tree,
        };
        let mut traces = Traces::new(name, node.booted + 30);
        for pod in &node.pods {
            traces.of_static(pod, &self.rights);
        }
        node.workloads
            .iter()
            .for_each(|pod| traces.of_workload(pod));
        node.processes.extend(traces.processes);
        node.logs.extend(traces.logs);
        node.containers = traces.containers;
        node.containers.sort();
        node.logs.sort();
        node
    }

    pub fn has(&self, twist: Twist) -> bool {
        self.twists.contains(&twist)
    }

    pub fn is_control_plane(&self) -> bool {
        self.template == Template::KubeadmControlPlane
    }

    /// How many ordinary pods the node has.
    pub fn workload_count(&self) -> usize {
        match &self.workloads {
            Workloads::Count(count) => count + 1,
            Workloads::Names(names) => names.len(),
        }
    }

    /// The kubelet's configuration file, and the static pod folder that it names.
    fn kubelet_config(&self) -> (String, String) {
        if self.kubelet.is_null() {
            return (
                kubeadm::KUBELET_CONFIG.to_owned(),
                kubeadm::MANIFESTS.to_owned(),
            );
        }
        let mut config: Value =
            serde_yaml::from_str(kubeadm::KUBELET_CONFIG).expect("our own template");
        merge(&mut config, &self.kubelet);
        let folder = config["staticPodPath"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let text = serde_yaml::to_string(&config).expect("plain values");
        (text, folder)
    }

    fn sockets(&self, address: &str) -> Vec<std::net::SocketAddr> {
        let own = kubeadm::listeners(self.is_control_plane());
        own.into_iter()
            .chain(self.listeners.iter().map(String::as_str))
            .map(|listener| listener.replace("{address}", address))
            .map(|listener| listener.parse().expect("a listener is address:port"))
            .collect()
    }

    fn host_processes(&self, clock: Clock) -> Vec<Process> {
        let booted = clock.booted() + self.clock_offset;
        let now = clock.now + self.clock_offset;
        let process = |pid, argv: &[&str], cgroup: &str, start| {
            let argv: Vec<String> = argv.iter().map(|&word| word.to_owned()).collect();
            Process {
                pid,
                comm: pods::comm(&argv),
                argv,
                uid: 0,
                cgroup: cgroup.to_owned(),
                start,
                rights: Rights::host(),
            }
        };
        let mut all = vec![
            process(1, &["/sbin/init"], "/init.scope", booted),
            process(
                612,
                &["/usr/bin/containerd"],
                "/system.slice/containerd.service",
                booted + 9,
            ),
        ];
        if !self.has(Twist::KubeletDown) {
            let mut argv = kubeadm::KUBELET.to_vec();
            argv.extend(self.flags.iter().map(String::as_str));
            all.push(process(
                904,
                &argv,
                "/system.slice/kubelet.service",
                booted + 12,
            ));
        }
        for (pid, spec) in (30_000..).zip(&self.processes) {
            let argv: Vec<&str> = spec.argv.iter().map(String::as_str).collect();
            let mut one = process(pid, &argv, &spec.cgroup, now - seconds(&spec.age));
            one.uid = spec.uid;
            all.push(one);
        }
        all
    }

    fn workloads(&self, node: &str) -> Vec<Workload> {
        match &self.workloads {
            Workloads::Count(count) => (0..=*count)
                .map(|number| Workload::numbered(node, number))
                .collect(),
            Workloads::Names(names) => names
                .iter()
                .map(|full| {
                    let (namespace, name) = full.split_once('/').expect("namespace/name");
                    Workload::new(node, namespace, name)
                })
                .collect(),
        }
    }

    /// Puts the described files into the tree; returns what the kubelet read of those that changed later.
    fn place(&self, tree: &mut Tree, clock: Clock) -> BTreeMap<String, String> {
        let mut before = BTreeMap::new();
        for (path, spec) in &self.files {
            if spec.absent {
                tree.remove(path);
                continue;
            }
            let mut entry = spec.entry(path, tree, clock.installed());
            if let (Kind::File(text), false) = (&entry.kind, spec.edited.is_empty()) {
                before.insert(path.clone(), text.to_string());
                let text = replaced(text, &spec.edited);
                entry.kind = Kind::File(text.into());
            }
            if let Some(age) = &spec.age {
                entry.mtime = clock.now + self.clock_offset - seconds(age);
            }
            tree.put(path, entry);
        }
        before
    }
}

impl FileSpec {
    fn entry(&self, path: &str, tree: &Tree, made: i64) -> Entry {
        let old = tree.get(path);
        let content = || {
            let text = match (&self.content, &self.like) {
                (Some(content), _) => content.clone(),
                (None, Some(like)) => file_text(tree.get(like), like),
                (None, None) => file_text(old, path),
            };
            let dropped = |line: &&str| !self.without.iter().any(|word| line.contains(word));
            let kept: Vec<&str> = text.split_inclusive('\n').filter(dropped).collect();
            Kind::File(replaced(&kept.concat(), &self.replace).into())
        };
        let kind = match (self.kind, &self.link) {
            (Some(KindSpec::Folder), _) => Kind::Folder,
            (Some(KindSpec::Fifo), _) => Kind::Fifo,
            (None, Some(target)) => Kind::Link(target.clone()),
            (None, None) if self.content.is_none() && old.is_some_and(Entry::is_folder) => {
                Kind::Folder
            }
            (None, None) => content(),
        };
        let usual = match kind {
            Kind::Folder => 0o755,
            Kind::Link(_) => 0o777,
            Kind::File(_) | Kind::Fifo => 0o600,
        };
        let mode = self.mode.as_deref().map(|digits| {
            u32::from_str_radix(digits, 8).expect("a mode is octal digits in quotes")
        });
        let mut entry = old
            .cloned()
            .unwrap_or_else(|| Entry::new(Kind::Folder, usual, made));
        entry.kind = kind;
        entry.mode = mode.unwrap_or(entry.mode);
        entry.uid = self.owner.unwrap_or(entry.uid);
        entry.gid = self.group.unwrap_or(entry.gid);
        if !self.acl.is_empty() {
            let named: Vec<Grant> = self.acl.iter().map(|line| grant(line)).collect();
            entry.grant(&named);
        }
        entry
    }
}

/// `user:1001:rwx`.
fn grant(line: &str) -> Grant {
    let mut parts = line.split(':');
    let tag = match parts.next() {
        Some("user") => Tag::User,
        Some("group") => Tag::Group,
        _ => panic!("an access list names user or group: {line}"),
    };
    let id = parts.next().and_then(|id| id.parse().ok());
    let perms = parts.next().unwrap_or("");
    let bit = |letter: char, value: u32| if perms.contains(letter) { value } else { 0 };
    Grant {
        tag,
        id: Some(id.expect("an access list names numbers")),
        perms: bit('r', 4) | bit('w', 2) | bit('x', 1),
    }
}

fn file_text(entry: Option<&Entry>, path: &str) -> String {
    match entry.map(|entry| &entry.kind) {
        Some(Kind::File(text)) => text.to_string(),
        _ => panic!("{path} has no content, neither here nor in the template"),
    }
}

fn replaced(text: &str, words: &BTreeMap<String, String>) -> String {
    words.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "nothing to replace: {from}");
        text.replace(from, to)
    })
}

fn lines(base: &str, more: &[String]) -> String {
    more.iter()
        .fold(base.to_owned(), |all, line| all + line + "\n")
}

/// A JSON merge patch (RFC 7396); beyond it, an object over a list changes the entries that its keys number.
pub fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        if !patch.is_null() {
            *value = patch.clone();
        }
        return;
    };
    if let Value::Array(list) = value {
        for (key, change) in patch {
            let entry = key.parse().ok().and_then(|at: usize| list.get_mut(at));
            merge(entry.expect("a number of an entry"), change);
        }
        return;
    }
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = value else {
        return;
    };
    for (key, change) in patch {
        if change.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}
