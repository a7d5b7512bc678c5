//! Manifests beside those of the baseline: what is comparable, and what is the same.

use crate::checks::check::View;
use crate::model::baseline::{Baseline, MASK, plain};
use crate::model::fact::{Fact, Gap, Locator, Need, Seen};
use crate::model::node::NodeFacts;
use crate::model::pod::Manifest;
use crate::model::unix::FileKind;

/// The baseline and what it holds of one node.
pub struct Kept<'a> {
    pub baseline: &'a Baseline,
    pub at: Locator,
    /// None: the baseline does not have the node.
    pub node: Option<&'a NodeFacts>,
}

/// How two states of one file relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    Equal,
    Differs,
    /// Equal but for so many secrets, whose masks are of different runs.
    Masked(usize),
}

/// The baseline that is given; `None` without one.
///
/// # Errors
/// Why it is not known, or that it is of another cluster.
pub fn kept<'a>(view: &View<'a>, node: &NodeFacts) -> Result<(Locator, Option<Kept<'a>>), Gap> {
    let (policy, snapshot) = (view.policy, view.snapshot);
    let seen = match &policy.baseline {
        Fact::Seen(seen) => seen,
        Fact::Gap(gap) => return Err(gap.clone()),
    };
    let Some(baseline) = seen.value.as_deref() else {
        return Ok((seen.at, None));
    };
    let kept = Kept {
        baseline,
        at: seen.at,
        node: baseline.node(&snapshot.cluster.uid, &node.name)?,
    };
    Ok((seen.at, Some(kept)))
}

impl<'a> Kept<'a> {
    /// The manifests of the node with their place as evidence, and the first that is not known.
    ///
    /// # Errors
    /// [`Gap::Baseline`] where it does not know them.
    pub fn manifests(&self, node: &'a NodeFacts) -> Result<Manifests<'a>, Gap> {
        let list = node.host.manifests.get();
        let Ok(Seen { value, .. }) = list else {
            let why = list.err().unwrap_or(Gap::NotAsked);
            return Err(self
                .baseline
                .gap(&format!("the manifests of this node are not in it: {why}")));
        };
        let mut out = Manifests::default();
        for (item, fact) in (0..).zip(value) {
            match fact {
                Fact::Seen(seen) if seen.value.kind == FileKind::Regular => {
                    out.known
                        .push((Locator::new(Need::Baseline, item), &seen.value));
                }
                Fact::Seen(_) => {}
                Fact::Gap(why) => {
                    let gap = || {
                        self.baseline
                            .gap(&format!("a manifest is not in it: {why}"))
                    };
                    out.gap.get_or_insert_with(gap);
                }
            }
        }
        Ok(out)
    }
}

/// Regular files of the static pod folder at the time of the baseline.
#[derive(Default)]
pub struct Manifests<'a> {
    pub known: Vec<(Locator, &'a Manifest)>,
    /// Of a file that could not be read then.
    pub gap: Option<Gap>,
}

impl<'a> Manifests<'a> {
    pub fn find(&self, file: &Manifest) -> Option<(Locator, &'a Manifest)> {
        let same = |(_, known): &&(Locator, &Manifest)| known.file == file.file;
        self.known.iter().find(same).copied()
    }
}

/// Compares by digest, and where secrets were masked by what is left.
pub fn same(now: &Manifest, before: &Manifest) -> Same {
    if let (Some(now), Some(before)) = (&now.sha256, &before.sha256) {
        return if now == before {
            Same::Equal
        } else {
            Same::Differs
        };
    }
    let (text, earlier) = (now.text.as_str(), before.text.as_str());
    let keyed = text.matches("<masked ").count() == text.matches(MASK).count();
    if text == earlier && now.sha256 == before.sha256 && keyed && text.contains(MASK) {
        // Masks of one run: equal words are equal secrets.
        return Same::Equal;
    }
    if plain(text) == plain(earlier) {
        Same::Masked(text.matches(MASK).count())
    } else {
        Same::Differs
    }
}
