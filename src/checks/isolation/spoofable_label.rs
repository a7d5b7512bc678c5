use crate::checks::api_servers;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, not_applicable, offence,
};
use crate::checks::declared::entry;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-ISO-006"),
    title: "Labels of dedicated pools cannot be set by a kubelet",
    why: "A compromised node gives itself the label that sensitive pods select, and they are scheduled onto it.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::Policy],
    helps: &[Need::Manifests, Need::NodeObject, Need::MirrorPods],
    maps: &[Maps::Source(
        "kubernetes plugin/pkg/admission/noderestriction",
    )],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get nodes --show-labels"),
            by_hand(
                "label the nodes of the pool with a key under node-restriction.kubernetes.io/, let its pods select that one, and write it into the policy file; NodeRestriction has to be on (SP-KUB-007)",
            ),
        ],
        restarts: "the pods whose nodeSelector changes",
        undo: &[by_hand("select the former label again")],
    },
    examples: &[
        (
            "{policy: {pools: [{name: gpu, nodes: {names: [w-1]}, label: node-restriction.kubernetes.io/team=gpu}]}, manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, '--enable-admission-plugins=NodeRestriction']}]}}}]}",
            "PASS",
        ),
        (
            "{policy: {pools: [{name: gpu, nodes: {names: [w-1]}, label: node-restriction.kubernetes.io/team=gpu}]}, manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, '--enable-admission-plugins=PodNodeSelector']}]}}}]}",
            "FAIL medium: the API server kube-system/api of cp-1 runs without NodeRestriction: a kubelet may set any label",
        ),
        (
            "{policy: {pools: [{name: gpu, nodes: {names: [w-1]}, label: node-restriction.kubernetes.io/team=gpu}]}, manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, '--enable-admission-plugins=NodeRestriction', --disable-admission-plugins=NodeRestriction]}]}}}]}",
            "FAIL medium: the API server kube-system/api of cp-1 runs without NodeRestriction: a kubelet may set any label",
        ),
        (
            "{policy: {pools: [{name: gpu, nodes: {names: [w-1]}, label: node-restriction.kubernetes.io/team=gpu}]}, manifests: []}",
            "MANUAL: is the admission plugin NodeRestriction on? no API server is seen as a static pod",
        ),
        (
            "{policy: {pools: [{name: gpu, nodes: {names: [w-1]}, label: node-restriction.kubernetes.io/team=gpu}]}, manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, '--enable-admission-plugins=NodeRestriction']}]}}}], nodes: {cp-2: {manifests: {gap: denied}, object: {labels: {node-role.kubernetes.io/control-plane: ''}}}}}",
            "UNKNOWN: cp-2: the login may not read it",
        ),
        (
            "{policy: {pools: [{name: gpu, nodes: {names: [w-1]}, label: team=gpu}, {name: eu, nodes: {names: [w-2]}, label: topology.kubernetes.io/region=eu}]}, manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, '--enable-admission-plugins=NodeRestriction']}]}}}]}",
            "FAIL medium: the pool gpu is selected by team, which a kubelet may set on its own node; medium: the pool eu is selected by topology.kubernetes.io/region, which a kubelet may set on its own node",
        ),
        (
            "policy: {pools: [{name: gpu, nodes: {names: [w-1]}}]}",
            "N/A: no pool of the policy is selected by a label",
        ),
        (
            "policy: none",
            "N/A: no pool of the policy is selected by a label",
        ),
        ("{}", "UNKNOWN: not asked for in this run"),
    ],
    judge: Judge::Cluster(judge),
    file: file!(),
};

fn judge(view: &View<'_>) -> Result<Verdict, Gap> {
    let policy = view.policy.file.get()?;
    if view.snapshot.nodes.is_empty() {
        return Err(Gap::NotAsked);
    }
    let pools = policy.value.as_ref().map_or(&[][..], |file| &file.pools);
    let mut tally = Tally::new();
    let mut any = false;
    for pool in pools {
        let Some(label) = &pool.label else {
            continue;
        };
        any = true;
        let at = entry(pool.line);
        tally.good(at);
        let key = label.as_str().split('=').next().unwrap_or_default();
        if is_own(key) {
            tally.offence(offence(
                Subject::setting(&format!("label of {}", pool.name)),
                Severity::Medium,
                format!(
                    "the pool {} is selected by {key}, which a kubelet may set on its own node",
                    pool.name
                ),
                [at],
            ));
        }
    }
    if any {
        restriction(view, &mut tally);
        return tally.verdict();
    }
    Ok(not_applicable(
        [policy.at],
        "no pool of the policy is selected by a label",
    ))
}

/// Labels of Kubernetes that a kubelet may set (pkg/kubelet/apis/well_known_labels.go).
const ALLOWED: [&str; 12] = [
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "kubernetes.io/instance-type",
];

/// Whether NodeRestriction lets a kubelet set the label on its node: everything outside of `kubernetes.io` and
/// `k8s.io`, and what is listed inside of them.
fn is_own(key: &str) -> bool {
    let domain = key.split_once('/').map_or("", |(domain, _)| domain);
    let within = |parent: &str| domain == parent || domain.ends_with(&format!(".{parent}"));
    if !within("kubernetes.io") && !within("k8s.io") {
        return true;
    }
    let prefixes = ["kubelet.kubernetes.io", "node.kubernetes.io"];
    let by_prefix = |prefix: &&str| domain == *prefix || domain.ends_with(&format!(".{prefix}"));
    ALLOWED.contains(&key) || prefixes.iter().any(by_prefix)
}

/// Whether every API server keeps kubelets from labels that are not theirs.
fn restriction(view: &View<'_>, tally: &mut Tally) {
    const PLUGIN: &str = "NodeRestriction";
    let question = format!("is the admission plugin {PLUGIN} on?");
    api_servers::each(view, &question, tally, |server, tally| {
        let outcome = server.admits_by(PLUGIN).map(|on| {
            let message = format!(
                "{} runs without {PLUGIN}: a kubelet may set any label",
                server.name()
            );
            let subject = Subject::setting(&format!("{PLUGIN} of {}", server.node.name));
            (!on).then(|| offence(subject, Severity::Medium, message, [server.at]))
        });
        tally.part(server.at, outcome);
    });
}
