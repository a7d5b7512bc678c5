//! Ways in beside SSH, and what an older script, a hostile file and a stranger's answer come to.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use stakeout::collect::import;
use stakeout::disk;
use stakeout::model::Timestamp;
use stakeout::model::fact::Need;
use stakeout::probes::frame::kept::KeptAnswers;
use stakeout::probes::mask::Masker;
use stakeout::probes::probe::{Ask, Reading};
use stakeout::probes::{self, collector, read_host};

use crate::scratch::Scratch;

const NONCE: &str = "0123456789abcdef0123456789abcdef";

struct Home(Scratch);

impl Home {
    fn new(name: &str) -> Self {
        Self(Scratch::new(&format!("ways-{name}")))
    }

    fn file(&self, name: &str, text: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("writable");
        path.display().to_string()
    }

    fn run(&self, words: &[&str], stdin: Stdio) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stakeout"));
        command
            .env_clear()
            .env("HOME", &*self.0)
            .current_dir(&*self.0)
            .stdin(stdin)
            .args(words);
        command.output().expect("the program starts")
    }

    /// A run that knows no cluster.
    fn alone(&self, words: &[&str]) -> Output {
        let mut all = vec!["--kubeconfig", "/nonexistent"];
        all.extend(words);
        self.run(&all, Stdio::null())
    }
}

/// A recorded answer of script version 1 as if it had been made by hand.
fn by_hand(name: &str) -> Vec<u8> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/answers/{name}.txt"));
    let text = disk::read_text(&path, 4 << 20).expect("recorded");
    text.replace(NONCE, collector::BY_HAND).into_bytes()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)))
}

#[test]
fn a_file_says_whose_it_is_and_how_old() {
    let home = Home::new("look");
    let mut both = by_hand("kubeadm-cp");
    both.extend(b"\nroot@w-1:~# \r\n");
    both.extend(by_hand("kubeadm-worker"));
    home.file("two.stk", &both);
    home.file("cut.stk", &both[..both.len() - 200]);
    home.file(
        "run.stk",
        &disk::read(
            Path::new(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/fixtures/answers/kubeadm-cp.txt"
            )),
            4 << 20,
        )
        .expect("recorded"),
    );
    let two = home.run(&["import", "two.stk"], Stdio::null());
    let text = said(&two);
    assert_eq!(two.status.code(), Some(0), "{text}");
    for words in [
        "two.stk: host cp-1, machine id 6b04be7d6358581a0e19a548ab58596b",
        "two.stk: host w-1",
        // The node's clock, not the time of the file that was just written.
        "taken 2026-11-24 14:50:35 UTC",
        "as uid 0 by collector v1, 7 sections, whole",
        "next: stakeout scan --import two.stk",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
    let cut = home.run(&["import", "cut.stk"], Stdio::null());
    assert_eq!(cut.status.code(), Some(3), "{}", said(&cut));
    assert!(
        said(&cut).contains("the answer ended after"),
        "{}",
        said(&cut)
    );
    let run = home.run(&["import", "run.stk"], Stdio::null());
    assert_eq!(run.status.code(), Some(2), "{}", said(&run));
    assert!(
        said(&run).contains("nonce of a run") && said(&run).contains("\nnext: "),
        "{}",
        said(&run)
    );
    let none = home.run(&["import", "/nonexistent"], Stdio::null());
    assert_eq!(none.status.code(), Some(2));
}

#[test]
fn an_import_is_judged_with_its_age() {
    let home = Home::new("scan");
    let mut both = by_hand("kubeadm-cp");
    both.extend(by_hand("kubeadm-worker"));
    home.file("two.stk", &both);
    let report = home.alone(&["--import", "two.stk", "scan", "--output", "json", "--all"]);
    let nodes = json(&report)["nodes"].clone();
    let nodes = nodes.as_array().expect("nodes");
    assert_eq!(nodes.len(), 2, "{nodes:?}");
    for node in nodes {
        let is = |key: &str| node[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (is("collect"), is("way")),
            ("stale".into(), "import".into())
        );
        assert!(
            is("cause").contains("was imported, taken 2026-11-24T14:"),
            "{node}"
        );
        let name = is("name");
        assert!(
            is("next").contains(&format!("ssh {name} sudo sh >{name}.stk")),
            "{node}"
        );
    }
    let text = home.alone(&["--import", "two.stk", "scan", "--fail-on", "critical"]);
    assert_eq!(
        text.status.code(),
        Some(3),
        "what passed then is no pass of now"
    );
    assert!(
        said(&text).contains("2 imported, 2 of them too old to count as passed"),
        "{}",
        said(&text)
    );
}

#[test]
fn one_node_and_one_answer_belong_together() {
    let home = Home::new("named");
    home.file("cp.stk", &by_hand("kubeadm-cp"));
    for words in [
        &[
            "--import", "cp.stk", "--node", "other", "scan", "--output", "json",
        ][..],
        &[
            "--config", "c.yaml", "--node", "other", "scan", "--output", "json",
        ],
    ] {
        home.file("c.yaml", b"hosts: {other: {import: cp.stk}}\n");
        let report = json(&home.alone(words));
        let nodes = report["nodes"].as_array().expect("nodes").clone();
        assert_eq!(nodes.len(), 1);
        assert_eq!(nodes[0]["name"], "other");
        assert_eq!(nodes[0]["way"], "import");
    }
}

#[test]
fn standard_input_and_a_pipe_are_read_once() {
    let home = Home::new("stdin");
    let path = home.file("cp.stk", &by_hand("kubeadm-cp"));
    let file = || Stdio::from(std::fs::File::open(&path).expect("it is there"));
    let words = [
        "--kubeconfig",
        "/nonexistent",
        "--import",
        "-",
        "scan",
        "--output",
        "json",
    ];
    assert_eq!(json(&home.run(&words, file()))["nodes"][0]["way"], "import");
    let piped = Command::new("bash")
        .env("HOME", &*home.0)
        .args([
            "-c",
            "exec \"$0\" --kubeconfig /nonexistent --import <(cat \"$1\") scan --output json",
        ])
        .args([env!("CARGO_BIN_EXE_stakeout"), &path])
        .output()
        .expect("bash starts");
    assert_eq!(json(&piped)["nodes"][0]["way"], "import");
}

#[test]
fn an_older_script_is_read_for_ever() {
    let mut answers = KeptAnswers::new(collector::section_count());
    let frame = answers
        .push(&by_hand("kubeadm-cp"))
        .remove(0)
        .expect("whole");
    assert_eq!(frame.script, 1);
    let masker = Masker::new([7; 32]);
    let facts = read_host(
        &frame,
        &Reading {
            at: Timestamp::UNIX_EPOCH,
            masker: &masker,
        },
    );
    let facts = serde_json::to_value(&facts).expect("facts are JSON");
    let field = |need: Need| match need {
        Need::KubeletConfig => "kubelet",
        need => need.name(),
    };
    let mut first = 0;
    for probe in probes::ALL {
        for ask in probe.asks {
            let Ask::Shell { section, since, .. } = ask else {
                continue;
            };
            let fact = &facts[field(probe.need)];
            if *since == 1 {
                first += 1;
                assert!(fact.get("seen").is_some(), "{section}: {fact}");
            } else if frame.section(section).is_none() && fact.get("gap").is_some() {
                assert_eq!(
                    fact["gap"]["gap"], "collector_outdated",
                    "{section}: {fact}"
                );
                assert_eq!(fact["gap"]["since"], since.to_string(), "{section}");
            } else {
                panic!("{section} is since version {since}, and version 1 brings {fact}");
            }
        }
    }
    assert_eq!(first, 7, "sections of version 1 stay sections of version 1");
}

#[test]
fn a_key_for_the_collector_alone() {
    let home = Home::new("keys");
    let key = home.file("id.pub", b"ssh-ed25519 AAAA me@here\n");
    let root = home.run(&["authorized-keys", "print", "--key", &key], Stdio::null());
    assert_eq!(
        said(&root),
        format!(
            "restrict,command=\"{}\" ssh-ed25519 AAAA me@here\n",
            collector::PATH
        )
    );
    let file = Stdio::from(std::fs::File::open(&key).expect("it is there"));
    let user = home.run(&["authorized-keys", "print", "--user", "audit"], file);
    assert_eq!(
        said(&user),
        format!(
            "restrict,command=\"sudo -n {}\" ssh-ed25519 AAAA me@here\n",
            collector::PATH
        )
    );
    for (name, text) in [
        ("two", "ssh-ed25519 AAAA\nssh-ed25519 BBBB\n"),
        ("options", "command=\"sh\" ssh-ed25519 AAAA\n"),
        ("private", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"),
        ("long", &"ssh-ed25519 A".repeat(4000)),
    ] {
        let key = home.file(name, text.as_bytes());
        let refused = home.run(&["authorized-keys", "print", "--key", &key], Stdio::null());
        assert_eq!(refused.status.code(), Some(2), "{name}");
        assert!(said(&refused).contains("\nnext: "), "{}", said(&refused));
        assert!(!said(&refused).contains("PRIVATE"), "{}", said(&refused));
    }
    let bad = home.run(
        &["authorized-keys", "print", "--user", "ALL", "--key", &key],
        Stdio::null(),
    );
    assert_eq!(bad.status.code(), Some(2));
}

#[test]
fn the_plan_names_the_way_to_every_node() {
    let home = Home::new("plan");
    home.file(
        "c.yaml",
        b"hosts:\n  a: {sudo: stream}\n  b: {transport: local, root: /host}\n  c: {import: c.stk}\n  d: {api_only: true}\nimport: [more.stk]\n",
    );
    let plan = said(&home.run(&["--config", "c.yaml", "plan"], Stdio::null()));
    for words in [
        "with a forced command (stakeout authorized-keys print)",
        "else the installed collector as root",
        "else the script below with the login's own rights",
        "a: read over ssh through sudo sh: this login equals root",
        "b: this machine, its root at /host, no login",
        "c: read from c.stk, no login",
        "d: not read, by choice",
        "the nodes of more.stk: read from it",
    ] {
        assert!(plan.contains(words), "{words:?} is not in {plan}");
    }
    let local = said(&home.run(&["--root", "/host", "plan"], Stdio::null()));
    assert!(
        local.contains("this machine alone, without SSH: /bin/sh -s, inside /host by chroot(2)"),
        "{local}"
    );
}

#[test]
fn a_root_that_cannot_be_entered_is_a_clear_end() {
    let home = Home::new("root");
    let output = home.alone(&["scan", "--root", "/nonexistent"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let text = said(&output);
    assert!(
        text.contains("(no-root): cannot enter /nonexistent: chroot: "),
        "{text}"
    );
    assert!(
        text.contains("\nnext: ") && text.contains("kubectl debug node/"),
        "{text}"
    );
}

/// A generator without a crate; the seed is fixed so that a failure can be repeated.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).unwrap_or(0)
}

#[test]
fn a_hostile_file_ends_as_answers_or_gaps() {
    let home = Home::new("hostile");
    let good = by_hand("kubeadm-worker");
    let words: [&[u8]; 6] = [
        b"\n@STK1 END ",
        b"@STK1 BEGIN ",
        b"\n@STK1 SECTION x\n",
        b"\r\n",
        b"\t%",
        b"\x1b]0;x\x07",
    ];
    let mut state = 0x5eed;
    let (mut seen, mut whole) = (0, 0);
    for _ in 0..60 {
        let mut text = good.clone();
        for _ in 0..=random(&mut state) % 5 {
            let at = random(&mut state) % text.len();
            match random(&mut state) % 4 {
                0 => text.truncate(at.max(1)),
                1 => text[at] = u8::try_from(random(&mut state) % 256).unwrap_or(0),
                2 => {
                    let word = words[random(&mut state) % words.len()];
                    text.splice(at..at, word.iter().copied());
                }
                _ => text.extend_from_within(..at),
            }
        }
        let file = home.file("x.stk", &text);
        for found in import::look(Path::new(&file)).unwrap_or_default() {
            // What was told as usable is usable.
            assert_eq!(found.answer.is_ok(), found.import.read().is_ok());
            seen += 1;
            whole += usize::from(found.answer.is_ok());
        }
    }
    assert!(seen > 20 && whole > 0, "{whole} of {seen}");
}

#[test]
fn reports_of_other_scanners_are_looked_at() {
    let home = Home::new("reports");
    let recorded = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reports");
        disk::read(&folder.join(name), 4 << 20).expect("recorded")
    };
    let trivy = recorded("trivy-0.68.json");
    home.file("etcd.json", &trivy);
    home.file("cp-1.log", &recorded("kube-bench-job.log"));
    home.file("cp-1.stk", &by_hand("kubeadm-cp"));
    let all = home.run(&["import", "."], Stdio::null());
    let text = said(&all);
    assert_eq!(all.status.code(), Some(0), "{text}");
    for words in [
        "etcd.json: report of Trivy 0.68.1, made 2026-11-20 09:11:12 UTC (",
        "  1 subjects, 4 results, failed: 1 critical, 2 high, 1 of no severity",
        "cp-1.log: report of kube-bench cis-1.12, which tells no time; the file is of 0 min ago",
        "cp-1.stk: host cp-1",
        "next: stakeout scan --import ./cp-1.stk",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
    home.file("cut.json", &trivy[..trivy.len() / 2]);
    let cut = home.run(&["import", "cut.json"], Stdio::null());
    assert_eq!(cut.status.code(), Some(3), "{}", said(&cut));
    let words =
        "not whole: expected the rest of the report of Trivy, found the end of the file at line";
    assert!(said(&cut).contains(words), "{}", said(&cut));
    home.file("other.json", b"{\"kind\": \"List\"}");
    let other = home.run(&["import", "other.json"], Stdio::null());
    assert_eq!(other.status.code(), Some(2), "{}", said(&other));
    let words = "nor is it a report: expected a JSON report of kube-bench, kube-hunter";
    assert!(said(&other).contains(words), "{}", said(&other));
    let words = "found an object with the keys kind at line 1, byte 0";
    assert!(said(&other).contains(words), "{}", said(&other));
}
