use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, on_node,
};
use crate::checks::exposure::{Exposure, looked, nominal};
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
    helps: &[Need::Accounts, Need::Processes],
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
             processes: [{comm: etcd, uid: 995}], accounts: {users: ['etcd:995:995'], groups: ['etcd:995:']}}",
            "PASS",
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
        return Ok(not_applicable([seen.at], "etcd keeps no data on the node"));
    }
    let own = runs_as(node);
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut exposure = Exposure::new(&node.host).except(own);
    let mut roots = false;
    for seen in &files {
        let changed = exposure.changed(seen, Severity::High, &mut tally);
        let read = exposure.read(seen, Severity::High, &mut tally);
        let owner = seen.walk.object().map(|hop| hop.stat.uid);
        roots |= owner == Some(Uid::ROOT);
        if changed && read && owner == Some(Uid::ROOT) {
            nominal(seen, LIMIT, &mut tally);
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

/// The user as whom etcd runs, where that is one of its own.
fn runs_as(node: &NodeFacts) -> Option<Uid> {
    let processes = node.host.processes.get().ok()?;
    let mut all = processes.value.list.iter();
    let etcd = all.find(|process| process.comm == "etcd")?;
    let uid = Uid(etcd.rights.get().ok()?.value.uid.effective);
    (uid != Uid::ROOT).then_some(uid)
}
