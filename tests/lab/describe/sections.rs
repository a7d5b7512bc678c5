//! The collector's sections (`src/probes/shell/*.sh`), on a described node.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;

use super::shell::Shell;
use super::tree::Kind;
use super::{Process, Way};

/// What a fragment says where files of manifests or configuration are cut.
const FILE: usize = 262_144;

/// Where static pods are looked for whatever the configuration says.
const FOLDERS: &[&str] = &[
    "/etc/kubernetes/manifests",
    "/var/lib/rancher/rke2/agent/pod-manifests",
    "/var/lib/rancher/k3s/agent/pod-manifests",
    "/etc/kubernetes/static-pods",
];

/// Where a stopped kubelet's configuration may lie.
const CONFIGS: &[&str] = &[
    "/var/lib/kubelet/config.yaml",
    "/etc/kubernetes/kubelet-config.yaml",
    "/etc/kubernetes/kubelet/config.json",
    "/etc/kubernetes/kubelet/config",
    "/home/kubernetes/kubelet-config.yaml",
    "/etc/default/kubeletconfig.json",
];

/// Which path a word of the configuration names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Config,
    ConfigDir,
    Folder,
}

/// What later sections take over from earlier ones.
#[derive(Debug, Default)]
pub struct Found {
    wanted: BTreeSet<(Wanted, String)>,
    configs: Vec<String>,
    config_dirs: Vec<String>,
    folders: Vec<String>,
    manifests: Vec<String>,
    host: bool,
}

impl Found {
    fn want(&mut self, kind: Wanted, path: &str, cwd: &str) {
        if path.is_empty() {
            return;
        }
        let absolute = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", cwd.trim_end_matches('/'))
        };
        let trimmed = absolute.trim_end_matches('/');
        let path = if trimmed.is_empty() { "/" } else { trimmed };
        if !self.wanted.insert((kind, path.to_owned())) {
            return;
        }
        let (list, most) = match kind {
            Wanted::Config => (&mut self.configs, 8),
            Wanted::ConfigDir => (&mut self.config_dirs, 40),
            Wanted::Folder => (&mut self.folders, 16),
        };
        if list.len() < most {
            list.push(path.to_owned());
        }
    }
}

/// A section's body.
///
/// # Panics
/// On a section that no described node can answer: it is to be added here.
pub fn by_name(section: &str) -> fn(&mut Shell<'_>) {
    match section {
        "identity" => identity,
        "accounts" => accounts,
        "kubelet" => kubelet,
        "folder" => folder,
        "manifests" => manifests,
        "listeners" => listeners,
        "runtime" => runtime,
        _ => panic!("described nodes do not answer the section {section} yet"),
    }
}

fn identity(sh: &mut Shell<'_>) {
    let node = sh.node;
    sh.value("/proc/sys/kernel/hostname", &node.hostname);
    if let Some(id) = &node.machine_id {
        sh.value("/etc/machine-id", id);
    }
    sh.value("/proc/sys/kernel/random/boot_id", &node.boot_id);
    let clock = sh.now + node.clock_offset;
    sh.value("clock", &clock.to_string());
    sh.value("uptime", &(clock - node.booted).to_string());
    let open = sh.is_root() || !node.hidepid;
    sh.value("proc", if open { "open" } else { "hidden" });
    let _ = sh.file("/etc/os-release", 8192) || sh.file("/usr/lib/os-release", 8192);
}

fn accounts(sh: &mut Shell<'_>) {
    if sh.has("getent") {
        let node = sh.node;
        sh.output("getent passwd", &node.passwd);
        sh.output("getent group", &node.group);
    } else {
        sh.file("/etc/passwd", FILE);
        sh.file("/etc/group", FILE);
    }
}

fn kubelet(sh: &mut Shell<'_>) {
    for process in visible(sh) {
        if process.comm == "kubelet" {
            kubelet_process(sh, process);
        }
    }
    if !sh.found.host {
        unit(sh);
        for path in CONFIGS {
            if sh.exists(path) {
                sh.found.want(Wanted::Config, path, "");
            }
        }
    }
    let mut next = 0;
    while let Some(path) = sh.found.configs.get(next).cloned() {
        next += 1;
        sh.walk(&path);
        config(sh, &path);
    }
    next = 0;
    while let Some(path) = sh.found.config_dirs.get(next).cloned() {
        next += 1;
        sh.walk(&path);
        if !sh.is_link(&path) && sh.is_folder(&path) {
            sh.list(&path, drop_in);
        }
    }
    sh.looks();
}

/// Processes whose `/proc` folder the login may enter, in the order in which a shell lists them.
fn visible<'n>(sh: &Shell<'n>) -> Vec<&'n Process> {
    let node = sh.node;
    let mut seen: Vec<&Process> = node
        .processes
        .iter()
        .filter(|process| sh.is_root() || !node.hidepid || process.uid == sh.login.uid)
        .collect();
    seen.sort_by_key(|process| process.pid.to_string());
    seen
}

fn kubelet_process(sh: &mut Shell<'_>, process: &Process) {
    const CONTAINERS: &[&str] = &[
        "kubepods",
        "docker",
        "libpod",
        "containerd",
        "crio",
        "lxc",
        "machine.slice",
    ];
    let contained = CONTAINERS.iter().any(|word| process.cgroup.contains(word));
    let kind = match (process.uid, contained) {
        (0, false) if sh.is_root() => "same",
        (0, false) => "host",
        _ => "other",
    };
    let cwd = sh.nm(if sh.is_root() { "/" } else { "" });
    let cgroup = sh.nm(&format!(" 0::{}", process.cgroup));
    let comm = sh.nm(&process.comm);
    let (pid, uid) = (process.pid.to_string(), process.uid.to_string());
    let start = sh.node.jiffies(process).to_string();
    sh.rec(&["P", &pid, &comm, &uid, &start, kind, &cwd, &cgroup]);
    let command: String = process
        .argv
        .iter()
        .map(|word| format!("{word}\0"))
        .collect();
    sh.output(&format!("/proc/{pid}/cmdline"), &command);
    if kind != "other" {
        sh.found.host = true;
        let words: Vec<&str> = process.argv.iter().map(String::as_str).collect();
        arguments(&mut sh.found, &words);
    }
}

fn arguments(found: &mut Found, words: &[&str]) {
    let mut open: Option<Wanted> = None;
    for word in words {
        if let Some(kind) = open.take() {
            found.want(kind, word, "/");
            continue;
        }
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (*word, None),
        };
        let kind = match flag.replace('_', "-").as_str() {
            "--config" => Wanted::Config,
            "--config-dir" => Wanted::ConfigDir,
            "--pod-manifest-path" => Wanted::Folder,
            _ => continue,
        };
        match value {
            Some(value) => found.want(kind, value, "/"),
            None => open = Some(kind),
        }
    }
}

/// The kubelet is down: how its unit would start it.
fn unit(sh: &mut Shell<'_>) {
    if !sh.has("systemctl") {
        return;
    }
    let text = sh.node.unit.clone();
    sh.output("systemctl show kubelet", &text);
    let mut all = text.clone();
    for line in text.lines() {
        let Some(path) = line.strip_prefix("EnvironmentFiles=") else {
            continue;
        };
        let path = path.split(" (").next().unwrap_or(path);
        if sh.file(path, 65536)
            && let Ok((_, entry)) = sh.node.tree.find(&sh.login, path, true)
            && let Kind::File(content) = &entry.kind
        {
            all.push(' ');
            all.push_str(content);
        }
    }
    let words: Vec<&str> = all
        .split([' ', '\t', '\n', '"', '\'', '='])
        .filter(|word| !word.is_empty())
        .collect();
    arguments(&mut sh.found, &words);
}

/// A configuration file, and the folders that it may name.
fn config(sh: &mut Shell<'_>, path: &str) {
    if !sh.file(path, FILE) {
        return;
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let Ok((_, entry)) = sh.node.tree.find(&sh.login, path, true) else {
        return;
    };
    let Kind::File(content) = &entry.kind else {
        return;
    };
    for line in content.lines() {
        let Some(at) = line.to_lowercase().rfind("staticpodpath") else {
            continue;
        };
        let rest = line[at + "staticpodpath".len()..].trim_start_matches(['"', '\'']);
        let Some(value) = rest.trim_start().strip_prefix(':') else {
            continue;
        };
        let value = value.trim();
        let bare = value.split(" #").next().unwrap_or(value);
        let bare = bare.trim_matches(['"', '\'']).trim_end_matches([',', '}']);
        sh.found.want(Wanted::Folder, bare.trim_end(), folder);
    }
}

fn drop_in(sh: &mut Shell<'_>, path: &str) {
    if !sh.is_link(path) && sh.is_folder(path) {
        sh.found.want(Wanted::ConfigDir, path, "");
    } else if path.strip_suffix(".conf").is_some() {
        config(sh, path);
    }
}

fn folder(sh: &mut Shell<'_>) {
    for path in FOLDERS {
        if sh.exists(path) {
            sh.found.want(Wanted::Folder, path, "");
        }
    }
    let mut next = 0;
    while let Some(path) = sh.found.folders.get(next).cloned() {
        next += 1;
        sh.walk(&path);
        if sh.is_folder(&path) {
            sh.list(&path, loads);
        } else if sh.exists(&path) {
            sh.found.manifests.push(path);
        }
    }
    sh.looks();
}

/// What the kubelet would load: names with a dot in front left out, links followed, no folders.
fn loads(sh: &mut Shell<'_>, path: &str) {
    let hidden = path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with('.'));
    if !hidden && !sh.is_folder(path) {
        sh.found.manifests.push(path.to_owned());
    }
}

fn manifests(sh: &mut Shell<'_>) {
    for path in std::mem::take(&mut sh.found.manifests) {
        sh.file(&path, FILE);
    }
}

fn listeners(sh: &mut Shell<'_>) {
    let (four, six): (Vec<_>, Vec<_>) = sh
        .node
        .listeners
        .iter()
        .partition(|address| address.is_ipv4());
    for (path, list) in [("/proc/net/tcp", four), ("/proc/net/tcp6", six)] {
        let mut text = String::new();
        for (slot, address) in list.iter().enumerate() {
            text.push_str(&socket(slot, address));
        }
        let status = u8::from(text.is_empty());
        sh.blob(path, &format!("{text}x{status}\n"));
    }
}

/// A line of `/proc/net/tcp`: addresses as the words of memory that the kernel prints.
fn socket(slot: usize, address: &SocketAddr) -> String {
    let words = |bytes: &[u8]| {
        bytes.chunks(4).fold(String::new(), |mut out, word| {
            for byte in word.iter().rev() {
                let _ = write!(out, "{byte:02X}");
            }
            out
        })
    };
    let local = match address {
        SocketAddr::V4(four) => words(&four.ip().octets()),
        SocketAddr::V6(six) => words(&six.ip().octets()),
    };
    let none = "0".repeat(local.len());
    format!(
        "{slot:4}: {local}:{:04X} {none}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {} 1 0000000000000000 100 0 0 10 0\n",
        address.port(),
        20_000 + slot,
    )
}

fn runtime(sh: &mut Shell<'_>) {
    let contained: Vec<&Process> = visible(sh)
        .into_iter()
        .filter(|process| process.cgroup.contains("kubepods"))
        .collect();
    let status = u8::from(contained.is_empty());
    let mut groups = String::new();
    let mut starts = String::new();
    for process in &contained {
        let (above, last) = process.cgroup.rsplit_once('/').unwrap_or(("", ""));
        let cgroup = if last.contains("pod") {
            &process.cgroup
        } else {
            above
        };
        let _ = writeln!(groups, "{} {cgroup}", process.pid);
        let start = sh.node.jiffies(process);
        let _ = writeln!(starts, "{} {start} {}", process.pid, process.comm);
    }
    sh.blob("cgroups", &format!("{groups}x{status}\n"));
    if !contained.is_empty() {
        sh.blob("starts", &format!("{starts}x0\n"));
    }
    logs(sh);
}

fn logs(sh: &mut Shell<'_>) {
    const FOLDER: &str = "/var/log/pods";
    let word = match sh.node.tree.find(&sh.login, FOLDER, true) {
        Ok((_, entry)) if sh.login.may(entry, 4) => None,
        Ok(_) => Some("denied"),
        Err(trouble) => Some(trouble.word()),
    };
    if let Some(word) = word {
        return sh.rec(&["D", FOLDER, word]);
    }
    let node = sh.node;
    for name in node.logs.iter().take(1000) {
        let name = sh.nm(name);
        sh.rec(&["N", &name]);
    }
    let (word, count) = if node.logs.len() < 1000 {
        ("ok", node.logs.len())
    } else {
        ("more", 1000)
    };
    sh.rec(&["D", FOLDER, word, &count.to_string()]);
}

/// The command line's own word on its rights.
pub fn way(way: Way) -> &'static str {
    match way {
        Way::Installed => "installed-collector",
        Way::LoginOnly => "login-only",
        Way::Stream => "sudo-stream",
    }
}
