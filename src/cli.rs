//! What was typed, nothing resolved.

mod compare;

pub use compare::{Diff, DiffOutput, Verify};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::checks::standard::{Level, Version};
use crate::model::verdict::Severity;

/// Security of Kubernetes static pods and the nodes that run them, from both sides. Read-only.
#[derive(Debug, Parser)]
#[command(name = "stakeout", version, about, arg_required_else_help = false, after_help = EXAMPLES)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "Examples:
  stakeout                         dashboard on the current context
  stakeout demo                    dashboard on a recorded fleet, no cluster needed
  stakeout scan --fail-on high     text report, exit 1 on high or critical findings
  stakeout scan --node cp-1 --check SP-FILE-009
  stakeout snapshot save run.zst   keep what a run saw
  stakeout --from run.zst          dashboard on it, without a cluster
  stakeout diff old.zst new.zst    what is new, fixed, changed
  stakeout scan --baseline old.zst --fail-on-new
  stakeout scan --local            on the node itself: without SSH
  stakeout scan --root /host       in a debug pod on the node
  stakeout lint manifests/         would Pod Security admission let these pods in
  stakeout trust --node cp-1       look at a host key that is not on file
  stakeout policy init             a policy of the static pods that are there
  stakeout plan                    every command and request before it is made

Exit codes: 0 ok, 1 findings at or above --fail-on, 2 error, 3 incomplete.
lint, verify and diff count otherwise: stakeout lint --help.";

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    /// Work on a snapshot file instead of a cluster
    #[arg(long, global = true, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Kubeconfig file; else KUBECONFIG, else ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// User to impersonate at the API server
    #[arg(long = "as", global = true, value_name = "USER")]
    pub as_user: Option<String>,
    /// Group to impersonate at the API server; repeat for several
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub as_group: Vec<String>,
    /// Configuration file; else $XDG_CONFIG_HOME/stakeout/config.yaml
    #[arg(long, global = true, value_name = "FILE", env = "STAKEOUT_CONFIG")]
    pub config: Option<PathBuf>,
    /// Only this node; repeat for several. Also names nodes when the API server is down
    #[arg(long = "node", global = true, value_name = "NAME")]
    pub nodes: Vec<String>,
    /// Policy file: declared static pods, pools and waivers; else the one of the configuration
    #[arg(long, global = true, value_name = "FILE", env = "STAKEOUT_POLICY")]
    pub policy: Option<PathBuf>,
    /// This machine is the node: read it here, without SSH
    #[arg(long, global = true, conflicts_with = "from")]
    pub local: bool,
    /// As --local, with the node's root mounted there: /host in a debug pod
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "from")]
    pub root: Option<PathBuf>,
    /// Node side from a file made by running the collector by hand; - is standard input; repeat for several
    #[arg(
        long = "import",
        global = true,
        value_name = "FILE",
        conflicts_with = "from"
    )]
    pub imports: Vec<PathBuf>,
    /// Theme of the dashboard
    #[arg(long, global = true, value_name = "NAME", env = "STAKEOUT_THEME")]
    pub theme: Option<String>,
    /// Colours of dashboard and text output
    #[arg(long, global = true, value_enum, default_value_t)]
    pub color: Color,
    /// At most one frame a second, for slow links
    #[arg(long, global = true)]
    pub slow: bool,
    /// Snapshot to compare with, the state that was approved; a signed one must verify
    #[arg(long, global = true, value_name = "FILE", env = "STAKEOUT_BASELINE")]
    pub baseline: Option<PathBuf>,
    /// Public key that must have signed the baseline
    #[arg(long, global = true, value_name = "PUB", env = "STAKEOUT_BASELINE_KEY")]
    pub baseline_key: Option<PathBuf>,
}

/// How many colours may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Never,
    #[value(name = "16")]
    Sixteen,
    #[value(name = "256")]
    Indexed,
    Rgb,
}

/// What to do; none: the dashboard.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Dashboard on a recorded fleet, without a cluster
    Demo,
    /// Collect once and report findings
    Scan(Scan),
    /// Why a check exists, its examples, fix and undo
    Explain {
        /// Id, with or without SP-
        id: String,
    },
    /// List all checks
    Checks,
    /// Show every command and API request before any is made
    Plan,
    /// Rights at the API server
    Rbac {
        #[command(subcommand)]
        print: PrintRights,
    },
    /// The script that runs on a node
    Collector {
        #[command(subcommand)]
        print: Print,
    },
    /// The sudoers rule for the installed collector
    Sudoers {
        #[command(subcommand)]
        print: PrintUser,
    },
    /// What the site allows on purpose
    Policy {
        #[command(subcommand)]
        action: Policy,
    },
    /// The line of authorized_keys for a key that may do nothing but run the collector
    AuthorizedKeys {
        #[command(subcommand)]
        print: PrintKey,
    },
    /// Look at answers of the collector that were made by hand, and at reports of other scanners (kube-bench,
    /// kube-hunter, Trivy, Clair): whose they are, how old, whether they are whole
    Import {
        /// Files or folders; - is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Keep what a run saw
    Snapshot {
        #[command(subcommand)]
        action: Snapshot,
    },
    /// Enter a root and become its shell; started by --root
    #[command(hide = true)]
    EnterRoot { root: PathBuf },
    /// Trust the host key of the one node that --node names
    Trust {
        /// The fingerprint as the host itself says it; without it the key is only shown
        #[arg(long, value_name = "SHA256:...")]
        fingerprint: Option<String>,
    },
    /// Whether a snapshot is whole, and who signed it
    Verify(Verify),
    /// What is new, fixed, changed or incomparable between two snapshots
    Diff(Diff),
    /// Judge pod manifests in files by the Pod Security Standards, without a cluster
    Lint(Lint),
}

/// `print` and nothing else: stakeout changes nothing by itself.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Print {
    /// Write it to standard output
    Print,
}

/// `print` with rights beyond the base.
#[derive(Clone, Debug, Subcommand)]
pub enum PrintRights {
    /// Write it to standard output
    Print {
        /// Rights beyond the base role; repeat for several
        #[arg(long, value_enum, value_name = "WHAT")]
        with: Vec<With>,
    },
}

/// A right beyond the base role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum With {
    /// What the kubelet itself says of its configuration and pods (nothing asks for it in this version)
    KubeletApi,
    /// Expiration and usages of bootstrap tokens (SP-KUB-019)
    BootstrapTokens,
}

/// `print` for a login.
#[derive(Clone, Debug, Subcommand)]
pub enum PrintUser {
    /// Write it to standard output
    Print {
        /// The login that may run the collector
        #[arg(long, default_value = "audit", value_name = "NAME")]
        user: String,
    },
}

/// What to do with policies.
#[derive(Clone, Debug, Subcommand)]
pub enum Policy {
    /// Write a policy of the static pods that are there to standard output
    Init,
    /// Read a policy and say what in it is not understood
    Check { file: PathBuf },
}

/// `print` for a key.
#[derive(Clone, Debug, Subcommand)]
pub enum PrintKey {
    /// Write it to standard output
    Print {
        /// The login is this user and reaches root by its sudoers rule; without: it is root
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// File of the public key; - is standard input
        #[arg(long, default_value = "-", value_name = "FILE")]
        key: PathBuf,
    },
}

/// What to do with snapshots.
#[derive(Clone, Debug, Subcommand)]
pub enum Snapshot {
    /// Collect once and write a snapshot file (.zst: packed)
    Save {
        file: PathBuf,
        /// Sign it with this key: stakeout snapshot key KEY makes one
        #[arg(long, value_name = "KEY")]
        sign: Option<PathBuf>,
    },
    /// Make a key to sign snapshots with, mode 0600, and FILE.pub to verify them
    Key { file: PathBuf },
}

/// Options of `scan`.
#[derive(Args, Clone, Debug)]
pub struct Scan {
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    /// Only this check; repeat for several
    #[arg(long = "check", value_name = "ID")]
    pub checks: Vec<String>,
    /// Least severity that makes the exit code 1
    #[arg(long, value_enum, default_value_t = Threshold::Low)]
    pub fail_on: Threshold,
    /// Also list what passed and what does not apply
    #[arg(long)]
    pub all: bool,
    /// Exit 1 only for what is new or worse since --baseline
    #[arg(long)]
    pub fail_on_new: bool,
}

/// Format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    #[default]
    Text,
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// JUnit XML
    Junit,
    /// Markdown
    Md,
}

/// A severity as an option value; info never fails a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Threshold {
    Low,
    Medium,
    High,
    Critical,
}

impl From<Threshold> for Severity {
    fn from(threshold: Threshold) -> Self {
        match threshold {
            Threshold::Low => Self::Low,
            Threshold::Medium => Self::Medium,
            Threshold::High => Self::High,
            Threshold::Critical => Self::Critical,
        }
    }
}

/// Options of `lint`.
#[derive(Args, Clone, Debug)]
#[command(after_help = LINT)]
pub struct Lint {
    /// Files, folders (searched for .yaml, .yml and .json), or - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// privileged, baseline or restricted
    #[arg(long, default_value = "baseline", value_name = "LEVEL")]
    pub level: Level,
    /// Version of the standards, such as 1.34; or latest
    #[arg(long, default_value = "latest", value_name = "1.N", value_parser = kubernetes)]
    pub kubernetes: Version,
    #[arg(long, value_enum, default_value_t)]
    pub output: LintOutput,
    /// Also exit 1 where a check fails at least so badly; else only the level decides
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<Threshold>,
}

const LINT: &str =
    "Pods, and the pods of workloads (Deployment, StatefulSet, DaemonSet, ReplicaSet,
ReplicationController, Job, CronJob, PodTemplate) and of lists, in every document.
Other objects are skipped. Hidden files and linked folders are not looked into.

Exit codes: 0 allowed, 1 not allowed, 2 something could not be read or is no valid pod.";

/// `1.34`, `v1.34` or `latest`.
fn kubernetes(text: &str) -> Result<Version, &'static str> {
    const WANT: &str = "must be 1.N, as in 1.34, or latest";
    let plain = text.strip_prefix('v').unwrap_or(text);
    let label = if text == "latest" {
        text.to_owned()
    } else {
        format!("v{plain}")
    };
    label.parse().map_err(|_| WANT)
}

/// Format of what `lint` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LintOutput {
    #[default]
    Text,
    /// One object a line
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// JUnit XML
    Junit,
}
