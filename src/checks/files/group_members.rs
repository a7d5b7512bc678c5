use super::scope::{no_folder, way};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::{Accounts, FileKind, Gid, Uid, Walk};
use crate::model::verdict::{Severity, Subject, Verdict};

/// Members that are named before the rest is counted.
const NAMED: usize = 5;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-016"),
    title: "The owning group has no members but root",
    why: "Rights of a group are the rights of whoever is put into it, today or by the next useradd: nobody sees that in the mode.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::ManifestDir, Need::Manifests, Need::Accounts],
    helps: &[],
    maps: &[Maps::Source("group(5)"), Maps::Attack("T1098")],
    fix: Remediation {
        steps: &[
            on_node("chgrp root {path}"),
            on_node("chmod g-rwx {path}"),
            by_hand("or take the members out of the group: gpasswd -d USER GROUP"),
        ],
        restarts: "nothing: the kubelet runs as root",
        undo: &[by_hand("the old group and mode are in the evidence")],
    },
    examples: &[
        (
            "{dir: {mode: '0755'}, manifests: [{file: a.yaml, mode: '0644', pod: x/a}], accounts: {users: ['root:0:0'], groups: ['root:0:']}}",
            "PASS",
        ),
        (
            "{dir: {mode: '0700', owner: '0:995'}, manifests: [], accounts: {users: ['alice:1000:1000'], groups: ['kube:995:alice']}}",
            "PASS",
        ),
        (
            "{dir: {mode: '0770', owner: '0:995'}, manifests: [], accounts: {users: ['alice:1000:1000', 'bob:1001:995'], groups: ['kube:995:alice']}}",
            "FAIL medium: mode 0770 lets group kube write: alice, bob",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mode: '0640', owner: '0:995', pod: x/a}, {gap: denied}], accounts: {users: ['alice:1000:1000'], groups: ['kube:995:alice']}}",
            "FAIL low: mode 0640 lets group kube read: alice; gap: the login may not read it",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {}, manifests: [], accounts: {gap: denied}}",
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
    let accounts = &node.host.accounts.get()?.value;
    let mut tally = Tally::new();
    one(accounts, &dir.walk, seen.at, &mut tally);
    if let Some(list) = tally.take(&node.host.manifests) {
        tally.good(list.at);
        for manifest in &list.value {
            if let Some(seen) = tally.take(manifest) {
                one(accounts, &seen.value.walk, seen.at, &mut tally);
            }
        }
    }
    tally.verdict()
}

fn one(accounts: &Accounts, walk: &Walk, at: Locator, tally: &mut Tally) {
    let evidence = way(walk, at);
    tally.all_good(&evidence);
    let Some(object) = walk.object() else {
        let hidden = walk.hops.last().and_then(|hop| hop.get().err());
        tally.gaps(hidden);
        return;
    };
    let stat = &object.stat;
    let bits = stat.mode.bits() >> 3 & 7;
    // Names in a folder cannot be changed without the right to search it.
    let writes = bits & 2 != 0 && (stat.kind != FileKind::Directory || bits & 1 != 0);
    let (severity, deed) = match (writes, bits & 4 != 0) {
        (true, _) => (Severity::Medium, "write"),
        (false, true) => (Severity::Low, "read"),
        (false, false) => return,
    };
    let members = members(accounts, stat.gid);
    if members.is_empty() {
        return;
    }
    let group = accounts.group(stat.gid);
    let group = group.map_or_else(|| stat.gid.to_string(), |group| group.name.to_string());
    let mut names = members.iter().take(NAMED).cloned().collect::<Vec<_>>();
    if members.len() > NAMED {
        names.push(format!("{} more", members.len() - NAMED));
    }
    let message = format!(
        "mode {} lets group {group} {deed}: {}",
        stat.mode,
        names.join(", ")
    );
    let subject = Subject::path(&walk.path);
    tally.offence(offence(subject, severity, message, evidence));
}

/// Who is in a group, by its list or as their first group; root left out.
fn members(accounts: &Accounts, gid: Gid) -> Vec<String> {
    let group = accounts.group(gid);
    let root = accounts.user(Uid::ROOT).map(|user| user.name.to_string());
    let listed = group.into_iter().flat_map(|group| &group.members);
    let first = accounts.users.iter().filter(|user| user.gid == gid);
    let mut out: Vec<String> = listed
        .map(ToString::to_string)
        .chain(
            first
                .filter(|user| user.uid != Uid::ROOT)
                .map(|user| user.name.to_string()),
        )
        .filter(|name| Some(name) != root.as_ref())
        .collect();
    out.sort();
    out.dedup();
    out
}
