use super::component_account::Account;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, no_control_plane, on_node,
};
use crate::checks::exposure::{Exposure, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::Uid;
use crate::model::verdict::{Severity, Verdict};

/// What CIS asks of the folder.
const LIMIT: u32 = 0o700;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-025"),
    title: "Data of etcd is closed to all but etcd and root",
    why: "The database holds every secret of the cluster, mostly in plain text; whoever can change it changes the cluster past the API server.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::EtcdFiles],
    helps: &[
        Need::Accounts,
        Need::Processes,
        Need::Manifests,
        Need::NodeObject,
    ],
    maps: &[
        Maps::Cis("1.1.11"),
        Maps::Cis("1.1.12"),
        Maps::Attack("T1552"),
    ],
    fix: Remediation {
        steps: &[
            on_node("chmod 700 {path}"),
            by_hand(
                "owner: root where etcd runs as root, as under kubeadm; etcd's own user where it has one",
            ),
            by_hand(
                "if somebody could read it: every secret of the cluster is theirs; rotate them, and encrypt at rest",
            ),
        ],
        restarts: "nothing",
        undo: &[by_hand("the old owner and mode are in the evidence")],
    },
    examples: &[
        (
            "etcd_files: [{role: etcd_data, path: /var/lib/etcd, mode: '0700'}]",
            "PASS: it belongs to root, as whom kubeadm runs etcd; CIS 1.1.12 asks for a user of its own",
        ),
        (
            "{etcd_files: [{role: etcd_data, path: /var/lib/etcd, mode: '0700', owner: '995:995'}], \
             manifests: [], processes: [{comm: etcd, uid: 995, exe: /usr/bin/etcd}], accounts: {users: ['etcd:995:995'], groups: ['etcd:995:']}}",
            "PASS",
        ),
        (
            "{etcd_files: [{role: etcd_data, path: /var/lib/etcd, mode: '0700', owner: '995:995'}], \
             manifests: [{file: etcd.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: etcd, command: [etcd]}]}}}], \
             processes: [{comm: etcd, uid: 995, of: kube-system/etcd/etcd}, {comm: etcd, uid: 1000, exe: /usr/bin/etcd}], accounts: {users: ['etcd:995:995'], groups: ['etcd:995:']}}",
            "PASS",
        ),
        (
            "{etcd_files: [{role: etcd_data, path: /var/lib/etcd, mode: '0700', owner: '1000:1000'}], \
             manifests: [{file: etcd.yaml, pod: {metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: etcd, command: [etcd]}]}}}], \
             processes: [{comm: etcd, uid: 1000, exe: /usr/bin/etcd}, {comm: etcd, of: kube-system/etcd/etcd}], accounts: {users: ['alice:1000:1000'], groups: []}}",
            "FAIL high: mode 0700: user alice (1000) can put files into it; mode 0700: user alice (1000) can list it",
        ),
        (
            "{etcd_files: [{role: etcd_data, path: /var/lib/etcd, mode: '0700', owner: '1000:1000'}], \
             manifests: [], processes: [{comm: etcd, uid: 1000, exe: /home/alice/etcd}], accounts: {users: ['alice:1000:1000'], groups: []}}",
            "FAIL high: mode 0700: user alice (1000) can put files into it; mode 0700: user alice (1000) can list it",
        ),
        (
            "{etcd_files: [{role: etcd_data, path: /var/lib/etcd, mode: '0700', owner: '1000:1000'}], \
             manifests: [], processes: [{comm: etcd, uid: 1000, exe: /usr/bin/python3.13}], accounts: {users: ['alice:1000:1000'], groups: []}}",
            "FAIL high: mode 0700: user alice (1000) can put files into it; mode 0700: user alice (1000) can list it",
        ),
        (
            "{etcd_files: [{role: etcd_data, path: /var/lib/etcd, mode: '0700', owner: '1000:1000'}], \
             manifests: [], processes: [{comm: etcd, uid: 995, exe: /usr/bin/etcd}, {comm: etcd, uid: 1000, exe: /usr/bin/etcd}], accounts: {users: ['alice:1000:1000'], groups: []}}",
            "MANUAL: as whom does etcd run? processes of that name run as 995, 1000",
        ),
        (
            "{etcd_files: [{role: etcd_data, path: /var/lib/etcd, mode: '0700', owner: '995:995'}], accounts: {users: ['etcd:995:995'], groups: ['etcd:995:']}}",
            "FAIL high: mode 0700: user etcd (995) can put files into it; mode 0700: user etcd (995) can list it",
        ),
        (
            "etcd_files: [{role: etcd_data, path: /var/lib/etcd, mode: '0755'}, {gap: denied}]",
            "FAIL high: mode 0755: everyone can list it; gap: the login may not read it",
        ),
        (
            "{etcd_files: [{role: etcd_data, path: /srv/etcd, mode: '0755'}], fs: {/srv: {mode: '0700'}}}",
            "FAIL low: mode 0755, owner 0:0, although nobody but root gets to it",
        ),
        ("etcd_files: []", "N/A: etcd keeps no data on the node"),
        (
            "{etcd_files: [], object: {version: v1.33.5-eks-113cf36}}",
            "N/A: etcd keeps no data on the node: Amazon EKS runs the control plane on machines of its own",
        ),
        (
            "etcd_files: [{role: etcd_data, path: /var/lib/etcd, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.etcd_files.get()?;
    let list = &seen.value.list;
    let roles = [FileRole::EtcdData, FileRole::EtcdConfig];
    let files = looked(&node.host, list, Need::EtcdFiles, &roles);
    if files.is_empty() && list.gaps.is_empty() {
        let why = "etcd keeps no data on the node";
        return Ok(no_control_plane(node, seen.at, why));
    }
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let owners = files.iter().filter_map(|seen| seen.walk.object());
    let owners: Vec<Uid> = owners.map(|hop| hop.stat.uid).collect();
    let own = Account::of(node, "etcd").among(&owners, &mut tally);
    let mut exposure = Exposure::new(&node.host);
    exposure.except(own);
    let mut roots = false;
    for seen in &files {
        let changed = exposure.changed(seen, Severity::High, &mut tally);
        let read = exposure.read(seen, Severity::High, &mut tally);
        let owner = seen.walk.object().map(|hop| hop.stat.uid);
        roots |= owner == Some(Uid::ROOT);
        if changed && read && owner == Some(Uid::ROOT) {
            exposure.nominal(seen, LIMIT, &mut tally);
        }
    }
    exposure.done(&mut tally);
    if roots {
        tally.note(
            "it belongs to root, as whom kubeadm runs etcd; CIS 1.1.12 asks for a user of its own",
        );
    }
    tally.verdict()
}
