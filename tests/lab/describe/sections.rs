//! The collector's sections (`src/probes/shell/*.sh`), on a described node.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::files;
use super::handshakes;
use super::kubelet::{self, Wanted};
use super::shell::Shell;
use super::{Process, Way, running, upkeep};

/// What a fragment says where files of manifests or configuration are cut.
const FILE: usize = 262_144;

/// Where static pods are looked for whatever the configuration says.
const FOLDERS: &[&str] = &[
    "/etc/kubernetes/manifests",
    "/var/lib/rancher/rke2/agent/pod-manifests",
    "/var/lib/rancher/k3s/agent/pod-manifests",
    "/etc/kubernetes/static-pods",
];

/// A section's body.
///
/// # Panics
/// On a section that no described node can answer: it is to be added here.
pub fn by_name(section: &str) -> fn(&mut Shell<'_>) {
    match section {
        "identity" => identity,
        "accounts" => accounts,
        "kubelet" => kubelet::section,
        "folder" => folder,
        "manifests" => manifests,
        "listeners" => listeners,
        "runtime" => runtime,
        "kubelet_files" => files::kubelet_files,
        "pki" => files::pki,
        "kubeconfigs" => files::kubeconfigs,
        "host_paths" => files::host_paths,
        "etcd_files" => upkeep::etcd_files,
        "api_server_files" => upkeep::api_server_files,
        "file_watches" => upkeep::file_watches,
        "kubelet_log" => upkeep::kubelet_log,
        "backups" => upkeep::backups,
        "disks" => upkeep::disks,
        "processes" => running::processes,
        "lsm" => running::lsm,
        "firewall" => running::firewall,
        "cni" => running::cni,
        "timeline" => running::timeline,
        "handshakes" => handshakes::section,
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

/// Processes whose `/proc` folder the login may enter, in the order in which a shell lists them.
pub fn visible<'n>(sh: &Shell<'n>) -> Vec<&'n Process> {
    let node = sh.node;
    let mut seen: Vec<&Process> = node
        .processes
        .iter()
        .filter(|process| sh.is_root() || !node.hidepid || process.uid == sh.login.uid)
        .collect();
    seen.sort_by_key(|process| process.pid.to_string());
    seen
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
    for path in sh.found.manifests.clone() {
        sh.file(&path, FILE);
    }
}

fn listeners(sh: &mut Shell<'_>) {
    let (four, six): (Vec<_>, Vec<_>) = sh
        .node
        .listeners
        .iter()
        .partition(|address| address.is_ipv4());
    let mut sockets = Vec::new();
    for (path, list) in [("/proc/net/tcp", four), ("/proc/net/tcp6", six)] {
        let mut text = String::new();
        for (slot, address) in list.iter().enumerate() {
            let inode = 20_000 + sockets.len();
            text.push_str(&socket((slot, inode), address));
            sockets.push((inode, *address));
        }
        let status = u8::from(text.is_empty());
        sh.blob(path, &format!("{text}x{status}\n"));
    }
    running::owners(sh, &sockets);
}

/// A line of `/proc/net/tcp`: addresses as the words of memory that the kernel prints.
fn socket((slot, inode): (usize, usize), address: &SocketAddr) -> String {
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
        "{slot:4}: {local}:{:04X} {none}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0000000000000000 100 0 0 10 0\n",
        address.port(),
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
