//! What each way in is worth, and that none of them is worth more: keys and rules as they are printed, a real sshd,
//! a real sudo, strace, and a debug pod out of namespaces.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use serde_json::Value;
use stakeout::disk;
use stakeout::model::fact::{Fact, Gap};
use stakeout::model::node::{HostFacts, WayIn};
use stakeout::model::text::Text;
use stakeout::probes::collector;
use stakeout::probes::frame::{Frame, FrameReader};

use super::world::World;
use super::{NONCE, changes_files, facts, frame, stream};

const PROGRAM: &str = env!("CARGO_BIN_EXE_stakeout");
const USER: &str = "op-bash";

/// Facts without what two readings of one node cannot share: when, by which way, and by whose clock.
fn lasting(facts: &HostFacts) -> Value {
    let mut facts = facts.clone();
    if let Fact::Seen(identity) = &mut facts.identity {
        let identity = &mut identity.value;
        identity.clock = 0;
        identity.way = WayIn::LoginOnly;
        identity.collector = Text::default();
    }
    if let Fact::Seen(kubelet) = &mut facts.kubelet
        && let Some(process) = &mut kubelet.value.process
    {
        // Made of the clock and the time since the start, each in whole seconds.
        process.started = None;
    }
    // The node has the network of the machine, where other tests listen as well.
    if let Fact::Seen(listeners) = &mut facts.listeners {
        listeners.value.clear();
    }
    // Whatever else runs on the machine fills and frees the disk.
    if let Fact::Seen(disks) = &mut facts.disks {
        for disk in &mut disks.value {
            disk.free = 0;
        }
    }
    if let Fact::Seen(processes) = &mut facts.processes {
        for process in &mut processes.value.list {
            process.started = None;
        }
    }
    // Only a collection measures it.
    facts.clock = None;
    facts.at = None;
    facts.sources.clear();
    serde_json::to_value(&facts).expect("facts are JSON")
}

/// Where two values differ, by path.
fn differences(left: &Value, right: &Value, path: &str, out: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            for (key, value) in a {
                differences(value, &b[key], &format!("{path}/{key}"), out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{path}/{index}"), out);
            }
        }
        (a, b) if a == b => {}
        (a, b) => out.push(format!("{path}: {a} and {b}")),
    }
}

fn same(left: &HostFacts, right: &HostFacts, what: &str) {
    let mut out = Vec::new();
    differences(&lasting(left), &lasting(right), "", &mut out);
    assert!(out.is_empty(), "{what}:\n{}", out.join("\n"));
}

/// Root, the printed rule and the printed key see the same.
pub fn printed_grants_are_worth_root() -> Result<(), Failed> {
    let world = World::new("worth", &["bash"])?;
    world.install(USER)?;
    let root = facts(&stream(&world, "sh")?);
    let (command, stdin) = collector::job(WayIn::InstalledCollector, NONCE);
    let rule = frame(&world.ssh(USER, &command, &stdin)?)?;
    assert_eq!((rule.way, rule.uid), (Some(WayIn::InstalledCollector), 0));
    same(&root, &facts(&rule), "by the rule");
    world.force(USER, true)?;
    let forced = frame(&world.ssh(USER, &command, &stdin)?)?;
    assert_eq!((forced.way, forced.uid), (None, 0));
    same(&root, &facts(&forced), "by the forced command");
    Ok(())
}

/// Whatever differs for a login is a gap, and the gap says which grant it takes.
pub fn a_login_lacks_only_what_a_grant_gives() -> Result<(), Failed> {
    let world = World::new("lacks", &["bash"])?;
    let root = lasting(&facts(&stream(&world, "sh")?));
    let (command, stdin) = collector::job(WayIn::InstalledCollector, NONCE);
    let login = facts(&frame(&world.ssh(USER, &command, &stdin)?)?);
    // Settings come out of their layers: one that is closed leaves a gap for each key that it may set.
    let kubelet = &login.kubelet.get().map_err(|gap| gap.to_string())?.value;
    let closed = kubelet
        .setting("staticPodPath")
        .expect_err("the file is closed");
    assert!(matches!(closed, Gap::Denied { .. }), "{closed}");
    let login = lasting(&login);
    let (mut gaps, mut other) = (0, Vec::new());
    lacks(&root, &login, "", &mut gaps, &mut other);
    other.retain(|path| {
        let known = [
            "/identity/seen/value/uid: ",
            "/kubelet/seen/value/settings: ",
            // One row for each name that was asked for, and root asks for more.
            "/paths/names: ",
            // What only root may read is left out of the list.
            "/lsm/seen/value/sysctls: ",
        ];
        !known.iter().any(|known| path.starts_with(known))
    });
    assert!(other.is_empty(), "{}", other.join("\n"));
    assert!(gaps > 0, "the login reads everything");
    Ok(())
}

/// Counts gaps that name a grant where the login's value differs from root's, and lists every other difference.
fn lacks(root: &Value, login: &Value, path: &str, gaps: &mut u32, other: &mut Vec<String>) {
    if root == login {
        return;
    }
    if let Some(gap) = login.get("gap") {
        let gap: Gap = serde_json::from_value(gap.clone()).expect("a gap");
        let grant = gap.next_step();
        if grant.as_str().contains("stakeout sudoers print") {
            *gaps += 1;
        } else {
            other.push(format!("{path}: {gap}, next: {grant}"));
        }
        return;
    }
    // A list that says what it may lack.
    let open: Vec<Gap> = login
        .get("gaps")
        .and_then(|gaps| serde_json::from_value(gaps.clone()).ok())
        .unwrap_or_default();
    let grant = |gap: &Gap| gap.next_step().as_str().contains("stakeout sudoers print");
    if open.iter().any(grant) {
        *gaps += 1;
        return;
    }
    match (root, login) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            for (key, value) in a {
                lacks(value, &b[key], &format!("{path}/{key}"), gaps, other);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                lacks(a, b, &format!("{path}/{index}"), gaps, other);
            }
        }
        (a, b) => other.push(format!("{path}: {a} for root and {b} for the login")),
    }
}

/// A node where the collector of the last release is installed.
pub fn an_older_script_is_installed() -> Result<(), Failed> {
    let world = World::new("older", &["bash"])?;
    world.install(USER)?;
    let old = include_bytes!("../../fixtures/collector-v1.sh");
    let path = collector::PATH;
    world.run(&["sh", "-c", &format!("cat > {path}")], old)?;
    let digest = stakeout::model::name::Digest::new(&openssl::sha::sha256(old));
    let rule = format!("{USER} ALL=(root) NOPASSWD: sha256:{digest} {path} \"\"\n");
    let file = "/etc/sudoers.d/stakeout";
    world.run(&["sh", "-c", &format!("cat > {file}")], rule.as_bytes())?;
    let (command, stdin) = collector::job(WayIn::InstalledCollector, NONCE);
    let frame = frame(&world.ssh(USER, &command, &stdin)?)?;
    assert_eq!(
        (frame.way, frame.uid, frame.script),
        (Some(WayIn::InstalledCollector), 0, 1)
    );
    let facts = facts(&frame);
    assert!(facts.identity.is_seen() && facts.manifests.is_seen() && facts.kubelet.is_seen());
    let mut told = Vec::new();
    garbled(&lasting(&facts), &mut told);
    // The hostile names of the folder, of which the first script did not tell the mount.
    told.retain(|what| !what.contains("the mount of /etc/kubernetes/manifests/"));
    assert_eq!(told, [""; 0]);
    Ok(())
}

/// What of the facts could not be trusted.
fn garbled(value: &Value, told: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if fields.get("gap").is_some_and(|gap| gap == "garbled") {
                told.push(fields["what"].to_string());
            }
            fields.values().for_each(|field| garbled(field, told));
        }
        Value::Array(list) => list.iter().for_each(|one| garbled(one, told)),
        _ => {}
    }
}

/// Everything that a key could be used for beside the audit.
pub fn a_forced_key_runs_nothing_else() -> Result<(), Failed> {
    let world = World::new("nothing", &["bash"])?;
    world.install(USER)?;
    let free = key_options(&world)?;
    assert!(
        free.contains("agent-forwarding") && free.contains("pty"),
        "{free}"
    );
    world.force(USER, true)?;
    let rc =
        format!("mkdir -p /home/{USER}/.ssh; echo 'touch /var/lib/pwned' > /home/{USER}/.ssh/rc");
    world.run(&["sh", "-c", &rc], b"")?;
    // Agent, port and X11 forwarding, a terminal and ~/.ssh/rc are what restrict takes away.
    assert_eq!(key_options(&world)?, "command");
    commands(&world)?;
    copies(&world)?;
    forwardings(&world)?;
    let left = world.run(
        &[
            "sh",
            "-c",
            "ls /var/lib/pwned /tmp/pwned* 2>/dev/null; true",
        ],
        b"",
    )?;
    assert_eq!(String::from_utf8_lossy(&left), "", "something was run");
    Ok(())
}

/// What sshd says that a key may do.
fn key_options(world: &World) -> Result<String, Failed> {
    let mut command = world.client(&["-v", "-T"], USER);
    command.args(["--", "true"]);
    let said = command.output()?;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let line = said
        .lines()
        .find_map(|line| line.split_once("key options: "));
    Ok(line.ok_or(said.clone())?.1.trim().to_owned())
}

/// Shells and commands: whatever is asked for, the collector answers.
fn commands(world: &World) -> Result<(), Failed> {
    let requests = [
        "",
        "touch /var/lib/pwned",
        "$(touch /var/lib/pwned)",
        "0123456789abcdef0123456789abcdef; touch /var/lib/pwned",
        "0123456789abcdef0123456789abcdef\ntouch /var/lib/pwned",
        "/bin/sh -c 'touch /var/lib/pwned'",
        "sudo -n /bin/sh",
        "`touch /var/lib/pwned`",
    ];
    for request in requests {
        let mut command = world.client(&["-T"], USER);
        if !request.is_empty() {
            command.args(["--", request]);
        }
        let input = b"touch /var/lib/pwned; exec sh\ntouch /var/lib/pwned\n";
        let stdout = super::world::output(command, input)?;
        let mut reader = FrameReader::new(collector::BY_HAND, collector::section_count());
        reader.push(&stdout);
        let answer: Frame = reader
            .finish()
            .map_err(|gap| format!("{request:?}: {gap}"))?;
        assert!(answer.complete && answer.uid == 0, "{request:?}");
    }
    let mut terminal = world.client(&["-tt"], USER);
    let said = terminal.stdin(std::process::Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("PTY allocation request failed"), "{said}");
    Ok(())
}

fn copies(world: &World) -> Result<(), Failed> {
    let file = world.path("sent");
    std::fs::write(&file, "x")?;
    for old in [true, false] {
        let mut scp = Command::new("timeout");
        scp.args(["60", "scp", "-q"]).args(old.then_some("-O"));
        let target = format!("{USER}@127.0.0.1:/tmp/pwned-scp");
        scp.arg("-P").args(world.options()).arg(&file).arg(target);
        assert!(!scp.output()?.status.success(), "scp went through");
        let mut scp = Command::new("timeout");
        scp.args(["60", "scp", "-q"]).args(old.then_some("-O"));
        let source = format!("{USER}@127.0.0.1:/etc/shadow");
        scp.arg("-P")
            .args(world.options())
            .arg(source)
            .arg(world.path("got"));
        assert!(!scp.output()?.status.success(), "scp went through");
        assert!(!std::path::Path::new(&world.path("got")).exists());
    }
    let mut sftp = Command::new("timeout");
    sftp.args(["60", "sftp", "-q", "-b", "/dev/null", "-P"])
        .args(world.options());
    let status = sftp.arg(format!("{USER}@127.0.0.1")).output()?.status;
    assert!(!status.success(), "sftp went through");
    Ok(())
}

/// The node's own sshd is what a forwarding would lead to: its banner would come through.
fn forwardings(world: &World) -> Result<(), Failed> {
    let target = format!("127.0.0.1:{}", world.port());
    let mut through = world.client(&["-W", &target], USER);
    let said = through.stdin(std::process::Stdio::null()).output()?;
    assert!(!said.stdout.starts_with(b"SSH-"), "-W went through");
    let mut back = world.client(
        &[
            "-N",
            "-o",
            "ExitOnForwardFailure=yes",
            "-R",
            "0:127.0.0.1:1",
        ],
        USER,
    );
    assert!(!back.output()?.status.success(), "-R went through");
    let mut socket = world.client(
        &[
            "-N",
            "-o",
            "ExitOnForwardFailure=yes",
            "-R",
            "/tmp/pwned-socket:127.0.0.1:1",
        ],
        USER,
    );
    assert!(
        !socket.output()?.status.success(),
        "-R to a socket went through"
    );
    for kind in ["-L", "-D"] {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let word = match kind {
            "-L" => format!("127.0.0.1:{port}:{target}"),
            _ => format!("127.0.0.1:{port}"),
        };
        let child = world.client(&["-N", kind, &word], USER).spawn()?;
        let _end = super::world::Ending(child);
        let mut stream = connect(port)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        if kind == "-D" {
            let [high, low] = world.port().to_be_bytes();
            stream.write_all(&[5, 1, 0])?;
            let mut hello = [0; 2];
            stream.read_exact(&mut hello)?;
            stream.write_all(&[5, 1, 0, 1, 127, 0, 0, 1, high, low])?;
        }
        let mut got = Vec::new();
        // A reset is as good as an end.
        let _ = stream.read_to_end(&mut got);
        assert!(
            !got.windows(4).any(|bytes| bytes == b"SSH-"),
            "{kind} went through"
        );
    }
    Ok(())
}

fn connect(port: u16) -> Result<TcpStream, Failed> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return Ok(stream),
            Err(error) if Instant::now() > deadline => return Err(error.to_string().into()),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The calls of the collector and of what it starts, by every way: nothing is written, nobody is called.
pub fn no_way_changes_anything() -> Result<(), Failed> {
    let world = World::new("traces", &["bash"])?;
    let sshd = world.sshd()?;
    let (free, free_in) = collector::job(WayIn::InstalledCollector, NONCE);
    let (streamed, streamed_in) = collector::job(WayIn::SudoStream, NONCE);
    let ssh = |request: &str, stdin: &[u8]| frame(&world.ssh(USER, request, stdin)?);
    let login = traced(&world, &sshd, "login", || ssh(&free, &free_in))?;
    assert_eq!(login.way, Some(WayIn::LoginOnly));
    world.install(USER)?;
    let rule = traced(&world, &sshd, "rule", || ssh(&free, &free_in))?;
    assert_eq!(rule.way, Some(WayIn::InstalledCollector));
    let all = format!("{USER} ALL=(root) NOPASSWD: /bin/sh -s, /usr/bin/sh -s\n");
    world.run(&["sh", "-c", "cat > /etc/sudoers.d/stream"], all.as_bytes())?;
    let root = traced(&world, &sshd, "stream", || ssh(&streamed, &streamed_in))?;
    assert_eq!((root.way, root.uid), (Some(WayIn::SudoStream), 0));
    world.force(USER, true)?;
    let forced = traced(&world, &sshd, "forced", || ssh(&free, &free_in))?;
    assert_eq!((forced.way, forced.uid), (None, 0));
    for (name, words) in [("local", &["--local"][..]), ("root", &["--root", "/"])] {
        let trace = world.path(name);
        let save = world.path(&format!("{name}.jsonl"));
        let mut all = vec![
            "strace", "-f", "-qq", "-s", "64", "-o", &trace, "-e", CALLS, PROGRAM,
        ];
        all.extend(["--kubeconfig", "/nonexistent"]);
        all.extend(words);
        all.extend(["snapshot", "save", &save]);
        world.run_whatever(&all)?;
        snapshot(&world, &save)?;
        judge(&world, &trace, name)?;
    }
    Ok(())
}

const CALLS: &str = "trace=%file,%desc,%process,%network";

fn traced(
    world: &World,
    sshd: &str,
    name: &str,
    run: impl FnOnce() -> Result<Frame, Failed>,
) -> Result<Frame, Failed> {
    let trace = world.path(name);
    let words = [
        "strace", "-f", "-s", "64", "-o", &trace, "-e", CALLS, "-p", sshd,
    ];
    let tracer = world.spawn(&words, "attached")?;
    let outcome = run();
    drop(tracer);
    let frame = outcome?;
    judge(world, &trace, name)?;
    Ok(frame)
}

/// Reads a trace: the processes that are the collector, or come of it, change no file and call nobody else.
fn judge(world: &World, trace: &str, name: &str) -> Result<(), Failed> {
    let bytes = world.run(&["cat", trace], b"")?;
    let text = String::from_utf8_lossy(&bytes);
    let calls_of = || {
        let lines = text.lines().map(|line| (line, line.split_once(' ')));
        lines.filter_map(|(line, parts)| parts.map(|(pid, call)| (line, pid, call.trim_start())))
    };
    let forks = ["clone", "fork("];
    let parents: BTreeMap<&str, &str> = calls_of()
        .filter(|(_, _, call)| {
            forks.iter().any(|fork| call.contains(fork)) || call.contains("fork resumed")
        })
        .filter_map(|(_, pid, call)| {
            let (_, child) = call.rsplit_once(" = ")?;
            Some((child.split(' ').next().unwrap_or(child), pid))
        })
        .collect();
    let mut ours: BTreeSet<&str> = BTreeSet::new();
    let mut met: BTreeSet<&str> = BTreeSet::new();
    let mut calls = 0;
    for (line, pid, call) in calls_of() {
        if met.insert(pid) && parents.get(pid).is_some_and(|parent| ours.contains(parent)) {
            ours.insert(pid);
        }
        if call.starts_with("execve") && !call.contains(") = -1") {
            // What sudo writes of its use is the node's own log.
            let is = call.contains(collector::PATH) || call.contains("sh\", \"-s\"]");
            if call.contains("bin/sudo") {
                ours.remove(pid);
            } else if is {
                ours.insert(pid);
            }
        }
        if !ours.contains(pid) {
            continue;
        }
        calls += 1;
        assert!(!changes_files(line), "{name}: {line}");
        let calls_out = ["connect(", "sendto(", "sendmsg("];
        if calls_out.iter().any(|word| call.starts_with(word)) && call.contains("sa_family=AF_INET")
        {
            let own = call.contains("inet_addr(\"127.") || call.contains("\"::1\"");
            assert!(own, "{name}: {line}");
        }
    }
    assert!(
        calls > 500,
        "{name}: strace saw {calls} calls of the collector"
    );
    Ok(())
}

/// The node's side in a snapshot that was saved in there.
fn snapshot(world: &World, file: &str) -> Result<HostFacts, Failed> {
    let bytes = world.run(&["cat", file], b"")?;
    let kept = world.path("kept.jsonl");
    std::fs::write(&kept, bytes)?;
    let snapshot =
        disk::snapshot::load(std::path::Path::new(&kept)).map_err(|error| error.to_string())?;
    let mut nodes = snapshot.nodes.values();
    let node = nodes.next().ok_or("a snapshot without a node")?;
    Ok((*node.host).clone())
}

/// A pod of `kubectl debug node/N`: another root, another machine id, and the node's root at /host.
pub fn a_debug_pod_sees_the_node() -> Result<(), Failed> {
    let world = World::new("pod", &[])?;
    let absolute = "ln -s /var/lib/elsewhere/real /etc/kubernetes/manifests/absolute.yaml; \
                    ln -s ../../../../../../../../var/lib/elsewhere/real /etc/kubernetes/manifests/dots.yaml";
    world.run(&["sh", "-c", absolute], b"")?;
    let direct = facts(&stream(&world, "sh")?);
    let pod = world.debug_pod(PROGRAM)?;
    let save = ["chroot", &pod, "/stakeout", "--kubeconfig", "/nonexistent"];
    let mut words = save.to_vec();
    words.extend(["--root", "/host", "snapshot", "save", "/out.jsonl"]);
    world.run_whatever(&words)?;
    let inside = snapshot(&world, &format!("{pod}/out.jsonl"))?;
    let identity = &inside.identity.get().map_err(|gap| gap.to_string())?.value;
    assert_eq!(identity.way, WayIn::LocalRoot);
    same(&direct, &inside, "in the pod");
    let all = serde_json::to_string(&inside)?;
    assert!(!all.contains("of-the-pod"), "a path led out of the root");
    // Without the root it is a container, and no node.
    let mut words = save.to_vec();
    words.extend(["--local", "scan"]);
    let refused = world.run(&words, b"").expect_err("a container is no node");
    let refused = refused.message().unwrap_or_default().to_owned();
    assert!(
        refused.contains("no machine id") && refused.contains("--root /host"),
        "{refused}"
    );
    // A pod that may not chroot says so.
    let without = [
        "setpriv",
        "--bounding-set=-sys_chroot",
        "--inh-caps=-sys_chroot",
    ];
    let mut words = vec!["chroot", &pod];
    words.extend(without);
    words.extend([
        "/stakeout",
        "--kubeconfig",
        "/nonexistent",
        "--root",
        "/host",
        "scan",
    ]);
    let refused = world.run(&words, b"").expect_err("chroot was taken away");
    let refused = refused.message().unwrap_or_default().to_owned();
    assert!(
        refused.contains("(no-root)") && refused.contains("kubectl debug node/"),
        "{refused}"
    );
    // A root without /proc tells of no processes, and not that there are none.
    let mut words = save.to_vec();
    words.extend(["--node", "bare", "--root", "/bare"]);
    words.extend(["snapshot", "save", "/bare.jsonl"]);
    world.run_whatever(&words)?;
    let bare = snapshot(&world, &format!("{pod}/bare.jsonl"))?;
    assert!(!bare.runtime_pods.is_seen() && !bare.listeners.is_seen());
    let flags = bare
        .kubelet
        .get()
        .map(|kubelet| kubelet.value.setting("readOnlyPort").is_err());
    assert!(flags.unwrap_or(true), "{:?}", bare.kubelet);
    Ok(())
}

/// Keys, kubeconfigs and variables of a node, each with a word that must not leave it.
const PLANTED: &str = r#"
set -e
mkdir -p /etc/kubernetes/pki/etcd /var/lib/kubelet/pki /root/.kube /etc/default
key() { printf -- '-----BEGIN PRIVATE KEY-----\nSTAYSHOME%s\n-----END PRIVATE KEY-----\n' "$1"; }
for f in ca apiserver sa front-proxy-ca etcd/ca; do key "$f" > /etc/kubernetes/pki/$f.key; done
{ printf -- '-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n'; key kubelet; } \
  > /var/lib/kubelet/pki/kubelet-client-current.pem
key self > /var/lib/kubelet/pki/kubelet.key
for f in /etc/kubernetes/admin.conf /etc/kubernetes/super-admin.conf /etc/kubernetes/kubelet.conf \
  /etc/kubernetes/controller-manager.conf /root/.kube/config; do
cat > $f <<'END'
apiVersion: v1
kind: Config
clusters:
- cluster: {certificate-authority-data: STAYSHOME}
- cluster:
    server: https://me:STAYSHOME@10.0.0.1:6443
users:
- name: admin
  user:
    client-key-data: STAYSHOME
    token: STAYSHOME
    password: "STAYSHOME"
    username: me
END
chmod 600 $f
done
cat > /etc/kubernetes/manifests/kube-apiserver.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver, namespace: kube-system}
spec:
  containers:
  - name: kube-apiserver
    image: x
    command:
    - kube-apiserver
    - --client-ca-file=/etc/kubernetes/pki/ca.key
    - --tls-cert-file=/etc/kubernetes/pki/apiserver.key
    - --tls-private-key-file=/etc/kubernetes/pki/apiserver.key
    - --etcd-keyfile=/etc/kubernetes/pki/etcd/ca.key
    - --service-account-key-file=/etc/kubernetes/pki/sa.key
    - --kubeconfig=/etc/kubernetes/admin.conf
END
"#;

/// What is secret stays on the node, whoever points the collector to it.
pub fn keys_and_kubeconfigs_stay_on_the_node() -> Result<(), Failed> {
    let world = World::new("keys", &[])?;
    world.run(&["sh", "-c", PLANTED], b"")?;
    let trace = world.path("trace");
    let (_, stdin) = collector::job(WayIn::LoginOnly, NONCE);
    let words = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "200",
        "-o",
        &trace,
        "-e",
        "trace=open,openat",
        "sh",
        "-s",
    ];
    let answer = frame(&world.run(&words, &stdin)?)?;
    let holds = |bytes: &[u8]| bytes.windows(9).any(|word| word == b"STAYSHOME");
    for section in &answer.sections {
        for record in &section.records {
            // The address of a server may hold a login, which the reader masks.
            let own: Vec<_> = record.fields.iter().filter(|field| holds(field)).collect();
            let server = own.iter().all(|field| field.starts_with(b"https://me:"));
            assert!(server, "{} {}: {own:?}", section.name, record.kind);
        }
    }
    let all = serde_json::to_string(&facts(&answer))?;
    assert!(!all.contains("STAYSHOME"), "a secret is kept");
    // A file that is a key by its name is not even opened, unless a flag says that it is a certificate.
    let bytes = world.run(&["cat", &trace], b"")?;
    let text = String::from_utf8_lossy(&bytes);
    let told = ["/pki/ca.key", "/pki/apiserver.key"];
    let opened = text.lines().find(|line| {
        line.contains(".key\"")
            && line.contains(") = ")
            && !line.contains("= -1")
            && !told.iter().any(|flag| line.contains(flag))
    });
    assert!(opened.is_none(), "{opened:?}");
    Ok(())
}
