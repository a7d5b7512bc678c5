//! Accepting a risk on a real terminal, down to the policy file.

use portable_pty::CommandBuilder;

use super::Terminal;
use crate::scratch::Scratch;

#[test]
fn an_accepted_risk_stands_in_the_policy_file() {
    let folder = Scratch::new("accept");
    let real = folder.join("kept-in-git.yaml");
    let before = "# ours\nversion: 1\nwaivers: []  # none yet\n\n# the end\n";
    std::fs::write(&real, before).expect("a file");
    let policy = folder.join("policy.yaml");
    std::os::unix::fs::symlink("kept-in-git.yaml", &policy).expect("a link");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_stakeout"));
    command.arg("demo");
    command.arg("--policy");
    command.arg(&policy);
    command.env_clear();
    command.env("TERM", "xterm-256color");
    command.env("HOME", &*folder);
    let mut terminal = Terminal::start(command);
    terminal.wait("48 nodes");
    terminal.press(":node cp-1\r");
    // Until the node was read its rows are unknown, and nothing unknown can be accepted.
    terminal.wait("SP-FILE-009");
    terminal.press("\r");
    terminal.wait("FAIL ");
    terminal.press("a");
    terminal.wait("+-- accept SP-");
    terminal.press("platform-team\rticket: SEC-412\r\r");
    terminal.wait("ACCEPTED");
    terminal.wait("accepted by platform-team");
    terminal.press(":q\r");
    terminal.ended();
    let after = std::fs::read_to_string(&real).expect("text");
    assert!(
        after.starts_with("# ours\nversion: 1\nwaivers:  # none yet\n  - check: SP-"),
        "{after}"
    );
    assert!(after.ends_with("\n\n# the end\n"), "{after}");
    assert!(
        after.contains("    reason: \"ticket: SEC-412\"\n"),
        "{after}"
    );
    assert!(policy.is_symlink(), "a link stays a link");
    let left: Vec<_> = std::fs::read_dir(&folder)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().starts_with(".kept"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // What was typed is offered again.
    let history = folder.join(".local/state/stakeout/history");
    let history = std::fs::read_to_string(history).expect("text");
    assert_eq!(history, "node cp-1\nq\n");
}
