use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::confinement::{Label, label};
use crate::checks::running::{Running, each, join};
use crate::model::fact::{Gap, Need, Seen};
use crate::model::lsm::Lsm;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::process::Process;
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-017"),
    title: "SELinux labels that manifests ask for take effect",
    why: "On a node without enforcing SELinux, or with a runtime that gives no labels, seLinuxOptions are read and forgotten: the manifest promises a wall that nobody built.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[Need::Lsm, Need::Processes, Need::Identity],
    maps: &[
        Maps::Pss("baseline/seLinuxOptions"),
        Maps::Attack("T1562.001"),
    ],
    fix: Remediation {
        steps: &[
            on_node("getenforce"),
            by_hand(
                "make SELinux enforcing on this node and let the runtime label containers (SP-LSM-005, SP-LSM-006); or take seLinuxOptions out of the manifest, so that nobody relies on them",
            ),
            on_node("ps -eo label,args"),
        ],
        restarts: "the pod, once, where its manifest changes; the runtime, where its configuration does",
        undo: &[by_hand("put the old manifest or configuration back")],
    },
    examples: &[
        ("manifests: [{file: a.yaml, pod: shop/a}]", "PASS"),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {seLinuxOptions: {type: container_t}}, containers: [{name: c}]}}}], lsm: {selinux: enforcing, runtime: {selinux: true}}, processes: [{of: default/a/c, label: 'system_u:system_r:container_t:s0:c1,c2'}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seLinuxOptions: {type: container_t}}}]}}}], lsm: {selinux: none, runtime: {selinux: true}}}",
            "FAIL medium: container c of default/a asks for an SELinux label, and the kernel runs without SELinux",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seLinuxOptions: {level: 's0:c1,c2'}}}]}}}], lsm: {selinux: permissive, runtime: {selinux: true}}}",
            "FAIL medium: container c of default/a asks for an SELinux label, and SELinux is permissive",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seLinuxOptions: {type: container_t}}}]}}}], lsm: {selinux: enforcing, runtime: {selinux: false}}}",
            "FAIL medium: container c of default/a asks for an SELinux label, and containerd gives none",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seLinuxOptions: {type: container_t}}}]}}}], lsm: {selinux: enforcing, runtime: {selinux: true}}, processes: [{of: default/a/c, label: 'system_u:system_r:spc_t:s0'}]}",
            "FAIL medium: container c of default/a asks for SELinux type container_t, and has spc_t (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seLinuxOptions: {type: container_t}}}]}}}], lsm: {gap: denied}}",
            "UNKNOWN: the login may not read it",
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
    let lsm = node.host.lsm.get();
    let joined = join(node);
    let unseen = match &joined {
        Ok(join) => join.gaps(node),
        Err(gap) => vec![gap.clone()],
    };
    let mut tally = Tally::new();
    each(node, joined.as_ref().ok(), &mut tally, |running, tally| {
        let Some(options) = running.context("seLinuxOptions") else {
            return;
        };
        let word = |field: &str| options.get(field).and_then(Branch::as_str);
        let set = |field: &&str| word(field).is_some_and(|word| !word.is_empty());
        if ["type", "level", "user", "role"].iter().any(set) {
            let kind = word("type").unwrap_or_default();
            container(running, kind, (&lsm, &unseen), tally);
        }
    })?;
    tally.verdict()
}

fn container(
    running: &Running<'_>,
    kind: &str,
    (lsm, unseen): (&Result<&Seen<Box<Lsm>>, Gap>, &[Gap]),
    tally: &mut Tally,
) {
    let words = running.words();
    let lsm = match lsm {
        Ok(lsm) => *lsm,
        Err(gap) => return tally.gap(gap.clone()),
    };
    let mut tell = |message: String| {
        let evidence = running.evidence.iter().copied().chain([lsm.at]);
        tally.offence(offence(
            running.subject.clone(),
            Severity::Medium,
            message,
            evidence,
        ));
    };
    match ignored(&lsm.value) {
        Err(gap) => tally.gap(gap),
        Ok(Some(why)) => tell(format!("{words} asks for an SELinux label, and {why}")),
        Ok(None) => {
            for process in &running.processes {
                match other_type(process, kind) {
                    Err(gap) => return tally.gap(gap),
                    Ok(None) => {}
                    Ok(Some(found)) => tell(format!(
                        "{words} asks for SELinux type {}, and has {found} (process {}, {})",
                        Text::new(kind),
                        process.pid,
                        process.comm
                    )),
                }
            }
            tally.gaps(unseen.iter().cloned());
        }
    }
}

/// The type that a process has in the place of the one that was asked for.
fn other_type(process: &Process, kind: &str) -> Result<Option<Text>, Gap> {
    let label = process.label.get()?.value.as_ref();
    Ok(match label.map(|text| self::label(text.as_str())) {
        Some(Label::Selinux(found)) if !kind.is_empty() && found != kind => Some(Text::new(found)),
        _ => None,
    })
}

/// Why no label takes effect on this node; none where it does.
fn ignored(lsm: &Lsm) -> Result<Option<String>, Gap> {
    Ok(match lsm.selinux.enforce.get()?.value {
        None => Some("the kernel runs without SELinux".to_owned()),
        Some(false) => Some("SELinux is permissive".to_owned()),
        Some(true) => {
            let runtime = &lsm.runtime.get()?.value;
            (runtime.selinux != Some(true)).then(|| format!("{} gives none", runtime.name))
        }
    })
}
