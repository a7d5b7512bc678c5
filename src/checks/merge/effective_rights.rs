use super::effective::rows;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, comparing, offence, on_node,
};
use crate::checks::running::{Running, each, join};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-023"),
    title: "Containers have no more rights than their manifests give",
    why: "What a manifest takes away is taken away by the runtime, or not at all: a process with more than its manifest says runs under a runtime, a configuration or a person that overrode it.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Manifests, Need::Processes],
    helps: &[Need::Identity],
    maps: &[
        Maps::Nsa("POD"),
        Maps::Attack("T1611"),
        Maps::Attack("T1548"),
    ],
    fix: Remediation {
        steps: &[
            on_node("crictl ps --name {container}"),
            by_hand(
                "look at what the runtime was asked for: crictl inspect ID, under info.runtimeSpec. Where it says less than the process has, the process was started by somebody else: treat the node as taken. Where it says the same, the kubelet still runs an older manifest, or the runtime's configuration adds rights: /etc/containerd/config.toml (base_runtime_spec), /etc/crio/crio.conf.d (default_capabilities)",
            ),
            on_node("mv /etc/kubernetes/manifests/FILE /root/"),
            by_hand(
                "wait until the pod is gone, then move the file back: it is made anew as it is written",
            ),
        ],
        restarts: "the pod, once: 20 to 60 s away; on a control plane one node at a time",
        undo: &[by_hand("put the runtime's old configuration back")],
    },
    examples: &[
        ("{manifests: [], processes: []}", "PASS"),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], processes: [{of: shop/a/main}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {runAsUser: 1000, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: [{name: c, securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}}]}}}], processes: [{of: default/a/c, uid: 1000, caps: none, bound: [NET_BIND_SERVICE], nnp: true, seccomp: 2, ro: true}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostUsers: false, containers: [{name: c, securityContext: {runAsUser: 0}}]}}}], processes: [{of: default/a/c, uid: 65536, mapped: 65536}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {privileged: true}}]}}}], processes: [{of: default/a/c, caps: all, seccomp: 0, label: unconfined}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {runAsUser: 1000}}]}}}], processes: [{of: default/a/c, uid: 0}]}",
            "FAIL high: container c of default/a: it runs as root, its manifest says uid 1000 (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {runAsUser: 1000}}]}}}], processes: [{of: default/a/c, uid: 999}]}",
            "FAIL medium: container c of default/a: it runs as uid 999, its manifest says uid 1000 (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {runAsNonRoot: true, capabilities: {drop: [ALL]}, allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}, appArmorProfile: {type: RuntimeDefault}}}]}}}], processes: [{of: default/a/c, caps: [SYS_ADMIN], seccomp: 0, label: unconfined}]}",
            "FAIL high: container c of default/a: it runs as root, its manifest says not as root, and 4 more (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], processes: [{of: shop/a/main, caps: usual, bound: all}]}",
            "FAIL high: container main of shop/a: it can gain DAC_READ_SEARCH, LINUX_IMMUTABLE, NET_BROADCAST and 24 more (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {hostUsers: false, containers: [{name: c, securityContext: {readOnlyRootFilesystem: true}}]}}}], processes: [{of: default/a/c, ro: false}]}",
            "FAIL high: container c of default/a: its root is writable, its manifest says read-only, and 1 more (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {appArmorProfile: {type: Localhost, localhostProfile: own}}}]}}}], processes: [{of: default/a/c, label: 'own (complain)'}]}",
            "FAIL high: container c of default/a: it has AppArmor profile own in complain mode, its manifest says profile own (process 1000, main)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], processes: [{of: shop/a/main, rights: {gap: denied}}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], processes: {list: [], hidepid: true}}",
            "UNKNOWN: the login may not read the processes of other users (/proc is mounted with hidepid)",
        ),
        (
            "{manifests: [], processes: {gap: collector}}",
            "UNKNOWN: the installed collector is older than version 2",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let join = join(node)?;
    let mut tally = Tally::new();
    tally.good(join.at());
    each(node, Some(&join), &mut tally, container)?;
    tally.gaps(join.gaps(node));
    tally.verdict()
}

/// One offence for a container: the process that has most beyond its manifest speaks first.
fn container(running: &Running<'_>, tally: &mut Tally) {
    for process in &running.processes {
        let (rows, gaps) = rows(running, process);
        tally.gaps(gaps);
        let mut wider = rows.iter().filter_map(|row| row.wider.as_ref());
        let Some((severity, first)) = wider.next() else {
            continue;
        };
        let severity = wider
            .clone()
            .map(|(severity, _)| *severity)
            .fold(*severity, Severity::max);
        let more = match wider.count() {
            0 => String::new(),
            count => format!(", and {count} more"),
        };
        let message = format!(
            "{}: {first}{more} (process {}, {})",
            running.words(),
            process.pid,
            process.comm
        );
        let evidence = running.evidence.clone();
        let found = offence(running.subject.clone(), severity, message, evidence);
        let compare = rows.into_iter().map(|row| row.compare).collect();
        tally.offence(comparing(found, compare));
    }
}
