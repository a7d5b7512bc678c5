//! The user's baseline as evidence: a manifest as it was, or what the file is as a whole.

use super::{Exhibit, plain};
use crate::model::baseline::Baseline;
use crate::model::fact::{Fact, Locator, Side};
use crate::model::name::NodeName;
use crate::model::pod::Manifest;
use crate::model::policy::Policy;
use crate::model::text::Text;

/// What a locator of the baseline shows: `item` counts the manifests that it has of the node, from 0.
pub(super) fn exhibit(policy: &Policy, node: Option<&NodeName>, at: Locator) -> Option<Exhibit> {
    let Some(baseline) = policy.baseline.get().ok()?.value.as_deref() else {
        return Some(Exhibit {
            side: Side::Own,
            title: Text::new("no baseline is given"),
            command: Text::new("stakeout --baseline FILE"),
            at: None,
            sha256: None,
            remark: Text::default(),
            rows: Vec::new(),
        });
    };
    let manifest = node.and_then(|node| manifest(baseline, node, at));
    let name = &baseline.name;
    let by = match &baseline.signed_by {
        Some(key) => format!("signed by {key}"),
        None => "not signed".to_owned(),
    };
    let (title, rows) = if let Some(manifest) = manifest {
        let title = format!("{name}: {}", manifest.file);
        (Text::from(title), plain(&manifest.text))
    } else {
        let (nodes, by_whom) = (baseline.snapshot.nodes.len(), &baseline.snapshot.taken_by);
        let text = format!("{nodes} nodes, taken by {by_whom}");
        (name.clone(), plain(&Text::from(text)))
    };
    Some(Exhibit {
        side: Side::Own,
        title,
        command: Text::from(format!("stakeout verify {name}")),
        at: Some(baseline.snapshot.taken),
        sha256: manifest.and_then(|manifest| manifest.sha256.clone()),
        remark: Text::from(by),
        rows,
    })
}

fn manifest<'b>(baseline: &'b Baseline, node: &NodeName, at: Locator) -> Option<&'b Manifest> {
    let list = &baseline.snapshot.nodes.get(node)?.host.manifests;
    let item = usize::try_from(at.item).ok()?;
    match list.get().ok()?.value.get(item)? {
        Fact::Seen(seen) => Some(&seen.value),
        Fact::Gap(_) => None,
    }
}
