use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::running::{Running, each, join};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-008"),
    title: "Containers of static pods have a read-only root",
    why: "A writable root file system lets an intruder leave tools and changed programs in the container.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[Need::Processes, Need::Identity],
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
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {readOnlyRootFilesystem: true}}]}}}], processes: [{of: default/a/c, ro: true}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {initContainers: [{name: i, securityContext: {readOnlyRootFilesystem: true}}], containers: []}}}], processes: []}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c}, {name: d, securityContext: {readOnlyRootFilesystem: false}}]}}}], processes: []}",
            "FAIL medium: container c of default/a can write to its root; medium: container d of default/a can write to its root",
        ),
        (
            "{manifests: [{file: a.yaml, pod: a/a}, {file: a.yaml.bak, pod: a/a}], processes: {gap: collector}}",
            "FAIL medium: container main of a/a can write to its root; gap: the installed collector is older than version 2",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {readOnlyRootFilesystem: true}}]}}}], processes: [{of: default/a/c, ro: false}]}",
            "FAIL medium: container c of default/a can write to its root, which its manifest makes read-only (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {readOnlyRootFilesystem: true}}]}}}], processes: [{of: default/a/c, ro: {gap: denied}}]}",
            "UNKNOWN: the login may not read it",
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
    let joined = join(node);
    let mut tally = Tally::new();
    let mut any = false;
    each(node, joined.as_ref().ok(), &mut tally, |running, tally| {
        any = true;
        match running.switch("readOnlyRootFilesystem") {
            Err(gap) => tally.gap(gap),
            Ok(Some(true)) => effective(running, tally),
            Ok(_) => told(running, tally, ""),
        }
    })?;
    // Where no container is declared nothing has to run.
    match joined {
        Err(gap) if any => tally.gap(gap),
        Ok(join) if any => tally.gaps(join.gaps(node)),
        _ => {}
    }
    tally.verdict()
}

/// What the manifest makes read-only has to be mounted so.
fn effective(running: &Running<'_>, tally: &mut Tally) {
    for process in &running.processes {
        match process.root_read_only.get() {
            Err(gap) => tally.gap(gap),
            Ok(read_only) if read_only.value => {}
            Ok(_) => {
                let (pid, comm) = (process.pid, &process.comm);
                let why = format!(", which its manifest makes read-only (process {pid}, {comm})");
                told(running, tally, &why);
            }
        }
    }
}

fn told(running: &Running<'_>, tally: &mut Tally, why: &str) {
    tally.offence(offence(
        running.subject.clone(),
        Severity::Medium,
        format!("{} can write to its root{why}", running.words()),
        running.evidence.clone(),
    ));
}
