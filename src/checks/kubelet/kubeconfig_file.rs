use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, on_node,
};
use crate::checks::exposure::{Exposure, Looked, holds_nothing, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

/// What CIS asks of it.
const LIMIT: u32 = 0o600;

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-009"),
    title: "The kubelet's kubeconfig is for root alone",
    why: "Whoever reads it is the node: its pods, the secrets that they mount, and its status are theirs; whoever changes it sends the kubelet to an API server of their own.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::KubeletFiles],
    helps: &[Need::Accounts, Need::Kubeconfigs],
    maps: &[
        Maps::Cis("4.1.5"),
        Maps::Cis("4.1.6"),
        Maps::Attack("T1552"),
    ],
    fix: Remediation {
        steps: &[
            on_node("chown root:root {path}"),
            on_node("chmod 600 {path}"),
            by_hand(
                "if somebody could read it: give the node a new identity, kubeadm join or the distribution's own way",
            ),
        ],
        restarts: "nothing: the kubelet runs as root",
        undo: &[
            by_hand("the old owner and mode are in the evidence"),
            on_node("chmod 644 {path}"),
        ],
    },
    examples: &[
        (
            "kubelet_files: [{role: kubelet_kubeconfig, path: /etc/kubernetes/kubelet.conf, mode: '0600'}]",
            "PASS",
        ),
        (
            "kubelet_files: [{role: kubelet_kubeconfig, path: /etc/kubernetes/kubelet.conf, mode: '0644'}]",
            "FAIL high: mode 0644: everyone can read it",
        ),
        (
            "{kubelet_files: [{role: kubelet_kubeconfig, path: /var/lib/kubelet/kubeconfig, mode: '0644'}], \
             kubeconfig_contents: [{path: /var/lib/kubelet/kubeconfig, logins: [exec]}]}",
            "FAIL low: mode 0644: everyone can read it",
        ),
        (
            "{kubelet_files: [{role: kubelet_kubeconfig, path: /var/lib/kubelet/kubeconfig, mode: '0644'}], \
             fs: {/var/lib/kubelet: {mode: '0700'}}}",
            "FAIL low: mode 0644, owner 0:0, although nobody but root gets to it",
        ),
        (
            "{kubelet_files: [{role: kubelet_kubeconfig, path: /etc/k/kubelet.conf}], fs: {/etc/k: {mode: '0777'}}}",
            "FAIL high: everyone can replace kubelet.conf in it",
        ),
        (
            "kubelet_files: [{role: kubelet_kubeconfig, path: /etc/k.conf}, {role: bootstrap_kubeconfig, path: /etc/b.conf, mode: '0604'}, {gap: denied}]",
            "FAIL high: mode 0604: everyone can read it; gap: the login may not read it",
        ),
        (
            "kubelet_files: [{role: root_dir, path: /var/lib/kubelet}]",
            "N/A: the kubelet names no kubeconfig: it stands alone",
        ),
        (
            "{kubelet_files: [{role: kubelet_kubeconfig, path: /etc/k/kubelet.conf}], fs: {/etc/k: {gap: denied}}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubelet_files: {gap: collector}",
            "UNKNOWN: the installed collector is older than version 2",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.kubelet_files.get()?;
    let list = &seen.value.list;
    let roles = [FileRole::KubeletKubeconfig, FileRole::BootstrapKubeconfig];
    let files = looked(&node.host, list, Need::KubeletFiles, &roles);
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    if files.is_empty() && list.gaps.is_empty() {
        let why = "the kubelet names no kubeconfig: it stands alone";
        return Ok(not_applicable([seen.at], why));
    }
    let mut exposure = Exposure::new(&node.host);
    for seen in &files {
        // The kubelet takes the bootstrap file away once it has an identity of its own.
        if seen.walk.object().is_none() && seen.role == FileRole::BootstrapKubeconfig {
            continue;
        }
        one(node, seen, &mut exposure, &mut tally);
    }
    exposure.done(&mut tally);
    tally.verdict()
}

fn one(node: &NodeFacts, seen: &Looked<'_>, exposure: &mut Exposure<'_>, tally: &mut Tally) {
    let severity = if holds_nothing(node, seen.path) {
        Severity::Low
    } else {
        Severity::High
    };
    let changed = exposure.changed(seen, Severity::High, tally);
    let read = exposure.read(seen, severity, tally);
    if changed && read {
        exposure.nominal(seen, LIMIT, tally);
    }
}
