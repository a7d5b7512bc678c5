//! `stakeout scan --output json` through the built binary, read back as rows.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use serde_json::Value;
use stakeout::model::fact::{Need, Side};

use super::stage::Stage;

/// How a scan reaches API server and nodes.
#[derive(Clone)]
pub struct Way {
    pub kubeconfig: PathBuf,
    pub login: &'static str,
    /// Where the inventory of the last run is kept.
    pub state: PathBuf,
}

impl Way {
    /// The cluster's administrator, and root on every node.
    pub fn administrator(stage: &Stage) -> Self {
        Self {
            kubeconfig: stage.fact("KUBECONFIG").into(),
            login: "root",
            state: stage.folder().join("state"),
        }
    }
}

/// What a run printed.
pub struct Report {
    pub code: i32,
    pub rows: Vec<Finding>,
    pub nodes: Vec<Host>,
    pub took: Duration,
}

/// One object of `nodes[]`.
pub struct Host {
    pub name: String,
    pub collect: String,
    pub uid: Option<u64>,
    pub way: String,
    pub cause: String,
    pub next: String,
}

impl Report {
    /// The verdict of a check, as a whole, for a node or the cluster.
    pub fn of<'a>(&'a self, check: &str, node: Option<&str>) -> impl Iterator<Item = &'a Finding> {
        let rows = self.rows.iter();
        rows.filter(move |row| row.check == check && row.node.as_deref() == node)
    }
}

/// One object of `findings[]`.
pub struct Finding {
    pub check: String,
    pub node: Option<String>,
    pub subject: Option<String>,
    pub verdict: String,
    pub severity: Option<String>,
    pub message: String,
    pub sides: BTreeSet<Side>,
    pub gaps: Vec<Cause>,
}

/// Why something is not known.
pub struct Cause {
    pub kind: String,
    pub words: String,
    pub next: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let or_dash = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".into());
        let (node, subject) = (or_dash(&self.node), or_dash(&self.subject));
        let severity = self.severity.as_deref().unwrap_or_default();
        let Self {
            check,
            verdict,
            message,
            ..
        } = self;
        write!(
            f,
            "{check} {node} {subject}: {verdict} {severity}: {message}"
        )
    }
}

impl Finding {
    pub fn failed(&self) -> bool {
        self.verdict == "fail"
    }

    /// What a trial changed, and changed back, is newer than the kubelet until that starts again.
    pub fn is_of_age(&self) -> bool {
        self.check == "SP-FILE-017"
            && self.failed()
            && self.gaps.is_empty()
            && self.message.ends_with(", while the kubelet ran")
    }

    /// Unknown as a whole, or beside what is proven.
    pub fn is_open(&self) -> bool {
        self.verdict == "unknown" || !self.gaps.is_empty()
    }
}

/// Runs a scan from the jump host.
///
/// # Errors
/// Where it prints no report: exit code 2, a signal, or no end within a minute.
pub fn scan(stage: &Stage, way: &Way, arguments: &[&str]) -> Result<Report, Failed> {
    let config = stage.folder().join(format!("config-{}.yaml", way.login));
    let ssh = stage.fact("SSH_CONFIG");
    let text = format!("version: 1\nssh: {{user: {}, config: {ssh}}}\n", way.login);
    std::fs::write(&config, text)?;
    let mut command = Command::new("nsenter");
    command
        .arg(format!("--net={}", stage.fact("NETNS")))
        .args(["timeout", "60", env!("CARGO_BIN_EXE_stakeout")])
        .arg("--kubeconfig")
        .arg(&way.kubeconfig)
        .arg("--config")
        .arg(&config)
        .args(["scan", "--output", "json"])
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .env("HOME", stage.folder())
        .env("XDG_STATE_HOME", &way.state)
        .stdin(Stdio::null());
    let started = Instant::now();
    let output = command.output()?;
    let took = started.elapsed();
    let words = String::from_utf8_lossy(&output.stderr);
    let value: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{arguments:?}: {error}: {}: {words}", output.status))?;
    Ok(Report {
        code: output.status.code().unwrap_or(-1),
        rows: each(&value["findings"]).map(finding).collect(),
        nodes: each(&value["nodes"]).map(host).collect(),
        took,
    })
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn host(value: &Value) -> Host {
    Host {
        name: word(&value["name"]),
        collect: word(&value["collect"]),
        uid: value["uid"].as_u64(),
        way: word(&value["way"]),
        cause: word(&value["cause"]),
        next: word(&value["next"]),
    }
}

fn finding(value: &Value) -> Finding {
    let optional = |value: &Value| value.as_str().map(str::to_owned);
    let needs: BTreeSet<String> = each(&value["evidence"])
        .map(|one| word(&one["need"]))
        .collect();
    let sides = Need::ALL.iter().filter(|need| needs.contains(need.name()));
    let cause = |gap: &Value| Cause {
        kind: word(&gap["gap"]["gap"]),
        words: word(&gap["message"]),
        next: word(&gap["next"]),
    };
    Finding {
        check: word(&value["check"]),
        node: optional(&value["node"]),
        subject: optional(&value["subject"]["key"]),
        verdict: word(&value["verdict"]),
        severity: optional(&value["severity"]),
        message: word(&value["message"]),
        sides: sides.map(|need| need.side()).collect(),
        gaps: each(&value["gaps"]).map(cause).collect(),
    }
}
