//! Not knowing, as a value: what stands in the way, and the next step to take.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::name::NodeName;
use super::text::Text;

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "gap", rename_all = "snake_case")]
pub enum Gap {
    /// Nothing looked for it in this run.
    NotAsked,
    /// Being collected right now, or waiting for its turn.
    Pending,
    /// The API server refused.
    Forbidden { verb: Text, resource: Text },
    /// The API server did not answer, or not usefully.
    Api { detail: Text },
    /// The node could not be reached or did not finish.
    Node { class: FaultClass, detail: Text },
    /// The login may not read it; `grant` names what would allow it.
    Denied { what: Text },
    /// A command that the fact needs is not on the node.
    ToolMissing { tool: Text },
    /// An answer came and could not be understood, or two readers could differ on it.
    Garbled { what: Text },
    /// The installed collector is older than the fact.
    CollectorOutdated { since: Text },
    /// The host is not the machine that the Node object names: its facts are dropped.
    WrongMachine { detail: Text },
    /// Too early to tell: the kubelet may still act.
    Settling { left: Duration },
    /// The kubelet does not act, so what it would do cannot be seen.
    KubeletStopped { detail: Text },
    /// Facts exist, a person has to judge.
    NeedsHuman { question: Text },
    /// The node's side is a file that was made earlier: what has changed since is not known.
    Imported { taken: Text },
    /// A bastion on the way to the node is what failed; the node may be well.
    Bastion {
        hop: Text,
        class: FaultClass,
        detail: Text,
    },
    /// What is missing of one node, where it is told of more than that node.
    Of { node: NodeName, why: Box<Self> },
    /// The user's baseline does not hold what now would be compared with.
    Baseline { detail: Text },
    /// Written by a later version.
    #[serde(other)]
    Later,
}

/// What went wrong on the way to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultClass {
    NoTarget,
    ConfigUnsupported,
    ConnectTimeout,
    ConnectRefused,
    Unreachable,
    TimeoutBanner,
    TimeoutKex,
    TimeoutAuth,
    TimeoutScript,
    NotSsh,
    Throttled,
    KexFailure,
    HostkeyChanged,
    HostkeyUnknown,
    HostkeyNewType,
    HostkeyRevoked,
    HostkeyCert,
    AuthDenied,
    AgentUnreachable,
    NeedsSystemSsh,
    NoShell,
    NoSshOs,
    OutputTooLarge,
    Disconnected,
    Garbage,
    JumpRefused,
    JumpOpenTimeout,
    JumpLost,
    Cancelled,
    Internal,
    /// The root that was named for a local reading cannot be entered.
    NoRoot,
    /// The file that was named for the node holds no answer that can be used.
    BadImport,
    /// Written by a later version.
    #[serde(other)]
    Later,
}

impl fmt::Display for FaultClass {
    /// The kebab-case word of the fault table, as `stakeout explain` and the log use it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NoTarget => "no-target",
            Self::ConfigUnsupported => "config-unsupported",
            Self::ConnectTimeout => "connect-timeout",
            Self::ConnectRefused => "connect-refused",
            Self::Unreachable => "unreachable",
            Self::TimeoutBanner => "timeout-banner",
            Self::TimeoutKex => "timeout-kex",
            Self::TimeoutAuth => "timeout-auth",
            Self::TimeoutScript => "timeout-script",
            Self::NotSsh => "not-ssh",
            Self::Throttled => "throttled",
            Self::KexFailure => "kex-failure",
            Self::HostkeyChanged => "hostkey-changed",
            Self::HostkeyUnknown => "hostkey-unknown",
            Self::HostkeyNewType => "hostkey-new-type",
            Self::HostkeyRevoked => "hostkey-revoked",
            Self::HostkeyCert => "hostkey-cert",
            Self::AuthDenied => "auth-denied",
            Self::AgentUnreachable => "agent-unreachable",
            Self::NeedsSystemSsh => "needs-system-ssh",
            Self::NoShell => "no-shell",
            Self::NoSshOs => "no-ssh-os",
            Self::OutputTooLarge => "output-too-large",
            Self::Disconnected => "disconnected",
            Self::Garbage => "garbage",
            Self::JumpRefused => "jump-refused",
            Self::JumpOpenTimeout => "jump-open-timeout",
            Self::JumpLost => "jump-lost",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
            Self::NoRoot => "no-root",
            Self::BadImport => "bad-import",
            Self::Later => "later",
        })
    }
}

impl FaultClass {
    /// What a person does about it, in the imperative; commands can be pasted once NODE is filled in.
    #[expect(clippy::too_many_lines, reason = "a table: one row per class")]
    pub fn next_step(self) -> &'static str {
        match self {
            Self::NoTarget => "add the node to hosts: in config.yaml, or give it an InternalIP",
            Self::ConfigUnsupported => {
                "ssh -G NODE shows how OpenSSH reads the configuration; install the ssh client so that it can be asked"
            }
            Self::ConnectTimeout => "check address, route and security group: nc -vz NODE 22",
            Self::ConnectRefused => {
                "nothing listens: check that sshd runs and the port is right: ssh -v NODE true"
            }
            Self::Unreachable => "check name and route: getent hosts NODE",
            Self::TimeoutBanner => {
                "the port is open but no SSH answer came: check the load of sshd, or a firewall in between"
            }
            Self::TimeoutKex | Self::TimeoutAuth | Self::TimeoutScript => {
                "node or link too slow: raise ssh.timeout in config.yaml, then press r"
            }
            Self::NotSsh => "another service answers on that port: check Port in ssh_config",
            Self::Throttled => "lower ssh.workers, or raise MaxStartups on the host",
            Self::KexFailure => "no common algorithm: ssh -vv NODE true shows both lists",
            Self::HostkeyChanged => {
                "if the host was reinstalled: remove the named line (ssh-keygen -R NODE -f FILE), then compare the new key and press T"
            }
            Self::HostkeyUnknown => {
                "compare the fingerprint with the node's console, then press T, or: stakeout trust --node NODE"
            }
            Self::HostkeyNewType => {
                "only another key type is on file: ssh-keyscan NODE, compare, then add the line to known_hosts"
            }
            Self::HostkeyRevoked => {
                "this key is marked @revoked: do not connect; ask who runs the host"
            }
            Self::HostkeyCert => {
                "the host certificate does not hold: ask for a new one, or add a plain known_hosts line"
            }
            Self::AuthDenied => {
                "offer a key that the node takes: ssh-copy-id NODE there, ssh-add here, or ssh.user in config.yaml; then press r"
            }
            Self::AgentUnreachable => {
                "start an agent and add a key: eval $(ssh-agent); ssh-add; ssh-add -l shows what it holds; then press r"
            }
            Self::NeedsSystemSsh => {
                "this login needs OpenSSH itself: set ssh.transport: openssh in config.yaml"
            }
            Self::NoShell => {
                "the login has no shell: use another user, or mark the node api-only in config.yaml"
            }
            Self::NoSshOs => {
                "its host has no shell that the collector could run in, and what the API server shows is all there is: say so with hosts.NODE.api_only: true in config.yaml; where its root has /bin/sh after all: kubectl debug node/NODE -it --profile=sysadmin --image=IMAGE with stakeout in it, there: stakeout scan --node NODE --root /host"
            }
            Self::OutputTooLarge | Self::Garbage => {
                "what answered is not our collector: ssh NODE true shows what the login prints"
            }
            Self::Disconnected => {
                "the connection ended early: look at the node's sshd log, then press r"
            }
            Self::JumpRefused => {
                "the bastion refused to forward: check AllowTcpForwarding there, and the node as seen from it"
            }
            Self::JumpOpenTimeout => {
                "the node does not answer the bastion: check its address as seen from there"
            }
            Self::JumpLost => "the bastion hung up: look at its sshd log, then press r",
            Self::Cancelled => "press r to collect again",
            Self::NoRoot => {
                "name the folder where the node's root is mounted, and be root: in a pod of kubectl debug node/NODE -it --profile=sysadmin --image=IMAGE it is /host"
            }
            Self::BadImport => {
                "make the file again: stakeout collector print | ssh NODE sudo sh >NODE.stk; then stakeout import NODE.stk"
            }
            Self::Internal => "a defect in stakeout: run stakeout with --log FILE and report it",
            Self::Later => "this snapshot is newer than the program: install a newer stakeout",
        }
    }
}

impl Gap {
    /// One word for a badge: `UNKNOWN(ssh)`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotAsked => "not asked",
            Self::Pending => "pending",
            Self::Forbidden { .. } => "rbac",
            Self::Api { .. } => "api",
            Self::Node { .. } | Self::Bastion { .. } => "ssh",
            Self::Denied { .. } => "sudo",
            Self::ToolMissing { .. } => "tool",
            Self::Garbled { .. } => "garbled",
            Self::CollectorOutdated { .. } => "collector",
            Self::WrongMachine { .. } => "machine",
            Self::Settling { .. } => "settling",
            Self::KubeletStopped { .. } => "kubelet",
            Self::NeedsHuman { .. } => "human",
            Self::Imported { .. } => "import",
            Self::Of { why, .. } => why.word(),
            Self::Baseline { .. } => "baseline",
            Self::Later => "version",
        }
    }

    /// With the node's name, where its next step asks for one and whoever tells it speaks of more than that node.
    #[must_use]
    pub fn on(self, node: &NodeName) -> Self {
        match self {
            Self::Node { .. }
            | Self::Imported { .. }
            | Self::Denied { .. }
            | Self::CollectorOutdated { .. } => Self::Of {
                node: node.clone(),
                why: Box::new(self),
            },
            other => other,
        }
    }

    /// What stood in the way and what to do about it, in one line. A question is its own next step.
    pub fn with_next(&self, node: Option<&NodeName>) -> String {
        match self {
            Self::NeedsHuman { .. } => self.to_string(),
            _ => format!("{self}; next: {}", self.next_step_on(node)),
        }
    }

    /// [`Gap::next_step`] for one node: its name stands where the general text says NODE, so that it can be pasted.
    pub fn next_step_on(&self, node: Option<&NodeName>) -> Text {
        let general = self.next_step();
        match (self, node) {
            (
                Self::Node { .. }
                | Self::Imported { .. }
                | Self::Denied { .. }
                | Self::CollectorOutdated { .. },
                Some(node),
            ) => Text::from(general.as_str().replace("NODE", node.as_str())),
            (Self::Bastion { hop, .. }, _) => {
                Text::from(general.as_str().replace("NODE", hop.as_str()))
            }
            _ => general,
        }
    }

    /// The grant to ask for or the command to run; never empty.
    pub fn next_step(&self) -> Text {
        Text::from(match self {
            Self::NotAsked => "collect it: stakeout scan without --from, --node or --check",
            Self::Pending => "wait for the collection, or press l for its log",
            Self::Forbidden { resource, .. } => {
                let resource = resource.as_str();
                if resource.starts_with("secrets") {
                    "stakeout rbac print --with bootstrap-tokens | kubectl apply -f -"
                } else if resource.starts_with("nodes/") {
                    "stakeout rbac print --with kubelet-api | kubectl apply -f -"
                } else {
                    "stakeout rbac print | kubectl apply -f -"
                }
            }
            Self::Api { .. } => "kubectl get --raw /readyz; the node side goes on without it",
            Self::Bastion {
                class: FaultClass::Throttled,
                ..
            } => "lower ssh.lanes in config.yaml, or raise MaxStartups on the bastion",
            Self::Node { class, .. } | Self::Bastion { class, .. } => class.next_step(),
            Self::Denied { .. } => {
                "install the collector and its sudoers rule for the login: stakeout collector print | ssh NODE 'sudo install -D -m 0755 /dev/stdin /usr/local/libexec/stakeout-collect'; stakeout sudoers print --user LOGIN | ssh NODE 'sudo install -m 0440 /dev/stdin /etc/sudoers.d/stakeout'"
            }
            Self::ToolMissing { tool } => {
                return Text::from(format!("install {tool} on the node, then press r"));
            }
            Self::Garbled { .. } => "look at the raw evidence (e), then at the file on the node",
            Self::CollectorOutdated { .. } => {
                "install the present collector, and the rule with its digest: stakeout collector print | ssh NODE 'sudo install -D -m 0755 /dev/stdin /usr/local/libexec/stakeout-collect'; stakeout sudoers print --user LOGIN | ssh NODE 'sudo install -m 0440 /dev/stdin /etc/sudoers.d/stakeout'"
            }
            Self::WrongMachine { .. } => {
                "the address leads to another machine: correct hosts: in config.yaml or the Node's InternalIP"
            }
            Self::Settling { left } => {
                return Text::from(format!(
                    "look again in {} s: press r",
                    left.as_secs().max(1)
                ));
            }
            Self::KubeletStopped { .. } => {
                "on the node: systemctl status kubelet; journalctl -u kubelet -n 50"
            }
            Self::NeedsHuman { question } => return Text::from(format!("decide: {question}")),
            Self::Imported { .. } => {
                "take a new one: stakeout collector print | ssh NODE sudo sh >NODE.stk"
            }
            Self::Of { node, why } => return why.next_step_on(Some(node)),
            Self::Baseline { .. } => {
                "look at what changed, then take a new one: stakeout snapshot save --sign KEY FILE"
            }
            Self::Later => "this snapshot is newer than the program: install a newer stakeout",
        })
    }
}

impl fmt::Display for Gap {
    /// What was tried and what stood in the way, lower case, without the next step.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => f.write_str("not asked for in this run"),
            Self::Pending => f.write_str("not collected yet"),
            Self::Forbidden { verb, resource } => {
                write!(f, "the API server forbids {verb} {resource}")
            }
            Self::Api { detail } => write!(f, "the API server did not answer: {detail}"),
            Self::Node { class, detail } => write!(f, "the node was not read ({class}): {detail}"),
            Self::Bastion { hop, class, detail } => {
                write!(
                    f,
                    "the node was not read ({class}): bastion {hop}: {detail}"
                )
            }
            Self::Denied { what } => write!(f, "the login may not read {what}"),
            Self::ToolMissing { tool } => write!(f, "{tool} is not on the node"),
            Self::Garbled { what } => write!(f, "the answer cannot be trusted: {what}"),
            Self::CollectorOutdated { since } => {
                write!(f, "the installed collector is older than version {since}")
            }
            Self::WrongMachine { detail } => write!(f, "another machine answered: {detail}"),
            Self::Settling { left } => {
                write!(f, "the kubelet may still act for {} s", left.as_secs())
            }
            Self::KubeletStopped { detail } => write!(f, "the kubelet does not act: {detail}"),
            Self::NeedsHuman { question } => write!(f, "a person has to decide: {question}"),
            Self::Imported { taken } => write!(
                f,
                "the node's side was imported, taken {taken}: what has changed since is not known"
            ),
            Self::Of { node, why } => write!(f, "{node}: {why}"),
            Self::Baseline { detail } => write!(f, "the baseline does not tell: {detail}"),
            Self::Later => f.write_str("written by a later version of stakeout"),
        }
    }
}
