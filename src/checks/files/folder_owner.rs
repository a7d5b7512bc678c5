use super::owner;
use super::scope::{no_folder, way};
use crate::checks::access::writers;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::WalkEnd;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-003"),
    title: "The static pod folder belongs to root:root",
    why: "The owner of the folder can open it with chmod at any time, whatever its mode says today.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::ManifestDir],
    helps: &[Need::Accounts],
    maps: &[Maps::Source("CIS 1.1.2 by analogy"), Maps::Ms("MS-M9016")],
    fix: Remediation {
        steps: &[on_node("chown root:root {path}"), on_node("ls -ld {path}")],
        restarts: "nothing: the kubelet reads the folder as root",
        undo: &[by_hand("chown back to the owner that the evidence shows")],
    },
    examples: &[
        (
            "dir: {path: /etc/kubernetes/manifests, mode: '0755', owner: '0:0'}",
            "PASS",
        ),
        (
            "{dir: {owner: '1000:0'}, accounts: {users: ['alice:1000:1000'], groups: ['root:0:']}}",
            "FAIL high: it belongs to alice:root (1000:0), not to root:root",
        ),
        (
            "dir: {mode: '0755', owner: '0:995'}",
            "FAIL low: it belongs to 0:995, not to root:root; nobody but root can make use of it",
        ),
        (
            "{dir: {mode: '0700', owner: '1000:1000'}, fs: {/etc/kubernetes: {mode: '0700'}}}",
            "FAIL low: it belongs to 1000:1000, not to root:root; nobody but root can make use of it",
        ),
        (
            "{dir: {mode: '0770', owner: '0:995', acl: {gap: tool}}, accounts: {users: [], groups: []}}",
            "FAIL high: it belongs to 0:995, not to root:root; gap: getfacl is not on the node",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        ("dir: {absent: true}", "N/A: the folder does not exist"),
        (
            "{dir: {}, fs: {/etc/kubernetes: {gap: denied}}}",
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
    let evidence = way(&dir.walk, seen.at);
    let Some(object) = dir.walk.object() else {
        let why = match dir.walk.end {
            WalkEnd::Absent => "the folder does not exist",
            WalkEnd::Loop => "links lead in a circle, there is no folder",
            WalkEnd::Reached | WalkEnd::Blocked => return Err(hidden(&dir.walk)),
        };
        return Ok(not_applicable(evidence, why));
    };
    let mut tally = Tally::new();
    tally.all_good(&evidence);
    if !owner::is_roots(&object.stat) {
        let reach = writers(&dir.walk, &node.host.accounts);
        let severity = owner::severity(&reach);
        let words = owner::words(&object.stat, &node.host.accounts);
        let rest = match severity {
            Severity::Low => "; nobody but root can make use of it",
            _ => "",
        };
        let message = format!("it belongs to {words}, not to root:root{rest}");
        tally.offence(offence(
            Subject::path(&dir.path),
            severity,
            message,
            evidence,
        ));
        tally.gaps(reach.gaps);
    }
    tally.verdict()
}

/// Why the walk did not reach its end.
fn hidden(walk: &crate::model::unix::Walk) -> Gap {
    let gap = walk.hops.iter().rev().find_map(|hop| hop.get().err());
    gap.unwrap_or(Gap::NotAsked)
}
