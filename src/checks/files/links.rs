use super::scope::{each_file, way};
use crate::checks::access::{Reach, writers};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::unix::{FileKind, Hop, Walk};
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-007"),
    title: "No link leads to the static pod folder or out of it",
    why: "The kubelet follows links: what runs as root then lies in a place that nobody guards as a folder of manifests, or that a backup and a restore leave out.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[Need::Accounts],
    maps: &[
        Maps::Source("pkg/kubelet/config/file.go follows links"),
        Maps::Attack("T1543"),
    ],
    fix: Remediation {
        steps: &[
            on_node("readlink -f {path}"),
            by_hand("make a copy of the target, outside of the folder, root:root 0600"),
            by_hand(
                "mv the copy over the link: one step, so that the kubelet sees no moment without the file",
            ),
        ],
        restarts: "nothing where the content stays the same",
        undo: &[by_hand(
            "make the link again: its target is in the evidence",
        )],
    },
    examples: &[
        ("{dir: {}, manifests: [{file: a.yaml, pod: x/a}]}", "PASS"),
        (
            "{dir: {}, manifests: [{file: a.yaml, link: /srv/a.yaml, pod: x/a}], fs: {/srv/a.yaml: {kind: regular}}}",
            "FAIL medium: a link to /srv/a.yaml",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, link: /srv/a.yaml, pod: x/a}], fs: {/srv: {mode: '0777'}, /srv/a.yaml: {kind: regular}}}",
            "FAIL high: a link to /srv/a.yaml, and everyone can replace /srv/a.yaml",
        ),
        (
            "{dir: {path: /m}, manifests: [], fs: {/m: {link: /srv/m}, /srv/m: {mode: '0777'}}}",
            "FAIL high: a link to /srv/m, and everyone can write to /srv/m",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, link: b, pod: x/a}, {gap: denied}], fs: {/etc/kubernetes/manifests/b: {kind: regular}}}",
            "FAIL medium: a link to b; gap: the login may not read it",
        ),
        (
            "{dir: {path: /m}, manifests: {gap: denied}, fs: {/m: {link: /srv/m}, /srv/m: {mode: '0777'}}}",
            "FAIL high: a link to /srv/m, and everyone can write to /srv/m; gap: the login may not read it",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{dir: {gap: denied}, manifests: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let folder = node.host.manifest_dir.get().ok();
    let folder = folder.and_then(|seen| Some((seen.value.as_ref()?, seen.at)));
    let above: Vec<&Text> = folder.map_or_else(Vec::new, |(dir, _)| {
        hops(&dir.walk).map(|hop| &hop.path).collect()
    });
    let mut whole = Tally::new();
    if let Some((dir, at)) = folder {
        links(node, (&dir.walk, at), &[], &mut whole);
    }
    let files = each_file(node, |manifest, at, tally| {
        tally.good(at);
        links(node, (&manifest.walk, at), &above, tally);
    });
    match files {
        Ok(none @ Verdict::NotApplicable { .. }) => Ok(none),
        Ok(files) => whole.with(files),
        Err(gap) => whole.with(Verdict::Unknown { why: gap }),
    }
}

fn hops(walk: &Walk) -> impl Iterator<Item = &Hop> {
    walk.hops.iter().filter_map(|hop| match hop {
        Fact::Seen(seen) => Some(&seen.value),
        Fact::Gap(_) => None,
    })
}

/// Each link of a walk but those that are known, and what the way behind it is worth.
fn links(node: &NodeFacts, (walk, at): (&Walk, Locator), known: &[&Text], tally: &mut Tally) {
    let mut reach: Option<Reach> = None;
    for hop in hops(walk) {
        if hop.stat.kind != FileKind::Symlink || known.contains(&&hop.path) {
            continue;
        }
        let reach = reach.get_or_insert_with(|| writers(walk, &node.host.accounts));
        // What lies on the way to the link itself is told by the checks of that way.
        let asked = walk.path.as_str();
        let weak = reach.ways.iter().find(|way| {
            let through = way.through.as_str().trim_end_matches('/');
            let rest = asked.strip_prefix(through);
            !rest.is_some_and(|rest| rest.starts_with('/'))
        });
        let target = hop.target.clone().unwrap_or_default();
        let (severity, message) = match weak {
            Some(way) if way.entry == way.through => (
                Severity::High,
                format!(
                    "a link to {target}, and {} can write to {}",
                    way.people(),
                    way.entry
                ),
            ),
            Some(way) => (
                Severity::High,
                format!(
                    "a link to {target}, and {} can replace {}",
                    way.people(),
                    way.entry
                ),
            ),
            None => (Severity::Medium, format!("a link to {target}")),
        };
        let subject = Subject::path(&hop.path);
        tally.offence(offence(subject, severity, message, way(walk, at)));
        tally.gaps(reach.gaps.iter().cloned());
    }
}
