use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, not_applicable, pass,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::kubelet::{Kubelet, LayerKind};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, Verdict};

const FLAG: &str = "--hostname-override";
/// Labels of distributions that name every node by this flag.
const BY_DESIGN: [(&str, &str); 2] = [
    ("kops.k8s.io/instancegroup", "kOps"),
    ("node.openshift.io/os_id", "OpenShift"),
];

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-028"),
    title: "The node goes by the name of its host",
    why: "A node that calls itself otherwise than its host names mirror pods and certificates so that nobody finds the machine behind them.",
    severity: Severity::Info,
    since: "0.2.0",
    needs: &[Need::KubeletConfig],
    helps: &[Need::NodeObject],
    maps: &[Maps::Cis("4.2.7")],
    fix: Remediation {
        steps: &[by_hand(
            "nothing, where the name is meant: write down which host it is; else remove --hostname-override where the node is made anew: the node gets another name",
        )],
        restarts: "nothing as long as nothing is changed",
        undo: &[by_hand("nothing was changed")],
    },
    examples: &[
        ("kubelet: {}", "PASS"),
        (
            "kubelet: {command: [/usr/bin/kubelet, --hostname-override=cp-1]}",
            "FAIL info: the kubelet is told the node's name by --hostname-override",
        ),
        (
            "kubelet: {layers: [{kind: flag, origin: --hostname-override, set: {'--hostname-override': w}, given: {file: /var/lib/kubelet/kubeadm-flags.env, line: 1}}]}",
            "FAIL info: the kubelet is told the node's name by --hostname-override",
        ),
        (
            "kubelet: {command: [k3s, server, --kubelet-arg=hostname-override=x]}",
            "N/A: every node has this flag by the design of k3s",
        ),
        (
            "{kubelet: {command: [kubelet, --hostname-override, x]}, object: {labels: {node.openshift.io/os_id: rhcos}}}",
            "N/A: every node has this flag by the design of OpenShift",
        ),
        (
            "kubelet: {layers: [{kind: flag, origin: command line, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubelet: {stopped: true}",
            "UNKNOWN: the kubelet does not act: its command line is not known",
        ),
        (
            "kubelet: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    if !is_given(&kubelet.value)? {
        return Ok(pass([kubelet.at]));
    }
    let design = by_design(node, &kubelet.value);
    if let Some((name, at)) = design {
        let why = format!("every node has this flag by the design of {name}");
        return Ok(not_applicable([kubelet.at].into_iter().chain(at), why));
    }
    Ok(fail(
        Subject::setting(FLAG),
        Severity::Info,
        format!("the kubelet is told the node's name by {FLAG}"),
        [kubelet.at],
    ))
}

/// Whether the flag is on the command line, or on that which the unit would make.
fn is_given(kubelet: &Kubelet) -> Result<bool, Gap> {
    let command = kubelet.process.as_ref().map(|process| &process.command);
    let mut words = command.into_iter().flatten();
    let spelled = words.any(|word| {
        let word = word.as_str().replace('_', "-");
        word.contains(FLAG.trim_start_matches('-'))
    });
    if spelled || kubelet.settings.get(FLAG).is_some() {
        return Ok(true);
    }
    // No file can give it: only flags that were not read count.
    let mut flags = kubelet.layers.iter();
    let hidden = flags.find_map(|layer| {
        let gap = layer.gap.as_ref();
        gap.filter(|_| layer.kind == LayerKind::Flag)
    });
    if let Some(gap) = hidden {
        return Err(gap.clone());
    }
    let told = command.is_some() || kubelet.settings.iter().any(|one| one.key.starts_with("--"));
    if told {
        return Ok(false);
    }
    Err(Gap::KubeletStopped {
        detail: Text::new("its command line is not known"),
    })
}

fn by_design(node: &NodeFacts, kubelet: &Kubelet) -> Option<(&'static str, Option<Locator>)> {
    let process = kubelet.process.as_ref();
    let program = process.and_then(|process| process.command.first());
    let program = program.map(Text::as_str).unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or(program);
    if name.starts_with("k3s") {
        return Some(("k3s", None));
    }
    if program.starts_with("/var/lib/k0s/") {
        return Some(("k0s", None));
    }
    let object = node.api.object.get().ok()?;
    let labels = &object.value.labels;
    let mut known = BY_DESIGN.iter();
    let (_, name) = known.find(|(label, _)| labels.contains_key(*label))?;
    Some((name, Some(object.at)))
}
