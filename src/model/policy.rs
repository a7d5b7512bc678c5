//! What a site allows on purpose. A separate, versioned file of the user, made to be kept in git; absent by default.
//!
//! Lives here: what the file says, and whether a name or a node is meant by it. Never lives here: reading
//! it, and a verdict.

mod written;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::baseline::Baseline;
use super::fact::{Fact, Gap, Locator, Need};
use super::name::NodeName;
use super::node::NodeObject;
use super::text::Text;
use super::verdict::Severity;

pub use written::Written;

/// Declared exceptions. Lapses are decided where findings are made, with the wall clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// `None` inside: no policy file is configured.
    pub file: Fact<Option<Arc<File>>>,
    /// How each waiver of the file stands, in their order; as long as nothing was judged with it, empty.
    pub standing: Vec<Standing>,
    /// The wall clock, by which waivers lapse in a replay too; none: the time of judgement.
    pub today: Option<Timestamp>,
    /// What the user keeps as approved; `None` inside: no baseline is given.
    pub baseline: Fact<Option<Arc<Baseline>>>,
}

impl Policy {
    /// No policy file, for certain.
    pub fn none() -> Self {
        Self {
            file: Fact::seen(None, Locator::list(Need::Policy)),
            baseline: Fact::seen(None, Locator::list(Need::Baseline)),
            ..Self::default()
        }
    }

    /// A policy file that was read.
    pub fn of(file: File) -> Self {
        Self {
            file: Fact::seen(Some(Arc::new(file)), Locator::list(Need::Policy)),
            ..Self::default()
        }
    }

    /// The same with a baseline, or for certain without one.
    #[must_use]
    pub fn with_baseline(self, baseline: Option<Arc<Baseline>>) -> Self {
        let baseline = Fact::seen(baseline, Locator::list(Need::Baseline));
        Self { baseline, ..self }
    }

    /// The same with another file in place of its own, not yet judged by.
    #[must_use]
    pub fn with(&self, file: Arc<File>) -> Self {
        Self {
            file: Fact::seen(Some(file), Locator::list(Need::Policy)),
            standing: Vec::new(),
            ..self.clone()
        }
    }

    /// The file, where there is one.
    pub fn get(&self) -> Option<&Arc<File>> {
        self.file.get().ok()?.value.as_ref()
    }

    /// Waivers of the file; empty without one.
    pub fn waivers(&self) -> &[Arc<Waiver>] {
        match &self.file {
            Fact::Seen(seen) => seen.value.as_ref().map_or(&[], |file| &file.waivers),
            Fact::Gap(_) => &[],
        }
    }
}

/// The policy file, version 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// As messages call it.
    pub name: Text,
    /// Its text, for evidence.
    pub text: Text,
    /// Which static pods may exist where; `None`: the file says nothing of them.
    pub static_pods: Option<Vec<Declared>>,
    /// Repositories or registries that images of static pods may come from, where an entry names none; empty: any.
    pub registries: Vec<Text>,
    /// Nodes that are set apart.
    pub pools: Vec<Pool>,
    pub waivers: Vec<Arc<Waiver>>,
}

/// A static pod that may exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// `namespace/name` of the manifest, without the node's name; `*` stands for any characters.
    pub pod: Text,
    pub nodes: Nodes,
    /// Repositories that its images may come from; empty: those of the whole file.
    pub images: Vec<Text>,
    /// Controls of the Pod Security Standards, by upstream's id, that it may break; `*`: all.
    pub pss: Vec<Text>,
    /// Where it starts in the file, from 1.
    pub line: u32,
}

/// Which nodes are meant; everything that is named must hold, nothing named means every node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes {
    /// `*` stands for any characters.
    pub names: Vec<Text>,
    /// An empty value: the label with any value.
    pub labels: BTreeMap<Text, Text>,
}

/// Nodes that are set apart for some pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    pub name: Text,
    pub nodes: Nodes,
    /// `key=value:Effect`, as kubectl spells it; the value may be missing.
    pub taint: Option<Text>,
    /// `key=value`, the label that its pods select.
    pub label: Option<Text>,
    /// Namespaces whose pods belong there; `*` stands for any characters.
    pub namespaces: Vec<Text>,
    /// Where it starts in the file, from 1.
    pub line: u32,
}

/// An accepted risk: attaches to the identity of an offence and lapses when its severity rises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    pub check: Text,
    /// None for every node, and for a finding about the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    pub subject: Text,
    /// The worst that is accepted.
    pub severity: Severity,
    pub owner: Text,
    pub reason: Text,
    /// From then on it does not hold, UTC.
    pub expires: Timestamp,
    /// Where it starts in the file, from 1.
    #[serde(default)]
    pub line: u32,
}

/// How a waiver stands once everything was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At least one offence is waived by it.
    Used,
    /// What it waives is no offence any more.
    Unused,
    /// What it would waive is worse than it accepts.
    Outgrown,
    Expired,
    /// Whether it is used cannot be told.
    Unknown(Gap),
}

impl Waiver {
    /// Whether it speaks of this offence, as bad as it may be and whenever it lapses.
    pub fn names(&self, check: &str, node: Option<&NodeName>, subject: &Text) -> bool {
        self.check == check
            && self.node.as_ref().is_none_or(|own| Some(own) == node)
            && self.subject == *subject
    }

    pub fn is_expired(&self, today: Timestamp) -> bool {
        self.expires <= today
    }
}

impl Nodes {
    /// Whether a node is meant. `object` is asked only where labels are named.
    ///
    /// # Errors
    /// The gap where labels decide and are not known.
    pub fn covers(&self, node: &NodeName, object: &Fact<NodeObject>) -> Result<bool, Gap> {
        let named = self.names.is_empty()
            || self
                .names
                .iter()
                .any(|glob| is_match(glob.as_str(), node.as_str()));
        if !named || self.labels.is_empty() {
            return Ok(named);
        }
        let labels = &object.get()?.value.labels;
        Ok(self.labels.iter().all(|(key, wanted)| {
            labels
                .get(key)
                .is_some_and(|value| wanted.is_empty() || value == wanted)
        }))
    }
}

/// Whether `text` is what `glob` means: `*` is any number of characters, everything else itself.
///
/// ```
/// use stakeout::model::policy::is_match;
/// assert!(is_match("kube-system/kube-*", "kube-system/kube-apiserver"));
/// assert!(!is_match("kube-system/kube", "kube-system/kube-apiserver"));
/// ```
pub fn is_match(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        for (glob, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*a", "a", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
            ("*a*b*", "xxaxxbxx", true),
            ("é*", "éa", true),
        ] {
            assert_eq!(is_match(glob, text), expected, "{glob} {text}");
        }
    }
}
