//! Real OpenSSH: sshd with keys of our own on loopback, an agent, and ssh-keygen as the judge of known_hosts.

mod host_certs;
mod login;

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use stakeout::collect::asking::Asking;
use stakeout::collect::cancel::Cancel;
use stakeout::collect::known_hosts::{KnownHosts, Verdict};
use stakeout::collect::options::{Options, Place};
use stakeout::collect::transport::either::Either;
use stakeout::collect::transport::openssh::OpenSsh;
use stakeout::collect::transport::ssh2::Ssh2;
use stakeout::collect::transport::{Client, Collect, Ctl, NodeRef, Transport};
use stakeout::disk;
use stakeout::model::fact::{FaultClass, Gap};
use stakeout::model::name::NodeName;
use stakeout::probes::frame::Frame;

use crate::machine::{find, lacks, lacks_root, trial};

const NONCE: &str = "0123456789abcdef0123456789abcdef";
/// Answers as a collector would, from a real shell, with noise on both outputs.
const SCRIPT: &str = "exec /bin/sh -c 'echo noise; echo noise >&2; read n; n=${n#STK_NONCE=}; \
                      echo \"@STK1 BEGIN $n 1 $(id -u) stat b64\"; echo \"@STK1 SECTION s\"; \
                      echo \"@STK1 DONE s 0\"; echo \"@STK1 END $n 0\"; exec sleep 60'";

pub fn trials() -> Vec<Trial> {
    let openssh = || lacks(&["sshd", "ssh-keygen", "ssh-agent", "ssh-add"]).or_else(lacks_root);
    vec![
        trial("sshd", "ssh_transport::key_files", openssh(), key_files),
        trial("sshd", "ssh_transport::agent", openssh(), agent),
        trial("sshd", "ssh_transport::host_keys", openssh(), host_keys),
        trial(
            "sshd",
            "ssh_transport::encrypted_key",
            openssh(),
            encrypted_key,
        ),
        trial(
            "sshd",
            "ssh_transport::jump_host",
            openssh().or_else(|| lacks(&["ssh"])),
            jump_host,
        ),
        trial(
            "sshd",
            "ssh_transport::known_hosts_as_ssh_keygen",
            lacks(&["ssh-keygen"]),
            known_hosts_as_ssh_keygen,
        ),
        trial(
            "sshd",
            "ssh_transport::host_certificates",
            openssh().or_else(|| lacks(&["ssh"])),
            host_certs::host_certificates,
        ),
        trial(
            "sshd",
            "ssh_transport::passphrases",
            openssh(),
            login::passphrases,
        ),
        trial(
            "sshd",
            "ssh_transport::no_question_for_a_stranger",
            openssh(),
            login::no_question_for_a_stranger,
        ),
        trial(
            "sshd",
            "ssh_transport::two_keys_are_wanted",
            openssh(),
            login::two_keys_are_wanted,
        ),
        trial(
            "sshd",
            "ssh_transport::user_certificates",
            openssh(),
            login::user_certificates,
        ),
        trial(
            "sshd",
            "ssh_transport::agent_certificates",
            openssh().or_else(|| lacks(&["ssh"])),
            login::agent_certificates,
        ),
    ]
}

/// A folder that goes away with its files.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("stakeout-{name}-{}", std::process::id()));
        disk::make_folder(&path).expect("a temporary folder");
        Self(path)
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        disk::write(&path, |out| out.write_all(text.as_bytes())).expect("writable");
        path
    }

    pub fn key(&self, name: &str, kind: &[&str], passphrase: &str) -> PathBuf {
        let path = self.0.join(name);
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-N", passphrase, "-C", "test", "-t"]);
        quiet(command.args(kind).arg("-f").arg(&path));
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that ends with the test.
pub struct Daemon(pub Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn quiet(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

pub fn read(path: &Path) -> String {
    disk::read_text(path, 1 << 20).expect("a text file")
}

/// sshd on a free port, and a client's view of it.
pub struct Server {
    pub folder: Folder,
    pub daemon: Daemon,
    pub node: NodeRef,
}

impl Server {
    /// `host_keys`: kinds as ssh-keygen takes them. `clients`: public keys that may log in.
    pub fn start(name: &str, host_keys: &[&[&str]], clients: &[&Path]) -> Self {
        Self::configured(name, host_keys, clients, |_| String::new())
    }

    /// `more`: lines of sshd_config, made once the host keys are in the folder.
    pub fn configured(
        name: &str,
        host_keys: &[&[&str]],
        clients: &[&Path],
        more: impl FnOnce(&Folder) -> String,
    ) -> Self {
        let folder = Folder::new(name);
        let port = free_port();
        let keys: String = clients
            .iter()
            .map(|key| read(&key.with_extension("pub")))
            .collect();
        let authorized = folder.file("authorized_keys", &keys);
        let mut config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nAuthorizedKeysFile {}\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n\
             PermitRootLogin yes\nPidFile none\n",
            authorized.display()
        );
        let mut known = String::new();
        for (index, kind) in host_keys.iter().enumerate() {
            let key = folder.key(&format!("host{index}"), kind, "");
            config.push_str(&format!("HostKey {}\n", key.display()));
            let public = read(&key.with_extension("pub"));
            known.push_str(&format!("[127.0.0.1]:{port} {public}"));
        }
        config.push_str(&more(&folder));
        let config = folder.file("sshd_config", &config);
        let known = folder.file("known_hosts", &known);
        // sshd wants this folder, and wants it to be root's; elsewhere it exists already.
        let _ = std::fs::create_dir("/run/sshd");
        let child = Command::new(find("sshd").expect("looked for before"))
            .args(["-D", "-e", "-f"])
            .arg(&config)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sshd starts");
        let daemon = Daemon(child);
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "sshd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        let node = NodeRef {
            node: NodeName::parse("n1").expect("a name"),
            host: "127.0.0.1".to_owned(),
            port,
            user: "root".to_owned(),
            known_as: vec![format!("[127.0.0.1]:{port}")],
            known_hosts: vec![known],
            identities: Vec::new(),
            identities_only: false,
            agent: None,
            client: Client::Libssh2,
            via: None,
            certificates: Vec::new(),
            beyond: Vec::new(),
        };
        Self {
            folder,
            daemon,
            node,
        }
    }
}

pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("bound").port()
}

fn run(node: &NodeRef) -> Result<Frame, Gap> {
    run_by(&mut Ssh2::new().expect("a thread"), node)
}

pub fn run_by(transport: &mut dyn Transport, node: &NodeRef) -> Result<Frame, Gap> {
    let second = Duration::from_secs(1);
    let job = Collect {
        command: SCRIPT.to_owned(),
        stdin: format!("STK_NONCE={NONCE}\n").into_bytes(),
        nonce: NONCE.to_owned(),
        sections: 1,
    };
    let cancel = Arc::new(Cancel::new().expect("a pipe"));
    transport.run(
        node,
        &job,
        &Ctl {
            connect: second * 5,
            handshake: second * 10,
            auth: second * 10,
            script: second * 10,
            deadline: Instant::now() + second * 40,
            cap: 1 << 20,
            cancel: &cancel,
            progress: &|_| {},
        },
    )
}

/// The answer is whole although the command goes on for a minute.
fn read_whole(node: &NodeRef, what: &str) -> Result<(), Failed> {
    let start = Instant::now();
    let frame = run(node).map_err(|gap| format!("{what}: {gap}"))?;
    assert!(frame.complete, "{what}");
    assert_eq!(frame.uid, 0, "{what}");
    assert!(frame.noise.as_str().contains("noise"), "{what}");
    assert!(start.elapsed() < Duration::from_secs(30), "{what}");
    Ok(())
}

fn fault(node: &NodeRef) -> (FaultClass, String) {
    match run(node) {
        Err(Gap::Node { class, detail }) => (class, detail.to_string()),
        other => panic!("expected a fault, got {other:?}"),
    }
}

const KINDS: [(&str, &[&str]); 4] = [
    ("ed25519", &["ed25519"]),
    ("ecdsa", &["ecdsa", "-b", "256"]),
    ("rsa", &["rsa", "-b", "2048"]),
    ("pem", &["rsa", "-b", "2048", "-m", "PEM"]),
];

fn key_files() -> Result<(), Failed> {
    let keys = Folder::new("key-files-client");
    let paths = KINDS.map(|(name, kind)| keys.key(name, kind, ""));
    let clients: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let mut server = Server::start("key-files", &[&["ed25519"]], &clients);
    for path in &paths {
        server.node.identities = vec![path.clone()];
        read_whole(&server.node, &path.display().to_string())?;
    }
    let stranger = keys.key("stranger", &["ed25519"], "");
    server.node.identities = vec![stranger.clone(), paths[0].clone()];
    read_whole(&server.node, "the second key")?;
    server.node.identities = vec![stranger];
    let (class, detail) = fault(&server.node);
    assert_eq!(class, FaultClass::AuthDenied, "{detail}");
    assert!(detail.contains("the host takes publickey"), "{detail}");
    server.node.identities = Vec::new();
    let (class, detail) = fault(&server.node);
    assert_eq!(class, FaultClass::AgentUnreachable, "{detail}");
    Ok(())
}

fn agent() -> Result<(), Failed> {
    let keys = Folder::new("agent-client");
    let paths = KINDS.map(|(name, kind)| keys.key(name, kind, ""));
    let clients: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let mut server = Server::start("agent", &[&["ed25519"]], &clients);
    let socket = keys.0.join("agent.sock");
    server.node.agent = Some(socket.clone());
    let (class, detail) = fault(&server.node);
    assert_eq!(class, FaultClass::AgentUnreachable, "{detail}");
    let child = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    let _daemon = Daemon(child);
    let until = Instant::now() + Duration::from_secs(10);
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(Instant::now() < until, "the agent does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (class, detail) = fault(&server.node);
    assert_eq!(class, FaultClass::AgentUnreachable, "{detail}");
    assert!(detail.contains("empty or locked"), "{detail}");
    let add = |options: &[&str], path: &Path| {
        quiet(
            Command::new("ssh-add")
                .env("SSH_AUTH_SOCK", &socket)
                .args(options)
                .arg(path),
        );
    };
    for path in &paths[..3] {
        add(&["-q"], path);
        read_whole(&server.node, &path.display().to_string())?;
        add(&["-q", "-d"], path);
    }
    // Eight strangers before the right one: only naming it keeps sshd from hanging up.
    for number in 0..8 {
        add(
            &["-q"],
            &keys.key(&format!("other{number}"), &["ed25519"], ""),
        );
    }
    add(&["-q"], &paths[0]);
    let (class, detail) = fault(&server.node);
    assert_eq!(class, FaultClass::Disconnected, "{detail}");
    assert!(detail.contains("IdentitiesOnly"), "{detail}");
    server.node.identities = vec![paths[0].with_extension("pub")];
    server.node.identities_only = true;
    read_whole(&server.node, "the one that is named")
}

fn host_keys() -> Result<(), Failed> {
    let keys = Folder::new("host-keys-client");
    let client = keys.key("id", &["ed25519"], "");
    let mut server = Server::start(
        "host-keys",
        &[
            &["ed25519"],
            &["ecdsa", "-b", "384"],
            &["rsa", "-b", "2048"],
        ],
        &[&client],
    );
    server.node.identities = vec![client];
    let known = read(&server.node.known_hosts[0]);
    let lines: Vec<&str> = known.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        // Only one type is on file: it is asked for, and the others are not in the way.
        let file = server.folder.file(&format!("kh{index}"), line);
        server.node.known_hosts = vec![file.clone()];
        read_whole(&server.node, line)?;
        quiet(Command::new("ssh-keygen").args(["-H", "-f"]).arg(&file));
        server.node.known_hosts = vec![file.clone(), keys.0.join("missing")];
        assert!(read(&file).starts_with("|1|"), "hashed");
        read_whole(&server.node, "hashed")?;
    }
    let other = keys.key("other", &["ed25519"], "").with_extension("pub");
    let name = &server.node.known_as[0];
    let file = server
        .folder
        .file("changed", &format!("{name} {}", read(&other)));
    server.node.known_hosts = vec![file];
    let (class, detail) = fault(&server.node);
    assert_eq!(class, FaultClass::HostkeyChanged, "{detail}");
    Ok(())
}

fn encrypted_key() -> Result<(), Failed> {
    let keys = Folder::new("encrypted-client");
    let client = keys.key("id", &["ed25519"], "secret");
    let pem = keys.key("pem", &["rsa", "-b", "2048", "-m", "PEM"], "secret");
    let mut server = Server::start("encrypted", &[&["ed25519"]], &[&client]);
    for path in [client, pem] {
        server.node.identities = vec![path.clone()];
        let (class, detail) = fault(&server.node);
        assert_eq!(class, FaultClass::AuthDenied, "{detail}");
        let hint = format!("{0} is encrypted: ssh-add {0}", path.display());
        assert!(detail.contains(&hint), "{detail}");
    }
    let opened = keys.0.join("id");
    quiet(
        Command::new("ssh-keygen")
            .args(["-q", "-p", "-P", "secret", "-N", "", "-f"])
            .arg(&opened),
    );
    server.node.identities = vec![opened];
    read_whole(&server.node, "without its passphrase")
}

/// Through a bastion, with the user's own configuration, which would trust anybody.
fn jump_host() -> Result<(), Failed> {
    let keys = Folder::new("jump-client");
    let client = keys.key("id", &["ed25519"], "");
    let bastion = Server::start("jump-bastion", &[&["ed25519"]], &[&client]);
    let target = Server::start("jump-target", &[&["ed25519"]], &[&client]);
    let config = |known: &Path| {
        keys.file(
            "config",
            &format!(
                "StrictHostKeyChecking no\nHost bastion\n HostName 127.0.0.1\n Port {}\n User root\n \
                 IdentityFile {}\n UserKnownHostsFile {}\nHost n1\n ProxyJump bastion\n",
                bastion.node.port,
                client.display(),
                known.display(),
            ),
        )
    };
    let options = Options {
        place: Place {
            ssh_config: Some(config(&bastion.node.known_hosts[0])),
            ..Options::default().place
        },
        ..Options::default()
    };
    let node = NodeRef {
        identities: vec![client.clone()],
        client: Client::OpenSsh("test".to_owned()),
        ..target.node.clone()
    };
    let mut transport = Either::new(&options, Arc::new(Asking::nobody()))?;
    let frame = run_by(&mut transport, &node).map_err(|gap| gap.to_string())?;
    assert!(frame.complete && frame.uid == 0);
    let mut class = |node: &NodeRef| match run_by(&mut transport, node) {
        Err(Gap::Node { class, detail }) => (class, detail.to_string()),
        other => panic!("expected a fault, got {other:?}"),
    };
    let stranger = NodeRef {
        known_hosts: vec![keys.0.join("missing")],
        ..node.clone()
    };
    let (found, detail) = class(&stranger);
    assert_eq!(found, FaultClass::HostkeyUnknown, "{detail}");
    let denied = NodeRef {
        user: "nobody".to_owned(),
        ..node.clone()
    };
    let (found, detail) = class(&denied);
    assert_eq!(found, FaultClass::AuthDenied, "{detail}");
    let gone = NodeRef {
        port: free_port(),
        ..node.clone()
    };
    let (found, detail) = class(&gone);
    assert_eq!(found, FaultClass::JumpRefused, "{detail}");
    // The bastion's key is not on file: the user's "no" does not reach us.
    let known = keys.0.join("nobody-known");
    config(&known);
    let (found, detail) = class(&node);
    assert_eq!(found, FaultClass::HostkeyUnknown, "{detail}");
    assert!(!disk::exists(&known), "nothing may be learnt on the way");
    let named = NodeRef {
        via: Some(Arc::new(NodeRef {
            node: NodeName::parse("bastion")?,
            ..bastion.node.clone()
        })),
        ..node.clone()
    };
    match run_by(&mut transport, &named) {
        Err(Gap::Bastion { hop, class, .. }) => {
            assert_eq!(
                (hop.as_str(), class),
                ("bastion", FaultClass::HostkeyUnknown)
            );
        }
        other => panic!("expected a fault of the bastion, got {other:?}"),
    }
    // Trusted by a person through the program: that counts on the way as well.
    let options = Options {
        own_known_hosts: Some(bastion.node.known_hosts[0].clone()),
        ..options
    };
    let mut transport = Either::new(&options, Arc::new(Asking::nobody()))?;
    let frame = run_by(&mut transport, &node).map_err(|gap| gap.to_string())?;
    assert!(frame.complete);
    Ok(())
}

/// The names field of lines, and hosts that are looked for.
const LINES: &[&str] = &[
    "n1",
    "n2,10.0.0.1",
    "N3",
    "n*",
    "?1",
    "*,!n1",
    "!n1,n*",
    "[n1]:2222",
    "[n*]:2222",
    "*.example.com",
    "n1.example.com,!*.com",
    "fd00::1",
    "@revoked n1",
    "@cert-authority *.x",
    "#n1",
    "@unknown n1",
    "n1,",
    "!n1",
    "a,b,c,n1",
    "10.0.?.1",
];
const HOSTS: &[&str] = &[
    "n1",
    "n2",
    "n3",
    "N3",
    "10.0.0.1",
    "10.0.1.1",
    "[n1]:2222",
    "[n2]:2222",
    "m1",
    "b",
    "a.example.com",
    "n1.example.com",
    "fd00::1",
    "a.x",
    "#n1",
    "zz",
];

/// For many lines and names, `ssh-keygen -F` and our index find the same lines.
fn known_hosts_as_ssh_keygen() -> Result<(), Failed> {
    let folder = Folder::new("keygen");
    let key = folder.key("k", &["ed25519"], "").with_extension("pub");
    let words = read(&key);
    let words = words.trim_end();
    let text: String = LINES
        .iter()
        .map(|name| format!("{name} {words}\n"))
        .collect();
    let file = folder.file("kh", &text);
    let mut known = KnownHosts::default();
    known.add(&file, text.as_bytes());
    let mut compared = 0;
    for name in HOSTS {
        let output = Command::new("ssh-keygen")
            .args(["-F", name, "-f"])
            .arg(&file)
            .output()?;
        let theirs: BTreeSet<usize> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| {
                line.strip_prefix("# Host ")?
                    .split(' ')
                    .nth(3)?
                    .parse()
                    .ok()
            })
            .collect();
        // The key is the same in every line: one line at a time tells which of them match.
        let ours: BTreeSet<usize> = (1..)
            .zip(text.lines())
            .filter(|(_, line)| matches(line, name, words))
            .map(|(number, _)| number)
            .collect();
        assert_eq!(ours, theirs, "{name}");
        compared += theirs.len();
    }
    assert!(compared > 30, "{compared}");
    Ok(())
}

fn matches(line: &str, name: &str, words: &str) -> bool {
    let mut known = KnownHosts::default();
    known.add(Path::new("one"), line.as_bytes());
    let blob = words.split(' ').nth(1).expect("a key");
    let blob = openssl::base64::decode_block(blob).expect("base64");
    // A name without its port is OpenSSH's own fall-back, which ssh-keygen does not follow.
    let lookup = known.lookup_exactly(&[name.to_owned()]);
    !matches!(
        lookup.verify(&blob, 0),
        Verdict::Unknown {
            authority: false,
            ..
        }
    )
}
