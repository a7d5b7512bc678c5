use super::labels::{self, Levels};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PSS-005"),
    title: "Pod Security labels say one of the three levels",
    why: "A misspelled enforce label counts as restricted and hides static pods; a misspelled audit or warn label counts as privileged and tells nobody.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Namespaces],
    helps: &[],
    maps: &[Maps::Pss("baseline")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get namespace {ns} --show-labels"),
            by_hand(
                "set the named labels of {ns} to privileged, baseline or restricted: the API server refuses other values in a change, so the old one has to be mended with the next",
            ),
        ],
        restarts: "nothing: a level is asked when a pod is created",
        undo: &[by_hand(
            "the old value cannot be set again; remove the label instead",
        )],
    },
    examples: &[
        (
            "namespaces: {shop: {enforce: baseline, audit: restricted, warn: privileged}, default: {}}",
            "PASS",
        ),
        (
            "namespaces: {shop: {enforce: basline}}",
            "FAIL medium: shop has basline for enforce, which counts as restricted",
        ),
        (
            "namespaces: {shop: {enforce: baseline, audit: Restricted, warn: ''}}",
            "FAIL medium: shop has Restricted for audit, which counts as privileged; shop has nothing for warn, which counts as privileged",
        ),
        (
            "namespaces: {gap: forbidden}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let list = view.snapshot.cluster.namespaces.get()?;
    let mut tally = Tally::new();
    tally.good(list.at);
    for (index, namespace) in (0_u32..).zip(&list.value) {
        let at = Locator::new(Need::Namespaces, index);
        let (_, wrong) = labels::read(|key| namespace.labels.get(key), Levels::default());
        for wrong in wrong
            .iter()
            .filter(|wrong| !wrong.mode.ends_with("-version"))
        {
            let counts = match wrong.mode {
                "enforce" => "restricted",
                _ => "privileged",
            };
            let value = match wrong.value.as_str() {
                "" => "nothing",
                value => value,
            };
            let (name, mode) = (&namespace.name, wrong.mode);
            let subject = Subject::new(SubjectKind::Namespace, name.clone());
            let message = format!("{name} has {value} for {mode}, which counts as {counts}");
            tally.offence(offence(subject, Severity::Medium, message, [at]));
        }
    }
    tally.verdict()
}
