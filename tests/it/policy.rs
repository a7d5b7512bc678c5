//! The site's policy: what it accepts stays visible, what it declares is held, what lapsed is a finding.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::scratch::Scratch;

fn folder(name: &str) -> Scratch {
    Scratch::new(&format!("policy-{name}"))
}

fn run(home: &Path, words: &[&str]) -> Output {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/demo.jsonl.zst");
    Command::new(env!("CARGO_BIN_EXE_stakeout"))
        .env_clear()
        .env("HOME", home)
        .arg("--from")
        .arg(from)
        .args(words)
        .output()
        .expect("the program starts")
}

/// Findings of a check as the JSON report has them.
fn findings(home: &Path, words: &[&str]) -> (Option<i32>, Value) {
    let output = run(home, words);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout);
    (
        output.status.code(),
        report.unwrap_or_else(|_| panic!("{error}")),
    )
}

const CHECK: &[&str] = &["scan", "--check", "SP-FILE-009", "--output", "json"];

/// A waiver for every offence of SP-FILE-009 in the recorded fleet.
fn waivers(report: &Value, expires: &str, severity: &str) -> String {
    let mut out = String::from("version: 1\nwaivers:\n");
    for finding in report["findings"].as_array().expect("findings") {
        if finding["verdict"] == "fail" {
            let (node, subject) = (&finding["node"], &finding["subject"]["key"]);
            out.push_str(&format!(
                "  - {{check: FILE-009, node: {node}, subject: {subject}, severity: {severity}, owner: ops, reason: known, expires: {expires}}}\n"
            ));
        }
    }
    out
}

#[test]
fn what_is_accepted_stays_visible_and_does_not_fail_a_run() {
    let home = folder("accepted");
    let file = home.join("policy.yaml");
    let path = file.display().to_string();
    let (code, before) = findings(&home, CHECK);
    assert_eq!(code, Some(1));
    std::fs::write(&file, waivers(&before, "2999-01-01", "critical")).expect("written");
    let with = [&["--policy", &path], CHECK].concat();
    let (code, after) = findings(&home, &with);
    assert_ne!(code, Some(1), "{after:#}");
    let count = |report: &Value| {
        let all = report["findings"].as_array().expect("findings");
        all.iter().filter(|it| it["verdict"] == "fail").count()
    };
    assert_eq!(count(&before), count(&after));
    assert_eq!(after["totals"]["accepted"], count(&before));
    assert_eq!(after["findings"][0]["accepted"]["owner"], "ops");
    let text = run(
        &home,
        &["--policy", &path, "scan", "--check", "SP-FILE-009"],
    );
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("ACCEPTED critical") && text.contains("accepted by ops until"),
        "{text}"
    );

    // A worse finding than what was accepted stays open, and so does one whose waiver has lapsed.
    for (expires, severity, said) in [
        ("2999-01-01", "low", "the finding is worse now"),
        ("2020-01-01", "critical", "lapsed on 2020-01-01, ask ops"),
    ] {
        std::fs::write(&file, waivers(&before, expires, severity)).expect("written");
        let (code, report) = findings(&home, &with);
        assert_eq!(code, Some(1), "{severity} until {expires}");
        assert_eq!(report["totals"]["accepted"], 0);
        let policy = [
            "--policy", &path, "scan", "--check", "POL-001", "--output", "json",
        ];
        let (_, report) = findings(&home, &policy);
        let first = &report["findings"][0];
        let message = first["message"].as_str().unwrap_or_default();
        assert!(message.contains(said), "{message}");
        assert!(
            first["evidence"][0]["excerpt"]
                .as_str()
                .is_some_and(|it| it.contains("owner: ops")),
            "{first:#}"
        );
    }
}

#[test]
fn a_policy_made_of_what_is_there_declares_all_of_it() {
    let home = folder("init");
    let made = run(&home, &["policy", "init"]);
    assert_eq!(
        made.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let file = home.join("policy.yaml");
    std::fs::write(&file, &made.stdout).expect("written");
    let path = file.display().to_string();
    let checked = run(&home, &["policy", "check", &path]);
    assert_eq!(
        checked.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let words = [
        "--policy", &path, "scan", "--check", "MRG-026", "--output", "json",
    ];
    let (_, report) = findings(&home, &words);
    assert_eq!(report["totals"]["high"], 0, "{report:#}");
    assert!(report["totals"]["pass"].as_u64() > Some(0), "{report:#}");

    // One static pod fewer in the policy, one finding for each node that has it.
    let text = String::from_utf8(made.stdout).expect("text");
    let without = text.replace("kube-system/kube-scheduler", "kube-system/other");
    assert_ne!(text, without);
    std::fs::write(&file, without).expect("written");
    let (code, report) = findings(&home, &words);
    assert_eq!(code, Some(1));
    let message = report["findings"][0]["message"]
        .as_str()
        .unwrap_or_default();
    assert_eq!(
        message,
        "kube-system/kube-scheduler is not declared for this node"
    );
}

#[test]
fn a_policy_that_cannot_be_meant_is_refused_with_its_line() {
    let home = folder("refused");
    let file = home.join("p.yaml");
    std::fs::write(&file, "version: 1\npools:\n  - {name: a, nodes: {}}\n").expect("written");
    let output = run(&home, &["--policy", &file.display().to_string(), "scan"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("p.yaml:3: the pool a names no nodes") && said.contains("\nnext: "),
        "{said}"
    );
}
