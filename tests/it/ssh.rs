//! The contract of the SSH transport: every fault ends as its class, in time, with a next step, and leaves nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use stakeout::collect::cancel::Cancel;
use stakeout::collect::node::NodeJob;
use stakeout::collect::options::{Options, Place};
use stakeout::collect::pool;
use stakeout::collect::transport::ssh2::Ssh2;
use stakeout::collect::transport::{Client, Collect, Ctl, NodeRef, Transport as _};
use stakeout::model::fact::{FaultClass, Gap};
use stakeout::model::link::{HostState, Update};
use stakeout::model::name::NodeName;
use stakeout::probes::frame::Frame;
use stakeout::probes::mask::Masker;

use crate::farm::{self, Farm, Fault};
use crate::scratch::Scratch;

pub const NONCE: &str = "0123456789abcdef0123456789abcdef";

pub const ANSWER: &str = "welcome\n\n@STK1 WAY login-only\n@STK1 BEGIN NONCE 1 1000 stat b64\n\
                      @STK1 SECTION identity\nV\tclock\t1\n@STK1 DONE identity 1\n\
                      @STK1 SECTION accounts\n@STK1 DONE accounts 0\n@STK1 END NONCE 1\n";

/// A whole answer with the nonce that was sent.
pub fn answer(stdin: &[u8]) -> String {
    let sent = String::from_utf8_lossy(stdin);
    let nonce = sent
        .strip_prefix("STK_NONCE=")
        .and_then(|rest| rest.get(..32))
        .unwrap_or_default();
    ANSWER.replace("NONCE", nonce)
}

/// A farm with the files to reach it.
pub struct Lab {
    pub farm: Farm,
    pub folder: Scratch,
    known: PathBuf,
    key: PathBuf,
    pub cancel: Arc<Cancel>,
}

impl Lab {
    pub fn new(faults: &[Fault]) -> Self {
        Self::answering(faults, |_, _, stdin| farm::Answer {
            stdout: answer(stdin).into_bytes(),
            ..farm::Answer::default()
        })
    }

    /// As the closure says, by node, command and standard input.
    pub fn answering(
        faults: &[Fault],
        respond: impl Fn(usize, &str, &[u8]) -> farm::Answer + Send + Sync + 'static,
    ) -> Self {
        let farm = Farm::start(faults, respond).expect("a farm");
        let folder = Scratch::new("ssh");
        let (known, key) = farm.write_files(&folder).expect("writable");
        Self {
            farm,
            folder,
            known,
            key,
            cancel: Arc::new(Cancel::new().expect("a pipe")),
        }
    }

    pub fn node(&self, node: usize) -> NodeRef {
        let address = self.farm.address(node);
        NodeRef {
            node: NodeName::parse(&format!("n{node}")).expect("a name"),
            host: address.to_string(),
            port: self.farm.port(),
            user: "audit".to_owned(),
            known_as: vec![format!("[{address}]:{}", self.farm.port())],
            known_hosts: vec![self.known.clone()],
            identities: vec![self.key.clone()],
            identities_only: true,
            agent: None,
            client: Client::Libssh2,
            via: None,
            certificates: Vec::new(),
            beyond: Vec::new(),
        }
    }

    /// What the configuration would say, with nothing of this machine in it.
    pub fn options(&self) -> Options {
        let farm = &self.farm;
        Options {
            user: Some("audit".to_owned()),
            port: Some(farm.port()),
            identities: vec![self.key.clone()],
            known_hosts: vec![self.known.clone()],
            place: Place {
                ssh_config: Some(self.folder.join("no-config")),
                ssh: self.folder.join("no-ssh"),
                ..Options::default().place
            },
            ..Options::default()
        }
    }

    pub fn job(&self, node: usize) -> NodeJob {
        let object = serde_json::json!({
            "uid": "u", "labels": {}, "taints": [], "ready": "True",
            "addresses": [["InternalIP", self.farm.address(node).to_string()]],
            "machine_id": "m", "boot_id": "b", "kubelet_version": "v1.35.0",
            "os_image": "Debian", "resource_version": "1",
        });
        NodeJob {
            node: self.node(node).node,
            object: Some(Arc::new(
                serde_json::from_value(object).expect("a node object"),
            )),
            inventory: Vec::new(),
            route: None,
        }
    }

    pub fn run(&self, ssh: &mut Ssh2, node: &NodeRef) -> Result<Frame, Gap> {
        self.run_within(ssh, node, Duration::from_secs(1))
    }

    /// `phase`: what connection, login and command may take each.
    pub fn run_within(
        &self,
        ssh: &mut Ssh2,
        node: &NodeRef,
        phase: Duration,
    ) -> Result<Frame, Gap> {
        self.send(ssh, node, phase, 0)
    }

    /// `more`: bytes of standard input beyond the nonce.
    pub fn send(
        &self,
        ssh: &mut Ssh2,
        node: &NodeRef,
        phase: Duration,
        more: usize,
    ) -> Result<Frame, Gap> {
        let mut stdin = format!("STK_NONCE={NONCE}\n").into_bytes();
        stdin.resize(stdin.len() + more, b'#');
        let job = Collect {
            command: "collect".to_owned(),
            stdin,
            nonce: NONCE.to_owned(),
            sections: 2,
        };
        ssh.run(
            node,
            &job,
            &Ctl {
                connect: phase,
                handshake: phase.max(Duration::from_secs(5)),
                auth: phase,
                script: phase,
                deadline: Instant::now() + phase * 8,
                cap: 1 << 20,
                cancel: &self.cancel,
                progress: &|_| {},
            },
        )
    }
}

/// The class and the words of a node that was not read.
pub fn fault(outcome: Result<Frame, Gap>) -> (FaultClass, String) {
    match outcome {
        Err(Gap::Node { class, detail }) => {
            assert!(!class.next_step().is_empty());
            (class, detail.to_string())
        }
        other => panic!("expected a fault, got {other:?}"),
    }
}

#[test]
fn every_fault_has_its_class_and_ends_in_time() {
    use FaultClass as Class;
    let second = Duration::from_secs(1);
    let table = [
        (Fault::Refuses, Class::ConnectRefused, "connect to 127."),
        (Fault::Silent, Class::TimeoutBanner, "no SSH greeting"),
        (Fault::HangsUp(9), Class::Throttled, "before its greeting"),
        (Fault::Busy(9), Class::Throttled, "Exceeded MaxStartups"),
        (Fault::BannerFlood, Class::NotSsh, "the port answers: xxx"),
        (Fault::LineFlood, Class::NotSsh, r"not yet\r\n"),
        (Fault::Drips(600), Class::TimeoutBanner, "no SSH greeting"),
        (Fault::Http, Class::NotSsh, "HTTP/1.1 400 Bad Request"),
        (Fault::BadKex, Class::KexFailure, "this side offers"),
        (Fault::StallsInKex, Class::TimeoutKex, "key exchange"),
        (
            Fault::WrongKey,
            Class::HostkeyChanged,
            "known_hosts line 11 has SHA256:",
        ),
        (Fault::Denied, Class::AuthDenied, "the host takes publickey"),
        (Fault::Slow(second * 9), Class::TimeoutScript, "did not end"),
        (Fault::NoExec, Class::NoShell, "does not run commands"),
        (Fault::Stalls, Class::TimeoutScript, "did not end"),
        (
            Fault::Prints("no shell here\n"),
            Class::NoShell,
            "no shell here",
        ),
        (Fault::Prints(""), Class::NoShell, "without a word"),
        (Fault::Cut(60), Class::Disconnected, "broke after"),
        (Fault::Huge(8 << 20), Class::OutputTooLarge, "more than"),
    ];
    let faults: Vec<Fault> = table.iter().map(|row| row.0).collect();
    let lab = Lab::new(&faults);
    let ssh = Ssh2::new().expect("a thread");
    std::thread::scope(|scope| {
        for (node, (fault_kind, class, words)) in table.into_iter().enumerate() {
            let (lab, mut ssh) = (&lab, ssh.clone());
            scope.spawn(move || {
                // Only who waits in vain has to be given up soon: a busy machine is no fault.
                let waits = class.to_string().starts_with("timeout");
                let phase = second * if waits { 1 } else { 20 };
                let start = Instant::now();
                let outcome = lab.run_within(&mut ssh, &lab.node(node), phase);
                let took = start.elapsed();
                let (found, detail) = fault(outcome);
                assert_eq!(found, class, "{fault_kind:?}: {detail}");
                assert!(detail.contains(words), "{fault_kind:?}: {detail}");
                let in_time = !waits || took < second * 9;
                assert!(in_time, "{fault_kind:?} took {took:?}");
            });
        }
    });
}

/// The end of a stream may come between the reads of one turn, and nothing after it. No place outside of libssh2 lies
/// between the two: the many nodes make it likely that one of them meets it, and nothing makes it certain.
#[test]
fn a_node_that_ends_without_a_word_is_not_waited_for() {
    let faults = [Fault::Prints(""); 16];
    let lab = Lab::new(&faults);
    let ssh = Ssh2::new().expect("a thread");
    std::thread::scope(|scope| {
        for node in 0..faults.len() {
            let (lab, mut ssh) = (&lab, ssh.clone());
            scope.spawn(move || {
                for _ in 0..8 {
                    let phase = Duration::from_secs(20);
                    let (class, detail) = fault(lab.run_within(&mut ssh, &lab.node(node), phase));
                    assert_eq!(class, FaultClass::NoShell, "{detail}");
                }
            });
        }
    });
}

#[test]
fn what_only_looks_bad_is_read() {
    let lab = Lab::new(&[
        Fault::None,
        Fault::HangsUp(2),
        Fault::Busy(1),
        Fault::StderrFlood(4 << 20),
        Fault::NeverEnds,
        Fault::Slow(Duration::from_millis(300)),
        Fault::Huge(500_000),
    ]);
    let mut ssh = Ssh2::new().expect("a thread");
    for node in 0..7 {
        let frame = lab
            .run(&mut ssh, &lab.node(node))
            .unwrap_or_else(|gap| panic!("node {node}: {gap}"));
        assert!(frame.complete && frame.sections.len() == 2, "node {node}");
    }
    assert_eq!(lab.farm.visits(1), 3);
    assert_eq!(lab.farm.visits(2), 2);
}

#[test]
fn whole_sections_survive_a_cut() {
    let until_second = ANSWER.find("@STK1 SECTION accounts").expect("a section");
    let cut = until_second + NONCE.len() - "NONCE".len() + 10;
    let lab = Lab::new(&[Fault::Stops(cut)]);
    let mut ssh = Ssh2::new().expect("a thread");
    let frame = lab.run(&mut ssh, &lab.node(0)).expect("one section");
    assert_eq!(frame.sections.len(), 1);
    assert!(!frame.complete);
    let cut = frame.cut.expect("a reason").to_string();
    assert!(cut.contains("(timeout-script)"), "{cut}");
}

/// Starts a pool on some nodes of the lab; the updates end when the pool does.
pub fn start(
    lab: &Lab,
    options: Options,
    nodes: std::ops::Range<usize>,
) -> (pool::Pool, Receiver<Update>) {
    let (jobs, inbox) = std::sync::mpsc::channel();
    for node in nodes {
        jobs.send(lab.job(node)).expect("an open channel");
    }
    let (outbox, updates) = std::sync::mpsc::sync_channel(16);
    let pool = pool::spawn(
        Arc::new(options),
        Arc::new(Masker::new([7; 32])),
        inbox,
        outbox,
        Arc::clone(&lab.cancel),
    )
    .expect("threads");
    (pool, updates)
}

/// The last state of every node.
pub fn last_states(updates: &Receiver<Update>) -> BTreeMap<NodeName, HostState> {
    let mut states = BTreeMap::new();
    for update in updates {
        if let Update::Host(node, state) = update {
            states.insert(node, state);
        }
    }
    states
}

/// Descriptors and threads of this process.
pub fn held() -> (usize, usize) {
    let count = |what: &str| std::fs::read_dir(what).map_or(0, Iterator::count);
    (count("/proc/self/fd"), count("/proc/self/task"))
}

#[test]
fn sessions_leave_nothing_behind() {
    // Other tests open descriptors too: the count is taken in a process of its own.
    let this = std::env::current_exe().expect("a test binary");
    let name = "ssh::sessions_leave_nothing_behind_alone";
    let output = std::process::Command::new(this)
        .args(["--exact", name, "--ignored", "--test-threads=1"])
        .output()
        .expect("the same binary again");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[test]
#[ignore = "run by sessions_leave_nothing_behind"]
fn sessions_leave_nothing_behind_alone() {
    let kinds = [
        Fault::None,
        Fault::Refuses,
        Fault::HangsUp(1),
        Fault::BannerFlood,
        Fault::BadKex,
        Fault::WrongKey,
        Fault::Denied,
        Fault::NoExec,
        Fault::Prints("no"),
        Fault::Cut(60),
        Fault::Huge(8 << 20),
        Fault::NeverEnds,
    ];
    let faults: Vec<Fault> = kinds.iter().copied().cycle().take(240).collect();
    let lab = Lab::new(&faults);
    let before = held();
    let (pool, updates) = start(&lab, lab.options(), 0..240);
    assert_eq!(last_states(&updates).len(), 240);
    assert!(pool.join(Duration::from_secs(5)));
    drop(updates);
    let deadline = Instant::now() + Duration::from_secs(10);
    // The farm's half of the last connections closes on its own time.
    while held() != before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(held(), before);
}

#[test]
fn a_fleet_is_read_at_once() {
    let lab = Lab::new(&[Fault::None; 200]);
    let (pool, updates) = start(&lab, lab.options(), 0..200);
    let states = last_states(&updates);
    assert!(pool.join(Duration::from_secs(5)));
    assert_eq!(states.len(), 200);
    for (node, state) in states {
        assert_eq!(state, HostState::Ok, "{node}");
    }
}

#[test]
fn a_cancellation_ends_everything_at_once() {
    let mut faults = vec![Fault::Stalls; 20];
    faults.extend([Fault::Silent; 20]);
    faults.extend([Fault::StallsInKex; 20]);
    faults.extend([Fault::HangsUp(9); 20]);
    let lab = Lab::new(&faults);
    let (pool, updates) = start(&lab, lab.options(), 0..80);
    let mut busy = 0;
    for update in &updates {
        busy += usize::from(matches!(update, Update::Host(_, HostState::Connecting)));
        if busy == 40 {
            break;
        }
    }
    let start = Instant::now();
    lab.cancel.cancel();
    // Nobody reads the updates any more: that must not keep a thread either.
    assert!(pool.join(Duration::from_secs(5)));
    // Sooner than a worker without a job looks up, and than any phase of a login may last.
    let took = start.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn what_was_read_stays_when_a_later_reading_fails() {
    let lab = Lab::new(&[Fault::Once]);
    let (jobs, inbox) = std::sync::mpsc::channel();
    let (outbox, updates) = std::sync::mpsc::sync_channel(16);
    let pool = pool::spawn(
        Arc::new(lab.options()),
        Arc::new(Masker::new([7; 32])),
        inbox,
        outbox,
        Arc::clone(&lab.cancel),
    )
    .expect("threads");
    jobs.send(lab.job(0)).expect("an open channel");
    let mut facts = 0;
    for update in &updates {
        match update {
            Update::Node(..) => facts += 1,
            Update::Host(_, HostState::Ok) => jobs.send(lab.job(0)).expect("an open channel"),
            Update::Host(_, HostState::Stale(gap)) => {
                assert!(gap.to_string().contains("(throttled)"), "{gap}");
                break;
            }
            Update::Host(_, HostState::Failed(gap)) => panic!("{gap}"),
            _ => {}
        }
    }
    assert_eq!(facts, 1);
    drop(jobs);
    drop(updates);
    assert!(pool.join(Duration::from_secs(5)));
}

#[test]
fn only_a_key_on_file_is_accepted() {
    use FaultClass as Class;
    let lab = Lab::new(&[Fault::None]);
    let line = lab.farm.known_hosts();
    let key = line.split_once(' ').expect("name and key").1.to_owned();
    let name = &lab.node(0).known_as[0];
    let host = lab.farm.address(0);
    let rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==";
    let mut ssh = Ssh2::new().expect("a thread");
    for (text, class) in [
        (String::new(), Class::HostkeyUnknown),
        (
            format!("@cert-authority {name} {key}"),
            Class::HostkeyUnknown,
        ),
        (format!("!{name},!{host},* {key}"), Class::HostkeyUnknown),
        (format!("{name} {rsa}\n"), Class::HostkeyNewType),
        (format!("{line}@revoked * {key}"), Class::HostkeyRevoked),
    ] {
        let file = lab.folder.join("known_hosts");
        stakeout::disk::write(&file, |out| out.write_all(text.as_bytes())).expect("writable");
        // A changed file is noticed within a second; another list of files at once.
        let node = NodeRef {
            known_hosts: vec![file, lab.folder.join(class.to_string())],
            ..lab.node(0)
        };
        let found = fault(lab.run(&mut Ssh2::new().expect("a thread"), &node));
        assert_eq!(found.0, class, "{text}: {}", found.1);
    }
    // Back to the right one, seen by a transport that has read a wrong one before.
    let file = lab.known.clone();
    fault(lab.run(&mut ssh, &lab.node(0)));
    stakeout::disk::write(&file, |out| out.write_all(line.as_bytes())).expect("writable");
    let deadline = Instant::now() + Duration::from_secs(10);
    while lab.run(&mut ssh, &lab.node(0)).is_err() {
        assert!(Instant::now() < deadline, "the file was not read again");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_authority_on_file_vouches_for_nodes_that_are_not() {
    use FaultClass as Class;
    let forever = u64::MAX >> 1;
    let lab = Lab::new(&[
        Fault::Certified("n1", forever),
        Fault::Certified("n2", forever),
        Fault::Certified("n1", 1_600_000_000),
        // Asked for a certificate, it shows its plain key.
        Fault::None,
    ]);
    let mut ssh = Ssh2::new().expect("a thread");
    let authority = Farm::authority_line();
    let file = |name: &str, text: &str| {
        let file = lab.folder.join(name);
        stakeout::disk::write(&file, |out| out.write_all(text.as_bytes())).expect("writable");
        file
    };
    let ours = file("ours", &format!("@cert-authority n1 {authority}\n"));
    let revoked = file("revoked", &format!("@revoked * {authority}\n"));
    let nothing = lab.folder.join("nothing");
    let mut read = |node: usize, files: &[&PathBuf]| {
        let node = NodeRef {
            known_as: vec!["n1".to_owned()],
            known_hosts: files.iter().map(|file| (*file).clone()).collect(),
            ..lab.node(node)
        };
        lab.run(&mut ssh, &node)
    };
    let frame = read(0, &[&nothing, &ours]).expect("vouched for");
    assert!(frame.complete);
    for (node, files, class, words) in [
        (
            0,
            &[&nothing][..],
            Class::HostkeyUnknown,
            "it shows ssh-ed25519 SHA256:",
        ),
        (
            0,
            &[&ours, &revoked],
            Class::HostkeyRevoked,
            "revoked line 1 revokes SHA256:",
        ),
        (1, &[&ours], Class::HostkeyCert, "it is for n2, not for n1"),
        (
            2,
            &[&ours],
            Class::HostkeyCert,
            "it has expired at 2020-09-13T12:26:40Z",
        ),
        (
            3,
            &[&ours],
            Class::HostkeyUnknown,
            "it shows no certificate: ssh-ed25519 SHA256:",
        ),
    ] {
        let (found, detail) = fault(read(node, files));
        assert_eq!(found, class, "{node}: {detail}");
        assert!(detail.contains(words), "{node}: {detail}");
    }
}

#[test]
#[ignore = "takes a minute: cargo test --test it -- --ignored five_thousand"]
fn five_thousand_nodes_are_read() {
    let lab = Lab::new(&vec![Fault::Slow(Duration::from_millis(300)); 5000]);
    let (pool, updates) = start(&lab, lab.options(), 0..5000);
    let states = last_states(&updates);
    assert!(pool.join(Duration::from_secs(5)));
    let bad: Vec<_> = states
        .iter()
        .filter(|(_, state)| **state != HostState::Ok)
        .collect();
    assert_eq!(states.len(), 5000);
    assert!(bad.is_empty(), "{bad:?}");
}
