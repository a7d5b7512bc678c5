use super::cost;
use super::judged::judged;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::privilege::containers::{Around, each_pod};
use crate::checks::standard::Level;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PSS-002"),
    title: "Static pods keep to restricted Pod Security",
    why: "Each field that restricted asks for closes one way from a broken program to its container's limits and the node.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject],
    maps: &[Maps::Pss("restricted")],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; merge the fragment below into it, line by line, and look at the pod after each",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, each time that the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "{object: {version: v1.37.2}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: [{name: c, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}}}]}",
            "PASS",
        ),
        (
            "{object: {version: v1.37.2}, manifests: [{file: a.yaml, pod: shop/a}]}",
            "FAIL medium: shop/a is 4 fields from restricted:v1.37: allowPrivilegeEscalation, capabilities_restricted, runAsNonRoot, seccompProfile_restricted",
        ),
        (
            "{object: {version: v1.37.2}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: [{name: c, securityContext: {allowPrivilegeEscalation: true, capabilities: {drop: [ALL]}}}]}}}, {file: b.yaml, unread: denied}]}",
            "FAIL medium: default/a is 1 field from restricted:v1.37: allowPrivilegeEscalation; gap: the login may not read it",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    each_pod(node, |around, tally| {
        let (outcome, gap) = match one(node, view, &around) {
            Ok((outcome, gap)) => (Ok(outcome), gap),
            Err(why) => (Err(why), None),
        };
        tally.part(around.at, outcome);
        tally.gaps(gap);
    })
}

fn one(
    node: &NodeFacts,
    view: &View<'_>,
    around: &Around<'_>,
) -> Result<(Option<Offence>, Option<Gap>), Gap> {
    let found = judged(around.pod, Level::Restricted, (node, view))?;
    if found.violations.is_empty() {
        return Ok((None, found.gap));
    }
    let count = cost::changes(around.pod, &found.violations).len();
    let fields = if count == 1 { "field" } else { "fields" };
    let ids: Vec<&str> = found
        .violations
        .iter()
        .map(|violation| violation.id)
        .collect();
    let message = format!(
        "{} is {count} {fields} from {}: {}",
        around.name(),
        found.standard,
        ids.join(", ")
    );
    let offence = offence(around.subject(), Severity::Medium, message, [around.at]);
    // What another version would ask for beside it changes nothing in the verdict.
    Ok((Some(offence), None))
}
