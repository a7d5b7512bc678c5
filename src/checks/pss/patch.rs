//! The fragment that goes with a finding about a standard: made when it is shown, since a fleet has many pods.

use super::judged::judged;
use super::{baseline_pods, cost, restricted_pods};
use crate::checks::check::{Check, View};
use crate::checks::standard::{Level, Violation};
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::verdict::Subject;

/// What to merge into the manifest of a finding's pod, where the finding is about a standard.
pub fn of(check: &Check, node: &NodeFacts, view: &View<'_>, subject: &Subject) -> Option<Text> {
    let level = if check.id == baseline_pods::CHECK.id {
        Level::Baseline
    } else if check.id == restricted_pods::CHECK.id {
        Level::Restricted
    } else {
        return None;
    };
    let manifests = node.host.manifests.get().ok()?;
    let parsed = manifests.value.iter().filter_map(|manifest| {
        let manifest = manifest.get().ok()?;
        manifest.value.pod.get().ok()?.value.pod()
    });
    for pod in parsed {
        let Some(control) = about(subject, pod) else {
            continue;
        };
        let found = judged(pod, level, (node, view)).ok()?;
        let of_control = |violation: &Violation| control.is_empty() || violation.id == control;
        let violations: Vec<Violation> = found.violations.into_iter().filter(of_control).collect();
        let changes = cost::changes(pod, &violations);
        let title = format!("{}/{} to {}", pod.namespace, pod.name, found.standard);
        return (!changes.is_empty()).then(|| cost::fragment(pod, &title, &changes));
    }
    None
}

/// The control that a subject is about, empty for all of them; `None` where it is another pod's.
fn about<'s>(subject: &'s Subject, pod: &Pod) -> Option<&'s str> {
    let whole = Subject::pod(&pod.namespace, &pod.name);
    let rest = subject.key.as_str().strip_prefix(whole.key.as_str())?;
    match rest.strip_prefix('/') {
        None => rest.is_empty().then_some(""),
        control => control,
    }
}
