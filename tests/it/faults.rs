//! What breaks on the way to a node, row by row: a server that misbehaves in just that way, and what a person
//! reads of it. And all of it at once, in a fleet.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stakeout::collect::options::{Bounds, Options};
use stakeout::collect::pool;
use stakeout::collect::transport::NodeRef;
use stakeout::collect::transport::ssh2::Ssh2;
use stakeout::model::fact::{FaultClass as Class, Gap};
use stakeout::model::link::{HostState, Update};
use stakeout::model::name::NodeName;
use stakeout::probes::mask::Masker;

use crate::farm::{Answer, End, Fault, Line, Then};
use crate::ssh::{ANSWER, Lab, answer, fault, held};

/// A row: what is wrong, how the server does it, the class, what is said, and a word of the next step.
type Row = (
    &'static str,
    Fault,
    Reply,
    Class,
    &'static [&'static str],
    &'static str,
);

/// What the command brings, from its standard input.
type Reply = fn(&[u8]) -> Answer;

fn good(stdin: &[u8]) -> Answer {
    Answer {
        stdout: answer(stdin).into_bytes(),
        ..Answer::default()
    }
}

/// A good answer after 40 kB of message of the day: enough for a connection to break in it.
fn long(stdin: &[u8]) -> Answer {
    let motd = "all activity is monitored\n".repeat(1600);
    Answer {
        stdout: format!("{motd}{}", answer(stdin)).into_bytes(),
        ..Answer::default()
    }
}

fn says(status: u32, stdout: &str, stderr: &str) -> Answer {
    Answer {
        stdout: stdout.as_bytes().to_vec(),
        stderr: stderr.as_bytes().to_vec(),
        status,
    }
}

/// The greeting and a packet (RFC 4253 6) of 4 GiB.
const HUGE_PACKET: &[u8] = b"SSH-2.0-broken\r\n\xff\xff\xff\xf0\x04\x14AAAAAAAAAAAAAAAA";
/// The greeting and a KEXINIT whose lists are longer than the packet.
const BAD_LISTS: &[u8] =
    b"SSH-2.0-broken\r\n\0\0\0\x2c\x0a\x14AAAAAAAAAAAAAAAA\x7f\xff\xff\xffcurve25519AAAAAAAAAAAA";
/// An alert of TLS: what an HTTPS port says to a greeting it does not understand.
const TLS_ALERT: &[u8] = b"\x15\x03\x01\0\x02\x02\x46";

/// Before a login.
const GREETING: &[Row] = &[
    (
        "nothing listens",
        Fault::Refuses,
        good,
        Class::ConnectRefused,
        &["connect to 127.", "refused"],
        "sshd runs",
    ),
    (
        "SYN dropped",
        Fault::BlackHole,
        good,
        Class::ConnectTimeout,
        &["no answer from 127.", " within "],
        "security group",
    ),
    (
        "accepted, silence",
        Fault::Silent,
        good,
        Class::TimeoutBanner,
        &["no SSH greeting"],
        "load of sshd",
    ),
    (
        "banner flood, no newline",
        Fault::BannerFlood,
        good,
        Class::NotSsh,
        &["the port answers: xxx"],
        "another service",
    ),
    (
        "banner flood, lines",
        Fault::LineFlood,
        good,
        Class::NotSsh,
        &[r"not yet\r\n"],
        "another service",
    ),
    (
        "HTTP that waits for a request",
        Fault::Http,
        good,
        Class::NotSsh,
        &["HTTP/1.1 400"],
        "another service",
    ),
    (
        "HTTP at once",
        Fault::Says(b"HTTP/1.1 408 Request Timeout\r\n\r\n", Then::HangsUp),
        good,
        Class::NotSsh,
        &["HTTP/1.1 408 Request Timeout"],
        "another service",
    ),
    (
        "TLS",
        Fault::Says(TLS_ALERT, Then::Waits),
        good,
        Class::NotSsh,
        &["the port answers: ", r"\x15"],
        "another service",
    ),
    (
        "SMTP",
        Fault::Says(b"220 mx ESMTP\r\n", Then::Waits),
        good,
        Class::NotSsh,
        &["220 mx ESMTP"],
        "another service",
    ),
    (
        "SSH-1",
        Fault::Says(b"SSH-1.5-1.2.27\n", Then::Waits),
        good,
        Class::NotSsh,
        &["SSH-1.5-1.2.27"],
        "another service",
    ),
    (
        "a greeting that paints the screen",
        Fault::Says(b"\x1b[2J\x1b]0;owned\x07\r\n", Then::HangsUp),
        good,
        Class::NotSsh,
        &[r"the port answers: \x1b[2J\x1b]0;owned"],
        "another service",
    ),
    (
        "MaxStartups",
        Fault::Busy(9),
        good,
        Class::Throttled,
        &["the host says: Exceeded MaxStartups"],
        "MaxStartups",
    ),
    (
        "PerSourcePenalties",
        Fault::Says(b"Not allowed at this time\r\n", Then::HangsUp),
        good,
        Class::Throttled,
        &["the host says: Not allowed at this time"],
        "ssh.workers",
    ),
    (
        "closed before the greeting",
        Fault::HangsUp(9),
        good,
        Class::Throttled,
        &["hung up before its greeting"],
        "MaxStartups",
    ),
    (
        "greeting in drips",
        Fault::Drips(600),
        good,
        Class::TimeoutBanner,
        &["no SSH greeting"],
        "load of sshd",
    ),
    (
        "garbage for a key exchange",
        Fault::BadKex,
        good,
        Class::KexFailure,
        &["this side offers curve25519"],
        "ssh -vv n",
    ),
    (
        "huge packet",
        Fault::Says(HUGE_PACKET, Then::Waits),
        good,
        Class::KexFailure,
        &["this side offers"],
        "ssh -vv n",
    ),
    (
        "lists beyond the packet",
        Fault::Says(BAD_LISTS, Then::Waits),
        good,
        Class::KexFailure,
        &["this side offers"],
        "ssh -vv n",
    ),
    (
        "stall after the greeting",
        Fault::StallsInKex,
        good,
        Class::TimeoutKex,
        &["key exchange", "in time"],
        "ssh.timeout",
    ),
    (
        "stall in the key exchange",
        Fault::Line(Line::Stalls(300)),
        good,
        Class::TimeoutKex,
        &["key exchange", "in time"],
        "ssh.timeout",
    ),
    (
        "64 bytes each 250 ms",
        Fault::Line(Line::Drips(64, 250)),
        good,
        Class::TimeoutKex,
        &["key exchange", "in time"],
        "ssh.timeout",
    ),
    (
        "reset in the key exchange",
        Fault::Line(Line::Resets(300)),
        good,
        Class::Disconnected,
        &["during the key exchange"],
        "sshd log",
    ),
    (
        "end in the key exchange",
        Fault::Line(Line::Closes(300)),
        good,
        Class::Disconnected,
        &["during the key exchange"],
        "sshd log",
    ),
    (
        "host key changed",
        Fault::WrongKey,
        good,
        Class::HostkeyChanged,
        &["known_hosts line ", " has SHA256:"],
        "ssh-keygen -R n",
    ),
    (
        "permission denied",
        Fault::Denied,
        good,
        Class::AuthDenied,
        &["for audit: tried ", "the host takes publickey"],
        "ssh-copy-id n",
    ),
];

/// After it.
const SESSION: &[Row] = &[
    (
        "stall in mid-session",
        Fault::Line(Line::Stalls(10_000)),
        long,
        Class::TimeoutScript,
        &["did not end in time"],
        "ssh.timeout",
    ),
    (
        "stall at the command",
        Fault::Stalls,
        good,
        Class::TimeoutScript,
        &["did not end in time"],
        "ssh.timeout",
    ),
    (
        "1 kB each 50 ms",
        Fault::Line(Line::Drips(1000, 50)),
        long,
        Class::TimeoutScript,
        &["did not end in time"],
        "ssh.timeout",
    ),
    (
        "slow script",
        Fault::Slow(Duration::from_secs(9)),
        good,
        Class::TimeoutScript,
        &["did not end in time"],
        "ssh.timeout",
    ),
    (
        "reset in mid-session",
        Fault::Line(Line::Resets(10_000)),
        long,
        Class::Disconnected,
        &["broke after ", " bytes"],
        "sshd log",
    ),
    (
        "end in mid-session",
        Fault::Line(Line::Closes(10_000)),
        long,
        Class::Disconnected,
        &["broke after ", " bytes"],
        "sshd log",
    ),
    (
        "disconnect in mid-session",
        Fault::Cut(60),
        good,
        Class::Disconnected,
        &["broke after "],
        "sshd log",
    ),
    (
        "zeros before the answer",
        Fault::Huge(8 << 20),
        good,
        Class::OutputTooLarge,
        &["more than ", "line of more than 1048576"],
        "not our collector",
    ),
    (
        "zeros without end",
        Fault::Endless,
        good,
        Class::OutputTooLarge,
        &["more than ", "line of more than 1048576"],
        "not our collector",
    ),
    (
        "status 0 without END",
        Fault::Ends(100, End::Status0),
        good,
        Class::Disconnected,
        &["ended after 0 of 2 sections, 100 bytes"],
        "sshd log",
    ),
    (
        "killed",
        Fault::Ends(100, End::Killed),
        good,
        Class::Disconnected,
        &["ended after 0 of 2 sections, 100 bytes"],
        "sshd log",
    ),
    (
        "ChannelTimeout",
        Fault::Ends(100, End::Closed),
        good,
        Class::Disconnected,
        &["ended after 0 of 2 sections, 100 bytes"],
        "sshd log",
    ),
    (
        "no exec",
        Fault::NoExec,
        good,
        Class::NoShell,
        &["does not run commands"],
        "has no shell",
    ),
    (
        "nologin",
        Fault::None,
        |_| says(1, "This account is currently not available.\n", ""),
        Class::NoShell,
        &["not the collector answered, but: This account is currently not available."],
        "api-only",
    ),
    (
        "false",
        Fault::None,
        |_| says(1, "", ""),
        Class::NoShell,
        &["without a word"],
        "api-only",
    ),
    (
        "rbash",
        Fault::None,
        |_| says(1, "", "rbash: line 1: exec: restricted\n"),
        Class::NoShell,
        &["without a word; standard error: rbash: line 1: exec: restricted"],
        "api-only",
    ),
    (
        "python for a shell",
        Fault::None,
        |_| {
            says(
                1,
                "",
                "  File \"<string>\", line 1\n    exec /bin/sh -c\nSyntaxError: invalid syntax\n",
            )
        },
        Class::NoShell,
        &["standard error: File ", "SyntaxError"],
        "another user",
    ),
    (
        "ForceCommand",
        Fault::None,
        |_| says(0, "backup: 3 files, 0 errors\n", ""),
        Class::NoShell,
        &["not the collector answered, but: backup: 3 files"],
        "another user",
    ),
    (
        "output that paints the screen",
        Fault::None,
        |_| {
            says(
                0,
                "\u{1b}[2J\u{1b}]52;c;cm0gLXJmIC8=\u{7}\n",
                "\u{9b}31m\u{202e}",
            )
        },
        Class::NoShell,
        &[r"but: \x1b[2J\x1b]52;c;"],
        "another user",
    ),
];

/// Every row by one transport at the same time, as in a fleet.
fn rows(table: &'static [Row]) {
    let faults: Vec<Fault> = table.iter().map(|row| row.1).collect();
    let lab = Lab::answering(&faults, |node, _, stdin| table[node].2(stdin));
    let ssh = Ssh2::new().expect("a thread");
    std::thread::scope(|scope| {
        for (node, row) in table.iter().enumerate() {
            let (lab, mut ssh) = (&lab, ssh.clone());
            scope.spawn(move || {
                let (what, _, _, class, words, next) = row;
                let mut second = Duration::from_secs(1);
                let mut begin = Instant::now();
                let mut outcome = lab.run_within(&mut ssh, &lab.node(node), second);
                let late = |gap: &Gap| matches!(gap, Gap::Node { class: found, .. } if found != class && is_late(*found));
                if outcome.as_ref().is_err_and(late) {
                    // A busy machine is late where nothing is wrong; so late it is not.
                    (second, begin) = (second * 5, Instant::now());
                    outcome = lab.run_within(&mut ssh, &lab.node(node), second);
                }
                let took = begin.elapsed();
                let name = lab.node(node).node;
                let step = match &outcome {
                    Err(gap) => gap.next_step_on(Some(&name)).to_string(),
                    Ok(_) => String::new(),
                };
                let (found, detail) = fault(outcome);
                assert_eq!(found, *class, "{what}: {detail}");
                for word in *words {
                    assert!(detail.contains(word), "{what}: {word}: {detail}");
                }
                let on = match class {
                    Class::AuthDenied => "for audit".to_owned(),
                    _ => format!("{}:{}", lab.farm.address(node), lab.farm.port()),
                };
                assert!(detail.contains(&on), "{what}: on what: {detail}");
                assert!(step.contains(next), "{what}: {next}: {step}");
                assert!(
                    !detail.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']),
                    "{what}"
                );
                // The bounds of one node in this lab, and a busy machine.
                assert!(took < second * 9, "{what} took {took:?}");
            });
        }
    });
}

#[test]
fn before_the_login() {
    rows(GREETING);
}

#[test]
fn after_the_login() {
    rows(SESSION);
}

#[test]
fn a_sudo_that_refuses_is_a_missing_right() {
    let complaints = [
        "sudo: a password is required",
        "/bin/sh: 1: exec: sudo: not found",
    ];
    let lab = Lab::answering(&[Fault::None; 2], move |node, _, _| {
        says(1, "\n@STK1 WAY sudo-stream\n", complaints[node])
    });
    let mut ssh = Ssh2::new().expect("a thread");
    for (node, complaint) in complaints.iter().enumerate() {
        let gap = lab
            .run(&mut ssh, &lab.node(node))
            .expect_err("sudo does not");
        assert!(matches!(gap, Gap::Denied { .. }), "{gap}");
        let text = gap.to_string();
        assert!(
            text.starts_with("the login may not read anything as root: "),
            "{text}"
        );
        assert!(text.ends_with(complaint), "{text}");
        let step = gap.next_step_on(Some(&lab.node(node).node)).to_string();
        assert!(step.contains("stakeout sudoers print"), "{step}");
    }
}

#[test]
fn noise_around_an_answer_is_kept_and_not_believed() {
    let lab = Lab::answering(
        &[Fault::None, Fault::NeverEnds, Fault::StderrFlood(3 << 20)],
        |_, _, stdin| {
            let noise = "Last login: today\n\u{1b}[31mhello\u{7}\n@STK1 END 00000000000000000000000000000000 0\n@STK1 SECTION identity\n";
            says(
                1,
                &format!("{noise}{}trailing\n", answer(stdin)),
                "stty: not a tty\n",
            )
        },
    );
    let mut ssh = Ssh2::new().expect("a thread");
    for node in 0..3 {
        let frame = lab
            .run(&mut ssh, &lab.node(node))
            .unwrap_or_else(|gap| panic!("{node}: {gap}"));
        assert!(frame.complete && frame.sections.len() == 2, "{node}");
        let noise = frame.noise.to_string();
        assert!(
            noise.contains("Last login: today") && noise.contains(r"\x1b[31mhello"),
            "{noise}"
        );
    }
}

#[test]
fn what_arrived_before_the_end_counts_and_the_rest_is_missing() {
    let until = ANSWER.find("@STK1 SECTION accounts").expect("a section");
    let bytes = until + 32 - "NONCE".len() + 10;
    let ends = [End::Status0, End::Killed, End::Closed];
    let lab = Lab::new(&ends.map(|end| Fault::Ends(bytes, end)));
    let mut ssh = Ssh2::new().expect("a thread");
    for (node, end) in ends.iter().enumerate() {
        let frame = lab
            .run(&mut ssh, &lab.node(node))
            .unwrap_or_else(|gap| panic!("{end:?}: {gap}"));
        assert!(!frame.complete && frame.sections.len() == 1, "{end:?}");
        let cut = frame.cut.expect("a reason").to_string();
        assert!(
            cut.contains("(disconnected)") && cut.contains("1 of 2 sections"),
            "{end:?}: {cut}"
        );
    }
}

/// An agent that gives this answer to everything, as often as it is asked, until the listener's file is gone.
fn agent(at: &Path, reply: &'static [u8]) {
    let listener = UnixListener::bind(at).expect("a socket");
    std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let Ok(mut stream) = stream else { return };
            let mut asked = [0; 5];
            if stream.read_exact(&mut asked).is_ok() && stream.write_all(reply).is_ok() {
                // Until the client has had enough.
                let _ = stream.read(&mut asked);
            }
        }
    });
}

#[test]
fn an_agent_that_is_of_no_use_is_said_before_the_host_is_asked() {
    let lab = Lab::new(&[Fault::None]);
    let cases: [(&str, Option<&'static [u8]>, &str); 6] = [
        ("absent", None, "No such file or directory"),
        ("stale", None, "refused"),
        // OpenSSH's agent shows an empty list while it is locked.
        (
            "empty",
            Some(b"\0\0\0\x05\x0c\0\0\0\0"),
            "the agent is empty or locked",
        ),
        ("failing", Some(b"\0\0\0\x01\x05"), "not an agent's answer"),
        ("endless", Some(b"\xff\xff\xff\xff\x0c"), "answer too long"),
        ("silent", Some(b""), "agent at "),
    ];
    for (name, reply, words) in cases {
        let socket = lab.folder.join(name);
        match reply {
            Some(reply) => agent(&socket, reply),
            None if name == "stale" => drop(UnixListener::bind(&socket).expect("a socket")),
            None => {}
        }
        let node = NodeRef {
            identities: Vec::new(),
            identities_only: false,
            agent: Some(socket.clone()),
            ..lab.node(0)
        };
        let begin = Instant::now();
        let outcome = lab.run(&mut Ssh2::new().expect("a thread"), &node);
        assert!(begin.elapsed() < Duration::from_secs(6), "{name}");
        let (class, detail) = fault(outcome);
        assert_eq!(class, Class::AgentUnreachable, "{name}: {detail}");
        assert!(
            detail.contains("as audit") && detail.contains(words),
            "{name}: {detail}"
        );
        assert!(class.next_step().contains("ssh-add"), "{name}");
        let _ = std::fs::remove_file(socket);
    }
    assert_eq!(lab.farm.visits(0), 0, "there is nothing to log in with");
    let node = NodeRef {
        identities: Vec::new(),
        ..lab.node(0)
    };
    let (class, detail) = fault(lab.run(&mut Ssh2::new().expect("a thread"), &node));
    assert_eq!(class, Class::AgentUnreachable);
    assert!(detail.contains("SSH_AUTH_SOCK"), "{detail}");
}

/// What a fleet of the worst kind is made of.
const KINDS: [(Fault, Reply, Option<Class>); 20] = [
    (Fault::None, good, None),
    (Fault::Refuses, good, Some(Class::ConnectRefused)),
    (Fault::BlackHole, good, Some(Class::ConnectTimeout)),
    (Fault::Silent, good, Some(Class::TimeoutBanner)),
    (Fault::BannerFlood, good, Some(Class::NotSsh)),
    (Fault::Http, good, Some(Class::NotSsh)),
    (Fault::Busy(9), good, Some(Class::Throttled)),
    (Fault::HangsUp(9), good, Some(Class::Throttled)),
    (Fault::BadKex, good, Some(Class::KexFailure)),
    (
        Fault::Says(HUGE_PACKET, Then::Waits),
        good,
        Some(Class::KexFailure),
    ),
    (
        Fault::Line(Line::Stalls(300)),
        good,
        Some(Class::TimeoutKex),
    ),
    (Fault::WrongKey, good, Some(Class::HostkeyChanged)),
    (Fault::Denied, good, Some(Class::AuthDenied)),
    (
        Fault::Line(Line::Resets(10_000)),
        long,
        Some(Class::Disconnected),
    ),
    (
        Fault::Line(Line::Stalls(10_000)),
        long,
        Some(Class::TimeoutScript),
    ),
    (Fault::Endless, good, Some(Class::OutputTooLarge)),
    (
        Fault::Ends(100, End::Killed),
        good,
        Some(Class::Disconnected),
    ),
    (Fault::NeverEnds, good, None),
    (Fault::Prints("nologin\n"), good, Some(Class::NoShell)),
    (Fault::StderrFlood(256 << 10), good, None),
];

/// How long one node may take here.
const NODE: Duration = Duration::from_secs(8);

fn bounds(stretch: u32) -> Bounds {
    let second = Duration::from_secs(1) * stretch;
    Bounds {
        workers: 128,
        connect: second,
        handshake: second * 4,
        auth: second * 4,
        script: second * 3,
        node: NODE * stretch,
        cap: 256 << 10,
        ..Bounds::default()
    }
}

/// Reads nodes by a pool of its own; the last state of each, and the time of the slowest. A good node goes first:
/// three refusals before any login has worked would stop the others.
fn sweep(lab: &Lab, nodes: usize, stretch: u32) -> (BTreeMap<NodeName, HostState>, Duration) {
    let options = Options {
        bounds: bounds(stretch),
        ..lab.options()
    };
    let (jobs, inbox) = std::sync::mpsc::channel();
    let (outbox, updates) = std::sync::mpsc::sync_channel(16);
    let pool = pool::spawn(
        Arc::new(options),
        Arc::new(Masker::new([7; 32])),
        inbox,
        outbox,
        Arc::clone(&lab.cancel),
    )
    .expect("threads");
    jobs.send(lab.job(0)).expect("an open channel");
    let mut jobs = Some(jobs);
    let (mut begun, mut states) = (BTreeMap::new(), BTreeMap::new());
    let mut slowest = Duration::ZERO;
    for update in &updates {
        let Update::Host(node, state) = update else {
            continue;
        };
        match &state {
            HostState::Connecting => {
                begun.entry(node.clone()).or_insert_with(Instant::now);
            }
            HostState::Ok | HostState::Failed(_) | HostState::Stale(_) => {
                let begin = begun.get(&node).map_or(Duration::ZERO, Instant::elapsed);
                slowest = slowest.max(begin);
                // The first one is read: now all others.
                if let Some(jobs) = jobs.take() {
                    for other in 1..nodes {
                        jobs.send(lab.job(other)).expect("an open channel");
                    }
                }
            }
            _ => {}
        }
        states.insert(node, state);
    }
    assert!(pool.join(Duration::from_secs(5)));
    (states, slowest)
}

/// Bytes of resident memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes
        .and_then(|text| text.parse::<u64>().ok())
        .expect("a number")
        * 1024
}

/// Nodes that ended otherwise than they should: their fault, and the class they got; and the time of the slowest.
fn misread(lab: &Lab, nodes: usize, stretch: u32) -> (Vec<(Fault, Option<Class>)>, Duration) {
    let (states, slowest) = sweep(lab, nodes, stretch);
    assert_eq!(states.len(), nodes);
    let mut wrong = Vec::new();
    for node in 0..nodes {
        let name = NodeName::parse(&format!("n{node}")).expect("a name");
        let class = match &states[&name] {
            HostState::Ok => None,
            HostState::Failed(Gap::Node { class, .. }) => Some(*class),
            other => panic!("{name}: {other:?}"),
        };
        let (kind, _, wanted) = KINDS[node % KINDS.len()];
        if class != wanted {
            wrong.push((kind, class));
        }
    }
    (wrong, slowest)
}

fn is_late(class: Class) -> bool {
    matches!(
        class,
        Class::ConnectTimeout
            | Class::TimeoutBanner
            | Class::TimeoutKex
            | Class::TimeoutAuth
            | Class::TimeoutScript
    )
}

#[test]
fn a_fleet_of_the_worst_kind() {
    // Threads, descriptors and memory are those of a process of its own.
    let this = std::env::current_exe().expect("a test binary");
    let output = std::process::Command::new(this)
        .args([
            "--exact",
            "faults::a_fleet_of_the_worst_kind_alone",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .expect("the same binary again");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{errors}"
    );
}

#[test]
#[ignore = "run by a_fleet_of_the_worst_kind"]
fn a_fleet_of_the_worst_kind_alone() {
    const NODES: usize = 1_000;
    let faults: Vec<Fault> = (0..NODES).map(|node| KINDS[node % KINDS.len()].0).collect();
    let lab = Lab::answering(&faults, |node, _, stdin| KINDS[node % KINDS.len()].1(stdin));
    let before = held();
    // What is made once and kept: tables of the allocator, stacks, buffers of the farm.
    sweep(&lab, NODES / 2, 1);
    let warm = resident();
    let begin = Instant::now();
    let (mut wrong, mut slowest) = misread(&lab, NODES, 1);
    let mut stretch = 1;
    if wrong.iter().any(|(_, class)| class.is_some_and(is_late)) {
        // A busy machine is late where nothing is wrong; so late it is not.
        stretch = 4;
        (wrong, slowest) = misread(&lab, NODES, stretch);
    }
    let took = begin.elapsed();
    assert!(
        wrong.is_empty(),
        "{} wrong: {:?}",
        wrong.len(),
        &wrong[..wrong.len().min(5)]
    );
    let most = NODE * stretch + Duration::from_secs(3);
    assert!(slowest < most, "the slowest took {slowest:?}");
    let deadline = Instant::now() + Duration::from_secs(10);
    // The farm's half of the last connections closes on its own time.
    while held() != before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(held(), before, "descriptors and threads");
    let grown = resident().saturating_sub(warm);
    eprintln!("{NODES} nodes in {took:.1?}, the slowest {slowest:.1?}, {grown} bytes more");
    assert!(grown < 48 << 20, "{grown} bytes more after {NODES} nodes");
}
