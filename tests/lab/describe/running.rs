//! What runs, what confines it and what the network lets in (`src/probes/shell/{processes,lsm,firewall,cni,timeline}.sh`),
//! on a described node: Debian with AppArmor, containerd and an nft ruleset that lets
//! nobody but the cluster's own machines reach Kubernetes.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::Value;

use super::sections::visible;
use super::shell::Shell;
use super::spec::{RightsSpec, Twist};
use super::{Process, hex32};

/// Of a container that asks for nothing.
const USUAL: u64 = 0xa804_25fb;
const ALL: u64 = 0x1ff_ffff_ffff;

/// What confines a process.
#[derive(Clone, Debug)]
pub struct Rights {
    pub caps: u64,
    pub no_new_privs: bool,
    pub seccomp: u8,
    pub label: String,
    pub read_only: bool,
}

impl Rights {
    /// A daemon of the node.
    pub fn host() -> Self {
        Self {
            caps: ALL,
            no_new_privs: false,
            seccomp: 0,
            label: "unconfined".to_owned(),
            read_only: false,
        }
    }

    /// The pause container.
    pub fn sandbox() -> Self {
        Self {
            no_new_privs: true,
            read_only: true,
            ..Self::of(&Value::Null, &Value::Null)
        }
    }

    /// What containerd makes of a pod's and a container's security context.
    pub fn of(pod: &Value, container: &Value) -> Self {
        let (all, own) = (&pod["securityContext"], &container["securityContext"]);
        let privileged = own["privileged"] == true;
        let profile = |kind: &str| {
            let of = |context: &Value| context[kind]["type"].as_str().map(str::to_owned);
            of(own).or_else(|| of(all)).unwrap_or_default()
        };
        let drops_all = own["capabilities"]["drop"]
            .as_array()
            .is_some_and(|drop| drop.iter().any(|name| name == "ALL"));
        let filtered = matches!(
            profile("seccompProfile").as_str(),
            "RuntimeDefault" | "Localhost"
        );
        let confined = !privileged && profile("appArmorProfile") != "Unconfined";
        Self {
            caps: match (privileged, drops_all) {
                (true, _) => ALL,
                (false, true) => 0,
                (false, false) => USUAL,
            },
            no_new_privs: own["allowPrivilegeEscalation"] == false,
            seccomp: if filtered && !privileged { 2 } else { 0 },
            label: if confined {
                "cri-containerd.apparmor.d (enforce)".to_owned()
            } else {
                "unconfined".to_owned()
            },
            read_only: own["readOnlyRootFilesystem"] == true,
        }
    }

    /// What somebody gave it beyond that, or took away.
    pub fn give(&mut self, spec: &RightsSpec) {
        if let Some(caps) = &spec.caps {
            self.caps = u64::from_str_radix(caps, 16).expect("capabilities are hexadecimal");
        }
        self.no_new_privs = spec.no_new_privs.unwrap_or(self.no_new_privs);
        self.seccomp = spec.seccomp.unwrap_or(self.seccomp);
        self.read_only = spec.read_only.unwrap_or(self.read_only);
        if let Some(label) = &spec.label {
            self.label.clone_from(label);
        }
    }
}

/// The id of a container.
pub fn container_id(uid: &str, container: &str) -> String {
    hex32(&["container", uid, container]) + &hex32(&["id", uid, container])
}

const COMPONENTS: &[&str] = &[
    "kubelet",
    "kube-apiserver",
    "kube-controller",
    "kube-scheduler",
    "kube-proxy",
    "etcd",
    "containerd",
];

fn is_uuid(cgroup: &str) -> bool {
    let pod = cgroup.split("-pod").last().unwrap_or_default();
    let parts: Vec<usize> = pod
        .split(['.', '/'])
        .next()
        .unwrap_or_default()
        .split('_')
        .map(str::len)
        .collect();
    parts == [8, 4, 4, 4, 12]
}

/// Processes of static pods first.
fn in_pods<'n>(sh: &Shell<'n>) -> Vec<&'n Process> {
    let all = visible(sh);
    let pods = all
        .iter()
        .filter(|process| process.cgroup.contains("kubepods"));
    let (workloads, mut list): (Vec<&Process>, Vec<&Process>) =
        pods.partition(|process| is_uuid(&process.cgroup));
    list.extend(workloads);
    list.truncate(301);
    list
}

fn lines(list: &[&Process], line: impl Fn(&Process) -> String) -> String {
    list.iter()
        .map(|process| format!("{} {}\n", process.pid, line(process)))
        .collect()
}

fn table(sh: &mut Shell<'_>, name: &str, text: &str) {
    let status = u8::from(text.is_empty());
    sh.blob(name, &format!("{text}x{status}\n"));
}

pub fn processes(sh: &mut Shell<'_>) {
    let pods = in_pods(sh);
    let groups = lines(&pods, |process| process.cgroup.clone());
    table(sh, "cgroups", &groups);
    let components: Vec<&Process> = visible(sh)
        .into_iter()
        .filter(|process| COMPONENTS.contains(&process.comm.as_str()))
        .take(40)
        .collect();
    for process in components
        .iter()
        .filter(|process| process.comm != "kubelet")
    {
        let words: String = process
            .argv
            .iter()
            .map(|word| format!("{word}\0"))
            .collect();
        sh.output(&format!("/proc/{}/cmdline", process.pid), &words);
    }
    let named: String = components
        .iter()
        .map(|process| format!(" {}", process.pid))
        .collect();
    sh.value("components", &named);
    let contained: Vec<&Process> = components
        .iter()
        .copied()
        .filter(|process| process.cgroup.contains("kubepods"))
        .collect();
    let places = lines(&contained, |process| format!("0::{}", process.cgroup));
    table(sh, "places", &places);
    let mut all = components;
    for process in pods.iter().take(300) {
        if !all.iter().any(|known| known.pid == process.pid) {
            all.push(process);
        }
    }
    tables(sh, &all);
    logs(sh, &pods);
}

fn tables(sh: &mut Shell<'_>, all: &[&Process]) {
    let status: String = all.iter().map(|process| status(process)).collect();
    table(sh, "status", &status);
    let node = sh.node;
    let starts = lines(all, |process| {
        format!("{} {} {}", process.pid, node.jiffies(process), process.comm)
    });
    table(sh, "starts", &starts);
    let roots = lines(all, |process| {
        let word = if process.rights.read_only { "ro" } else { "rw" };
        format!("{word} rw")
    });
    table(sh, "roots", &roots);
    table(
        sh,
        "users",
        &lines(all, |_| "         0          0 4294967295".to_owned()),
    );
    table(sh, "ooms", &lines(all, |_| "0".to_owned()));
    if node.spec.has(Twist::NoApparmor) {
        sh.value("label", "");
    } else {
        sh.value("label", "unconfined");
        let labels = lines(all, |process| process.rights.label.clone());
        table(sh, "labels", &labels);
    }
    if sh.is_root() {
        for process in all.iter().take(60) {
            let program = sh.nm(process.argv.first().map_or("/main", String::as_str));
            sh.rec(&["Q", &process.pid.to_string(), &program]);
        }
    }
}

fn status(process: &Process) -> String {
    let Process {
        pid, uid, rights, ..
    } = process;
    let effective = if *uid == 0 { rights.caps } else { 0 };
    format!(
        "{pid} Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n{pid} Gid:\t{uid}\t{uid}\t{uid}\t{uid}\n\
         {pid} CapPrm:\t{effective:016x}\n{pid} CapEff:\t{effective:016x}\n{pid} CapBnd:\t{:016x}\n\
         {pid} NoNewPrivs:\t{}\n{pid} Seccomp:\t{}\n",
        rights.caps,
        u8::from(rights.no_new_privs),
        rights.seccomp,
    )
}

fn logs(sh: &mut Shell<'_>, pods: &[&Process]) {
    for name in &sh.node.containers {
        let id = name
            .trim_end_matches(".log")
            .rsplit('-')
            .next()
            .unwrap_or_default();
        if pods.iter().any(|process| process.cgroup.contains(id)) {
            let name = sh.nm(name);
            sh.rec(&["N", &name]);
        }
    }
    sh.rec(&["D", "/var/log/containers", "ok"]);
}

/// The number of the process by which a node is read.
const SSHD: u32 = 640;

/// The processes behind the listening sockets, which root sees.
pub fn owners(sh: &mut Shell<'_>, sockets: &[(usize, SocketAddr)]) {
    sh.value("machine", "x86_64");
    if !sh.is_root() || !sh.has("stat") {
        return;
    }
    let (mut claims, mut groups, mut names) = (String::new(), String::new(), String::new());
    for (inode, socket) in sockets {
        let owner = match socket.port() {
            // Read by its sockets alone: the other sections do not name it.
            22 => {
                let _ = writeln!(claims, "{inode} 8 /proc/{SSHD}/fd/3");
                let _ = writeln!(names, "/proc/{SSHD}/comm:sshd");
                continue;
            }
            10248 | 10250 | 10255 => "kubelet",
            6443 => "kube-apiserver",
            2379..=2381 => "etcd",
            10257 => "kube-controller",
            10259 => "kube-scheduler",
            10249 | 10256 => "kube-proxy",
            _ => continue,
        };
        let found = visible(sh)
            .into_iter()
            .find(|process| process.comm.starts_with(owner));
        let Some(process) = found else { continue };
        let pid = process.pid;
        let _ = writeln!(claims, "{inode} 8 /proc/{pid}/fd/5");
        if process.cgroup.contains("kubepods") {
            let _ = writeln!(groups, "/proc/{pid}/cgroup:0::{}", process.cgroup);
        }
        let _ = writeln!(names, "/proc/{pid}/comm:{}", process.comm);
    }
    sh.output("sockets", &format!("{claims}x0\n"));
    table(sh, "groups", &groups);
    table(sh, "names", &names);
}

const PROFILES: &str = "\
/usr/sbin/chronyd (enforce)
cri-containerd.apparmor.d (enforce)
lsb_release (enforce)
nvidia_modprobe (enforce)
nvidia_modprobe//kmod (enforce)
";

const SYSCTLS: &str = "\
/proc/sys/kernel/kptr_restrict:0
/proc/sys/kernel/dmesg_restrict:1
/proc/sys/kernel/unprivileged_bpf_disabled:2
/proc/sys/kernel/perf_event_paranoid:3
/proc/sys/kernel/yama/ptrace_scope:0
/proc/sys/net/ipv4/ip_forward:1
";

pub fn lsm(sh: &mut Shell<'_>) {
    sh.value("sysfs", "mounted");
    let confines = !sh.node.spec.has(Twist::NoApparmor);
    let modules = if confines {
        "lockdown,capability,landlock,yama,apparmor,tomoyo,bpf"
    } else {
        "lockdown,capability,landlock,yama,bpf"
    };
    sh.value("/sys/kernel/security/lsm", modules);
    sh.value(
        "/sys/kernel/security/lockdown",
        "[none] integrity confidentiality",
    );
    let on = if confines { "Y" } else { "N" };
    sh.value("/sys/module/apparmor/parameters/enabled", on);
    sh.rec(&["Y", "/sys/fs/selinux/enforce", "absent"]);
    let profiles = "/sys/kernel/security/apparmor/profiles";
    if confines && sh.is_root() {
        sh.output(profiles, PROFILES);
    } else if confines {
        sh.blob(profiles, "x1\n");
    } else {
        sh.rec(&["Y", profiles, "absent"]);
    }
    sh.rec(&["Y", "/etc/selinux/config", "absent"]);
    sh.blob("sysctls", &format!("{SYSCTLS}x2\n"));
    let config = "/etc/containerd/config.toml";
    if sh.exists(config) {
        sh.blob(config, "x1\n");
    }
    let folder = "/var/lib/kubelet/seccomp";
    sh.value("root", "/var/lib/kubelet");
    sh.walk(folder);
    for name in profile_names(sh) {
        let path = format!("{folder}/{name}");
        sh.walk(&path);
        sh.file(&path, 65_536);
    }
    sh.looks();
}

/// Values of `localhostProfile`, as the manifests have them line by line.
fn profile_names(sh: &Shell<'_>) -> Vec<String> {
    let node = sh.node;
    let pods = node.pods.iter().flat_map(|pod| {
        let text = pod.pod.to_string();
        let parts: Vec<String> = text
            .split("\"localhostProfile\":\"")
            .skip(1)
            .map(str::to_owned)
            .collect();
        parts
    });
    pods.filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .take(20)
        .collect()
}

const CHAINS: &str = "\
table inet filter {
\tchain INPUT {
\t\ttype filter hook input priority filter; policy accept;
\t}
}
";

const RULES: &str = "\
table inet filter {
\tchain KUBE-FIREWALL {
\t\tip saddr != 127.0.0.0/8 ip daddr 127.0.0.0/8 ct status dnat counter packets 0 bytes 0 drop
\t}

\tchain INPUT {
\t\ttype filter hook input priority 0; policy accept;
\t\tcounter packets 422671 bytes 75255975 jump KUBE-FIREWALL
@PORTS@\t}
}
";

/// What lets only the cluster's own machines reach Kubernetes.
const PORTS: &str = "\
\t\tip saddr 198.51.0.0/16 tcp dport 6443 accept
\t\ttcp dport 6443 drop
\t\tip saddr 198.51.0.0/16 tcp dport 2379 accept
\t\ttcp dport 2379 drop
\t\tip saddr 198.51.0.0/16 tcp dport 2380 accept
\t\ttcp dport 2380 drop
\t\tip saddr 198.51.0.0/16 tcp dport 10250 accept
\t\ttcp dport 10250 drop
\t\tip saddr 198.51.0.0/16 tcp dport 10257 accept
\t\ttcp dport 10257 drop
\t\tip saddr 198.51.0.0/16 tcp dport 10259 accept
\t\ttcp dport 10259 drop
";

pub fn firewall(sh: &mut Shell<'_>) {
    if !sh.is_root() {
        return sh.rec(&["Y", "rules", "denied"]);
    }
    sh.value("nf_tables", "there");
    sh.blob("chains", &format!("{CHAINS}x0\n"));
    let ports = if sh.node.spec.has(Twist::NoFirewall) {
        ""
    } else {
        PORTS
    };
    sh.output("nft inet filter", &RULES.replace("@PORTS@", ports));
}

pub fn cni(sh: &mut Shell<'_>) {
    const FOLDER: &str = "/etc/cni/net.d";
    if !sh.exists(FOLDER) {
        return sh.looks();
    }
    sh.rec(&["I", FOLDER]);
    sh.walk(FOLDER);
    if sh.is_folder(FOLDER) {
        sh.list(FOLDER, plugin);
    }
    sh.looks();
}

fn plugin(sh: &mut Shell<'_>, path: &str) {
    let wanted = [".conf", ".conflist", ".json"];
    if !wanted.iter().any(|suffix| path.ends_with(suffix)) {
        return;
    }
    let Ok((_, entry)) = sh.node.tree.find(&sh.login, path, true) else {
        return;
    };
    let super::tree::Kind::File(content) = &entry.kind else {
        return;
    };
    if !sh.login.may(entry, 4) {
        return sh.blob(path, "x2\n");
    }
    let types = content.split("\"type\": \"").skip(1);
    let found: String = types
        .filter_map(|rest| rest.split('"').next())
        .map(|name| format!("\"type\": \"{name}\"\n"))
        .collect();
    table(sh, path, &found);
}

pub fn timeline(sh: &mut Shell<'_>) {
    sh.value("clock", "timesync");
    sh.value("/var/log/journal", "there");
    sh.value("/run/log/journal", "there");
}
