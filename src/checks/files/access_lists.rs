use super::scope::{each_file, way};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::{Acl, AclEntry, AclTag, Hop, Uid, Walk};
use crate::model::verdict::{Severity, Subject, Verdict};

/// `w` of a line.
const WRITE: u8 = 2;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-008"),
    title: "No access list lets others write on the way",
    why: "A line of an access list does not show in the mode: ls prints one plus sign, and every benchmark passes it over.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Source("POSIX.1e draft 17; acl(5)"),
        Maps::Attack("T1222.002"),
    ],
    fix: Remediation {
        steps: &[
            on_node("getfacl -p {path}"),
            on_node("setfacl -b {path}"),
            by_hand("look whether somebody used it: times and content of the files behind it"),
        ],
        restarts: "nothing: the kubelet runs as root",
        undo: &[by_hand("setfacl -m with the lines that the evidence shows")],
    },
    examples: &[
        (
            "{dir: {mode: '0755'}, manifests: [{file: a.yaml, mode: '0644', pod: x/a}]}",
            "PASS",
        ),
        (
            "{dir: {mode: '0770', acl: 'u::rwx,u:1000:rwx,g::---,m::rwx,o::---'}, manifests: []}",
            "FAIL high: its access list lets uid 1000 write",
        ),
        (
            "{dir: {mode: '0750', acl: 'u::rwx,u:1000:rwx,g::---,m::r-x,o::---'}, manifests: []}",
            "PASS: an access list that lets nobody write: manifests",
        ),
        (
            "{dir: {mode: '0755', acl: 'u::rwx,g::r-x,o::r-x,d:u::rwx,d:g:50:rwx,d:m::rwx,d:o::---'}, manifests: [{gap: denied}]}",
            "FAIL high: its default access list lets gid 50 write to what is made in it; gap: the login may not read it",
        ),
        (
            "{dir: {mode: '0755', acl: 'u::rwx,g::r-x,o::r-x,d:u::rwx,d:g::r-x,d:o::rwx'}, manifests: []}",
            "FAIL high: its default access list gives others rwx, the group r-x on what is made in it",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mode: '0660', acl: 'u::rw-,g::---,g:50:rw-,m::rw-,o::---', pod: x/a}]}",
            "FAIL high: its access list lets gid 50 write",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {acl: {gap: tool}}, manifests: []}",
            "UNKNOWN: getfacl is not on the node",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mut harmless: Vec<String> = Vec::new();
    let mut whole = Tally::new();
    let folder = node.host.manifest_dir.get()?;
    if let Some(dir) = &folder.value {
        lists((&dir.walk, folder.at), &mut whole, &mut harmless);
    }
    let files = each_file(node, |manifest, at, tally| {
        tally.good(at);
        lists((&manifest.walk, at), tally, &mut harmless);
    });
    if folder.value.is_none() {
        return files;
    }
    match files {
        Ok(Verdict::Fail { offences, gaps }) => {
            for offence in offences {
                whole.offence(offence);
            }
            whole.gaps(gaps);
        }
        Ok(Verdict::Pass { evidence, .. }) => evidence.iter().for_each(|at| whole.good(at)),
        Ok(other) => return Ok(other),
        Err(gap) => whole.gap(gap),
    }
    if !harmless.is_empty() {
        harmless.sort();
        harmless.dedup();
        whole.note(format!(
            "an access list that lets nobody write: {}",
            harmless.join(", ")
        ));
    }
    whole.verdict()
}

/// The lists of every name on a way.
fn lists((walk, at): (&Walk, Locator), tally: &mut Tally, harmless: &mut Vec<String>) {
    for hop in &walk.hops {
        let hop = match hop {
            Fact::Seen(seen) => &seen.value,
            Fact::Gap(gap) => {
                tally.gap(gap.clone());
                continue;
            }
        };
        let Some(acl) = tally.take(&hop.acl).and_then(|seen| seen.value.as_ref()) else {
            continue;
        };
        let said = said(acl);
        if said.is_empty() {
            harmless.push(super::last(hop.path.as_str()).to_owned());
        }
        for message in said {
            tell(hop, message, (walk, at), tally);
        }
    }
}

fn tell(hop: &Hop, message: String, (walk, at): (&Walk, Locator), tally: &mut Tally) {
    let subject = Subject::path(&hop.path);
    tally.offence(offence(subject, Severity::High, message, way(walk, at)));
}

fn said(acl: &Acl) -> Vec<String> {
    let mut out = Vec::new();
    let now = named(&acl.access);
    if !now.is_empty() {
        out.push(format!("its access list lets {} write", now.join(", ")));
    }
    let later = named(&acl.default);
    if later.is_empty() && !acl.default.is_empty() {
        out.push(format!(
            "its default access list gives {} on what is made in it",
            given(&acl.default)
        ));
    }
    if !later.is_empty() {
        let people = later.join(", ");
        out.push(format!(
            "its default access list lets {people} write to what is made in it"
        ));
    }
    out
}

/// Users and groups of a list that may write: by a line of their own, and by its mask.
fn named(list: &[AclEntry]) -> Vec<String> {
    let mask = list.iter().find(|entry| entry.tag == AclTag::Mask);
    let mask = mask.map_or(7, |entry| entry.perms);
    list.iter()
        .filter(|entry| entry.perms & mask & WRITE != 0)
        .filter_map(|entry| match entry.tag {
            AclTag::User(uid) if uid != Uid::ROOT => Some(format!("uid {uid}")),
            AclTag::Group(gid) => Some(format!("gid {gid}")),
            _ => None,
        })
        .collect()
}

/// What a list of no named users that write gives the group and others, whatever the creator meant.
fn given(list: &[AclEntry]) -> String {
    let perms = |wanted: AclTag| {
        let entry = list.iter().find(|entry| entry.tag == wanted);
        let perms = entry.map_or(0, |entry| entry.perms);
        [(4, 'r'), (2, 'w'), (1, 'x')]
            .map(|(bit, word)| if perms & bit == 0 { '-' } else { word })
            .iter()
            .collect::<String>()
    };
    format!(
        "others {}, the group {}",
        perms(AclTag::Other),
        perms(AclTag::GroupObj)
    )
}
