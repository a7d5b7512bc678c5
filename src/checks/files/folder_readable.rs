use super::scope::{no_folder, way};
use crate::checks::access::readers;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::WalkEnd;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-002"),
    title: "Only root can list the static pod folder",
    why: "Names of manifests tell which components run on the node and when somebody works on them.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: &[Need::ManifestDir],
    helps: &[Need::Accounts],
    maps: &[Maps::Source("kubeadm makes the folder 0700")],
    fix: Remediation {
        steps: &[on_node("chmod 700 {path}"), on_node("ls -ld {path}")],
        restarts: "nothing: the kubelet reads the folder as root",
        undo: &[
            by_hand("the old mode is in the evidence"),
            on_node("chmod 755 {path}"),
        ],
    },
    examples: &[
        ("dir: {mode: '0700'}", "PASS"),
        (
            "{dir: {mode: '0755'}, fs: {/etc/kubernetes: {mode: '0700'}}}",
            "PASS",
        ),
        (
            "dir: {mode: '0755'}",
            "FAIL low: mode 0755: everyone can list it",
        ),
        (
            "{dir: {mode: '0750', owner: '0:995'}, accounts: {users: ['alice:1000:1000'], groups: ['kube:995:alice']}}",
            "FAIL low: mode 0750: group kube (995: alice) can list it",
        ),
        ("dir: {absent: true}", "N/A: the folder does not exist"),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {mode: '0750', owner: '0:0'}, accounts: {gap: denied}}",
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
    if dir.walk.end == WalkEnd::Absent {
        return Ok(not_applicable(evidence, "the folder does not exist"));
    }
    let mut tally = Tally::new();
    tally.all_good(&evidence);
    let reach = readers(&dir.walk, &node.host.accounts);
    for found in &reach.ways {
        let mode = dir.walk.object().map(|hop| hop.stat.mode.to_string());
        let mode = mode.unwrap_or_default();
        let message = format!("mode {mode}: {} can list it", found.people());
        let subject = Subject::path(&dir.path);
        tally.offence(offence(subject, Severity::Low, message, evidence.clone()));
    }
    tally.gaps(reach.gaps);
    tally.verdict()
}
