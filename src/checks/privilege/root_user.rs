use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::running::{Running, each, join};
use crate::model::fact::{Gap, Need};
use crate::model::known::CONTROL_PLANE_COMPONENTS;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::process::Process;
use crate::model::text::Text;
use crate::model::tree::{Branch, Number};
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-007"),
    title: "No container runs as root",
    why: "Root in a container is root of the node as soon as anything leads out of it, and owns every file that is mounted.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[Need::Processes, Need::Identity],
    maps: &[
        Maps::Cis("5.2.7"),
        Maps::Pss("restricted/runAsNonRoot"),
        Maps::Attack("T1611"),
    ],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; give container {container} securityContext.runAsUser of a user who may read what is mounted, and runAsNonRoot: true; kubeadm does it for the control plane with the feature gate RootlessControlPlane",
            ),
            kubectl("kubectl logs -n {ns} {pod}-{node} -c {container} --tail=20"),
        ],
        restarts: "the pod, once, as soon as the file is saved: 10 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        ("{manifests: [], processes: []}", "PASS"),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {runAsNonRoot: true}, containers: [{name: c}, {name: d, securityContext: {runAsUser: 7}}]}}}], processes: [{of: default/a/c, uid: 9}, {of: default/a/d, uid: 7}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], processes: [{of: shop/a/main, uid: 9}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostUsers: false, containers: [{name: c, securityContext: {runAsUser: 0}}]}}}], processes: [{of: default/a/c, uid: 65536, mapped: 65536}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {runAsUser: 0}, containers: [{name: c}, {name: d, securityContext: {runAsUser: 7}}]}}}], processes: []}",
            "FAIL high: container c of default/a runs as root (runAsUser: 0)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: c}]}}}], processes: [{of: kube-system/etcd/c, uid: 0}]}",
            "FAIL medium: container c of kube-system/etcd runs as root (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], processes: [{of: shop/a/main, uid: 0}]}",
            "FAIL high: container main of shop/a runs as root (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}, {file: b.yaml, unread: denied}], processes: {gap: collector}}",
            "FAIL medium: container main of shop/a runs as the image says, which is root where it says nothing; gap: the login may not read it; gap: the installed collector is older than version 2",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {runAsUser: 7}}]}}}], processes: {gap: collector}}",
            "UNKNOWN: the installed collector is older than version 2",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {runAsUser: root}}]}}}], processes: []}",
            "UNKNOWN: the answer cannot be trusted: runAsUser of container default/a/c is not a number",
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
    let joined = join(node);
    let mut tally = Tally::new();
    let mut any = false;
    each(node, joined.as_ref().ok(), &mut tally, |running, tally| {
        any = true;
        one(running, tally);
    })?;
    // Where no container is declared nothing has to run.
    match joined {
        Err(gap) if any => tally.gap(gap),
        Ok(join) if any => tally.gaps(join.gaps(node)),
        _ => {}
    }
    tally.verdict()
}

/// What runs says more than what is declared; what is declared says who would run.
fn one(running: &Running<'_>, tally: &mut Tally) {
    let pod = running.declared.pod;
    let expected =
        pod.namespace == "kube-system" && CONTROL_PLANE_COMPONENTS.contains(&pod.name.as_str());
    let as_root = if expected {
        Severity::Medium
    } else {
        Severity::High
    };
    let (mut root, mut others) = (None, 0);
    for process in &running.processes {
        match process.rights.get() {
            Err(gap) => tally.gap(gap),
            Ok(rights) if rights.value.uid.effective == 0 => root = root.or(Some(process)),
            Ok(_) => others += 1,
        }
    }
    if let Some(process) = root {
        let Process { pid, comm, .. } = process;
        return told(
            running,
            as_root,
            &format!("as root (process {pid}, {comm})"),
            tally,
        );
    }
    // Root of a user namespace of its own is nobody on the node.
    if pod.spec().get("hostUsers") == Some(Branch::Bool(false)) {
        return;
    }
    let guarded = running.context("runAsNonRoot") == Some(Branch::Bool(true));
    match user(running) {
        Err(gap) => tally.gap(gap),
        Ok(Some(0)) => told(running, as_root, "as root (runAsUser: 0)", tally),
        Ok(Some(_)) => {}
        // The kubelet refuses to start it as root, or it was seen not to be.
        Ok(None) if guarded || others > 0 => {}
        Ok(None) => told(
            running,
            Severity::Medium,
            "as the image says, which is root where it says nothing",
            tally,
        ),
    }
}

fn told(running: &Running<'_>, severity: Severity, who: &str, tally: &mut Tally) {
    tally.offence(offence(
        running.subject.clone(),
        severity,
        format!("{} runs {who}", running.words()),
        running.evidence.clone(),
    ));
}

/// The container's user, else the pod's.
fn user(running: &Running<'_>) -> Result<Option<i64>, Gap> {
    let user = running.context("runAsUser");
    match user {
        None => Ok(None),
        Some(Branch::Number(Number::Unsigned(_) | Number::Signed(_))) => {
            // What does not fit is a user, and not root.
            Ok(Some(user.and_then(Branch::as_i64).unwrap_or(i64::MAX)))
        }
        Some(_) => Err(Gap::Garbled {
            what: Text::from(format!(
                "runAsUser of container {} is not a number",
                running.subject
            )),
        }),
    }
}
