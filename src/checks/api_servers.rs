//! The API servers that static pods of the known nodes run.

use super::check::{Tally, View};
use super::flags;
use super::merge::pairs::declared;
use super::pss::admission::{has_server, server_words};
use super::role;
use crate::model::fact::{Gap, Locator};
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;

/// An API server that a manifest declares.
pub struct Server<'n> {
    pub node: &'n NodeFacts,
    pub pod: &'n Pod,
    /// Its own words, without those of a shell around it.
    pub words: Vec<String>,
    pub at: Locator,
}

impl Server<'_> {
    /// `the API server kube-system/kube-apiserver of cp-1`.
    pub fn name(&self) -> String {
        format!(
            "the API server {}/{} of {}",
            self.pod.namespace, self.pod.name, self.node.name
        )
    }

    /// Whether an admission plugin that is off by default is on.
    ///
    /// # Errors
    /// Where a variable takes the place of a flag or an item.
    pub fn admits_by(&self, plugin: &str) -> Result<bool, Gap> {
        flags::admits_by(&self.words, plugin)
    }
}

/// Judges every API server. What hides one is a gap; where none is seen, `question` is for a person.
pub fn each<'n>(
    view: &View<'n>,
    question: &str,
    tally: &mut Tally,
    mut judge: impl FnMut(&Server<'n>, &mut Tally),
) {
    let (mut servers, mut gap) = (0, None);
    for node in view.snapshot.nodes.values() {
        match of_node(node, tally, &mut judge) {
            Ok((count, gaps)) => {
                servers += count;
                tally.gaps(gaps.into_iter().map(|gap| gap.on(&node.name)));
            }
            Err(why) if has_server(node) || role::of(node).is_err() => {
                tally.gap(why.on(&node.name));
            }
            Err(why) => gap = gap.or_else(|| Some(why.on(&node.name))),
        }
    }
    if servers == 0 {
        tally.gap(gap.unwrap_or_else(|| Gap::NeedsHuman {
            question: Text::from(format!("{question} no API server is seen as a static pod")),
        }));
    }
}

/// Judges the API servers of one node, and says how many its manifests declare and what may hide one.
///
/// # Errors
/// Why its manifests are not known.
pub fn of_node<'n>(
    node: &'n NodeFacts,
    tally: &mut Tally,
    mut judge: impl FnMut(&Server<'n>, &mut Tally),
) -> Result<(usize, Vec<Gap>), Gap> {
    let declared = declared(node)?;
    let mut servers = 0;
    for pod in &declared.pods {
        if let Some(words) = server_words(pod.pod) {
            servers += 1;
            let server = Server {
                node,
                pod: pod.pod,
                words,
                at: pod.at,
            };
            judge(&server, tally);
        }
    }
    let hidden = servers == 0 && has_server(node);
    Ok((servers, if hidden { declared.gaps } else { Vec::new() }))
}
