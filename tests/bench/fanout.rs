//! One command on every node of a farm: our pool against what people use for it, in one run on the same servers.
//!
//! `cargo bench --bench fanout [-- NODES MILLISECONDS]`. The servers run in this process. Every contender runs in a
//! process of its own (ours is this program again), 64 at once, with the same key, the same strict known_hosts and
//! the same answer; a tool that is not installed is said to be so. Client processor time is that of the process and
//! all its children.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench tells the time and starts processes"
)]
#![allow(
    dead_code,
    unused_imports,
    reason = "the lab's files serve several targets"
)]

#[path = "../lab/farm.rs"]
mod farm;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use farm::{Answer, Farm, Fault};
use stakeout::collect::cancel::Cancel;
use stakeout::collect::node::NodeJob;
use stakeout::collect::options::{Bounds, Options, Place};
use stakeout::collect::pool;
use stakeout::model::link::{HostState, Update};
use stakeout::model::name::NodeName;
use stakeout::probes::mask::Masker;

/// Nodes at once, for everyone.
const WIDE: &str = "64";
/// What others run; the farm's answer is the same, whatever is asked.
const COMMAND: &str = "exec /bin/sh -s";

/// Name, program, and its words; those in capitals stand for what a run has.
const TOOLS: [(&str, &str, &str); 8] = [
    (
        "xargs -P64 ssh",
        "xargs",
        "-a HOSTS -P WIDE -I{} ssh -F CONFIG {} COMMAND",
    ),
    (
        "the same, curve25519",
        "xargs",
        "-a HOSTS -P WIDE -I{} ssh -F CONFIG -o KexAlgorithms=curve25519-sha256 {} COMMAND",
    ),
    (
        "parallel-ssh",
        "parallel-ssh",
        "-h HOSTS -p WIDE -x OPTIONS -P COMMAND",
    ),
    ("pssh", "pssh", "-h HOSTS -p WIDE -x OPTIONS -P COMMAND"),
    ("pdsh", "pdsh", "-R ssh -f WIDE -w LIST COMMAND"),
    ("clush", "clush", "-f WIDE -o OPTIONS -w LIST COMMAND"),
    (
        "ansible raw",
        "ansible",
        "all -i HOSTS -f WIDE -m raw -a COMMAND",
    ),
    (
        "GNU parallel ssh",
        "parallel",
        "-a HOSTS -j WIDE ssh -F CONFIG {} COMMAND",
    ),
];

/// How long a contender may take before it is ended and told as failed: some wait for what never comes.
const LIMIT: Duration = Duration::from_secs(90);

/// What a contender cost.
struct Cost {
    wall: Duration,
    /// User and system, of the process and its children.
    cpu: Duration,
    /// Proportional memory of the process and its children at the highest, in bytes.
    peak: u64,
    /// Processes at once, at most.
    processes: usize,
    ok: bool,
}

/// The files of one run.
struct Files {
    folder: PathBuf,
    config: PathBuf,
    hosts: PathBuf,
    known: PathBuf,
    key: PathBuf,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some([folder, port, nodes, pause]) = ours(&words) {
        return collect(Path::new(folder), port, nodes, pause);
    }
    let mut numbers = words.iter().filter_map(|word| word.parse::<usize>().ok());
    let nodes = numbers.next().unwrap_or(500);
    let pause = numbers.next().unwrap_or(300);
    let slow = Fault::Slow(Duration::from_millis(pause as u64));
    let served = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&served);
    let farm = Farm::start(&vec![slow; nodes], move |_, _, stdin| {
        counter.fetch_add(1, Ordering::SeqCst);
        answer(stdin)
    })
    .expect("loopback can be used");
    let folder = std::env::temp_dir().join(format!("stakeout-fanout-{}", std::process::id()));
    let files = Files::write(&farm, nodes, folder);
    println!(
        "| {nodes} nodes of {pause} ms, {WIDE} at once | wall s | client cpu ms a host | peak MB | processes | served |"
    );
    println!("|---|---|---|---|---|---|");
    for (name, command) in contenders(&farm, &files, nodes, &words) {
        let Some(command) = command else {
            println!("| {name} | not installed | | | | |");
            continue;
        };
        served.store(0, Ordering::SeqCst);
        let cost = measure(command);
        println!(
            "| {name}{} | {:.1} | {:.1} | {:.0} | {} | {} |",
            if cost.ok { "" } else { " (failed)" },
            cost.wall.as_secs_f64(),
            cost.cpu.as_secs_f64() * 1000.0 / nodes as f64,
            cost.peak as f64 / 1e6,
            cost.processes,
            served.load(Ordering::SeqCst),
        );
    }
    drop(farm);
    // A folder of ours in the system's own for such: what stays is not worth a failure.
    let _ = std::fs::remove_dir_all(&files.folder);
}

/// About as much as a control plane node answers, as sections that every version has.
fn answer(stdin: &[u8]) -> Answer {
    let sent = String::from_utf8_lossy(stdin);
    let nonce = sent
        .strip_prefix("STK_NONCE=")
        .and_then(|rest| rest.get(..32))
        .unwrap_or("00000000000000000000000000000000");
    let users: String = (0..120)
        .map(|user| format!("V\tpasswd\tuser{user:04}:x:{user}:{user}:padding:/home:/bin/sh\n"))
        .collect();
    let text = format!(
        "\n@STK1 WAY login-only\n@STK1 BEGIN {nonce} 1 1000 stat b64\n@STK1 SECTION identity\nV\tclock\t1\n\
         @STK1 DONE identity 1\n@STK1 SECTION accounts\n{users}@STK1 DONE accounts 120\n@STK1 END {nonce} 121\n"
    );
    Answer {
        stdout: text.into_bytes(),
        ..Answer::default()
    }
}

impl Files {
    fn write(farm: &Farm, nodes: usize, folder: PathBuf) -> Self {
        stakeout::disk::make_folder(&folder).expect("a temporary folder");
        let (known, key) = farm.write_files(&folder).expect("writable");
        let (config, hosts) = (folder.join("config"), folder.join("hosts"));
        let text = format!(
            "Host *\n  Port {}\n  User audit\n  IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  \
             UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  BatchMode yes\n  \
             LogLevel ERROR\n",
            farm.port(),
            key.display(),
            known.display()
        );
        let names: String = (0..nodes)
            .map(|node| format!("{}\n", farm.address(node)))
            .collect();
        for (file, text) in [(&config, text), (&hosts, names)] {
            stakeout::disk::write(file, |out| out.write_all(text.as_bytes())).expect("writable");
        }
        Self {
            folder,
            config,
            hosts,
            known,
            key,
        }
    }
}

/// Everyone who takes part, with the command to start; none: not installed. `words` may name programs.
fn contenders(
    farm: &Farm,
    files: &Files,
    nodes: usize,
    words: &[String],
) -> Vec<(String, Option<Command>)> {
    let options = format!("-F {}", files.config.display());
    let list = std::fs::read_to_string(&files.hosts).unwrap_or_default();
    let fill = |word: &str| match word {
        "HOSTS" => files.hosts.display().to_string(),
        "CONFIG" => files.config.display().to_string(),
        "LIST" => list.split_whitespace().collect::<Vec<_>>().join(","),
        "OPTIONS" => options.clone(),
        "WIDE" => WIDE.to_owned(),
        "COMMAND" => COMMAND.to_owned(),
        word => word.to_owned(),
    };
    let mut own = Command::new(std::env::current_exe().expect("this program"));
    own.arg("--ours").arg(&files.folder);
    own.args([farm.port().to_string(), nodes.to_string()]);
    own.arg(farm.address(0).to_string());
    let is_wanted = |program: &str| {
        let mut named = words
            .iter()
            .filter(|word| TOOLS.iter().any(|tool| tool.1 == word.as_str()))
            .peekable();
        named.peek().is_none() || named.any(|word| word == program)
    };
    let tools = TOOLS.into_iter().filter(|tool| is_wanted(tool.1));
    let tools = tools.map(|(name, program, arguments)| {
        let command = installed(program).map(|path| {
            let mut command = Command::new(path);
            command
                .args(arguments.split(' ').map(fill))
                .env("PDSH_SSH_ARGS_APPEND", &options)
                .env("ANSIBLE_SSH_ARGS", &options)
                .env("ANSIBLE_HOST_KEY_CHECKING", "True")
                .env("HOME", &files.folder);
            command
        });
        (name.to_owned(), command)
    });
    std::iter::once(("stakeout's pool".to_owned(), Some(own)))
        .chain(tools)
        .collect()
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// The words after `--ours`.
fn ours(words: &[String]) -> Option<[&str; 4]> {
    let at = words.iter().position(|word| word == "--ours")?;
    let words: Vec<&str> = words[at + 1..].iter().map(String::as_str).take(4).collect();
    words.try_into().ok()
}

/// Our side: reads all nodes once. `first` is the address of the first one.
fn collect(folder: &Path, port: &str, nodes: &str, first: &str) {
    let port: u16 = port.parse().expect("a port");
    let nodes: u32 = nodes.parse().expect("a number");
    let first: std::net::Ipv4Addr = first.parse().expect("an address");
    let options = Options {
        user: Some("audit".to_owned()),
        port: Some(port),
        identities: vec![folder.join("id_ed25519")],
        known_hosts: vec![folder.join("known_hosts")],
        place: Place {
            ssh_config: Some(folder.join("no-config")),
            ssh: folder.join("no-ssh"),
            ..Options::default().place
        },
        ..Options::default()
    };
    let (jobs, inbox) = std::sync::mpsc::channel();
    let (outbox, updates) = std::sync::mpsc::sync_channel(64);
    let cancel = Arc::new(Cancel::new().expect("a pipe"));
    let masker = Arc::new(Masker::new([7; 32]));
    let pool = pool::spawn(Arc::new(options), masker, inbox, outbox, cancel).expect("threads");
    for node in 0..nodes {
        let address = std::net::Ipv4Addr::from(u32::from(first) + node);
        jobs.send(job(node, address)).expect("an open channel");
    }
    drop(jobs);
    let mut good = 0;
    for update in updates {
        good += u32::from(matches!(update, Update::Host(_, HostState::Ok)));
    }
    assert!(pool.join(Duration::from_secs(5)));
    assert_eq!(good, nodes, "nodes that were read");
}

fn job(node: u32, address: std::net::Ipv4Addr) -> NodeJob {
    let object = serde_json::json!({
        "uid": "u", "labels": {}, "taints": [], "ready": "True",
        "addresses": [["InternalIP", address.to_string()]],
        "machine_id": "m", "boot_id": "b", "kubelet_version": "v1.35.0",
        "os_image": "Debian", "resource_version": "1",
    });
    NodeJob {
        node: NodeName::parse(&format!("n{node}")).expect("a name"),
        object: Some(Arc::new(
            serde_json::from_value(object).expect("a node object"),
        )),
        inventory: Vec::new(),
        route: None,
    }
}

/// Ends processes of a contender; one that is gone is what was wanted.
fn end(family: &[u32]) {
    let pids = family.iter().filter_map(|pid| i32::try_from(*pid).ok());
    for pid in pids.filter_map(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// Starts a contender, waits for it, and reads what the kernel says of it and its children.
fn measure(mut command: Command) -> Cost {
    let before = children();
    let start = Instant::now();
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = quiet.stderr(Stdio::null()).spawn().expect("it starts");
    let pid = Pid::from_child(&child);
    let ended = Arc::new(AtomicBool::new(false));
    let (over, root) = (Arc::clone(&ended), child.id());
    let watcher = std::thread::spawn(move || {
        let (mut peak, mut processes) = (0, 0);
        while !over.load(Ordering::SeqCst) {
            let family = family(root);
            if start.elapsed() > LIMIT {
                end(&family);
            }
            processes = processes.max(family.len());
            peak = peak.max(family.into_iter().filter_map(proportional).sum());
            std::thread::sleep(Duration::from_millis(200));
        }
        (peak, processes)
    });
    // Left as it is, so that its number is nobody else's while the watcher looks.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let _ = waitid(WaitId::Pid(pid), options);
    let wall = start.elapsed();
    ended.store(true, Ordering::SeqCst);
    let (peak, processes) = watcher.join().unwrap_or_default();
    let ok = child.wait().is_ok_and(|status| status.success());
    Cost {
        wall,
        cpu: children().saturating_sub(before),
        peak,
        processes,
        ok,
    }
}

/// Time of all children that have been waited for, and of theirs.
fn children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<u64> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().skip(1))
        .map(|words| words.map(|word| word.parse().unwrap_or(0)).collect())
        .unwrap_or_default();
    let ticks: u64 = fields.iter().skip(12).take(2).sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// A process and all that come from it.
fn family(root: u32) -> Vec<u32> {
    let mut parents = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    for entry in entries.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        if let Some(parent) = parent {
            parents.insert(pid, parent);
        }
    }
    let comes_from = |mut pid: u32| {
        for _ in 0..16 {
            if pid == root {
                return true;
            }
            match parents.get(&pid) {
                Some(parent) => pid = *parent,
                None => return false,
            }
        }
        false
    };
    parents
        .keys()
        .copied()
        .filter(|pid| comes_from(*pid))
        .collect()
}

fn proportional(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}
