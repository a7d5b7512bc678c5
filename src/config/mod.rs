//! The user's one file, `config.yaml`: what may stand in it, and how a mistake in it is shown.

pub mod policy;
mod unknown;
pub mod waive;

pub use unknown::known;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::error::Failure;
use crate::model::name::NodeName;

/// A configuration is read up to this size.
const CAP: u64 = 1 << 20;

/// `config.yaml`, version 1. Everything has a default; an empty file is a valid one.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct File {
    pub version: Option<u32>,
    pub ssh: Ssh,
    /// Nodes by name; also the list to start from when the API server is down.
    pub hosts: BTreeMap<NodeName, Host>,
    /// How rights beyond the login's own are taken.
    pub sudo: Sudo,
    /// Settings of one context, over the ones above.
    pub contexts: BTreeMap<String, Context>,
    pub theme: Option<String>,
    pub keys: BTreeMap<String, Vec<String>>,
    pub policy: Option<PathBuf>,
    /// Files as `--import` takes them.
    pub import: Vec<PathBuf>,
}

/// How nodes are reached.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Ssh {
    pub user: Option<String>,
    pub port: Option<u16>,
    /// An ssh_config to read instead of the user's.
    pub config: Option<PathBuf>,
    pub known_hosts: Vec<PathBuf>,
    pub identities: Vec<PathBuf>,
    /// Nodes at once, 1 to 256.
    pub workers: Option<usize>,
    /// For one node as a whole, in seconds.
    pub timeout: Option<u64>,
    /// False: keys of the agent are not offered.
    pub agent: Option<bool>,
    /// Which SSH client goes to nodes.
    pub transport: Option<Transport>,
    /// Logins at one bastion at the same time, 1 to 8.
    pub lanes: Option<usize>,
    /// Connections over one of them, 1 to 256.
    pub channels: Option<usize>,
}

/// Which SSH client goes to nodes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// The one inside, and OpenSSH for what that cannot do.
    Auto,
    Libssh2,
    #[serde(rename = "openssh")]
    OpenSsh,
}

/// One node.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Host {
    pub address: Option<String>,
    pub port: Option<u16>,
    pub user: Option<String>,
    /// The name under which its host key is on file.
    pub known_as: Option<String>,
    pub sudo: Option<Sudo>,
    /// No way in: show what the API server says of it.
    pub api_only: bool,
    pub transport: Way,
    /// With `transport: local`: where the node's root is mounted.
    pub root: Option<PathBuf>,
    /// An answer of the collector that was made by hand, instead of a login.
    pub import: Option<PathBuf>,
}

/// How a node is reached.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    #[default]
    Ssh,
    /// It is this machine.
    Local,
}

/// By which right the collector runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Sudo {
    /// The installed collector where there is one, else the login's own rights.
    #[default]
    Collector,
    /// The login's own rights only.
    Never,
    /// Through `sudo sh`: equals root, shown as such.
    Stream,
}

/// Settings of one kubeconfig context.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Context {
    pub theme: Option<String>,
    pub hosts: BTreeMap<NodeName, Host>,
    pub ssh: Option<Ssh>,
}

/// A file that was read, and what in it was not understood.
#[derive(Debug, Default)]
pub struct Loaded {
    pub file: File,
    /// `FILE:LINE: unknown key x, did you mean y?`
    pub warnings: Vec<String>,
}

/// Reads the configuration: the named file, which must exist, or the default one, which may be absent.
///
/// # Errors
/// A file that cannot be read, is no YAML, or has a value of the wrong type; the line is named.
pub fn load(named: Option<&Path>, home: &Places) -> Result<Loaded, Failure> {
    let (path, required) = match named {
        Some(path) => (path.to_owned(), true),
        None => (home.config.join("config.yaml"), false),
    };
    if !required && !crate::disk::exists(&path) {
        return Ok(Loaded::default());
    }
    let text = crate::disk::read_text(&path, CAP).map_err(|error| {
        Failure::new(
            format!("cannot read the configuration {}: {error}", path.display()),
            format!(
                "ls -l {}",
                crate::checks::fix::quote(&path.display().to_string())
            ),
        )
    })?;
    parse(&text, &path.display().to_string())
}

/// Reads the text of a configuration; `name` is what messages call it.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, name: &str) -> Result<Loaded, Failure> {
    let wrong =
        |message: String| Failure::new(message, "correct that line; the README lists every key");
    if text.trim().is_empty() {
        return Ok(Loaded::default());
    }
    let file: Option<File> = serde_yaml::from_str(text).map_err(|error| {
        let line = error
            .location()
            .map_or_else(String::new, |at| format!(":{}", at.line()));
        wrong(format!("{name}{line}: {error}"))
    })?;
    let file = file.unwrap_or_default();
    if file.version.is_some_and(|version| version != 1) {
        return Err(wrong(format!(
            "{name}: version {} is not known, this program reads 1",
            file.version.unwrap_or(0)
        )));
    }
    let own = file
        .contexts
        .iter()
        .filter_map(|(context, own)| Some((format!("contexts.{context}.ssh"), own.ssh.as_ref()?)));
    for (place, ssh) in own.chain([("ssh".to_owned(), &file.ssh)]) {
        if let Some((key, most)) = ssh.beyond() {
            return Err(wrong(format!("{name}: {place}.{key} must be 1 to {most}")));
        }
    }
    let mut warnings = unknown::keys(text, name);
    warnings
        .extend(unused(&file).map(|key| format!("{name}: {key} is not acted on by this version")));
    Ok(Loaded { file, warnings })
}

/// Keys that are understood and not acted on yet: silence would be a promise.
fn unused(file: &File) -> impl Iterator<Item = &'static str> {
    [("keys", !file.keys.is_empty())]
        .into_iter()
        .filter_map(|(key, set)| set.then_some(key))
}

impl File {
    /// The settings for a context: the general ones, and over them its own.
    #[must_use]
    pub fn for_context(&self, context: &str) -> Self {
        let mut file = self.clone();
        if let Some(own) = self.contexts.get(context) {
            file.hosts.extend(own.hosts.clone());
            file.theme = own.theme.clone().or(file.theme);
            if let Some(ssh) = &own.ssh {
                file.ssh = ssh.over(&self.ssh);
            }
        }
        file
    }
}

impl Ssh {
    fn over(&self, base: &Self) -> Self {
        let list = |own: &Vec<PathBuf>, base: &Vec<PathBuf>| {
            if own.is_empty() {
                base.clone()
            } else {
                own.clone()
            }
        };
        Self {
            user: self.user.clone().or_else(|| base.user.clone()),
            port: self.port.or(base.port),
            config: self.config.clone().or_else(|| base.config.clone()),
            known_hosts: list(&self.known_hosts, &base.known_hosts),
            identities: list(&self.identities, &base.identities),
            workers: self.workers.or(base.workers),
            timeout: self.timeout.or(base.timeout),
            agent: self.agent.or(base.agent),
            transport: self.transport.or(base.transport),
            lanes: self.lanes.or(base.lanes),
            channels: self.channels.or(base.channels),
        }
    }

    /// The first number that is out of its bounds, and the most that it may be.
    fn beyond(&self) -> Option<(&'static str, usize)> {
        let numbers = [
            ("workers", self.workers, 256),
            ("lanes", self.lanes, 8),
            ("channels", self.channels, 256),
        ];
        numbers.into_iter().find_map(|(key, number, most)| {
            number
                .is_some_and(|number| !(1..=most).contains(&number))
                .then_some((key, most))
        })
    }

    /// Bound for one node.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.unwrap_or(40).clamp(1, 3600))
    }
}

/// Where the user's files live, by the XDG base directory specification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    pub home: PathBuf,
    pub config: PathBuf,
    pub state: PathBuf,
}

impl Places {
    /// From the environment: `STAKEOUT_CONFIG_DIR`, `XDG_CONFIG_HOME`, `XDG_STATE_HOME`, `HOME`.
    pub fn new(var: impl Fn(&str) -> Option<String>) -> Self {
        let home = PathBuf::from(var("HOME").unwrap_or_else(|| "/".into()));
        let under = |name: &str, fallback: &str| {
            let absolute = var(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute());
            absolute
                .unwrap_or_else(|| home.join(fallback))
                .join("stakeout")
        };
        Self {
            config: var("STAKEOUT_CONFIG_DIR")
                .map_or_else(|| under("XDG_CONFIG_HOME", ".config"), PathBuf::from),
            state: under("XDG_STATE_HOME", ".local/state"),
            home,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_understood() {
        let text = "version: 1\nssh: {user: audit, workers: 8}\nhosts:\n  cp-1: {address: 198.51.100.1, sudo: stream}\n  w-1: {api_only: true}\ncontexts:\n  prod: {theme: mono, ssh: {user: prod}}\n";
        let loaded = parse(text, "c.yaml").expect("a valid file");
        assert_eq!(loaded.warnings, Vec::<String>::new());
        let prod = loaded.file.for_context("prod");
        assert_eq!(
            (prod.ssh.user.as_deref(), prod.ssh.workers),
            (Some("prod"), Some(8))
        );
        assert_eq!(prod.theme.as_deref(), Some("mono"));
        assert_eq!(prod.hosts["cp-1"].sudo, Some(Sudo::Stream));
    }

    #[test]
    fn what_is_not_acted_on_yet_says_so() {
        let loaded = parse("keys: {quit: [q]}\n", "c.yaml").expect("a valid file");
        assert_eq!(
            loaded.warnings,
            ["c.yaml: keys is not acted on by this version"]
        );
    }

    #[test]
    fn mistakes_name_their_line() {
        let loaded = parse("ssh:\n  user: a\n  wrokers: 3\nhost: {}\n", "c.yaml")
            .expect("unknown keys only warn");
        assert_eq!(
            loaded.warnings,
            [
                "c.yaml:3: unknown key ssh.wrokers, did you mean workers?",
                "c.yaml:4: unknown key host, did you mean hosts?"
            ]
        );
        let failure = parse("ssh:\n  port: many\n", "c.yaml").expect_err("a port is a number");
        assert!(
            failure.message.starts_with("c.yaml:2: ssh.port"),
            "{failure}"
        );
        for (text, expected) in [
            ("ssh: {lanes: 9}\n", "c.yaml: ssh.lanes must be 1 to 8"),
            (
                "contexts: {p: {ssh: {channels: 0}}}\n",
                "c.yaml: contexts.p.ssh.channels must be 1 to 256",
            ),
        ] {
            let failure = parse(text, "c.yaml").expect_err("out of bounds");
            assert_eq!(failure.message, expected);
        }
        let transport = |word: &str| parse(&format!("ssh: {{transport: {word}}}\n"), "c.yaml");
        let ssh = |word| transport(word).expect("a word for it").file.ssh;
        assert_eq!(ssh("openssh").transport, Some(Transport::OpenSsh));
        assert_eq!(ssh("libssh2").transport, Some(Transport::Libssh2));
        assert!(transport("telnet").is_err());
        assert!(parse("version: 7\n", "c.yaml").is_err());
        assert!(parse("a: [\n", "c.yaml").is_err());
    }
}
