//! By which way each node that is known without a question would be reached: part of `stakeout plan`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::settings::Settings;
use crate::collect::cancel::Cancel;
use crate::collect::inventory;
use crate::collect::targets::Targets;
use crate::error::Failure;
use crate::model::name::NodeName;

/// `ssh -G` at once: each takes some 10 ms of a processor.
const AT_ONCE: usize = 4;

/// The section of the plan; empty where no node is known.
///
/// # Errors
/// As [`lines`].
pub fn text(settings: &Settings) -> Result<String, Failure> {
    let lines = lines(settings)?;
    let head =
        "Routes, as configuration, ssh -G and the last run give them; nobody was connected to:\n";
    let head = if lines.is_empty() { "" } else { head };
    Ok(lines
        .iter()
        .fold(head.to_owned(), |text, line| text + "  " + line + "\n"))
}

/// One line a node: user, address, port and route, or why there is none. Nodes are those of the command line, else
/// those of the configuration and of the last run, none in a run on this machine alone; ssh_config is read by
/// `ssh -G`, and nobody is connected to.
///
/// # Errors
/// Where no descriptors are left.
fn lines(settings: &Settings) -> Result<Vec<String>, Failure> {
    if settings.is_local() {
        return Ok(Vec::new());
    }
    let cancel = Cancel::new()
        .map_err(|error| Failure::new(format!("cannot ask for routes: {error}"), "ulimit -n"))?;
    let known = inventory::read(&settings.inventory());
    let mut names: BTreeSet<NodeName> = settings.nodes.iter().cloned().collect();
    if names.is_empty() {
        names.extend(settings.config.hosts.keys().cloned());
        names.extend(known.names());
    }
    let targets = Targets::new(Arc::new(settings.collect()));
    let queue = Mutex::new(names.into_iter());
    let found = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(name) = next else { return };
                    if targets.closed(&name, None).is_some() {
                        continue;
                    }
                    let addresses = known.addresses(&name);
                    let addresses = (!addresses.is_empty()).then_some(addresses.as_slice());
                    let line = match targets.resolve(&name, addresses, &cancel) {
                        Ok(target) => {
                            let route = target.route().unwrap_or_else(|| "straight".to_owned());
                            let (user, host, port) = (&target.user, &target.host, target.port);
                            format!("{name}: {user}@{host} port {port}, {route}")
                        }
                        Err(gap) => {
                            format!("{name}: {}", gap.with_next(Some(&name)))
                        }
                    };
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.insert(name, line);
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(found.into_values().collect())
}
