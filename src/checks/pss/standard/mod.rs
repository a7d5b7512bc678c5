//! The Pod Security Standards: what each level of each version forbids, in the words of Pod Security Admission.
//!
//! Lives here: the controls, one file each, with the versions in which they changed; which of them a level has;
//! the message that the API server sends. Never lives here: which level holds where, and what a finding makes
//! of it. Ids, order and messages are those of k8s.io/pod-security-admission v0.37.2.

mod blame;
mod field;
mod path;
mod shape;
mod words;

mod allow_privilege_escalation;
mod app_armor_profile;
mod capabilities_baseline;
mod capabilities_restricted;
mod host_namespaces;
mod host_path_volumes;
mod host_ports;
mod host_probes;
mod privileged;
mod proc_mount;
mod proc_mount_restricted;
mod restricted_volumes;
mod run_as_non_root;
mod run_as_user;
mod se_linux_options;
mod seccomp_baseline;
mod seccomp_restricted;
mod sysctls;
mod windows_host_process;

use std::fmt;
use std::str::FromStr;

/// Capabilities that baseline lets containers add: what runtimes give by default, without NET_RAW.
pub const DEFAULT_CAPABILITIES: &[&str] = &capabilities_baseline::DEFAULT;

pub use blame::{Change, Want};
pub use field::Malformed;
pub use path::{Path, Step};
pub use shape::Shape;

/// How strict a standard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Privileged,
    Baseline,
    Restricted,
}

impl Level {
    /// As labels spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "privileged" => Ok(Self::Privileged),
            "baseline" => Ok(Self::Baseline),
            "restricted" => Ok(Self::Restricted),
            _ => Err("must be one of privileged, baseline, restricted"),
        }
    }
}

/// Version of the standards: that of a Kubernetes minor, or the newest that the judge has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    Minor(u32),
    Latest,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minor(minor) => write!(f, "v1.{minor}"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

impl FromStr for Version {
    type Err = &'static str;

    /// As the labels are read: `latest` or `v1.N`, nothing before or behind it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANT: &str = "must be \"latest\" or \"v1.x\"";
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let minor = text.strip_prefix("v1.").ok_or(WANT)?;
        let plain = minor.bytes().all(|byte| byte.is_ascii_digit())
            && (minor == "0" || !minor.starts_with('0'));
        let minor = plain.then(|| minor.parse().ok()).flatten();
        minor.map(Self::Minor).ok_or(WANT)
    }
}

/// A level in one version, the way admission names what was violated: `baseline:latest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Standard {
    pub level: Level,
    pub version: Version,
}

impl Standard {
    pub const fn new(level: Level, version: Version) -> Self {
        Self { level, version }
    }

    /// The newest version of a level.
    pub const fn latest(level: Level) -> Self {
        Self::new(level, Version::Latest)
    }

    /// What an API server of minor `server` makes of it: it knows nothing newer than itself.
    #[must_use]
    pub fn as_known_to(self, server: u32) -> Self {
        Self::new(self.level, self.version.min(Version::Minor(server)))
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.level, self.version)
    }
}

/// One rule of the standards.
pub struct Control {
    /// As upstream spells it.
    pub id: &'static str,
    /// The least level that has it.
    pub level: Level,
    /// How it reads from which minor on, oldest first.
    revisions: &'static [Revision],
}

struct Revision {
    since: u32,
    /// A baseline control that is not asked where this one is.
    overrides: Option<&'static str>,
    judge: Judge,
}

type Judge = fn(&Shape<'_>) -> Option<Violation>;

impl Revision {
    const fn since(since: u32, judge: Judge) -> Self {
        Self {
            since,
            overrides: None,
            judge,
        }
    }

    const fn overriding(self, id: &'static str) -> Self {
        Self {
            overrides: Some(id),
            ..self
        }
    }
}

impl Control {
    fn revision(&self, minor: u32) -> Option<&Revision> {
        let known = self.revisions.iter().rev();
        known.into_iter().find(|revision| revision.since <= minor)
    }

    /// The minors from which on it reads differently.
    pub fn steps(&self) -> impl Iterator<Item = u32> {
        self.revisions.iter().map(|revision| revision.since)
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// What a pod does against a control.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Id of the control, as upstream spells it.
    pub id: &'static str,
    /// Upstream's `ForbiddenReason`.
    pub reason: &'static str,
    /// Upstream's `ForbiddenDetail`. Holds words of the manifest: clean it before it is shown.
    pub detail: String,
    /// Names of the containers at fault, in the order in which admission visits them.
    pub containers: Vec<String>,
    /// The fields at fault; one that is missing has the path that it would have.
    pub fields: Vec<Path>,
    /// What would satisfy the control, all of it together.
    pub changes: Vec<Change>,
}

/// As admission joins the parts: `privileged (container "a" must not set ...)`.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)?;
        if self.detail.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", self.detail)
    }
}

/// All controls, those of baseline before those of restricted, each by id: the order of messages.
pub const CONTROLS: &[&Control] = &[
    &app_armor_profile::CONTROL,
    &capabilities_baseline::CONTROL,
    &host_namespaces::CONTROL,
    &host_path_volumes::CONTROL,
    &host_ports::CONTROL,
    &host_probes::CONTROL,
    &privileged::CONTROL,
    &proc_mount::CONTROL,
    &se_linux_options::CONTROL,
    &seccomp_baseline::CONTROL,
    &sysctls::CONTROL,
    &windows_host_process::CONTROL,
    &allow_privilege_escalation::CONTROL,
    &capabilities_restricted::CONTROL,
    &proc_mount_restricted::CONTROL,
    &restricted_volumes::CONTROL,
    &run_as_non_root::CONTROL,
    &run_as_user::CONTROL,
    &seccomp_restricted::CONTROL,
];

/// The newest minor in which a control changed. A later version reads as this one.
pub fn newest() -> u32 {
    let steps = CONTROLS.iter().flat_map(|control| control.steps());
    steps.max().unwrap_or_default()
}

/// What a pod does against a standard; nothing: it is allowed.
///
/// ```
/// use serde_json::json;
/// use stakeout::checks::standard::{Level, Shape, Standard, evaluate, refusal};
/// use stakeout::model::tree::Tree;
/// let pod = json!({"spec": {"hostPID": true, "containers": [{"name": "a"}]}});
/// let pod = Tree::try_from(&pod)?;
/// let standard = Standard::latest(Level::Baseline);
/// let violations = evaluate(standard, &Shape::read(pod.root())?);
/// assert_eq!(violations[0].id, "hostNamespaces");
/// assert_eq!(
///     refusal(standard, &violations),
///     "violates PodSecurity \"baseline:latest\": host namespaces (hostPID=true)",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate(standard: Standard, pod: &Shape<'_>) -> Vec<Violation> {
    asked(standard)
        .filter_map(|(control, revision)| {
            let violation = (revision.judge)(pod)?;
            Some(Violation {
                id: control.id,
                ..violation
            })
        })
        .collect()
}

/// The controls that a standard has, in the order of messages.
pub fn controls(standard: Standard) -> impl Iterator<Item = &'static Control> {
    asked(standard).map(|(control, _)| control)
}

/// The control of restricted that is asked in the stead of a control of baseline, in some version.
pub fn instead_of(id: &str) -> Option<&'static str> {
    let overriding = CONTROLS.iter().find(|control| {
        let mut revisions = control.revisions.iter();
        revisions.any(|revision| revision.overrides == Some(id))
    });
    overriding.map(|control| control.id)
}

fn asked(standard: Standard) -> impl Iterator<Item = (&'static Control, &'static Revision)> {
    let minor = match standard.version {
        Version::Minor(minor) => minor.min(newest()),
        Version::Latest => newest(),
    };
    let present = move || {
        CONTROLS
            .iter()
            .filter(move |control| {
                standard.level > Level::Privileged && control.level <= standard.level
            })
            .filter_map(move |control| Some((*control, control.revision(minor)?)))
    };
    let overridden: Vec<&str> = present()
        .filter_map(|(_, revision)| revision.overrides)
        .collect();
    present().filter(move |(control, _)| !overridden.contains(&control.id))
}

/// The words of the API server where it refuses a pod: kubectl shows them behind `is forbidden: `.
pub fn refusal(standard: Standard, violations: &[Violation]) -> String {
    format!("violates PodSecurity {}", quoted(standard, violations))
}

/// The words of the API server where it warns or audits.
pub fn warning(standard: Standard, violations: &[Violation]) -> String {
    format!("would violate PodSecurity {}", quoted(standard, violations))
}

fn quoted(standard: Standard, violations: &[Violation]) -> String {
    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
    format!("\"{standard}\": {}", all.join(", "))
}

#[cfg(test)]
mod tests;
