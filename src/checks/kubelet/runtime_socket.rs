use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, on_node,
};
use crate::checks::exposure::{Exposure, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-030"),
    title: "Only root can talk to the container runtime",
    why: "Its socket takes every order without a question: a privileged container with the host's disk in it is one call away.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::KubeletFiles],
    helps: &[Need::Accounts],
    maps: &[Maps::Nsa("POD"), Maps::Attack("T1611")],
    fix: Remediation {
        steps: &[
            on_node("ls -l {path}"),
            on_node("chown root:root {path}"),
            on_node("chmod 660 {path}"),
            by_hand(
                "set it for good: uid and gid of [grpc] in /etc/containerd/config.toml; SocketUser and SocketMode of crio.socket or docker.socket",
            ),
        ],
        restarts: "nothing; clients that are not root lose their access",
        undo: &[by_hand("the old owner and mode are in the evidence")],
    },
    examples: &[
        (
            "{kubelet_files: [{role: runtime_socket, path: /run/containerd/containerd.sock, mode: '0660'}], accounts: {users: ['root:0:0'], groups: ['root:0:']}}",
            "PASS",
        ),
        (
            "{kubelet_files: [{role: runtime_socket, path: /run/docker.sock, mode: '0660', owner: '0:995'}], accounts: {users: ['alice:1000:1000'], groups: ['docker:995:alice']}}",
            "FAIL critical: mode 0660: group docker (995: alice) can talk to it",
        ),
        (
            "kubelet_files: [{role: runtime_socket, path: /run/c.sock, mode: '0666'}, {role: runtime_socket, path: /run/d.sock, gap: denied}]",
            "FAIL critical: mode 0666: everyone can talk to it; gap: the login may not read it",
        ),
        (
            "{kubelet_files: [{role: runtime_socket, path: /srv/c.sock, absent: true}], fs: {/srv: {mode: '0777'}}}",
            "FAIL critical: everyone can make c.sock in it",
        ),
        (
            "kubelet_files: [{role: root_dir, path: /var/lib/kubelet}]",
            "N/A: no socket of a container runtime was found",
        ),
        (
            "kubelet_files: [{role: runtime_socket, path: /run/containerd/containerd.sock, mode: '0660'}]",
            "UNKNOWN: not asked for in this run",
        ),
        (
            "kubelet_files: [{gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.kubelet_files.get()?;
    let list = &seen.value.list;
    let files = looked(
        &node.host,
        list,
        Need::KubeletFiles,
        &[FileRole::RuntimeSocket],
    );
    if files.is_empty() && list.gaps.is_empty() {
        let why = "no socket of a container runtime was found";
        return Ok(not_applicable([seen.at], why));
    }
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut exposure = Exposure::new(&node.host);
    for seen in &files {
        exposure.changed(seen, Severity::Critical, &mut tally);
    }
    exposure.done(&mut tally);
    tally.verdict()
}
