use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::running::{Running, each, join};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-018"),
    title: "Images of static pods run as another user than root",
    why: "Where a manifest names no user, the image decides: the next tag of an image can bring root back without a line of the manifest changing.",
    severity: Severity::Info,
    since: "0.3.0",
    needs: &[Need::Manifests, Need::Processes],
    helps: &[Need::Identity],
    maps: &[Maps::Cis("5.2.7")],
    fix: Remediation {
        steps: &[
            on_node(
                "crictl inspecti --output go-template --template '{{.info.imageSpec.config.User}}' IMAGE",
            ),
            by_hand(
                "copy the manifest out of the folder as a backup; set runAsUser of {container} to a user that can read what it mounts, and runAsNonRoot: true",
            ),
            kubectl("kubectl get pods -n {ns} -o wide --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("{manifests: [], processes: []}", "PASS"),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c}, {name: d, securityContext: {runAsUser: 0}}]}}}], processes: [{of: x/a/c, uid: 65532}, {of: x/a/d, uid: 0}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {hostUsers: false, containers: [{name: c}]}}}], processes: []}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: x/a}, {file: b.yaml, unread: denied}], processes: [{of: x/a/main, uid: 0}]}",
            "FAIL info: container main of x/a runs as root (process 1000, main) because its image says so; gap: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: x/a}], processes: []}",
            "UNKNOWN: the answer cannot be trusted: as whom the image of container main of x/a runs: no process of it was seen",
        ),
        (
            "{manifests: [{file: a.yaml, pod: x/a}], processes: {gap: collector}}",
            "UNKNOWN: the installed collector is older than version 2",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let join = join(node)?;
    let mut tally = Tally::new();
    tally.good(join.at());
    let mut any = false;
    each(node, Some(&join), &mut tally, |running, tally| {
        any = true;
        one(running, tally);
    })?;
    if any {
        tally.gaps(join.gaps(node));
    }
    tally.verdict()
}

fn one(running: &Running<'_>, tally: &mut Tally) {
    let own_users = running.declared.pod.spec().get("hostUsers") == Some(Branch::Bool(false));
    if running.context("runAsUser").is_some() || own_users {
        return;
    }
    let mut known = false;
    for process in &running.processes {
        match process.rights.get() {
            Err(gap) => return tally.gap(gap),
            Ok(rights) if rights.value.uid.effective == 0 => {
                let message = format!(
                    "{} runs as root (process {}, {}) because its image says so",
                    running.words(),
                    process.pid,
                    process.comm
                );
                return tally.offence(offence(
                    running.subject.clone(),
                    Severity::Info,
                    message,
                    running.evidence.clone(),
                ));
            }
            Ok(_) => known = true,
        }
    }
    let init = running.declared.pod.spec().get("initContainers");
    let ended = crate::checks::privilege::containers::items(init)
        .any(|init| init.get("name").and_then(Branch::as_str) == Some(running.name.as_str()));
    // A container that has done its work leaves no process.
    if !known && !ended {
        tally.gap(Gap::Garbled {
            what: Text::from(format!(
                "as whom the image of {} runs: no process of it was seen",
                running.words()
            )),
        });
    }
}
