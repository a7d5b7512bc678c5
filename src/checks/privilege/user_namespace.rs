use super::containers::{Around, every_pod, is_windows};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, not_applicable, offence, on_node,
};
use crate::checks::version;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

/// The kubelet's minor from which on a pod gets a user namespace without a feature gate.
const SINCE: u32 = 33;

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-013"),
    title: "Static pods have a user namespace of their own",
    why: "Without one root in the container is root of the node: every way out of the container leads straight to it.",
    severity: Severity::Info,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject],
    maps: &[Maps::Source("Kubernetes KEP-127")],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; set spec.hostUsers: false in {ns}/{pod}; the runtime and the file systems of its volumes have to support it",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostUsers: false}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostNetwork: true}}}]",
            "PASS",
        ),
        (
            "{object: {version: v1.33.0}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostUsers: true}}}, {file: b.yaml, unread: denied}]}",
            "FAIL info: default/a has no user namespace of its own; gap: the login may not read it",
        ),
        (
            "{object: {version: v1.32.9}, manifests: [{file: a.yaml, pod: shop/a}]}",
            "N/A: a kubelet of 1.32 gives none without a feature gate",
        ),
        (
            "{object: {gap: forbidden}, manifests: [{file: a.yaml, pod: shop/a}]}",
            "FAIL info: shop/a has no user namespace of its own",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let tally = every_pod(node, |around, tally| {
        let outcome = one(&around);
        tally.part(around.at, outcome);
    })?;
    if let (Some(minor), Ok(object)) = (version::kubelet(node), node.api.object.get())
        && minor < SINCE
    {
        let why = format!("a kubelet of 1.{minor} gives none without a feature gate");
        return Ok(not_applicable([object.at], why));
    }
    tally.verdict()
}

fn one(around: &Around<'_>) -> Result<Option<Offence>, Gap> {
    // A pod in the host's namespaces cannot have one: that is for SP-PRIV-002 and SP-PRIV-003.
    let mut shares = is_windows(around.pod);
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        shares |= around.switch(field)? == Some(true);
    }
    if shares || around.switch("hostUsers")? == Some(false) {
        return Ok(None);
    }
    let message = format!("{} has no user namespace of its own", around.name());
    Ok(Some(offence(
        around.subject(),
        Severity::Info,
        message,
        [around.at],
    )))
}
