//! What was typed, the configuration file and the environment, resolved into what a run uses.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use openssl::sha::sha256;

use crate::cli::{Cli, Color, Global};
use crate::collect::import::Import;
use crate::collect::options::{Audience, Bounds, PROGRAM, Place, Program, Rights};
use crate::collect::route::Route;
use crate::collect::{self, clock, kube};
use crate::config::{self, Places, Sudo, Way};
use crate::error::Failure;
use crate::model::baseline::Baseline;
use crate::model::name::{Digest, NodeName};
use crate::model::policy::Policy;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;

/// Everything that a mode needs to know about how it was started.
pub struct Settings {
    pub from: Option<PathBuf>,
    /// `--node`: only these; empty for all.
    pub nodes: Vec<NodeName>,
    pub global: Global,
    /// The file, with the settings of the chosen context over the general ones.
    pub config: config::File,
    /// What in the file was not understood.
    pub warnings: Vec<String>,
    pub places: Places,
    pub policy: Policy,
    /// What `--baseline` names; the policy has it too, for the checks.
    pub baseline: Option<Arc<Baseline>>,
    /// Where the policy file lies.
    pub policy_file: Option<PathBuf>,
    pub color: Color,
    /// The environment, asked once.
    env: HashMap<OsString, OsString>,
}

impl Settings {
    /// Resolves options over the environment over the file.
    ///
    /// # Errors
    /// A configuration that cannot be read, or a node name that is none.
    pub fn new(cli: &Cli, env: HashMap<OsString, OsString>) -> Result<Self, Failure> {
        let var = |name: &str| env.get(OsStr::new(name))?.to_str().map(str::to_owned);
        let places = Places::new(var);
        let loaded = config::load(cli.global.config.as_deref(), &places)?;
        let nodes = cli
            .global
            .nodes
            .iter()
            .map(|name| {
                NodeName::parse(name).map_err(|error| Failure::new(error, "kubectl get nodes"))
            })
            .collect::<Result<_, _>>()?;
        let mut settings = Self {
            from: cli.global.from.clone(),
            nodes,
            global: cli.global.clone(),
            config: loaded.file,
            warnings: loaded.warnings,
            places,
            policy: Policy::none(),
            baseline: None,
            policy_file: None,
            color: cli.global.color,
            env,
        };
        if let Some(context) = settings.context() {
            settings.config = settings.config.for_context(&context);
        }
        settings.read_policy()?;
        settings.read_baseline()?;
        Ok(settings)
    }

    /// The policy of the command line, else that of the configuration, relative to the folder of that file.
    fn read_policy(&mut self) -> Result<(), Failure> {
        let named = self.global.policy.clone();
        let configured = self.config.policy.as_ref();
        let own = self.global.config.as_deref();
        let folder = own.map_or(Some(self.places.config.as_path()), Path::parent);
        let beside = |path: &PathBuf| folder.map_or_else(|| path.clone(), |it| it.join(path));
        let path = named.or_else(|| configured.map(beside));
        if let Some(path) = path {
            let (file, warnings) = config::policy::load(&path)?;
            self.warnings.extend(warnings);
            self.policy = Policy::of(file);
            self.policy_file = Some(path);
        }
        self.policy.today = Some(clock::now());
        Ok(())
    }

    fn read_baseline(&mut self) -> Result<(), Failure> {
        if let Some(file) = &self.global.baseline {
            let key = self.global.baseline_key.as_deref();
            let (baseline, warning) = super::vouch::baseline(file, key)?;
            self.warnings.extend(warning);
            self.baseline = Some(baseline);
        }
        let policy = std::mem::take(&mut self.policy);
        self.policy = policy.with_baseline(self.baseline.clone());
        Ok(())
    }

    /// Who looks and with what, for the header of a snapshot.
    pub fn taken_by(&self) -> Text {
        let version = env!("CARGO_PKG_VERSION");
        Text::from(format!("{} with stakeout {version}", self.login()))
    }

    /// The user's name on this machine.
    fn login(&self) -> String {
        let name = |var: &str| self.env.get(OsStr::new(var))?.to_str().map(str::to_owned);
        let named = ["USER", "LOGNAME"].into_iter().find_map(name);
        named
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "root".to_owned())
    }

    /// How the API server is reached. `interactive`: a login program may talk to the terminal.
    pub fn access(&self, interactive: bool) -> kube::Access {
        kube::Access {
            kubeconfig: self.global.kubeconfig.clone(),
            context: self.global.context.clone(),
            as_user: self.global.as_user.clone(),
            as_groups: self.global.as_group.clone(),
            interactive,
            env: self.env.clone(),
        }
    }

    /// This machine is the node to read.
    pub fn is_local(&self) -> bool {
        self.global.local || self.global.root.is_some()
    }

    /// The environment, by name.
    pub fn var(&self, name: &str) -> Option<String> {
        self.env.get(OsStr::new(name))?.to_str().map(str::to_owned)
    }

    /// Where names and addresses of the last run are kept: one file for each way to an API server.
    pub fn inventory(&self) -> PathBuf {
        let files = match &self.global.kubeconfig {
            Some(file) => file.display().to_string(),
            None => format!("{:?}", self.env.get(OsStr::new("KUBECONFIG"))),
        };
        let key = format!("{files}\n{}", self.context().unwrap_or_default());
        let digest = Digest::new(&sha256(key.as_bytes()));
        let folder = self.places.state.join("inventory");
        folder.join(format!("{}.json", &digest.as_str()[..16]))
    }

    /// Where host keys are kept that were trusted through the program.
    pub fn own_known_hosts(&self) -> PathBuf {
        self.places.state.join("known_hosts")
    }

    /// The context that a run uses, where the kubeconfig tells.
    pub fn context(&self) -> Option<String> {
        kube::context(&self.access(false))
    }

    /// How nodes are reached.
    pub fn collect(&self) -> collect::options::Options {
        let ssh = &self.config.ssh;
        let path = |name: &str| self.env.get(OsStr::new(name)).map(PathBuf::from);
        let bounds = Bounds::default();
        collect::options::Options {
            user: ssh.user.clone(),
            port: ssh.port,
            identities: ssh.identities.clone(),
            known_hosts: ssh.known_hosts.clone(),
            own_known_hosts: Some(self.own_known_hosts()),
            hosts: self
                .config
                .hosts
                .iter()
                .map(|(name, host)| (name.clone(), as_host(host)))
                .collect(),
            rights: as_rights(self.config.sudo),
            program: as_program(ssh.transport),
            place: Place {
                home: self.places.home.clone(),
                login: self.login(),
                agent: path("SSH_AUTH_SOCK").filter(|_| ssh.agent != Some(false)),
                ssh_config: ssh.config.clone(),
                ssh: "ssh".into(),
                program: PROGRAM.into(),
            },
            bounds: Bounds {
                workers: ssh.workers.unwrap_or(bounds.workers),
                lanes: ssh.lanes.unwrap_or(bounds.lanes),
                channels: ssh.channels.unwrap_or(bounds.channels),
                node: ssh.timeout(),
                script: bounds.script.min(ssh.timeout()),
                ..bounds
            },
            audience: Audience::Nobody,
        }
    }

    /// The snapshot that `--from` names.
    ///
    /// # Errors
    /// A file that is no whole snapshot, and then what could still be read; or one without a node of `--node`.
    pub fn snapshot(&self) -> Result<Snapshot, Failure> {
        let path = self.from.clone().unwrap_or_default();
        let snapshot = crate::disk::snapshot::load(&path).map_err(|damaged| {
            Failure::new(
                damaged.to_string(),
                format!("take a new one: stakeout snapshot save {}", path.display()),
            )
        })?;
        match self
            .nodes
            .iter()
            .find(|name| !snapshot.nodes.contains_key(*name))
        {
            None => Ok(snapshot),
            Some(name) => {
                let known: Vec<&str> = snapshot
                    .nodes
                    .keys()
                    .take(8)
                    .map(NodeName::as_str)
                    .collect();
                Err(Failure::new(
                    format!("the snapshot {} has no node {name}", path.display()),
                    format!("choose one of: {}", known.join(" ")),
                ))
            }
        }
    }
}

fn as_host(host: &config::Host) -> collect::options::Host {
    collect::options::Host {
        address: host.address.clone(),
        port: host.port,
        user: host.user.clone(),
        known_as: host.known_as.clone(),
        rights: host.sudo.map(as_rights),
        api_only: host.api_only,
        route: match (&host.import, host.transport) {
            (Some(file), _) => Some(Route::Import(Import::of_file(file))),
            (None, Way::Local) => Some(Route::Here(host.root.clone())),
            (None, Way::Ssh) => None,
        },
    }
}

fn as_program(transport: Option<config::Transport>) -> Program {
    match transport {
        None | Some(config::Transport::Auto) => Program::Auto,
        Some(config::Transport::Libssh2) => Program::Libssh2,
        Some(config::Transport::OpenSsh) => Program::OpenSsh,
    }
}

fn as_rights(sudo: Sudo) -> Rights {
    match sudo {
        Sudo::Collector => Rights::Collector,
        Sudo::Never => Rights::Never,
        Sudo::Stream => Rights::Stream,
    }
}
