use super::scope::{no_folder, way};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::privilege::places::{holds, plain};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::unix::Walk;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-028"),
    title: "Nothing is mounted into the static pod folder",
    why: "A pod whose mounts reach the node can lay a file system of its own over the folder or into it: what the kubelet starts is then the container's to write.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[],
    maps: &[Maps::Attack("T1611")],
    fix: Remediation {
        steps: &[
            on_node("findmnt -R -o TARGET,SOURCE,FSTYPE,OPTIONS -T {path}"),
            by_hand(
                "find whose it is: a mount that a pod made goes with that pod, SP-MRG-020 and SP-PRIV-012 name those that can; compare what lies under it before you take it away",
            ),
            on_node("umount {path}"),
        ],
        restarts: "the static pods whose files it brought stop, those that it hid start",
        undo: &[by_hand(
            "mount it again from the source that findmnt showed",
        )],
    },
    examples: &[
        ("{dir: {}, manifests: [{file: a.yaml, pod: x/a}]}", "PASS"),
        (
            "{dir: {mount: {point: /etc/kubernetes, fstype: ext4}}, manifests: []}",
            "PASS",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: x/a, mount: {point: /etc/kubernetes/manifests/a.yaml, fstype: ext4}}]}",
            "FAIL high: a file system (ext4) is mounted at /etc/kubernetes/manifests/a.yaml, inside the folder: whoever mounted it decides what runs",
        ),
        (
            "{dir: {mount: {point: /etc/kubernetes/manifests, fstype: xfs}}, manifests: []}",
            "MANUAL: who mounted a file system (xfs) at /etc/kubernetes/manifests, over the folder itself? findmnt shows its source",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: x/a, mount: {point: /etc/kubernetes/manifests/a.yaml, fstype: squashfs, read_only: true}}]}",
            "FAIL high: a file system (squashfs) is mounted at /etc/kubernetes/manifests/a.yaml, inside the folder: whoever mounted it decides what runs",
        ),
        (
            "{dir: none, manifests: []}",
            "N/A: no static pod folder is configured",
        ),
        (
            "{dir: {mount: {gap: denied}}, manifests: []}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{dir: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.manifest_dir.get()?;
    let list = node.host.manifests.get()?;
    let Some(dir) = &seen.value else {
        return Ok(no_folder(seen.at));
    };
    let mut tally = Tally::new();
    tally.all_good(&[seen.at, list.at]);
    let object = dir.walk.object().map(|hop| hop.path.as_str());
    let folder = plain(object.unwrap_or(dir.path.as_str()));
    walked(&dir.walk, seen.at, &folder, &mut tally);
    for manifest in &list.value {
        if let Some(manifest) = tally.take(manifest) {
            walked(&manifest.value.walk, manifest.at, &folder, &mut tally);
        }
    }
    tally.verdict()
}

/// Tells of the mount in which a path lies, where that begins at the folder or below it.
fn walked(walk: &Walk, at: Locator, folder: &str, tally: &mut Tally) {
    let Some(object) = walk.object() else {
        if let Some(Fact::Gap(gap)) = walk.hops.last() {
            tally.gap(gap.clone());
        }
        return;
    };
    let Some(mount) = tally.take(&object.mount) else {
        return;
    };
    let (mount, point) = (&mount.value, plain(mount.value.point.as_str()));
    // A link may lead out of the folder, to a mount that is none of its own.
    if !holds(folder, &point) || !holds(folder, object.path.as_str()) {
        return;
    }
    if point == folder {
        return tally.gap(Gap::NeedsHuman {
            question: Text::from(format!(
                "who mounted a file system ({}) at {point}, over the folder itself? findmnt shows its source",
                mount.fstype
            )),
        });
    }
    let message = format!(
        "a file system ({}) is mounted at {point}, inside the folder: whoever mounted it decides what runs",
        mount.fstype
    );
    let subject = Subject::path(&mount.point);
    tally.offence(offence(subject, Severity::High, message, way(walk, at)));
}
