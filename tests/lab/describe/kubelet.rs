//! The collector's section on the kubelet (`src/probes/shell/kubelet.sh`), on a described node.

use std::collections::BTreeSet;

use super::Process;
use super::sections::visible;
use super::shell::Shell;
use super::tree::Kind;

/// Where configuration files are cut.
const FILE: usize = 262_144;

/// Where a stopped kubelet's configuration may lie.
const CONFIGS: &[&str] = &[
    "/var/lib/kubelet/config.yaml",
    "/etc/kubernetes/kubelet-config.yaml",
    "/etc/kubernetes/kubelet/config.json",
    "/etc/kubernetes/kubelet/config",
    "/home/kubernetes/kubelet-config.yaml",
    "/etc/default/kubeletconfig.json",
];

/// And its drop-ins.
const CONFIG_DIRS: &[&str] = &[
    "/etc/kubernetes/kubelet/config.json.d",
    "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d",
    "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d",
];

/// Keys of the configuration that name a path, in small letters.
const KEYS: &[(&str, Wanted)] = &[
    ("staticpodpath", Wanted::Folder),
    ("clientcafile", Wanted::File("client_ca")),
    ("tlscertfile", Wanted::File("certificate")),
    ("tlsprivatekeyfile", Wanted::File("private_key")),
    ("containerruntimeendpoint", Wanted::File("runtime_socket")),
];

/// Which path a word of the configuration names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    Config,
    ConfigDir,
    Folder,
    /// For the sections on files, by its word there.
    File(&'static str),
}

/// What later sections take over from earlier ones.
#[derive(Debug, Default)]
pub struct Found {
    wanted: BTreeSet<(Wanted, String)>,
    configs: Vec<String>,
    config_dirs: Vec<String>,
    /// Word and path of what is no configuration.
    pub files: Vec<(&'static str, String)>,
    pub folders: Vec<String>,
    pub manifests: Vec<String>,
    host: bool,
}

impl Found {
    pub fn want(&mut self, kind: Wanted, path: &str, cwd: &str) {
        if path.is_empty() {
            return;
        }
        let path = path.strip_prefix("unix://").unwrap_or(path);
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
            Wanted::File(word) => {
                if self.files.len() < 40 {
                    self.files.push((word, path.to_owned()));
                }
                return;
            }
            Wanted::Config => (&mut self.configs, 8),
            Wanted::ConfigDir => (&mut self.config_dirs, 40),
            Wanted::Folder => (&mut self.folders, 16),
        };
        if list.len() < most {
            list.push(path.to_owned());
        }
    }
}

pub fn section(sh: &mut Shell<'_>) {
    for process in visible(sh) {
        if process.comm == "kubelet" {
            kubelet_process(sh, process);
        }
    }
    if !sh.found.host {
        unit(sh);
        for (kind, paths) in [(Wanted::Config, CONFIGS), (Wanted::ConfigDir, CONFIG_DIRS)] {
            for path in paths {
                if sh.exists(path) {
                    sh.found.want(kind, path, "");
                }
            }
        }
    }
    let mut next = 0;
    while let Some(path) = sh.found.configs.get(next).cloned() {
        next += 1;
        sh.walk(&path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        config(sh, &path, folder);
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
        if sh.is_root() {
            let program = process.argv.first().map_or("", String::as_str);
            sh.found.want(Wanted::File("program"), program, "");
        }
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
            "--kubeconfig" => Wanted::File("kubelet_kubeconfig"),
            "--bootstrap-kubeconfig" => Wanted::File("bootstrap_kubeconfig"),
            "--root-dir" => Wanted::File("root_dir"),
            "--cert-dir" => Wanted::File("kubelet_pki"),
            "--client-ca-file" => Wanted::File("client_ca"),
            "--tls-cert-file" => Wanted::File("certificate"),
            "--tls-private-key-file" => Wanted::File("private_key"),
            "--container-runtime-endpoint" => Wanted::File("runtime_socket"),
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

/// A configuration file, and the folders that it may name; relative ones below `cwd`.
fn config(sh: &mut Shell<'_>, path: &str, cwd: &str) {
    if !sh.file(path, FILE) {
        return;
    }
    let Ok((_, entry)) = sh.node.tree.find(&sh.login, path, true) else {
        return;
    };
    let Kind::File(content) = &entry.kind else {
        return;
    };
    for line in content.lines() {
        for (key, kind) in KEYS {
            let Some(at) = line.to_lowercase().rfind(key) else {
                continue;
            };
            let rest = line[at + key.len()..].trim_start_matches(['"', '\'']);
            let Some(value) = rest.trim_start().strip_prefix(':') else {
                continue;
            };
            sh.found.want(*kind, plain(value.trim()), cwd);
        }
    }
}

/// A scalar without its quotes, its comment, and what ends a flow mapping.
fn plain(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            return quoted.split(quote).next().unwrap_or(quoted);
        }
    }
    let bare = value.split(" #").next().unwrap_or(value);
    bare.split([',', '}']).next().unwrap_or(bare).trim_end()
}

fn drop_in(sh: &mut Shell<'_>, path: &str) {
    if !sh.is_link(path) && sh.is_folder(path) {
        sh.found.want(Wanted::ConfigDir, path, "");
    } else if path.strip_suffix(".conf").is_some() {
        config(sh, path, "");
    }
}
