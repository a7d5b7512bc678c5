use super::scope::{name, no_folder, way};
use crate::checks::access::{How, Way, writers};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-006"),
    title: "Only root can replace a name on the way to the folder",
    why: "Whoever can rename a folder above the manifests, or a link that leads there, puts a folder of their own in its place and starts pods as root.",
    severity: Severity::Critical,
    since: "0.1.0",
    needs: &[Need::ManifestDir],
    helps: &[Need::Accounts],
    maps: &[Maps::Ms("MS-M9016"), Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            by_hand("find out who needs to write to {path}: other programs may keep files there"),
            on_node("chown root:root {path}"),
            on_node("chmod go-w {path}"),
        ],
        restarts: "nothing: the kubelet reads the folder as root. Programs that wrote to {path} as another user no longer can",
        undo: &[by_hand(
            "the old owner and mode of {path} are in the evidence",
        )],
    },
    examples: &[
        (
            "dir: {path: /etc/kubernetes/manifests, mode: '0777'}",
            "PASS",
        ),
        ("{dir: {path: /tmp/m}, fs: {/tmp: {mode: '1777'}}}", "PASS"),
        (
            "{dir: {path: /etc/kubernetes/manifests}, fs: {/etc/kubernetes: {mode: '0777'}}}",
            "FAIL critical: everyone can replace manifests in it",
        ),
        (
            "{dir: {path: /etc/kubernetes/manifests}, fs: {/etc/kubernetes: {owner: '1000:0', mode: '0555'}}, \
             accounts: {users: ['alice:1000:1000'], groups: []}}",
            "FAIL critical: user alice (1000) after a chmod can replace manifests in it",
        ),
        (
            "{dir: {path: /m}, fs: {/m: {link: srv/m}, /srv: {mode: '0777'}, /srv/m: {mode: '0700'}}}",
            "FAIL critical: everyone can replace m in it",
        ),
        (
            "{dir: {path: /tmp/m}, fs: {/tmp: {mode: '1777'}, /tmp/m: {link: /srv/m, owner: '1000:0'}}}",
            "FAIL critical: uid 1000 can replace m in it",
        ),
        (
            "{dir: {path: /a/b/m}, fs: {/a: {mode: '0777'}, /a/b: {gap: denied}}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{dir: {path: /etc/kubernetes/manifests}, fs: {/etc/kubernetes: {mode: '0777', mount: {read_only: true}}}}",
            "PASS",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
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
    let mut replaced: Vec<&Way> = Vec::new();
    replaced.extend(reach.ways.iter().filter(|way| way.how == How::Replace));
    let mut told: Vec<&Way> = Vec::new();
    for way in &replaced {
        // One folder, one flaw, however many names on the way lie in it.
        if told.iter().any(|have| have.through == way.through) {
            continue;
        }
        told.push(way);
        let names: Vec<&str> = replaced
            .iter()
            .filter(|other| other.through == way.through && other.who == way.who)
            .map(|other| name(other.entry.as_str()))
            .collect();
        let message = format!("{} can replace {} in it", way.people(), names.join(" and "));
        tally.offence(offence(
            Subject::path(&way.through),
            Severity::Critical,
            message,
            evidence.clone(),
        ));
    }
    tally.gaps(reach.gaps);
    tally.verdict()
}
