use super::containers::{Inside, each_container, switch};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-008"),
    title: "Containers of static pods have a read-only root",
    why: "A writable root file system lets an intruder leave tools and changed programs in the container.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Nsa("POD"), Maps::Attack("T1554")],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; in container {container} set securityContext.readOnlyRootFilesystem: true, and mount an emptyDir where it has to write, such as /tmp",
            ),
            kubectl("kubectl logs -n {ns} {pod}-{node} -c {container} --tail=20"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {readOnlyRootFilesystem: true}}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c}, {name: d, securityContext: {readOnlyRootFilesystem: false}}]}}}]",
            "FAIL medium: container c of default/a can write to its root; medium: container d of default/a can write to its root",
        ),
        (
            "manifests: [{file: a.yaml, pod: a/a}, {file: a.yaml.bak, pod: a/a}]",
            "FAIL medium: container main of a/a can write to its root",
        ),
        (
            "manifests: {gap: machine}",
            "UNKNOWN: another machine answered: another boot id",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_container(node, container)
}

fn container(inside: &Inside<'_>) -> Result<Option<Offence>, Gap> {
    let read_only = switch(inside, "readOnlyRootFilesystem")? == Some(true);
    Ok((!read_only).then(|| {
        let (ns, pod) = (&inside.pod.namespace, &inside.pod.name);
        let name = &inside.name;
        offence(
            inside.subject.clone(),
            Severity::Medium,
            format!("container {name} of {ns}/{pod} can write to its root"),
            [inside.at],
        )
    }))
}
