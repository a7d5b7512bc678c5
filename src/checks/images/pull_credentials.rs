use crate::checks::check::{Check, Judge, Maps, Remediation, Tally, View, by_hand, on_node};
use crate::checks::exposure::{Exposure, looked};
use crate::checks::privilege::places::plain;
use crate::model::fact::{Gap, Need};
use crate::model::files::{FileRole, Files};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::unix::FileKind;
use crate::model::verdict::{Severity, Verdict};

/// Nobody but the kubelet has to read them.
const LIMIT: u32 = 0o600;

pub static CHECK: Check = Check {
    id: CheckId("SP-IMG-014"),
    title: "Only root reads the node's passwords for registries",
    why: "Static pods cannot use pull secrets, so the passwords lie on the node: whoever reads them pulls what is private, and where they may push, replaces what runs.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::KubeletFiles],
    helps: &[Need::Accounts],
    maps: &[Maps::Attack("T1552.001")],
    fix: Remediation {
        steps: &[
            on_node("ls -ld {path}"),
            on_node("chown root:root {path}"),
            on_node("chmod go-rwx {path}"),
            by_hand(
                "if somebody could read it: change the password at the registry; give the node one that may only pull",
            ),
        ],
        restarts: "nothing: the kubelet runs as root",
        undo: &[by_hand("the old owner and mode are in the evidence")],
    },
    examples: &[
        (
            "kubelet_files: [{role: root_dir, path: /var/lib/kubelet}]",
            "PASS",
        ),
        (
            "{kubelet_files: [{role: pull_credential, path: /var/lib/kubelet/config.json, kind: regular, mode: '0600'}], accounts: {users: [], groups: []}}",
            "PASS",
        ),
        (
            "kubelet_files: [{role: pull_credential, path: /var/lib/kubelet/config.json, kind: regular, mode: '0644'}, {gap: denied}]",
            "FAIL medium: mode 0644: everyone can read it; gap: the login may not read it",
        ),
        (
            "kubelet_files: [{role: pull_credential, path: /etc/credential-provider.yaml, kind: regular, mode: '0666'}]",
            "FAIL high: mode 0666: everyone can change it; mode 0666: everyone can read it",
        ),
        (
            "{kubelet_files: [{role: pull_credential, path: /root/.docker/config.json, kind: regular, mode: '0644'}], fs: {/root: {mode: '0700'}}}",
            "FAIL low: mode 0644, owner 0:0, although nobody but root gets to it",
        ),
        (
            "kubelet_files: [{role: pull_credential, path: /etc/eks/config.json, kind: regular, mode: '0644'}, {role: root_dir, path: /data/kubelet}, {role: pull_credential, path: /data/kubelet/config.json, kind: regular, mode: '0644'}]",
            "FAIL low: mode 0644: everyone can read it; medium: mode 0644: everyone can read it",
        ),
        (
            "kubelet_files: [{role: pull_credential, path: /etc/providers, kind: directory, mode: '0700'}]",
            "MANUAL: who can change the files in /etc/providers? ls -l shows it",
        ),
        (
            "kubelet_files: [{role: pull_credential, path: /var/lib/kubelet/config.json, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.kubelet_files.get()?;
    let list = &seen.value.list;
    let roles = [FileRole::PullCredential];
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let own = own(node, list);
    let mut exposure = Exposure::new(&node.host);
    for seen in &looked(&node.host, list, Need::KubeletFiles, &roles) {
        let changed = exposure.changed(seen, Severity::High, &mut tally);
        // How a provider is called is no secret; what it answers is not kept there.
        let severity = if own.contains(&plain(seen.path.as_str())) {
            Severity::Medium
        } else {
            Severity::Low
        };
        let read = exposure.read(seen, severity, &mut tally);
        let object = seen.walk.object();
        let folder = object.is_some_and(|hop| hop.stat.kind == FileKind::Directory);
        if folder {
            tally.gap(Gap::NeedsHuman {
                question: Text::from(format!(
                    "who can change the files in {}? ls -l shows it",
                    seen.path
                )),
            });
        }
        if changed && read && !folder {
            exposure.nominal(seen, LIMIT, &mut tally);
        }
    }
    exposure.done(&mut tally);
    tally.verdict()
}

/// Files of passwords that the kubelet itself looks for (pkg/credentialprovider/config.go).
fn own(node: &NodeFacts, list: &Files) -> Vec<String> {
    let roots = looked(&node.host, list, Need::KubeletFiles, &[FileRole::RootDir]);
    let mut folders: Vec<String> = roots.iter().map(|root| plain(root.path.as_str())).collect();
    folders.push("/var/lib/kubelet".to_owned());
    let mut out = vec![
        "/root/.docker/config.json".to_owned(),
        "/root/.dockercfg".to_owned(),
    ];
    for folder in folders {
        out.push(format!("{folder}/config.json"));
        out.push(format!("{folder}/.dockercfg"));
    }
    out
}
