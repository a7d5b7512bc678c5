use super::scope::{no_folder, way};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::{Mount, Walk, WalkEnd};
use crate::model::verdict::{Severity, Subject, Verdict};

/// Kept on disks of the node, with modes and owners that its kernel holds.
const LOCAL: &[&str] = &[
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs", "nilfs2", "reiserfs",
    "erofs", "squashfs",
];
/// The kernel holds modes, but the content comes from elsewhere or goes with the next start.
const PASSING: &[&str] = &["overlay", "tmpfs", "ramfs", "rootfs", "aufs"];

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-014"),
    title: "Manifests lie on a disk of the node",
    why: "On a file system of the network, of another machine or without owners, modes are somebody else's word: whoever holds that side writes the node's root pods.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[],
    maps: &[Maps::Source("mount(8), nfs(5)"), Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            on_node("findmnt -T {path}"),
            by_hand("make a folder on a local disk, root:root 0700, copy the manifests into it"),
            by_hand(
                "point staticPodPath to it, or unmount what lies over the old folder, while no second control plane is down",
            ),
            on_node("systemctl restart kubelet"),
        ],
        restarts: "the kubelet; static pods are made anew when their path changes",
        undo: &[by_hand(
            "point staticPodPath back, systemctl restart kubelet",
        )],
    },
    examples: &[
        ("{dir: {}, manifests: [{file: a.yaml, pod: x/a}]}", "PASS"),
        (
            "{dir: {mount: {point: /etc/kubernetes/manifests, fstype: nfs4}}, manifests: []}",
            "FAIL high: on nfs4 at /etc/kubernetes/manifests: owners and modes are another machine's word",
        ),
        (
            "{dir: {mount: {fstype: overlay}}, manifests: []}",
            "FAIL low: on overlay at /: what lies below it comes from elsewhere or goes with the next start",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mount: {point: /mnt, fstype: vfat}, pod: x/a}, {gap: denied}]}",
            "FAIL high: on vfat at /mnt: owners and modes are another machine's word; gap: the login may not read it",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {absent: true}, manifests: []}",
            "N/A: the folder does not exist",
        ),
        (
            "{dir: {mount: {gap: denied}}, manifests: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.manifest_dir.get()?;
    let Some(dir) = &seen.value else {
        return Ok(no_folder(seen.at));
    };
    if dir.walk.end == WalkEnd::Absent {
        let evidence = way(&dir.walk, seen.at);
        return Ok(not_applicable(evidence, "the folder does not exist"));
    }
    let mut tally = Tally::new();
    let above = lies(&dir.walk, seen.at, None, &mut tally);
    if let Some(list) = tally.take(&node.host.manifests) {
        tally.good(list.at);
        for manifest in &list.value {
            if let Some(seen) = tally.take(manifest) {
                lies(&seen.value.walk, seen.at, above.as_ref(), &mut tally);
            }
        }
    }
    tally.verdict()
}

/// Where the object of a walk lies; told unless the folder above lies there too.
fn lies(walk: &Walk, at: Locator, above: Option<&Mount>, tally: &mut Tally) -> Option<Mount> {
    let Some(object) = walk.object() else {
        if let Some(Fact::Gap(gap)) = walk.hops.last() {
            tally.gap(gap.clone());
        }
        return None;
    };
    let mount = &tally.take(&object.mount)?.value;
    tally.all_good(&way(walk, at));
    if above == Some(mount) {
        return Some(mount.clone());
    }
    let kind = mount.fstype.as_str();
    let (severity, why) = if LOCAL.contains(&kind) {
        return Some(mount.clone());
    } else if PASSING.contains(&kind) {
        let why = "what lies below it comes from elsewhere or goes with the next start";
        (Severity::Low, why)
    } else {
        (
            Severity::High,
            "owners and modes are another machine's word",
        )
    };
    let message = format!("on {kind} at {}: {why}", mount.point);
    let subject = Subject::path(&walk.path);
    tally.offence(offence(subject, severity, message, way(walk, at)));
    Some(mount.clone())
}
