//! Policies and webhooks that the API server reads from a folder: they are no API objects, so no list has them
//! (`ManifestBasedAdmissionControlConfig`, on since 1.37).

use super::{Cause, CauseKind, Standing};
use crate::checks::check::View;
use crate::checks::version;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::text::Text;
use crate::model::tree::{Branch, Items, Members};

/// The first minor that reads them without being told to by a gate.
const SINCE: u32 = 37;
/// The key of a plugin's configuration.
const KEY: &str = "staticManifestsDir";
/// No configuration of a plugin is deeper.
const DEPTH: usize = 16;

/// Whether an API server has such a folder; what lies in it is not read.
pub fn from_files(view: &View<'_>) -> Cause {
    let kind = CauseKind::Policy;
    let none = "no API server reads admission from files";
    match version::server(view) {
        Some(minor) if minor < SINCE => return Cause::new(kind, Standing::RuledOut, none),
        Some(_) => {}
        None => return Cause::unknown(kind, unknown_version(view)),
    }
    let mut seen = Vec::new();
    for node in view.snapshot.nodes.values() {
        let Ok(files) = node.host.api_server_files.get() else {
            continue;
        };
        let trees = files.value.admission.get().ok();
        let trees = trees.and_then(|trees| trees.value.as_ref());
        for tree in trees
            .into_iter()
            .flatten()
            .filter_map(|tree| tree.get().ok())
        {
            if let Some(folder) = find(tree.value.content.root(), DEPTH) {
                let question = format!(
                    "the API server of {} reads admission from {folder}, which is not read here: does anything there refuse mirror pods?",
                    node.name
                );
                let question = Text::from(question);
                return Cause::unknown(kind, Gap::NeedsHuman { question }).at([tree.at]);
            }
            seen.push(Locator::list(Need::ApiServerFiles));
        }
    }
    match view.admission() {
        Ok(_) => Cause::new(kind, Standing::RuledOut, none).at(seen),
        Err(gap) => Cause::unknown(kind, gap.clone()),
    }
}

/// Why the version of the API server is not known.
fn unknown_version(view: &View<'_>) -> Gap {
    match view.snapshot.cluster.version.get() {
        Ok(version) => Gap::Garbled {
            what: Text::from(format!("the API server's version, {}", version.value)),
        },
        Err(gap) => gap,
    }
}

fn find(tree: Branch<'_>, depth: usize) -> Option<Text> {
    let deeper = depth.checked_sub(1)?;
    let own = tree.get(KEY).and_then(Branch::as_str);
    let own = own.filter(|folder| !folder.is_empty()).map(Text::new);
    let members = tree.as_object().into_iter().flat_map(Members::iter);
    let members = members.map(|(_, value)| value);
    let items = tree.as_array().into_iter().flat_map(Items::iter);
    own.or_else(|| members.chain(items).find_map(|value| find(value, deeper)))
}
