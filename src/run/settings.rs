//! What was typed, the configuration file and the environment, resolved into what a run uses.

use std::path::PathBuf;

use crate::cli::{Cli, Color, Global};
use crate::config::{self, Places};
use crate::error::Failure;
use crate::model::name::NodeName;
use crate::model::policy::Policy;
use crate::model::snapshot::Snapshot;

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
    pub color: Color,
}

impl Settings {
    /// Resolves options over the environment over the file.
    ///
    /// # Errors
    /// A configuration that cannot be read, or a node name that is none.
    pub fn new(cli: &Cli, places: Places) -> Result<Self, Failure> {
        let loaded = config::load(cli.global.config.as_deref(), &places)?;
        let nodes = cli
            .global
            .nodes
            .iter()
            .map(|name| {
                NodeName::parse(name).map_err(|error| Failure::new(error, "kubectl get nodes"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            from: cli.global.from.clone(),
            nodes,
            global: cli.global.clone(),
            config: loaded.file,
            warnings: loaded.warnings,
            places,
            policy: Policy::default(),
            color: cli.global.color,
        })
    }

    /// Whether `--node` leaves this node in.
    pub fn wants(&self, node: &NodeName) -> bool {
        self.nodes.is_empty() || self.nodes.contains(node)
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
