use super::scope::{each_file, way};
use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, offence, on_node};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-015"),
    title: "Every manifest has one name",
    why: "A second name of the same file lies in another folder with other rights: who reaches it there changes what the kubelet runs here.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[],
    maps: &[Maps::Source("link(2)"), Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            on_node("find / -xdev -samefile {path}"),
            on_node("cp -p {path} /root/{file}"),
            on_node("chmod 600 /root/{file}"),
            on_node("mv /root/{file} {path}"),
        ],
        restarts: "nothing: the content stays the same; across file systems mv is not one step, and the pod may be made anew",
        undo: &[by_hand("ln the other name to it again")],
    },
    examples: &[
        ("{dir: {}, manifests: [{file: a.yaml, pod: x/a}]}", "PASS"),
        (
            "{dir: {}, manifests: [{file: a.yaml, nlink: 2, pod: x/a}, {gap: denied}]}",
            "FAIL medium: it has 2 names, and only this one was looked at; gap: the login may not read it",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {}, manifests: [{file: a.yaml, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_file(node, |manifest, at, tally| {
        let evidence = way(&manifest.walk, at);
        tally.all_good(&evidence);
        let names = manifest.walk.object().map_or(1, |hop| hop.stat.nlink);
        if names > 1 {
            let message = format!("it has {names} names, and only this one was looked at");
            let subject = Subject::path(&manifest.file);
            tally.offence(offence(subject, Severity::Medium, message, evidence));
        }
    })
}
