//! Real bastions: OpenSSH and dropbear before OpenSSH and dropbear, over lanes, by the way that `ssh -G` gives.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use stakeout::collect::asking::Asking;
use stakeout::collect::cancel::Cancel;
use stakeout::collect::options::{Options, Place};
use stakeout::collect::targets::Targets;
use stakeout::collect::transport::either::Either;
use stakeout::collect::transport::{Client, Collect, Ctl, NodeRef, Transport as _};
use stakeout::model::fact::Gap;
use stakeout::model::name::NodeName;
use stakeout::probes::frame::Frame;

use crate::machine::{find, lacks, lacks_root, trial};
use crate::ssh_transport::{Daemon, Folder, Server, free_port, quiet, read};

const NONCE: &str = "0123456789abcdef0123456789abcdef";

pub fn trials() -> Vec<Trial> {
    let openssh = || lacks(&["sshd", "ssh-keygen", "ssh"]).or_else(lacks_root);
    let dropbear = || openssh().or_else(|| lacks(&["dropbear", "dropbearkey", "unshare"]));
    vec![
        trial("sshd", "jump::by_ssh_config", openssh(), by_ssh_config),
        trial("sshd", "jump::faults", openssh(), faults),
        trial("sshd", "jump::dropbear", dropbear(), with_dropbear),
        trial("sshd", "jump::max_startups", openssh(), max_startups),
        trial("sshd", "jump::lost", openssh(), lost),
        trial("sshd", "jump::kept", openssh(), kept),
    ]
}

fn behind(bastion: &NodeRef, node: &NodeRef) -> NodeRef {
    NodeRef {
        via: Some(Arc::new(bastion.clone())),
        ..node.clone()
    }
}

fn named(node: &NodeRef, name: &str) -> NodeRef {
    NodeRef {
        node: NodeName::parse(name).expect("a name"),
        ..node.clone()
    }
}

/// `pause`: what the collector takes, in seconds.
fn run(ssh: &mut Either, node: &NodeRef, pause: &str) -> Result<Frame, Gap> {
    let second = Duration::from_secs(1);
    let job = Collect {
        command: format!(
            "exec /bin/sh -c 'read n; n=${{n#STK_NONCE=}}; sleep {pause}; \
             echo \"@STK1 BEGIN $n 1 $(id -u) stat b64\"; echo \"@STK1 SECTION s\"; \
             echo \"@STK1 DONE s 0\"; echo \"@STK1 END $n 0\"'"
        ),
        stdin: format!("STK_NONCE={NONCE}\n").into_bytes(),
        nonce: NONCE.to_owned(),
        sections: 1,
    };
    let cancel = Arc::new(Cancel::new().expect("a pipe"));
    ssh.run(
        node,
        &job,
        &Ctl {
            connect: second * 10,
            handshake: second * 20,
            auth: second * 20,
            script: second * 20,
            deadline: Instant::now() + second * 60,
            cap: 1 << 20,
            cancel: &cancel,
            progress: &|_| {},
        },
    )
}

/// How a reading came, or why it did not.
fn told(ssh: &mut Either, node: &NodeRef) -> String {
    match run(ssh, node, "0") {
        Ok(frame) if frame.complete && frame.uid == 0 => frame
            .via
            .map_or_else(|| "straight".to_owned(), |via| via.to_string()),
        Ok(frame) => format!("cut: {frame:?}"),
        Err(gap) => gap.to_string(),
    }
}

fn either() -> std::io::Result<Either> {
    Either::new(&Options::default(), Arc::new(Asking::nobody()))
}

/// Two bastions in a row, named by the user's configuration, which would trust anybody.
fn by_ssh_config() -> Result<(), Failed> {
    let keys = Folder::new("way-client");
    let (first, second) = (
        keys.key("id1", &["ed25519"], ""),
        keys.key("id2", &["ed25519"], ""),
    );
    let b1 = Server::start("way-b1", &[&["ed25519"]], &[&first]);
    let b2 = Server::start("way-b2", &[&["ecdsa", "-b", "256"]], &[&second]);
    let target = Server::start("way-target", &[&["ed25519"]], &[&first]);
    let block = |name: &str, server: &Server, key: &Path, more: &str| {
        format!(
            "Host {name}\n HostName 127.0.0.1\n Port {}\n User root\n IdentityFile {}\n IdentitiesOnly yes\n \
             UserKnownHostsFile {}\n{more}\n",
            server.node.port,
            key.display(),
            server.node.known_hosts[0].display(),
        )
    };
    let config = [
        "StrictHostKeyChecking no\n".to_owned(),
        block("b1", &b1, &first, ""),
        block("b2", &b2, &second, " ProxyJump b1"),
        block("n1", &target, &first, " ProxyJump b2"),
        block("n2", &target, &first, " ProxyJump b1,b2"),
        block(
            "n3",
            &target,
            &first,
            &format!(" ProxyJump root@b1:{}", b1.node.port),
        ),
        block(
            "n4",
            &target,
            &first,
            &format!(" ProxyJump b2,root@127.0.0.1:{}", b1.node.port),
        ),
        block(
            "n5",
            &target,
            &first,
            " ProxyCommand ssh -F none -W %h:%p b1",
        ),
        block("n6", &target, &first, " ProxyJump loop"),
        "Host loop\n HostName 127.0.0.1\n ProxyJump loop\n".to_owned(),
        // Without a key there it would not even be connected to.
        format!("Host 127.0.0.1\n IdentityFile {}\n", first.display()),
    ]
    .concat();
    let options = Options {
        place: Place {
            ssh_config: Some(keys.file("config", &config)),
            ..Options::default().place
        },
        ..Options::default()
    };
    let mut ssh = Either::new(&options, Arc::new(Asking::nobody()))?;
    let targets = Targets::new(Arc::new(options));
    let cancel = Cancel::new()?;
    let mut tell = |name: &str| {
        let name = NodeName::parse(name).expect("a name");
        match targets.resolve(&name, None, &cancel) {
            Ok(node) if matches!(node.client, Client::OpenSsh(_)) => {
                node.route().unwrap_or_default()
            }
            Ok(node) => told(&mut ssh, &node),
            Err(gap) => gap.to_string(),
        }
    };
    for name in ["n1", "n2"] {
        assert_eq!(tell(name), "via b1, b2 (libssh2 lanes)", "{name}");
    }
    assert_eq!(tell("n3"), "via b1 (libssh2 lane)");
    // The last hop is named by its address, under which no known_hosts file has it.
    let found = tell("n4");
    assert!(
        found.contains("(hostkey-unknown): bastion 127.0.0.1: "),
        "{found}"
    );
    let found = tell("n5");
    assert!(
        found.starts_with("system ssh: ssh_config has proxycommand ssh"),
        "{found}"
    );
    let found = tell("n6");
    assert!(
        found.contains("ProxyJump leads from loop back to it"),
        "{found}"
    );
    Ok(())
}

fn faults() -> Result<(), Failed> {
    let keys = Folder::new("faults-client");
    let client = keys.key("id", &["ed25519"], "");
    let server = |name: &str, lines: &str| {
        let mut server =
            Server::configured(name, &[&["ed25519"]], &[&client], |_| lines.to_owned());
        server.node.identities = vec![client.clone()];
        server
    };
    let open = server("faults-open", "");
    let shut = server("faults-shut", "AllowTcpForwarding no\n");
    let some = server("faults-some", "PermitOpen 127.0.0.9:22\n");
    let none = server("faults-none", "MaxSessions 0\n");
    let target = server("faults-target", "");
    let open = named(&open.node, "b1");
    let mut ssh = either()?;
    // No session may be opened there, and none is.
    let jump = named(&none.node, "b4");
    assert_eq!(
        told(&mut ssh, &behind(&jump, &target.node)),
        "via b4 (libssh2 lane)"
    );
    for (bastion, node, expected) in [
        (
            named(&shut.node, "b2"),
            target.node.clone(),
            "(jump-refused): bastion b2: it does not forward",
        ),
        (
            named(&some.node, "b3"),
            target.node.clone(),
            "(jump-refused): bastion b3: it does not forward",
        ),
        (
            open.clone(),
            NodeRef {
                port: free_port(),
                ..target.node.clone()
            },
            "(jump-refused): bastion b1 cannot connect to 127.0.0.1",
        ),
        (
            open.clone(),
            NodeRef {
                host: "no-such-host.invalid".to_owned(),
                ..target.node.clone()
            },
            "(jump-refused): bastion b1 cannot connect to no-such-host.invalid",
        ),
        (
            open.clone(),
            NodeRef {
                known_hosts: vec![keys.0.join("none")],
                ..target.node.clone()
            },
            "(hostkey-unknown): no known_hosts line",
        ),
        (
            NodeRef {
                known_hosts: vec![keys.0.join("none")],
                ..open.clone()
            },
            target.node.clone(),
            "(hostkey-unknown): bastion b1: no known_hosts line",
        ),
        (
            NodeRef {
                user: "nobody".to_owned(),
                ..open.clone()
            },
            target.node.clone(),
            "(auth-denied): bastion b1: permission denied for nobody",
        ),
        (
            open.clone(),
            NodeRef {
                user: "nobody".to_owned(),
                ..target.node.clone()
            },
            "(auth-denied): permission denied for nobody",
        ),
        (
            NodeRef {
                port: free_port(),
                ..open.clone()
            },
            target.node.clone(),
            "(connect-refused): bastion b1: connect to 127.0.0.1",
        ),
    ] {
        let found = told(&mut ssh, &behind(&bastion, &node));
        // An address may stand between class and words.
        for part in expected.split(": ") {
            assert!(found.contains(part), "{part} is not in {found}");
        }
    }
    Ok(())
}

/// dropbear reads the keys of root's home alone: it gets one of its own.
fn dropbear(folder: &Folder, name: &str, client: &Path) -> (Daemon, NodeRef) {
    let port = free_port();
    let key = folder.0.join(format!("{name}-host"));
    quiet(
        Command::new("dropbearkey")
            .args(["-t", "ed25519", "-f"])
            .arg(&key),
    );
    let output = Command::new("dropbearkey")
        .arg("-y")
        .arg("-f")
        .arg(&key)
        .output()
        .expect("a key");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .find(|line| line.starts_with("ssh-"))
        .expect("a public key");
    let known = folder.file(
        &format!("{name}-known"),
        &format!("[127.0.0.1]:{port} {line}\n"),
    );
    let authorized = folder.file(
        &format!("{name}-keys"),
        &read(&client.with_extension("pub")),
    );
    let script = format!(
        "mount -t tmpfs -o mode=700 none ~root && mkdir -m 700 ~root/.ssh && cp {} ~root/.ssh/authorized_keys && \
         exec {} -F -E -s -p 127.0.0.1:{port} -r {} -P {}",
        authorized.display(),
        find("dropbear").expect("looked for before").display(),
        key.display(),
        folder.0.join(format!("{name}-pid")).display(),
    );
    let child = Command::new("unshare")
        .args(["--mount", "/bin/sh", "-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("unshare starts");
    let until = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "dropbear does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    let node = NodeRef {
        node: NodeName::parse(name).expect("a name"),
        host: "127.0.0.1".to_owned(),
        port,
        user: "root".to_owned(),
        known_as: vec![format!("[127.0.0.1]:{port}")],
        known_hosts: vec![known],
        identities: vec![client.to_owned()],
        identities_only: true,
        agent: None,
        client: Client::Libssh2,
        certificates: Vec::new(),
        beyond: Vec::new(),
        via: None,
    };
    (Daemon(child), node)
}

fn with_dropbear() -> Result<(), Failed> {
    let keys = Folder::new("dropbear-client");
    let client = keys.key("id", &["ed25519"], "");
    let mut openssh = Server::start("dropbear-sshd", &[&["ed25519"]], &[&client]);
    openssh.node.identities = vec![client.clone()];
    let openssh = named(&openssh.node, "s1");
    let (_first, d1) = dropbear(&keys, "d1", &client);
    let (_second, d2) = dropbear(&keys, "d2", &client);
    let mut ssh = either()?;
    assert_eq!(told(&mut ssh, &d1), "straight");
    assert_eq!(
        told(&mut ssh, &behind(&openssh, &d1)),
        "via s1 (libssh2 lane)"
    );
    assert_eq!(
        told(&mut ssh, &behind(&d1, &openssh)),
        "via d1 (libssh2 lane)"
    );
    assert_eq!(told(&mut ssh, &behind(&d1, &d2)), "via d1 (libssh2 lane)");
    assert_eq!(
        told(&mut ssh, &behind(&behind(&openssh, &d1), &d2)),
        "via s1, d1 (libssh2 lanes)"
    );
    assert_eq!(
        told(&mut ssh, &behind(&behind(&d1, &openssh), &d2)),
        "via d1, s1 (libssh2 lanes)"
    );
    let gone = NodeRef {
        port: free_port(),
        ..d2
    };
    let found = told(&mut ssh, &behind(&d1, &gone));
    assert!(
        found.contains("(jump-refused): bastion d1 cannot connect"),
        "{found}"
    );
    Ok(())
}

/// Reads a node so many times at once; how many came whole, and what the others had.
fn crowd(ssh: &Either, node: &NodeRef, count: usize, pause: &str) -> (usize, Vec<String>) {
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..count)
            .map(|_| {
                let mut ssh = ssh.clone();
                scope.spawn(move || run(&mut ssh, node, pause))
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    let bad: Vec<String> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Ok(frame) if frame.complete => None,
            Ok(frame) => Some(format!("cut {:?}", frame.cut)),
            Err(gap) => Some(gap.to_string()),
        })
        .collect();
    (outcomes.len() - bad.len(), bad)
}

/// One login at a time at the bastion: lanes come when they are let in, and nobody is turned away.
fn max_startups() -> Result<(), Failed> {
    let keys = Folder::new("startups-client");
    let client = keys.key("id", &["ed25519"], "");
    let mut bastion = Server::configured("startups-bastion", &[&["ed25519"]], &[&client], |_| {
        "MaxStartups 1\n".to_owned()
    });
    let mut target = Server::configured("startups-target", &[&["ed25519"]], &[&client], |_| {
        "MaxStartups 200\n".to_owned()
    });
    bastion.node.identities = vec![client.clone()];
    target.node.identities = vec![client];
    // Somebody else logs in there just now, and takes its time.
    let other = TcpStream::connect(("127.0.0.1", bastion.node.port))?;
    let ssh = either()?;
    let node = behind(&bastion.node, &target.node);
    let (read, bad) = std::thread::scope(|scope| {
        let crowd = scope.spawn(|| crowd(&ssh, &node, 40, "0"));
        std::thread::sleep(Duration::from_secs(1));
        drop(other);
        crowd.join().expect("no panic")
    });
    assert_eq!(read, 40, "{bad:?}");
    Ok(())
}

/// The login ends under everybody; a new one brings what is missing.
fn lost() -> Result<(), Failed> {
    let keys = Folder::new("lost-client");
    let client = keys.key("id", &["ed25519"], "");
    let mut bastion = Server::start("lost-bastion", &[&["ed25519"]], &[&client]);
    let mut target = Server::configured("lost-target", &[&["ed25519"]], &[&client], |_| {
        "MaxStartups 200\n".to_owned()
    });
    bastion.node.identities = vec![client.clone()];
    target.node.identities = vec![client];
    let ssh = either()?;
    let node = behind(&bastion.node, &target.node);
    let daemon = bastion.daemon.0.id();
    let (read, bad) = std::thread::scope(|scope| {
        let crowd = scope.spawn(|| crowd(&ssh, &node, 20, "3"));
        let until = Instant::now() + Duration::from_secs(20);
        // Commands run at the target: every connection through the bastion is in use.
        while descendants(target.daemon.0.id(), "sleep").len() < 20 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        // All at once, as when the bastion goes down; one may have ended with its parent.
        let sessions = descendants(daemon, "sshd");
        let pids = sessions.iter().map(ToString::to_string);
        let _ = Command::new("kill").arg("-9").args(pids).output();
        crowd.join().expect("no panic")
    });
    assert_eq!(read, 20, "{bad:?}");
    // And gone for good: everybody learns that it was the bastion.
    let Server {
        daemon,
        node: _,
        folder: _folder,
    } = bastion;
    drop(daemon);
    let mut ssh = either()?;
    let found = told(&mut ssh, &node);
    assert!(found.contains("(connect-refused): bastion n1: "), "{found}");
    Ok(())
}

/// A lane without work shows that it lives, and is used again; one that has ended is not.
fn kept() -> Result<(), Failed> {
    let keys = Folder::new("kept-client");
    let client = keys.key("id", &["ed25519"], "");
    let lines = "ClientAliveInterval 7\nClientAliveCountMax 1\n";
    let mut bastion = Server::configured("kept-bastion", &[&["ed25519"]], &[&client], |_| {
        lines.to_owned()
    });
    let mut target = Server::start("kept-target", &[&["ed25519"]], &[&client]);
    bastion.node.identities = vec![client.clone()];
    target.node.identities = vec![client];
    let node = behind(&bastion.node, &target.node);
    let mut ssh = either()?;
    assert_eq!(told(&mut ssh, &node), "via n1 (libssh2 lane)");
    let logins = || descendants(bastion.daemon.0.id(), "sshd");
    let first = logins();
    assert!(!first.is_empty());
    // Longer than a silent client is borne.
    std::thread::sleep(Duration::from_secs(16));
    assert_eq!(logins(), first, "the lane was given up");
    assert_eq!(told(&mut ssh, &node), "via n1 (libssh2 lane)");
    assert_eq!(logins(), first, "another login");
    for pid in first {
        let _ = Command::new("kill").args(["-9", &pid.to_string()]).output();
    }
    assert_eq!(told(&mut ssh, &node), "via n1 (libssh2 lane)");
    drop(ssh);
    let until = Instant::now() + Duration::from_secs(10);
    while !logins().is_empty() {
        assert!(Instant::now() < until, "a login is left: {:?}", logins());
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Processes below one, by name.
fn descendants(root: u32, name: &str) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("processes").flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // A process may end while it is looked at.
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let Some((head, tail)) = stat.rsplit_once(") ") else {
            continue;
        };
        let parent = tail
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse::<u32>().ok());
        let comm = head.split_once('(').map_or("", |(_, comm)| comm).to_owned();
        parents.extend(parent.map(|parent| (pid, parent, comm)));
    }
    let mut below = vec![root];
    let mut index = 0;
    while let Some(parent) = below.get(index).copied() {
        below.extend(
            parents
                .iter()
                .filter(|row| row.1 == parent)
                .map(|row| row.0),
        );
        index += 1;
    }
    below.remove(0);
    let is = |pid: &u32| {
        parents
            .iter()
            .any(|row| row.0 == *pid && row.2.starts_with(name))
    };
    below.into_iter().filter(is).collect()
}
