//! A manifest's pod by the standards of the cluster that it is in.

use crate::checks::check::View;
use crate::checks::standard::{
    Level, Malformed, Shape, Standard, Version, Violation, evaluate, instead_of, newest,
};
use crate::checks::version;
use crate::model::fact::Gap;
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;

/// The pod as admission would see it.
///
/// # Errors
/// [`Gap::Garbled`] where a field has another type than a Pod's.
pub fn shape(pod: &Pod) -> Result<Shape<'_>, Gap> {
    let read = Shape::read(pod.raw.root()).map(Shape::defaulted);
    read.map_err(|error: Malformed| Gap::Garbled {
        what: Text::from(format!("{}/{}: {error}", pod.namespace, pod.name)),
    })
}

/// The standard of a level at the cluster's version, else the kubelet's, else the newest.
pub fn standard(level: Level, (node, view): (&NodeFacts, &View<'_>)) -> Standard {
    let version = version::minor(node, view).map_or(Version::Latest, Version::Minor);
    Standard::new(level, version)
}

/// What a pod does against a level.
pub struct Judged {
    /// In the version that counts, else the newest.
    pub standard: Standard,
    pub violations: Vec<Violation>,
    /// Another version would forbid more, and which one the cluster has is not known.
    pub gap: Option<Gap>,
}

/// Judges a pod at the cluster's version.
///
/// # Errors
/// As [`shape`].
pub fn judged(
    pod: &Pod,
    level: Level,
    (node, view): (&NodeFacts, &View<'_>),
) -> Result<Judged, Gap> {
    let standard = standard(level, (node, view));
    let shape = shape(pod)?;
    let violations = evaluate(standard, &shape);
    let by_another = || another_forbids(level, &shape, &violations);
    let gap = (standard.version == Version::Latest && by_another())
        .then(|| node.api.object.get().err().unwrap_or(Gap::NotAsked));
    Ok(Judged {
        standard,
        violations,
        gap,
    })
}

/// Whether an older version forbids something that is not among `known`.
pub fn another_forbids(level: Level, shape: &Shape<'_>, known: &[Violation]) -> bool {
    let is_known = |id: &str| {
        let instead = instead_of(id);
        let same = |own: &str| own == id || Some(own) == instead;
        known.iter().any(|violation| same(violation.id))
    };
    (0..newest()).any(|minor| {
        let other = Standard::new(level, Version::Minor(minor));
        let more = evaluate(other, shape);
        more.iter().any(|violation| !is_known(violation.id))
    })
}
