//! Every file that the kubelet loads from the static pod folder.

use super::answer::{Answer, Content, not_read, source, summary};
use super::manifest_dir::{configured, kind_word, names, steps};
use super::parse::pod;
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need, Source};
use crate::model::node::HostFacts;
use crate::model::pod::{Manifest, Parsed};
use crate::model::text::Text;
use crate::model::unix::{FileKind, Walk, WalkEnd};

/// Manifests: the way to each, its bytes, and the pod in it.
pub static PROBE: Probe = Probe {
    need: Need::Manifests,
    what: "every file that the kubelet loads from the static pod folder, secrets masked",
    asks: &[Ask::Shell {
        section: "manifests",
        since: 1,
        root: Some("manifests, which installers write for root alone"),
        fragment: include_str!("shell/manifests.sh"),
        read,
    }],
};

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    match manifests(answer, reading, facts) {
        Ok((all, sources)) => {
            facts.sources.extend(sources);
            facts.manifests = Fact::seen(all, Locator::new(Need::Manifests, 0));
        }
        Err(gap) => facts.manifests = Fact::Gap(gap),
    }
}

fn manifests(
    answer: &Answer<'_>,
    reading: &Reading<'_>,
    facts: &HostFacts,
) -> Result<(Vec<Fact<Manifest>>, Vec<Source>), Gap> {
    let (paths, more) = match configured(facts)? {
        Some(path) => loaded(answer, &path)?,
        None => (Vec::new(), None),
    };
    // A folder that was filled up hides what was left out, and nothing of what was read.
    let mut all: Vec<Fact<Manifest>> = more.into_iter().map(Fact::Gap).collect();
    let mut listing = String::new();
    let mut sources = Vec::new();
    // Evidence 0 is the list; each file has one number for its bytes and one for the way to it.
    for (number, path) in (0u32..).zip(&paths) {
        let at = Locator::new(Need::Manifests, 1 + 2 * number);
        let way = Locator::new(Need::Manifests, 2 + 2 * number);
        let walk = answer.walk(path, way);
        listing.push_str(&format!("{}\n", Text::from_bytes(path)));
        sources.push(summary(
            (Need::Manifests, way.item),
            &format!("stat and getfacl of every name on the way to {}", walk.path),
            &steps(&walk),
            reading,
        ));
        match walk.end {
            WalkEnd::Reached => all.push(file(answer, reading, (walk, path, at), &mut sources)),
            // A link without a target is passed over, and so is a file that went away meanwhile.
            WalkEnd::Absent => {}
            WalkEnd::Loop => all.push(Fact::Gap(Gap::Garbled {
                what: Text::from(format!("{} leads in a circle", walk.path)),
            })),
            WalkEnd::Blocked => {
                let gap = walk.hops.iter().rev().find_map(|hop| hop.get().err());
                all.push(Fact::Gap(
                    gap.unwrap_or_else(|| not_read(b"error", walk.path.as_str())),
                ));
            }
        }
    }
    sources.insert(
        0,
        summary(
            (Need::Manifests, 0),
            "names in the static pod folder that do not begin with a dot",
            &listing,
            reading,
        ),
    );
    Ok((all, sources))
}

/// The paths that the kubelet opens: all names without a dot in front; folders are left out later.
fn loaded(answer: &Answer<'_>, path: &str) -> Result<(Vec<Vec<u8>>, Option<Gap>), Gap> {
    let walk = answer.walk(path.as_bytes(), Locator::new(Need::ManifestDir, 1));
    match (walk.end, walk.object().map(|hop| hop.stat.kind)) {
        (WalkEnd::Absent, _) => Ok((Vec::new(), None)),
        (_, Some(FileKind::Directory)) => {
            let (names, more) = names(answer, path)?;
            let paths = names
                .into_iter()
                .filter(|name| !name.starts_with(b"."))
                .map(|name| [path.trim_end_matches('/').as_bytes(), b"/", name].concat())
                .filter(|path| !is_folder(answer, path));
            Ok((paths.collect(), more))
        }
        (_, Some(_)) => Ok((vec![path.as_bytes().to_vec()], None)),
        _ => Err(walk
            .hops
            .iter()
            .rev()
            .find_map(|hop| hop.get().err())
            .unwrap_or_else(|| not_read(b"error", path))),
    }
}

fn is_folder(answer: &Answer<'_>, path: &[u8]) -> bool {
    answer
        .walk(path, Locator::new(Need::Manifests, 0))
        .object()
        .is_some_and(|hop| hop.stat.kind == FileKind::Directory)
}

fn file(
    answer: &Answer<'_>,
    reading: &Reading<'_>,
    (walk, path, at): (Walk, &[u8], Locator),
    sources: &mut Vec<Source>,
) -> Fact<Manifest> {
    let kind = walk.object().map_or(FileKind::Other, |hop| hop.stat.kind);
    let foreign = is_foreign(&walk, path);
    let mut manifest = Manifest {
        file: Text::from_bytes(path),
        kind,
        walk,
        text: Text::default(),
        sha256: None,
        pod: Fact::default(),
    };
    if kind != FileKind::Regular {
        let message = format!("a {}, which the kubelet passes over", kind_word(kind));
        let broken = Parsed::Broken {
            message: Text::from(message),
        };
        manifest.pod = Fact::seen(broken, Locator::new(at.need, at.item + 1));
        return Fact::seen(manifest, Locator::new(at.need, at.item + 1));
    }
    let command = format!("cat {}", manifest.file);
    let bytes = match answer.file("manifests", path) {
        Some(Content::Whole(bytes)) => bytes,
        Some(Content::Gap(gap)) => return unread(manifest, gap, at),
        None => {
            let gap = not_read(b"error", manifest.file.as_str());
            return unread(manifest, gap, at);
        }
    };
    match pod::read(bytes, manifest.file.as_str(), reading.masker) {
        Err(gap) => return unread(manifest, gap, at),
        Ok(taken) => {
            let hidden = foreign && taken.parsed.pod().is_none();
            manifest.text = if hidden { Text::default() } else { taken.text };
            let key = (at.need, at.item);
            let evidence = if taken.masked || hidden {
                summary(key, &command, manifest.text.as_str(), reading)
            } else {
                source(key, &command, bytes, reading)
            };
            manifest.sha256.clone_from(&evidence.sha256);
            sources.push(evidence);
            manifest.pod = Fact::seen(taken.parsed, at);
        }
    }
    Fact::seen(manifest, at)
}

/// A file that is known by name and not by content: its way is the evidence.
fn unread(mut manifest: Manifest, gap: Gap, at: Locator) -> Fact<Manifest> {
    manifest.pod = Fact::Gap(gap);
    Fact::seen(manifest, Locator::new(at.need, at.item + 1))
}

/// Whether a name leads to a file that is at home elsewhere. Whoever may write into the folder can point the
/// collector to any file of the system; one that is no pod is not shown then.
fn is_foreign(walk: &Walk, path: &[u8]) -> bool {
    let Some(object) = walk.object() else {
        return true;
    };
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let same_name =
        object.path.as_str().rsplit('/').next() == Some(Text::from_bytes(name).as_str());
    let linked = walk.hops.iter().rev().any(|hop| {
        matches!(hop, Fact::Seen(seen) if seen.value.stat.kind == FileKind::Symlink
            && seen.value.path.as_str().rsplit('/').next() == Some(Text::from_bytes(name).as_str()))
    });
    !same_name || linked || object.stat.nlink > 1
}
