//! The cluster that the trials share: brought up once, used by one trial at a time, taken down at the end.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

use super::expected::{self, Row};
use super::scan::{self, Report, Way};

const HARNESS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/cluster");

/// How long the cluster may take until nothing of a flaw is left.
const CLEANING: Duration = Duration::from_secs(100);

/// What a script on a node can say: `place FILE` makes a manifest of its input, whole from the first moment;
/// `displace FILE` takes it away, with the folder where that was made for it; `modest NAMESPACE NAME [METADATA]`
/// prints a pod that asks for nothing; `renew_kubelet` starts the kubelet anew and waits for it.
const WORDS: &str = r#"
place() {
    mkdir -p -m 0700 /etc/kubernetes/manifests
    (umask 077 && cat >/root/manifest && mv /root/manifest /etc/kubernetes/manifests/$1)
}
displace() {
    rm /etc/kubernetes/manifests/$1
    rmdir --ignore-fail-on-non-empty /etc/kubernetes/manifests
}
modest() {
    cat <<END
apiVersion: v1
kind: Pod
metadata: {name: $2, namespace: $1${3:-}}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {runAsUser: 1000, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: c
    image: $IMAGE
    command: [sleep, "3600"]
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
END
}
renew_kubelet() {
    old=$(cat /run/keep/kubelet.pid)
    kill "$old"
    until new=$(cat /run/keep/kubelet.pid) && [ "$new" != "$old" ] &&
        busybox wget -q -O /dev/null http://127.0.0.1:10248/healthz; do sleep 0.1; done
}
"#;

static STAGE: Mutex<State> = Mutex::new(State::New);

enum State {
    New,
    Up(Box<Stage>),
    /// Why it did not come up; said again to every trial.
    Failed(String),
}

/// A cluster that is up.
pub struct Stage {
    facts: BTreeMap<String, String>,
    folder: PathBuf,
    /// Takes the cluster down when its standard input ends. None: it was up before.
    guard: Option<Child>,
    /// What a clean cluster shows.
    pub expected: Vec<Row>,
}

/// What the machine lacks for a cluster, in the harness's words.
pub fn lacks() -> Option<String> {
    let output = Command::new(HARNESS).arg("check").output();
    match output {
        Err(error) => Some(format!("bash: {error}")),
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr);
            let words = words.trim().trim_start_matches("cluster: ");
            Some(words.trim_start_matches("no ").to_owned())
        }
    }
}

/// Runs one step on a clean cluster, alone, and says how long it took.
pub fn with(step: &str, run: impl FnOnce(&Stage) -> Result<(), Failed>) -> Result<(), Failed> {
    let mut state = lock();
    if matches!(*state, State::New) {
        *state = match Stage::up() {
            Ok(stage) => State::Up(Box::new(stage)),
            Err(error) => State::Failed(error),
        };
    }
    let stage = match &*state {
        State::Up(stage) => stage,
        State::Failed(error) => return Err(error.as_str().into()),
        State::New => return Err("no cluster".into()),
    };
    stage.wait_until_clean(CLEANING)?;
    let started = Instant::now();
    let outcome = run(stage);
    say(step, started.elapsed());
    outcome
}

/// Takes down what was brought up. To be called before the process ends; where it is not, the guard does the same.
pub fn end() {
    let mut state = lock();
    if let State::Up(stage) = std::mem::replace(&mut *state, State::Failed("it is down".into())) {
        let started = Instant::now();
        drop(stage);
        say("down", started.elapsed());
    }
}

fn lock() -> MutexGuard<'static, State> {
    STAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A measured time, on standard error beside the names of the trials.
pub fn say(what: &str, took: Duration) {
    let _ = writeln!(
        std::io::stderr(),
        "cluster: {what}: {:.1} s",
        took.as_secs_f64()
    );
}

impl Stage {
    fn up() -> Result<Self, String> {
        let started = Instant::now();
        let expected = expected::rows()?;
        let folder = std::env::temp_dir().join(format!("stakeout-trials-{}", std::process::id()));
        stakeout::disk::make_folder(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        let given = std::env::var("STAKEOUT_CLUSTER_DIR")
            .ok()
            .map(PathBuf::from);
        let was_up = given.as_ref().is_some_and(|dir| dir.join("up").exists());
        let dir = given.unwrap_or_else(|| folder.join("cluster"));
        let guard = if was_up {
            None
        } else {
            Some(guard(&dir, &folder)?)
        };
        let mut stage = Self {
            facts: BTreeMap::from([("STAKEOUT_CLUSTER_DIR".to_owned(), dir.display().to_string())]),
            folder,
            guard,
            expected,
        };
        let log = stage.folder.join("up.log");
        let told = std::fs::File::create(&log).map_err(|error| error.to_string())?;
        let status = stage
            .harness(&["up"])
            .stdout(Stdio::null())
            .stderr(told)
            .status();
        if !status.is_ok_and(|status| status.success()) {
            let words = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(format!("the cluster does not come up:\n{words}"));
        }
        let env = stage.harness(&["env", "--json"]).output();
        let env = env.map_err(|error| error.to_string())?.stdout;
        stage.facts = serde_json::from_slice(&env).map_err(|error| error.to_string())?;
        say("up", started.elapsed());
        Ok(stage)
    }

    /// What `cluster env` says, without the prefix of its names.
    pub fn fact(&self, name: &str) -> &str {
        let name = format!("STAKEOUT_CLUSTER_{name}");
        self.facts.get(&name).map_or("", String::as_str)
    }

    /// A place for a trial's own files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn harness(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(HARNESS);
        command.args(arguments).stdin(Stdio::null());
        command.env("STAKEOUT_CLUSTER_DIR", self.fact("DIR"));
        command
    }

    /// Runs a shell script as root inside a node; `$IMAGE` is one that its containers can have, and see [`WORDS`].
    pub fn on(&self, node: &str, script: &str) -> Result<String, Failed> {
        let image = self.fact("IMAGE");
        let text = format!("IMAGE={image}\n{WORDS}{script}");
        let command = self.harness(&["exec", node, "timeout", "60", "sh", "-euc", &text]);
        answer(command, &format!("on {node}: {script}"))
    }

    /// Runs a shell script where the API server can be reached, with `kubectl` as its administrator
    /// and `$CLUSTER` as the harness.
    pub fn at_jump(&self, script: &str) -> Result<String, Failed> {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = self.harness(&["ns", "sh", "-euc", script]);
        command
            .env("PATH", format!("{}:{path}", self.fact("BIN")))
            .env("KUBECONFIG", self.fact("KUBECONFIG"))
            .env("CLUSTER", HARNESS);
        answer(command, script)
    }

    /// Whether the API server does.
    pub fn answers(&self) -> bool {
        let ask = "kubectl get --raw /livez --request-timeout 2s";
        self.at_jump(ask).is_ok()
    }

    /// Stops or starts what systemd would keep running on a node.
    pub fn service(&self, verb: &str, node: &str, name: &str) -> Result<(), Failed> {
        answer(
            self.harness(&[verb, node, name]),
            &format!("{verb} {name} on {node}"),
        )?;
        Ok(())
    }

    /// What a command that only prints has to say.
    pub fn printed(&self, arguments: &[&str]) -> Result<String, Failed> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stakeout"));
        command.args(arguments).env("HOME", &self.folder);
        answer(command, &arguments.join(" "))
    }

    /// Scans until the cluster shows what a clean one shows.
    pub fn wait_until_clean(&self, limit: Duration) -> Result<Report, Failed> {
        let until = Instant::now() + limit;
        let way = Way::administrator(self);
        loop {
            let report = scan::scan(self, &way, &["--all"])?;
            let strange = expected::strange(&report, &self.expected);
            if strange.is_empty() {
                return Ok(report);
            }
            if Instant::now() > until {
                let words = strange.join("\n");
                return Err(format!("the cluster is not clean after {limit:?}:\n{words}").into());
            }
            pause();
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(guard) = &mut self.guard {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A process of its own session that outlives this one, whatever ends it, by just as long as `down` takes; then
/// `folder` goes too.
fn guard(dir: &Path, folder: &Path) -> Result<Child, String> {
    Command::new("setsid")
        .args(["sh", "-c", "cat; \"$0\" down; rm -rf \"$1\"", HARNESS])
        .arg(folder)
        .env("STAKEOUT_CLUSTER_DIR", dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("setsid: {error}"))
}

/// Between two looks at something that is waited for.
pub fn pause() {
    std::thread::sleep(Duration::from_millis(400));
}

fn answer(mut command: Command, what: &str) -> Result<String, Failed> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| format!("{what}: {error}"))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&stderr);
    Err(format!("{what}\n{status}: {}", words.trim()).into())
}
