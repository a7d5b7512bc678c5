use super::scope::{no_folder, way};
use crate::checks::access::{How, writers};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::{FileKind, WalkEnd};
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-001"),
    title: "Only root can write to the static pod folder",
    why: "Whoever can put a file into the folder starts a pod of their choice on the node, privileged if they like, past every admission rule of the cluster.",
    severity: Severity::Critical,
    since: "0.1.0",
    needs: &[Need::ManifestDir],
    helps: &[Need::Accounts],
    maps: &[Maps::Ms("MS-M9016"), Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            on_node("ls -la {path}"),
            by_hand(
                "look for files that nobody of you put there: whoever could write may have done so",
            ),
            on_node("chown root:root {path}"),
            on_node("chmod 700 {path}"),
        ],
        restarts: "nothing: the kubelet reads the folder as root",
        undo: &[
            by_hand("the old owner and mode are in the evidence"),
            on_node("chmod 755 {path}"),
        ],
    },
    examples: &[
        (
            "dir: {path: /etc/kubernetes/manifests, mode: '0700'}",
            "PASS",
        ),
        (
            "dir: {path: /etc/kubernetes/manifests, mode: '0755', acl: {gap: tool}}",
            "PASS",
        ),
        (
            "{dir: {mode: '0777'}, fs: {/etc/kubernetes: {mode: '0700'}}}",
            "PASS",
        ),
        (
            "dir: {path: /etc/kubernetes/manifests, mode: '0777'}",
            "FAIL critical: mode 0777: everyone can put files into it",
        ),
        (
            "{dir: {mode: '0775', owner: '0:995'}, accounts: {users: ['alice:1000:1000'], groups: ['kube:995:alice']}}",
            "FAIL critical: mode 0775: group kube (995: alice) can put files into it",
        ),
        (
            "dir: {mode: '0555', owner: '1000:0'}",
            "FAIL critical: mode 0555: uid 1000 after a chmod can put files into it",
        ),
        (
            "dir: {mode: '0770', acl: 'u::rwx,u:1000:rwx,g::---,m::rwx,o::---'}",
            "FAIL critical: mode 0770 with an access list: uid 1000 can put files into it; gap: not asked for in this run",
        ),
        (
            "{dir: {path: /srv/m, absent: true}, fs: {/srv: {mode: '0777'}}}",
            "FAIL critical: it does not exist: everyone can make it and put files into it",
        ),
        (
            "dir: {path: /srv/m, absent: true}",
            "PASS: it does not exist, and only root can make it",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {mode: '0775'}, accounts: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{dir: {mode: '0775', acl: {gap: tool}}, accounts: {users: [], groups: []}}",
            "UNKNOWN: getfacl is not on the node",
        ),
        (
            "dir: {gap: connect-timeout}",
            "UNKNOWN: the node was not read (connect-timeout): in an example",
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
    let mut tally = Tally::new();
    let evidence = way(&dir.walk, seen.at);
    tally.all_good(&evidence);
    let reach = writers(&dir.walk, &node.host.accounts);
    for found in &reach.ways {
        let people = found.people();
        let message = match (found.how, dir.walk.object()) {
            (How::Create, _) => {
                format!("it does not exist: {people} can make it and put files into it")
            }
            (How::Write, Some(object)) => {
                let acl = object.acl.get().ok().and_then(|acl| acl.value.as_ref());
                let list = acl.map_or("", |_| " with an access list");
                let deed = match object.stat.kind {
                    FileKind::Directory => "put files into it",
                    _ => "change it",
                };
                format!("mode {}{list}: {people} can {deed}", object.stat.mode)
            }
            _ => continue,
        };
        tally.offence(offence(
            Subject::path(&dir.path),
            Severity::Critical,
            message,
            evidence.clone(),
        ));
    }
    tally.gaps(reach.gaps);
    match dir.walk.end {
        WalkEnd::Absent => tally.note("it does not exist, and only root can make it"),
        WalkEnd::Loop => tally.note("links lead in a circle, nothing is loaded"),
        WalkEnd::Reached | WalkEnd::Blocked => {}
    }
    tally.verdict()
}
