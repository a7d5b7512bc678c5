use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, on_node,
};
use crate::checks::exposure::{Exposure, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::unix::WalkEnd;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-018"),
    title: "Only root can change what static pods mount from the node",
    why: "A static pod reads its certificates, policies and configuration from the node: whoever can change them steers a pod of root without touching its manifest.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::HostPaths],
    helps: &[Need::Accounts],
    maps: &[Maps::Nsa("POD"), Maps::Attack("T1611")],
    fix: Remediation {
        steps: &[
            on_node("ls -ld {path}"),
            on_node("chown root:root {path}"),
            on_node("chmod go-w {path}"),
            by_hand(
                "compare its content with what you put there: whoever could change it may have done so",
            ),
        ],
        restarts: "nothing; a pod that runs as another user may need an owner or a group of its own",
        undo: &[by_hand("the old owner and mode are in the evidence")],
    },
    examples: &[
        (
            "host_paths: [{role: host_path, path: /etc/kubernetes/pki}, {role: host_path, path: /etc/kubernetes/scheduler.conf, kind: regular, mode: '0600'}]",
            "PASS",
        ),
        (
            "host_paths: [{role: host_path, path: /srv/config, mode: '0777'}, {gap: denied}]",
            "FAIL high: mode 0777: everyone can put files into it; gap: the login may not read it",
        ),
        (
            "{host_paths: [{role: host_path, path: /srv/data/a.conf, kind: regular, mode: '0600'}], fs: {/srv/data: {mode: '0775', owner: '0:995'}}, accounts: {users: ['alice:1000:1000'], groups: ['kube:995:alice']}}",
            "FAIL high: group kube (995: alice) can replace a.conf in it",
        ),
        (
            "{host_paths: [{role: host_path, path: /tmp/x, absent: true}], fs: {/tmp: {mode: '1777'}}}",
            "FAIL high: everyone can make x in it",
        ),
        (
            "host_paths: []",
            "N/A: no manifest mounts a path of the node",
        ),
        (
            "host_paths: [{role: host_path, path: /etc/kubernetes/pki, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Devices and file systems of the kernel: what root alone can do there, modes do not tell.
const KERNEL: &[&str] = &["/dev", "/proc", "/sys"];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.host_paths.get()?;
    let list = &seen.value;
    if list.files.is_empty() && list.gaps.is_empty() {
        let why = "no manifest mounts a path of the node";
        return Ok(not_applicable([seen.at], why));
    }
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut exposure = Exposure::new(&node.host);
    for seen in &looked(&node.host, list, Need::HostPaths, &[FileRole::HostPath]) {
        let path = seen.path.as_str();
        let kernel = KERNEL.iter().any(|top| {
            let rest = path.strip_prefix(top);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        // A folder for everybody, /tmp, is not steered by what is put into it beside the pod's own files.
        let shared = seen.walk.end == WalkEnd::Reached
            && seen.walk.object().is_some_and(|hop| hop.stat.mode.sticky());
        if !kernel && !shared {
            exposure.changed(seen, Severity::High, &mut tally);
        }
    }
    exposure.done(&mut tally);
    tally.verdict()
}
