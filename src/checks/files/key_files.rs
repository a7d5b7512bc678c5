use super::component_account::Accounts;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, on_node,
};
use crate::checks::exposure::{Exposure, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

/// What CIS asks of keys.
const LIMIT: u32 = 0o600;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-022"),
    title: "Private keys of the cluster are for root alone",
    why: "Whoever has the key of the cluster's authority is whoever they like to be; with sa.key they are every service account.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::Pki],
    helps: &[Need::Accounts, Need::Manifests, Need::Processes],
    maps: &[Maps::Cis("1.1.21"), Maps::Attack("T1552.004")],
    fix: Remediation {
        steps: &[
            on_node("chown root:root {path}"),
            on_node("chmod 600 {path}"),
            by_hand(
                "if somebody could read it: the key is theirs. Rotate it, and the authority with everything that it signed",
            ),
        ],
        restarts: "nothing: the components read it as root",
        undo: &[by_hand("the old owner and mode are in the evidence")],
    },
    examples: &[
        (
            "pki: [{role: pki_dir, path: /etc/kubernetes/pki}, {role: private_key, path: /etc/kubernetes/pki/ca.key, mode: '0600'}]",
            "PASS",
        ),
        (
            "pki: [{role: private_key, path: /etc/kubernetes/pki/sa.key, mode: '0644'}, {gap: denied}]",
            "FAIL critical: mode 0644: everyone can read it; gap: the login may not read it",
        ),
        (
            "{pki: [{role: private_key, path: /etc/kubernetes/pki/ca.key, mode: '0640', owner: '0:995'}], accounts: {users: ['alice:1000:1000'], groups: ['kube:995:alice']}}",
            "FAIL critical: mode 0640: group kube (995: alice) can read it",
        ),
        (
            "{pki: [{role: private_key, path: /etc/kubernetes/pki/ca.key, mode: '0644'}], fs: {/etc/kubernetes: {mode: '0700'}}}",
            "FAIL low: mode 0644, owner 0:0, although nobody but root gets to it",
        ),
        (
            "{pki: [{role: private_key, path: /etc/kubernetes/pki/ca.key}], fs: {/etc/kubernetes: {mode: '0777'}}}",
            "FAIL critical: everyone can replace pki in it",
        ),
        (
            "{pki: [{role: private_key, path: /pki/etcd/server.key, mode: '0600', owner: '301:0'}], manifests: [], \
             processes: [{comm: etcd, uid: 301, exe: /var/lib/k0s/bin/etcd}], accounts: {users: ['etcd:301:301'], groups: []}}",
            "PASS: files of user 301 are those of etcd, which runs as that user",
        ),
        (
            "{pki: [{role: private_key, path: /pki/etcd/server.key, mode: '0640', owner: '301:0'}], manifests: [], \
             processes: [{comm: etcd, uid: 301, exe: /var/lib/k0s/bin/etcd}], accounts: {users: ['etcd:301:301'], groups: ['root:0:']}}",
            "FAIL low: mode 0640, owner 301:0, although nobody but root and user 301 gets to it",
        ),
        (
            "{pki: [{role: private_key, path: /pki/ca.key, owner: '301:0'}], manifests: [], \
             processes: [{comm: etcd, uid: 301, exe: /var/lib/k0s/bin/etcd}], accounts: {users: ['etcd:301:301'], groups: []}}",
            "FAIL critical: mode 0600: user etcd (301) can change it; mode 0600: user etcd (301) can read it",
        ),
        (
            "pki: [{role: certificate, path: /etc/kubernetes/pki/ca.crt, mode: '0644'}]",
            "N/A: no private key of the cluster lies on the node",
        ),
        ("pki: [{gap: denied}]", "UNKNOWN: the login may not read it"),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.pki.get()?;
    let list = &seen.value.list;
    let files = looked(&node.host, list, Need::Pki, &[FileRole::PrivateKey]);
    if files.is_empty() && list.gaps.is_empty() {
        let why = "no private key of the cluster lies on the node";
        return Ok(not_applicable([seen.at], why));
    }
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut exposure = Exposure::new(&node.host);
    let mut accounts = Accounts::new(node);
    for seen in &files {
        exposure.except(accounts.owner(seen, &mut tally));
        let changed = exposure.changed(seen, Severity::Critical, &mut tally);
        let read = exposure.read(seen, Severity::Critical, &mut tally);
        if changed && read {
            exposure.nominal(seen, LIMIT, &mut tally);
        }
    }
    exposure.done(&mut tally);
    accounts.done(&mut tally);
    tally.verdict()
}
