//! Names and addresses of the last run: what is left to start from when the API server is down.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::model::name::NodeName;
use crate::model::text::Text;

/// Bytes; 5,000 nodes take about 500 kB.
const CAP: u64 = 16 << 20;
/// More nodes than any cluster has.
const NODES: usize = 50_000;

/// Nodes of one context, each with `(type, address)` as in `Node.status.addresses`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Inventory(BTreeMap<NodeName, Vec<(Text, Text)>>);

impl Inventory {
    /// Keeps a node.
    pub fn put(&mut self, name: &NodeName, addresses: &[(Text, Text)]) {
        if self.0.len() < NODES {
            self.0.insert(name.clone(), addresses.to_vec());
        }
    }

    pub fn names(&self) -> Vec<NodeName> {
        self.0.keys().cloned().collect()
    }

    /// The addresses on file for a node; empty where it is not on file.
    pub fn addresses(&self, name: &NodeName) -> Vec<(Text, Text)> {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

/// Reads what the last run left; empty where it left nothing that can be read: it only saves typing.
pub fn read(path: &Path) -> Inventory {
    let bytes = disk::read(path, CAP).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Keeps names and addresses for the next run.
///
/// # Errors
/// As writing does.
pub fn write(path: &Path, inventory: &Inventory) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        disk::make_folder(folder)?;
    }
    disk::write(path, |out| {
        serde_json::to_writer(out, inventory).map_err(io::Error::from)
    })
}
