//! What a site allows on purpose. A separate, versioned file of the user; empty by default.

use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::name::NodeName;
use super::text::Text;
use super::verdict::Severity;

/// Declared exceptions. Lapses are decided where findings are made, with the wall clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    pub waivers: Vec<Waiver>,
}

/// An accepted risk: attaches to the identity of an offence and lapses when its severity rises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiver {
    pub check: Text,
    /// None for every node, and for a finding about the cluster.
    #[serde(default)]
    pub node: Option<NodeName>,
    pub subject: Text,
    pub severity: Severity,
    pub owner: Text,
    pub reason: Text,
    pub expires: Timestamp,
}
