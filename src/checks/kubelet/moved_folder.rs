use super::provenance::rows;
use super::setting::{effective, garbled};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, on_node, pass, pass_note,
};
use crate::model::fact::{Gap, Need};
use crate::model::kubelet::{LayerKind, Overridden};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "staticPodPath";

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-016"),
    title: "No flag or drop-in moves the static pod folder",
    why: "A flag or a drop-in beside a configuration file that shows the usual folder is the classic way to run pods from a place where nobody looks.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::KubeletConfig],
    helps: &[],
    maps: &[Maps::Attack("T1564"), Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            by_hand("look at every file in the folder that is in force, and find out who set it"),
            by_hand(
                "write the folder into the configuration file that --config names, and remove it from drop-ins, --pod-manifest-path from flags and environment files",
            ),
            on_node("systemctl restart kubelet"),
        ],
        restarts: "the kubelet, for a few seconds; pods keep running",
        undo: &[
            by_hand("put the old value back into the configuration file"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        (
            "kubelet: {staticPodPath: /etc/kubernetes/manifests}",
            "PASS",
        ),
        ("kubelet: {}", "PASS"),
        (
            "kubelet: {staticPodPath: /m, layers: [{kind: drop_in, origin: /etc/k.d/10.conf, set: {staticPodPath: /m}}]}",
            "PASS: /etc/k.d/10.conf sets it to the same as the configuration file",
        ),
        (
            "kubelet: {legacy: true, layers: [{kind: flag, origin: --pod-manifest-path, set: {staticPodPath: /m}, given: {file: /etc/default/kubelet, line: 3}}]}",
            "PASS: set by --pod-manifest-path in /etc/default/kubelet:3; there is no configuration file",
        ),
        (
            "kubelet: {legacy: true, layers: [{kind: drop_in, origin: /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf, set: {staticPodPath: /var/lib/rancher/k3s/agent/pod-manifests}}]}",
            "PASS: set by /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf; there is no configuration file",
        ),
        (
            "kubelet: {staticPodPath: /etc/kubernetes/manifests, lines: {staticPodPath: 41}, layers: [{kind: drop_in, origin: /etc/k.d/99.conf, set: {staticPodPath: /opt/.x}, lines: {staticPodPath: 3}}]}",
            "FAIL high: the static pod folder is /opt/.x by /etc/k.d/99.conf:3, and not \"/etc/kubernetes/manifests\" of /var/lib/kubelet/config.yaml:41",
        ),
        (
            "kubelet: {layers: [{kind: flag, origin: --pod-manifest-path, set: {staticPodPath: /opt/.x}}]}",
            "FAIL high: the static pod folder is /opt/.x by --pod-manifest-path on the command line, and not by the configuration file",
        ),
        (
            "kubelet: {legacy: true, layers: [{kind: drop_in, origin: /k.d/1.conf, set: {staticPodPath: /a}}, {kind: drop_in, origin: /k.d/2.conf, set: {staticPodPath: /b}}]}",
            "FAIL high: the static pod folder is /b by /k.d/2.conf, and not \"/a\" of /k.d/1.conf",
        ),
        (
            "kubelet: {staticPodPath: /m, layers: [{kind: drop_in, origin: /etc/k.d, gap: denied}]}",
            "UNKNOWN: the login may not read it",
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
    let Some(setting) = effective(kubelet, KEY)? else {
        return Ok(pass([kubelet.at]));
    };
    let path = setting.value.as_str();
    let path = path.ok_or_else(|| garbled(KEY, "is not a string"))?;
    let rows = rows(&kubelet.value);
    let row = rows.iter().find(|row| row.key == KEY);
    let row = row.ok_or_else(|| garbled(KEY, "has no layer"))?;
    if path.is_empty() || !matches!(row.layer.kind, LayerKind::DropIn | LayerKind::Flag) {
        return Ok(pass(setting.evidence));
    }
    let mut weaker = row.overridden.iter();
    let main = weaker.clone().find(|old| old.layer.kind == LayerKind::File);
    let words = match main.or_else(|| weaker.next()) {
        Some(old) if *old.value == Overridden::words(&row.value) => {
            let note = format!(
                "{} sets it to the same as the configuration file",
                row.place()
            );
            return Ok(pass_note(setting.evidence, note));
        }
        Some(old) => format!("{} of {}", old.value, old.place()),
        None => {
            let mut layers = kubelet.value.layers.iter();
            if !layers.any(|layer| layer.kind == LayerKind::File) {
                let note = format!("set by {}; there is no configuration file", row.place());
                return Ok(pass_note(setting.evidence, note));
            }
            "by the configuration file".to_owned()
        }
    };
    Ok(fail(
        Subject::setting(KEY),
        Severity::High,
        format!(
            "the static pod folder is {path} by {}, and not {words}",
            row.place()
        ),
        setting.evidence,
    ))
}
