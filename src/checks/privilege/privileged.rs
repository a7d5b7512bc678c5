use super::containers::{Inside, each_container, switch};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-001"),
    title: "No static pod runs a privileged container",
    why: "A privileged container has every device and capability of the host: whoever breaks into it owns the node.",
    severity: Severity::Critical,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[
        Maps::Cis("5.2.2"),
        Maps::Pss("baseline/privileged"),
        Maps::Attack("T1611"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; in container {container} set securityContext.privileged: false, and add the single capabilities it needs",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {privileged: false}}, {name: d}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {initContainers: [{name: i, securityContext: {privileged: true}}], containers: [{name: c}]}}}]",
            "FAIL critical: container i of default/a is privileged",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, securityContext: {privileged: true}}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL critical: container c of x/a is privileged; gap: the login may not read it",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {os: {name: windows}, containers: [{name: c, securityContext: {privileged: true}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {privileged: 'yes'}}]}}}]",
            "UNKNOWN: the answer cannot be trusted: securityContext.privileged of container default/a/c is not true or false",
        ),
        (
            "manifests: [{file: a.yaml, broken: 'line 3: did not find expected key'}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_container(node, container)
}

fn container(inside: &Inside<'_>) -> Result<Option<Offence>, Gap> {
    let privileged = switch(inside, "privileged")? == Some(true);
    Ok(privileged.then(|| {
        let (ns, pod) = (&inside.pod.namespace, &inside.pod.name);
        offence(
            inside.subject.clone(),
            Severity::Critical,
            format!("container {} of {ns}/{pod} is privileged", inside.name),
            [inside.at],
        )
    }))
}
