//! The whole program on a terminal and on nodes that want a password: it is asked for, and nothing typed is shown.

use portable_pty::CommandBuilder;
use rustix::process::Signal;
use stakeout::disk;

use super::Terminal;
use crate::farm::{self, Farm, Fault, Gate};
use crate::scratch::Scratch;

const PASSWORD: &str = "hunter2hunter2";

/// Two nodes of a farm, and a configuration that leads to them without an API server.
struct Lab {
    _farm: Farm,
    folder: Scratch,
}

impl Lab {
    fn new(name: &str) -> Self {
        let faults = [Fault::Gate(Gate::Password(PASSWORD)); 2];
        let farm = Farm::start(&faults, |_, _, _| farm::Answer::default()).expect("a farm");
        let folder = Scratch::new(&format!("pty-{name}"));
        let (known, _) = farm.write_files(&folder).expect("writable");
        let mut config = format!(
            "version: 1\nssh: {{user: audit, port: {}, known_hosts: ['{}'], identities: [/nonexistent], config: '{}'}}\nhosts:\n",
            farm.port(),
            known.display(),
            folder.join("no-ssh-config").display()
        );
        for node in 0..2 {
            config.push_str(&format!("  n{node}: {{address: {}}}\n", farm.address(node)));
        }
        let path = folder.join("config.yaml");
        disk::write(&path, |out| out.write_all(config.as_bytes())).expect("writable");
        Self {
            _farm: farm,
            folder,
        }
    }

    fn start(&self, words: &[&str]) -> Terminal {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_stakeout"));
        command.args(words);
        command.arg("--config");
        command.arg(self.folder.join("config.yaml"));
        command.env_clear();
        command.env("HOME", &*self.folder);
        command.env("KUBECONFIG", self.folder.join("no-kubeconfig"));
        command.env("PATH", &*self.folder);
        command.env("TERM", "xterm-256color");
        Terminal::start(command)
    }
}

/// No piece of what was typed is among the bytes on the screen, or in a file.
#[track_caller]
fn nothing_is_shown(lab: &Lab, terminal: &Terminal) {
    let raw = terminal.look(|seen| seen.raw.clone());
    let holds = |bytes: &[u8]| bytes.windows(7).any(|window| window == b"hunter2");
    assert!(!holds(&raw), "{}", String::from_utf8_lossy(&raw));
    let mut folders = vec![lab.folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                assert!(!holds(&std::fs::read(entry.path()).expect("a file")));
            }
        }
    }
}

#[test]
fn scan_asks_on_its_terminal() {
    let lab = Lab::new("scan");
    let mut terminal = lab.start(&["scan"]);
    terminal.wait("password of audit, for n");
    terminal.wait("password:");
    terminal.press("wrong\r");
    terminal.wait("refused it");
    terminal.press(&format!("x\x15{PASSWORD}\r"));
    // The nodes of this farm answer nothing: they are read as far as their shell.
    terminal.wait("no-shell");
    terminal.ended();
    terminal.clean();
    nothing_is_shown(&lab, &terminal);
}

#[test]
fn scan_gives_the_echo_back_when_it_is_ended() {
    for end in ["\x03", "TERM"] {
        let lab = Lab::new("ended");
        let mut terminal = lab.start(&["scan"]);
        terminal.wait("password:");
        match end {
            "TERM" => terminal.kill(Signal::TERM),
            keys => terminal.press(keys),
        }
        terminal.ended();
        terminal.clean();
    }
}

#[test]
fn scan_goes_on_without_an_answer() {
    let lab = Lab::new("declined");
    let mut terminal = lab.start(&["scan"]);
    terminal.wait("password:");
    terminal.press("\x04");
    terminal.ended();
    terminal.until("the reason", |seen| {
        String::from_utf8_lossy(&seen.raw).contains("was not given")
    });
    terminal.clean();
}

#[test]
fn the_dashboard_asks_in_a_dialog() {
    let lab = Lab::new("dashboard");
    let mut terminal = lab.start(&[]);
    terminal.wait("-- password of audit, for n");
    terminal.press(PASSWORD);
    terminal.wait("(typed, not shown)");
    terminal.press("\r");
    terminal.wait("no-shell");
    terminal.press(":q\r");
    terminal.ended();
    terminal.clean();
    nothing_is_shown(&lab, &terminal);
}
