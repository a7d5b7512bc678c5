use std::collections::BTreeSet;

use super::pairs::declared;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, on_node,
};
use crate::checks::exposure::{Exposure, looked};
use crate::checks::privilege::containers::{Around, Inside, writes};
use crate::checks::privilege::places::{holds, plain};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-018"),
    title: "Only root can change what static pods mount from the node",
    why: "A static pod reads its certificates, policies and configuration from the node: whoever can change them steers a pod of root without touching its manifest.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::HostPaths],
    helps: &[Need::Accounts, Need::Manifests],
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
            "{manifests: [], host_paths: [{role: host_path, path: /srv/config, mode: '0777'}, {gap: denied}]}",
            "FAIL high: mode 0777: everyone can put files into it; gap: the login may not read it",
        ),
        (
            "{manifests: [], host_paths: [{role: host_path, path: /srv/data/a.conf, kind: regular, mode: '0600'}], fs: {/srv/data: {mode: '0775', owner: '0:995'}}, accounts: {users: ['alice:1000:1000'], groups: ['kube:995:alice']}}",
            "FAIL high: group kube (995: alice) can replace a.conf in it",
        ),
        (
            "{manifests: [], host_paths: [{role: host_path, path: /tmp/x, absent: true}], fs: {/tmp: {mode: '1777'}}}",
            "FAIL high: everyone can make x in it",
        ),
        (
            "{host_paths: [{role: host_path, path: /srv/config, mode: '0777'}], manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /srv/config}}]}}}]}",
            "FAIL critical: mode 0777: everyone can put files into it",
        ),
        (
            "{host_paths: [{role: host_path, path: /srv/config, mode: '0777'}], manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, securityContext: {runAsUser: 1000}, volumeMounts: [{name: v}]}, {name: d, volumeMounts: [{name: v, readOnly: true}]}], volumes: [{name: v, hostPath: {path: /srv/config}}]}}}]}",
            "FAIL high: mode 0777: everyone can put files into it",
        ),
        (
            "host_paths: [{role: host_path, path: /tmp, mode: '1777'}]",
            "PASS",
        ),
        (
            "{manifests: [], host_paths: [{role: host_path, path: /var/tmp, mode: '1777'}], fs: {/var: {mode: '0777'}}}",
            "FAIL high: everyone can replace tmp in it",
        ),
        (
            "{manifests: [], host_paths: [{role: host_path, path: /srv/spool, mode: '1777'}]}",
            "FAIL high: mode 1777: everyone can put files into it",
        ),
        (
            "{manifests: [], host_paths: [{role: host_path, path: /dev/shm, mode: '1777'}]}",
            "FAIL high: mode 1777: everyone can put files into it",
        ),
        (
            "host_paths: [{role: host_path, path: /dev/null, kind: char, mode: '0666'}]",
            "PASS",
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
/// File systems below them that hold what anybody puts there.
const MEMORY: &[&str] = &["/dev/shm", "/dev/mqueue"];
/// Folders for everybody: a pod that mounts one is not steered by what lies in it beside its own files.
const SHARED: &[&str] = &["/tmp", "/var/tmp"];

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
    let roots = roots(node);
    // Of a manifest that is not known the worst is to be thought.
    let root = |path: &str| roots.as_ref().is_none_or(|roots| roots.contains(path));
    let mut exposure = Exposure::new(&node.host);
    for seen in &looked(&node.host, list, Need::HostPaths, &[FileRole::HostPath]) {
        let path = plain(seen.path.as_str());
        let within = |tops: &[&str]| tops.iter().any(|top| holds(top, &path));
        if within(KERNEL) && !within(MEMORY) {
            continue;
        }
        let severity = if root(&path) {
            Severity::Critical
        } else {
            Severity::High
        };
        let object = seen.walk.object();
        let sticky = object.is_some_and(|hop| hop.stat.mode.sticky());
        if sticky && SHARED.contains(&path.as_str()) {
            exposure.moved(seen, severity, &mut tally);
        } else {
            exposure.changed(seen, severity, &mut tally);
        }
    }
    exposure.done(&mut tally);
    tally.verdict()
}

/// Paths that a container which may run as root mounts for writing: what is put there is root's to follow. None where
/// not every manifest is known.
fn roots(node: &NodeFacts) -> Option<BTreeSet<String>> {
    let declared = declared(node).ok()?;
    let mut found = BTreeSet::new();
    for pod in declared.pods {
        let around = Around {
            pod: pod.pod,
            at: pod.at,
        };
        for (volume, path) in around.host_paths() {
            let mut containers = around.containers();
            let writes = |inside: &Inside<'_>| writes(inside.container, volume) == Some(true);
            if containers.any(|inside| writes(&inside) && may_be_root(&inside)) {
                found.insert(plain(path));
            }
        }
    }
    declared.gaps.is_empty().then_some(found)
}

/// Whether nothing keeps a container from running as root: without a word it runs as its image says.
pub fn may_be_root(inside: &Inside<'_>) -> bool {
    let field = |name: &str| {
        let own = inside
            .container
            .pointer(&format!("/securityContext/{name}"));
        let all = || {
            inside
                .pod
                .spec()
                .pointer(&format!("/securityContext/{name}"))
        };
        own.filter(|own| !own.is_null()).or_else(all)
    };
    let user = field("runAsUser").and_then(Branch::as_u64);
    let never = field("runAsNonRoot") == Some(Branch::Bool(true));
    user.map_or(!never, |user| user == 0)
}
