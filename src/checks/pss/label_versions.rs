use super::labels::{self, Levels};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::checks::standard::Version;
use crate::checks::version;
use crate::model::cluster::Namespace;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

/// The labels that pin a version.
const MODES: [&str; 3] = ["enforce-version", "audit-version", "warn-version"];

pub static CHECK: Check = Check {
    id: CheckId("SP-PSS-004"),
    title: "Versions of Pod Security levels are ones it knows",
    why: "A version that the API server does not know is silently another one, so the rules are not those that the label promises.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: &[Need::Namespaces],
    helps: &[],
    maps: &[Maps::Pss("baseline")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get namespace {ns} --show-labels"),
            by_hand(
                "set each pod-security.kubernetes.io/MODE-version of {ns} to latest, or to v1.N of the cluster's version or an older one",
            ),
        ],
        restarts: "nothing: a level is asked when a pod is created",
        undo: &[by_hand("set the labels to their old values")],
    },
    examples: &[
        (
            "{version: v1.34.2, namespaces: {shop: {labels: {pod-security.kubernetes.io/enforce-version: v1.34, pod-security.kubernetes.io/warn-version: latest}}, default: {}}}",
            "PASS",
        ),
        (
            "{version: v1.34.2, namespaces: {shop: {labels: {pod-security.kubernetes.io/enforce-version: v1.35}}}}",
            "FAIL low: shop wants v1.35 for enforce-version, and the API server is 1.34: it uses its own",
        ),
        (
            "{namespaces: {shop: {labels: {pod-security.kubernetes.io/audit-version: '1.34', pod-security.kubernetes.io/warn-version: v1.34}}}}",
            "FAIL low: shop has 1.34 for audit-version, which counts as latest; gap: not asked for in this run",
        ),
        (
            "{namespaces: {shop: {labels: {pod-security.kubernetes.io/warn-version: v1.30}}}}",
            "UNKNOWN: not asked for in this run",
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
        one(namespace, at, view, &mut tally);
    }
    tally.verdict()
}

fn one(namespace: &Namespace, at: Locator, view: &View<'_>, tally: &mut Tally) {
    let name = &namespace.name;
    let (_, wrong) = labels::read(|key| namespace.labels.get(key), Levels::default());
    let say = |tally: &mut Tally, message: String| {
        let subject = Subject::new(SubjectKind::Namespace, name.clone());
        tally.offence(offence(subject, Severity::Low, message, [at]));
    };
    for mode in MODES {
        if let Some(wrong) = wrong.iter().find(|wrong| wrong.mode == mode) {
            let value = &wrong.value;
            say(
                tally,
                format!("{name} has {value} for {mode}, which counts as latest"),
            );
            continue;
        }
        let value = namespace
            .labels
            .get(format!("{}{mode}", labels::PREFIX).as_str());
        let Some(Ok(wanted @ Version::Minor(minor))) = value.map(|value| value.as_str().parse())
        else {
            continue;
        };
        match version::server(view) {
            Some(server) if minor > server => say(
                tally,
                format!(
                    "{name} wants {wanted} for {mode}, and the API server is 1.{server}: it uses its own"
                ),
            ),
            Some(_) => {}
            None => {
                let gap = view.snapshot.cluster.version.get().err();
                tally.gap(gap.unwrap_or(Gap::NotAsked));
            }
        }
    }
}
