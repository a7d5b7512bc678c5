use super::component_account::Accounts;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, on_node,
};
use crate::checks::exposure::{Exposure, holds_nothing, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

/// What CIS asks of them.
const LIMIT: u32 = 0o600;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-024"),
    title: "Kubeconfigs of the components are for root alone",
    why: "Whoever reads the controller manager's kubeconfig has its rights: it can make a token for every service account.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Kubeconfigs],
    helps: &[Need::Accounts, Need::Manifests, Need::Processes],
    maps: &[
        Maps::Cis("1.1.15"),
        Maps::Cis("1.1.16"),
        Maps::Cis("1.1.17"),
        Maps::Cis("1.1.18"),
        Maps::Cis("4.1.3"),
        Maps::Cis("4.1.4"),
    ],
    fix: Remediation {
        steps: &[
            on_node("chown root:root {path}"),
            on_node("chmod 600 {path}"),
            by_hand(
                "if somebody could read it: renew it, with kubeadm certs renew or the distribution's own way",
            ),
        ],
        restarts: "nothing: the components read it as root",
        undo: &[by_hand("the old owner and mode are in the evidence")],
    },
    examples: &[
        (
            "kubeconfigs: [{role: component_kubeconfig, path: /etc/kubernetes/scheduler.conf, mode: '0600'}]",
            "PASS",
        ),
        (
            "kubeconfigs: [{role: component_kubeconfig, path: /etc/kubernetes/scheduler.conf, mode: '0644'}, {gap: denied}]",
            "FAIL high: mode 0644: everyone can read it; gap: the login may not read it",
        ),
        (
            "{kubeconfigs: [{role: component_kubeconfig, path: /etc/k/kubeconfig, mode: '0644'}], \
             kubeconfig_contents: [{path: /etc/k/kubeconfig, client_files: [/etc/k/tls.crt]}]}",
            "FAIL low: mode 0644: everyone can read it",
        ),
        (
            "{kubeconfigs: [{role: component_kubeconfig, path: /etc/k/scheduler.conf, mode: '0644'}], fs: {/etc/k: {mode: '0700'}}}",
            "FAIL low: mode 0644, owner 0:0, although nobody but root gets to it",
        ),
        (
            "{kubeconfigs: [{role: component_kubeconfig, path: /pki/scheduler.conf, owner: '303:0'}], manifests: [], \
             processes: [{comm: kube-scheduler, uid: 303, exe: /var/lib/k0s/bin/kube-scheduler}], accounts: {users: ['kube-scheduler:303:303'], groups: []}}",
            "PASS: files of user 303 are those of kube-scheduler, which runs as that user",
        ),
        (
            "kubeconfigs: [{role: kubelet_kubeconfig, path: /etc/kubernetes/kubelet.conf}]",
            "N/A: no kubeconfig of a component lies on the node",
        ),
        (
            "kubeconfigs: [{role: component_kubeconfig, path: /etc/kubernetes/scheduler.conf, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.kubeconfigs.get()?;
    let list = &seen.value.list;
    let roles = [FileRole::ComponentKubeconfig];
    let files = looked(&node.host, list, Need::Kubeconfigs, &roles);
    if files.is_empty() && list.gaps.is_empty() {
        let why = "no kubeconfig of a component lies on the node";
        return Ok(not_applicable([seen.at], why));
    }
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut exposure = Exposure::new(&node.host);
    let mut accounts = Accounts::new(node);
    for seen in &files {
        exposure.except(accounts.owner(seen, &mut tally));
        let changed = exposure.changed(seen, Severity::High, &mut tally);
        let severity = if holds_nothing(node, seen.path) {
            Severity::Low
        } else {
            Severity::High
        };
        let read = exposure.read(seen, severity, &mut tally);
        if changed && read {
            exposure.nominal(seen, LIMIT, &mut tally);
        }
    }
    exposure.done(&mut tally);
    accounts.done(&mut tally);
    tally.verdict()
}
