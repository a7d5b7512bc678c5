use super::scope::{each_file, way};
use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, offence, on_node};
use crate::model::Timestamp;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

/// Seconds between content and status that a copy or a chmod on the day of writing explains.
const DAY: i64 = 86_400;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-019"),
    title: "Times of manifests are plausible",
    why: "A file whose status changed long after its content was copied with its times, renamed, or dated back so that nobody looks at it.",
    severity: Severity::Info,
    since: "0.2.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[],
    maps: &[Maps::Attack("T1070.006")],
    fix: Remediation {
        steps: &[
            on_node("stat {path}"),
            by_hand(
                "ask who copied, renamed or changed it at the time of the last change of status",
            ),
        ],
        restarts: "nothing",
        undo: &[by_hand("nothing is changed")],
    },
    examples: &[
        (
            "{dir: {}, manifests: [{file: a.yaml, mtime: 1000, ctime: 2000, pod: x/a}]}",
            "PASS",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mtime: 1749000000, ctime: 1749900000, pod: x/a}, {gap: denied}]}",
            "FAIL info: content of 2025-06-04, status changed 10 days later: copied, renamed, or dated back; gap: the login may not read it",
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
        let stat = manifest.walk.object().map(|hop| &hop.stat);
        let times = stat.and_then(|stat| Some((stat.mtime?, stat.ctime?)));
        let Some((content, status)) = times else {
            tally.gap(Gap::ToolMissing {
                tool: "stat".into(),
            });
            return;
        };
        let later = status.saturating_sub(content);
        if later > DAY {
            let date = Timestamp::from_second(content);
            let date = date.map_or_else(|_| "?".to_owned(), |at| at.strftime("%F").to_string());
            let days = later / DAY;
            let message = format!(
                "content of {date}, status changed {days} days later: copied, renamed, or dated back"
            );
            let subject = Subject::path(&manifest.file);
            tally.offence(offence(subject, Severity::Info, message, evidence));
        }
    })
}
