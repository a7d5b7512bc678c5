//! The program from outside: what is typed, what comes out, and the exit code, on the recorded fleet.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::scratch::Scratch;

/// A folder of its own for one test, which is also its home.
fn folder(name: &str) -> Scratch {
    Scratch::new(&format!("cli-{name}"))
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/demo.jsonl.zst")
}

/// Runs the program in an emptied environment.
fn run(home: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stakeout"));
    command
        .env_clear()
        .env("HOME", home)
        .current_dir(home)
        .args(words);
    command.output().expect("the program starts")
}

fn on_demo(home: &Path, words: &[&str]) -> Output {
    let from = demo().display().to_string();
    let mut all = vec!["--from", &from];
    all.extend(words);
    run(home, &all)
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the program writes UTF-8")
}

/// Error output has a message and a next step.
fn refused(output: &Output, words: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(code(output), 2, "{said}");
    assert!(
        said.starts_with("stakeout: ") && said.contains("\nnext: "),
        "{said}"
    );
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
}

#[test]
fn exit_codes_follow_what_is_proven_then_what_is_not_known() {
    let home = folder("codes");
    for (words, wanted) in [
        (&["scan"][..], 1),
        (
            &["scan", "--fail-on", "critical", "--check", "SP-FILE-009"],
            1,
        ),
        (
            &[
                "scan",
                "--fail-on",
                "critical",
                "--node",
                "cp-2",
                "--check",
                "MRG-002",
            ],
            0,
        ),
        (
            &["scan", "--fail-on", "critical", "--check", "SP-ISO-001"],
            3,
        ),
        (&["scan", "--node", "cp-2", "--check", "file-009"], 0),
        (&["scan", "--node", "pool-b-04"], 3),
        (&["--version"], 0),
        (&["checks"], 0),
        (&["explain", "kub-001"], 0),
        (&["scan", "--colour"], 2),
    ] {
        let output = on_demo(&home, words);
        assert_eq!(code(&output), wanted, "{words:?}: {}", text(&output.stderr));
    }
    let _ = std::fs::remove_dir_all(home);
}

#[test]
fn a_node_selects_its_own_findings_and_nothing_of_the_cluster() {
    let home = folder("node");
    let output = on_demo(&home, &["scan", "--output", "json", "--node", "cp-1"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let findings = report["findings"].as_array().expect("findings");
    assert!(!findings.is_empty());
    assert!(findings.iter().all(|finding| finding["node"] == "cp-1"));
    let _ = std::fs::remove_dir_all(home);
}

#[test]
fn the_report_has_its_schema() {
    let home = folder("json");
    let output = on_demo(&home, &["scan", "--output", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(report["schema"], 1);
    let findings = report["findings"].as_array().expect("findings");
    for finding in findings {
        let verdict = finding["verdict"].as_str().expect("a verdict");
        assert!(
            finding["check"]
                .as_str()
                .is_some_and(|id| id.starts_with("SP-")),
            "{finding}"
        );
        let evidence = finding["evidence"].as_array().expect("evidence");
        match verdict {
            "fail" => {
                assert!(
                    finding["severity"].is_string() && finding["subject"]["key"].is_string(),
                    "{finding}"
                );
                assert!(
                    finding["fix"]["verify"]
                        .as_str()
                        .is_some_and(|fix| fix.starts_with("stakeout scan"))
                );
                assert!(!evidence.is_empty(), "a fail without evidence: {finding}");
            }
            "unknown" => {
                let next = finding["gaps"][0]["next"].as_str();
                assert!(
                    next.is_some_and(|next| !next.is_empty() && !next.contains("NODE")),
                    "{finding}"
                );
            }
            "pass" | "not_applicable" => {
                assert!(!evidence.is_empty(), "a claim without evidence: {finding}");
            }
            other => panic!("no verdict is called {other}"),
        }
    }
    let _ = std::fs::remove_dir_all(home);
}

#[test]
fn bad_input_is_an_error_with_a_next_step() {
    let home = folder("bad");
    let whole = std::fs::read(demo()).expect("the fixture is there");
    std::fs::write(home.join("cut.zst"), &whole[..whole.len() / 2]).expect("a file can be written");
    std::fs::write(home.join("text"), "no snapshot\n").expect("a file can be written");
    std::fs::write(home.join("config.yaml"), "ssh:\n  port: many\n")
        .expect("a file can be written");
    refused(
        &run(&home, &["--from", "cut.zst", "scan"]),
        &["cut.zst", "readable before that"],
    );
    refused(
        &run(&home, &["--from", "text", "scan"]),
        &["text is no snapshot"],
    );
    refused(
        &run(&home, &["--from", "absent", "scan"]),
        &["cannot open absent"],
    );
    refused(
        &on_demo(&home, &["scan", "--node", "nobody"]),
        &["no node nobody", "cp-1"],
    );
    refused(
        &on_demo(&home, &["scan", "--check", "SP-XXX-1"]),
        &["no check SP-XXX-1"],
    );
    refused(&run(&home, &["explain", "nothing"]), &["no check nothing"]);
    refused(
        &run(&home, &["--config", "config.yaml", "scan"]),
        &["config.yaml:2"],
    );
    refused(
        &run(&home, &["sudoers", "print", "--user", "a b"]),
        &["sudoers"],
    );
    refused(&run(&home, &["scan"]), &["no node is known"]);
    refused(&run(&home, &["demo"]), &["needs a terminal"]);
    let _ = std::fs::remove_dir_all(home);
}

#[test]
fn a_snapshot_of_a_snapshot_is_the_same() {
    let home = folder("save");
    let output = on_demo(&home, &["snapshot", "save", "again.jsonl"]);
    assert_eq!(
        code(&output),
        3,
        "the fleet has gaps: {}",
        text(&output.stderr)
    );
    let again =
        stakeout::disk::snapshot::load(&home.join("again.jsonl")).expect("a whole snapshot");
    let first = stakeout::disk::snapshot::load(&demo()).expect("a whole snapshot");
    assert!(again == first);
    let _ = std::fs::remove_dir_all(home);
}

#[test]
fn an_unknown_key_warns_and_the_run_goes_on() {
    let home = folder("warn");
    std::fs::write(home.join("config.yaml"), "ssh:\n  usr: audit\n")
        .expect("a file can be written");
    let output = on_demo(&home, &["--config", "config.yaml", "scan"]);
    assert_eq!(code(&output), 1);
    let said = text(&output.stderr);
    assert!(
        said.contains("config.yaml:2: unknown key ssh.usr, did you mean user?"),
        "{said}"
    );
    let _ = std::fs::remove_dir_all(home);
}

#[test]
fn what_is_printed_is_what_is_compiled_in() {
    let home = folder("print");
    let script = run(&home, &["collector", "print"]);
    assert_eq!(text(&script.stdout), stakeout::probes::collector::script());
    let role = run(&home, &["rbac", "print"]);
    assert_eq!(
        text(&role.stdout),
        stakeout::probes::rights::cluster_role_yaml(&stakeout::checks::read, &[])
    );
    let plan = run(&home, &["plan"]);
    for word in [
        "GET /api/v1/pods",
        "GET /api/v1/nodes",
        "manifests",
        "sha256",
    ] {
        assert!(
            text(&plan.stdout).contains(word),
            "{word} is not in the plan"
        );
    }
    let _ = std::fs::remove_dir_all(home);
}

/// Whoever is asked for `ssh -G` is a script here: no more than a shell is needed.
#[test]
fn the_plan_shows_the_way_to_every_node() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = folder("routes");
    let script = "#!/bin/sh\nfor last; do :; done\ncase $last in\n\
                  w-1) echo proxyjump b1,b2;;\nw-2) echo proxycommand nc;;\nw-4) echo proxyjump b3;;\n\
                  b3) echo proxyjump b3;;\n*) echo user audit;;\nesac\n";
    std::fs::write(home.join("ssh"), script).expect("writable");
    let mode = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(home.join("ssh"), mode).expect("ours");
    let config = "hosts:\n  w-1: {}\n  w-2: {}\n  w-3: {address: 10.0.0.9, port: 2222}\n  w-4: {}\n  w-5: {api_only: true}\n";
    std::fs::write(home.join("config.yaml"), config).expect("writable");
    let output = Command::new(env!("CARGO_BIN_EXE_stakeout"))
        .env_clear()
        .env("HOME", &*home)
        .env("PATH", &*home)
        .args(["plan", "--config"])
        .arg(home.join("config.yaml"))
        .output()
        .expect("the program starts");
    let plan = text(&output.stdout);
    let (_, routes) = plan.split_once("\nRoutes, ").expect("the section");
    let routes: Vec<&str> = routes.lines().skip(1).collect();
    assert_eq!(
        routes[0],
        "  w-1: root@w-1 port 22, via b1, b2 (libssh2 lanes)"
    );
    assert_eq!(
        routes[1],
        "  w-2: root@w-2 port 22, system ssh: ssh_config has proxycommand nc"
    );
    assert_eq!(routes[2], "  w-3: audit@10.0.0.9 port 2222, straight");
    assert!(
        routes[3].contains("ProxyJump leads from b3 back to it; next: ssh -G w-4"),
        "{routes:?}"
    );
    assert_eq!(routes.len(), 4, "{routes:?}");
    let _ = std::fs::remove_dir_all(&home);
}
