use crate::checks::check::{Check, Judge, Maps, Remediation, Tally, View, by_hand, on_node};
use crate::checks::exposure::{Exposure, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::FileKind;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-029"),
    title: "The kubelet's own folder and keys are closed to all but root",
    why: "Its keys are the node's identity, and its folder holds the volumes and tokens of every pod of the node.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::KubeletFiles],
    helps: &[Need::Accounts],
    maps: &[
        Maps::Source("kubelet --cert-dir and --root-dir"),
        Maps::Attack("T1552.004"),
    ],
    fix: Remediation {
        steps: &[
            on_node("chown root:root {path}"),
            on_node("chmod go-rwx {path}"),
            by_hand(
                "if somebody could read a key: remove it and its certificate, and let the kubelet ask for new ones",
            ),
        ],
        restarts: "nothing: the kubelet runs as root",
        undo: &[by_hand("the old owner and mode are in the evidence")],
    },
    examples: &[
        (
            "kubelet_files: [{role: root_dir, path: /var/lib/kubelet, mode: '0700'}, {role: kubelet_pki, path: /var/lib/kubelet/pki, kind: directory, mode: '0755'}, \
             {role: kubelet_pki, path: /var/lib/kubelet/pki/kubelet.crt, mode: '0644'}, {role: kubelet_pki, path: /var/lib/kubelet/pki/kubelet.key, mode: '0600'}]",
            "PASS",
        ),
        (
            "kubelet_files: [{role: root_dir, path: /var/lib/kubelet}, {role: kubelet_pki, path: /var/lib/kubelet/pki/kubelet.key, mode: '0644'}]",
            "FAIL high: mode 0644: everyone can read it",
        ),
        (
            "kubelet_files: [{role: root_dir, path: /var/lib/kubelet, mode: '0777'}]",
            "FAIL high: mode 0777: everyone can put files into it",
        ),
        (
            "kubelet_files: [{role: root_dir, path: /var/lib/kubelet, mode: '0757'}, {role: kubelet_pki, path: /var/lib/kubelet/pki, gap: denied}]",
            "FAIL high: mode 0757: everyone can put files into it; gap: the login may not read it",
        ),
        (
            "{kubelet_files: [{role: root_dir, path: /var/lib/kubelet, mode: '0700'}, {role: kubelet_pki, path: /var/lib/kubelet/pki, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubelet_files: [{role: root_dir, path: /var/lib/kubelet, mode: '0700'}, {gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.kubelet_files.get()?;
    let list = &seen.value.list;
    let roles = [
        FileRole::RootDir,
        FileRole::KubeletPki,
        FileRole::PrivateKey,
    ];
    let files = looked(&node.host, list, Need::KubeletFiles, &roles);
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut exposure = Exposure::new(&node.host);
    for seen in &files {
        exposure.changed(seen, Severity::High, &mut tally);
        let is_folder = seen
            .walk
            .object()
            .is_some_and(|hop| hop.stat.kind == FileKind::Directory);
        let public = seen.path.as_str().strip_suffix(".crt").is_some();
        if seen.role != FileRole::RootDir && !public && !is_folder {
            exposure.read(seen, Severity::High, &mut tally);
        }
    }
    exposure.done(&mut tally);
    tally.verdict()
}
