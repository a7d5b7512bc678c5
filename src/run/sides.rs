//! Node sides that do not come over SSH: what `--local`, `--root` and `--import` ask for, found before the run begins.

use std::path::Path;

use super::settings::Settings;
use super::tell;
use crate::collect::import::{self, Found, Import};
use crate::collect::node::look_here;
use crate::collect::options::Options;
use crate::collect::route::{Claim, Route};
use crate::collect::supervisor::Only;
use crate::error::Failure;
use crate::model::fact::Gap;
use crate::model::name::NodeName;
use crate::probes::identity::Who;

/// Where the sides of this run come from.
pub struct Sides {
    pub only: Only,
    /// Sides that look for their node.
    pub claims: Vec<Claim>,
    /// Sides whose node was named.
    named: Vec<(NodeName, Route)>,
}

impl Sides {
    /// Looks at every file and, where it is one, at this machine.
    ///
    /// # Errors
    /// A file that was named on the command line and cannot be used, a machine that cannot be read, or too many names.
    pub fn find(settings: &Settings) -> Result<Self, Failure> {
        let mut sides = Self {
            only: Only::Named(settings.nodes.clone()),
            claims: Vec::new(),
            named: Vec::new(),
        };
        if settings.is_local() {
            sides.here(settings)?;
        }
        let mut found = Vec::new();
        for file in &settings.global.imports {
            found.extend(usable(file).map_err(|gap| refused(&gap))?);
        }
        for file in &settings.config.import {
            match usable(file) {
                Ok(more) => found.extend(more),
                Err(gap) => tell(&format!("stakeout: {gap}\nnext: {}", gap.next_step())),
            }
        }
        match (settings.nodes.as_slice(), found.as_slice()) {
            ([name], [(import, _)]) if !settings.is_local() => {
                let route = Route::Import(import.clone());
                sides.named.push((name.clone(), route));
            }
            _ => sides
                .claims
                .extend(found.into_iter().map(|(import, who)| Claim {
                    route: Route::Import(import),
                    who,
                })),
        }
        Ok(sides)
    }

    fn here(&mut self, settings: &Settings) -> Result<(), Failure> {
        let root = settings.global.root.clone();
        let route = Route::Here(root.clone());
        match settings.nodes.as_slice() {
            [name] => self.named.push((name.clone(), route)),
            [] => {
                let who = look_here(&settings.collect(), root.as_deref()).map_err(|gap| {
                    Failure::new(
                        format!("cannot read this machine: {gap}"),
                        gap.next_step().as_str(),
                    )
                })?;
                self.claims.push(Claim { route, who });
                self.only = Only::Claimed;
            }
            _ => {
                return Err(Failure::new(
                    "this machine is one node, and --node names several",
                    "stakeout scan --local --node NAME",
                ));
            }
        }
        Ok(())
    }

    /// Nodes that these sides name are read by them, whatever the configuration says.
    pub fn route(&self, options: &mut Options) {
        for (name, route) in &self.named {
            let host = options.hosts.entry(name.clone()).or_default();
            host.route = Some(route.clone());
        }
    }
}

/// The answers of a file that can be used; of the others it is told why not.
fn usable(file: &Path) -> Result<Vec<(Import, Who)>, Gap> {
    let mut usable = Vec::new();
    let mut refused = None;
    for Found { import, answer } in import::look(file)? {
        match answer {
            Ok(summary) => usable.push((import, summary.who)),
            Err(gap) => {
                tell(&format!("stakeout: {}: {gap}", file.display()));
                refused = Some(gap);
            }
        }
    }
    match refused {
        Some(gap) if usable.is_empty() => Err(gap),
        _ => Ok(usable),
    }
}

fn refused(gap: &Gap) -> Failure {
    Failure::new(gap.to_string(), gap.next_step().as_str())
}
