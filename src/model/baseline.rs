//! A snapshot of earlier that the user keeps as the state that was looked at and approved.
//!
//! Lives here: what it holds of a node. Never lives here: reading it, whether its signature holds, a comparison.

use std::sync::Arc;

use super::fact::{Fact, Gap};
use super::name::NodeName;
use super::node::NodeFacts;
use super::snapshot::Snapshot;
use super::text::Text;

/// A whole snapshot with who vouches for it. A file that was cut or altered never becomes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// As messages call the file.
    pub name: Text,
    /// Fingerprint of the key that signed it.
    pub signed_by: Option<Text>,
    /// The user named that key: else whoever could write the file can have signed it.
    pub is_vouched: bool,
    pub snapshot: Arc<Snapshot>,
}

impl Baseline {
    /// What it holds of a node of the cluster with this uid; `None` where it does not have that node.
    ///
    /// # Errors
    /// [`Gap::Baseline`] where it is of another cluster.
    pub fn node(&self, cluster: &Fact<Text>, name: &NodeName) -> Result<Option<&NodeFacts>, Gap> {
        if let (Fact::Seen(own), Fact::Seen(other)) = (&self.snapshot.cluster.uid, cluster)
            && own.value != other.value
        {
            return Err(self.gap("it is of another cluster"));
        }
        Ok(self.snapshot.nodes.get(name).map(AsRef::as_ref))
    }

    /// That it does not tell something, and why.
    pub fn gap(&self, why: &str) -> Gap {
        Gap::Baseline {
            detail: Text::from(format!("{} of {}: {why}", self.name, self.date())),
        }
    }

    /// Why nobody vouches for it; `None` where somebody does.
    pub fn unvouched(&self) -> Option<String> {
        let name = &self.name;
        match &self.signed_by {
            _ if self.is_vouched => None,
            None => Some(format!("nobody vouches for {name}: it is not signed")),
            Some(key) => Some(format!(
                "nobody vouches for {name}: no --baseline-key says whose {key} is"
            )),
        }
    }

    /// The day on which it was taken, UTC.
    pub fn date(&self) -> String {
        self.snapshot.taken.strftime("%F").to_string()
    }
}

/// What stands in a text in place of a secret, up to the word of its run.
pub const MASK: &str = "<masked";

/// The text with one word for every secret: masks of two runs differ where the secrets may not.
///
/// ```
/// use stakeout::model::baseline::plain;
/// assert_eq!(plain("a=<masked 1f3a9c2e>;"), plain("a=<masked 00000000>;"));
/// assert_ne!(plain("a=<masked 1f3a9c2e>;"), plain("b=<masked 1f3a9c2e>;"));
/// ```
pub fn plain(text: &str) -> String {
    let mut parts = text.split(MASK);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(MASK);
        let end = part.find('>').unwrap_or(0);
        out.push_str(&part[end..]);
    }
    out
}
