use crate::checks::api_servers::Server;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence,
};
use crate::checks::merge::pairs::declared;
use crate::checks::pss::admission::{has_server, server_words};
use crate::checks::{flags, version};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-031"),
    title: "Kubernetes has no known hole for nodes and static pods",
    why: "Old versions let a node make mirror pods that pass by its limits, delete itself to lose its taints, run pods without the filter they ask for, or run the hooks of a repository as root.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::NodeObject, Need::Manifests],
    helps: &[Need::MirrorPods],
    maps: &[
        Maps::Nsa("upgrading and application security practices"),
        Maps::Source("kubernetes.io: Official CVE Feed, Patch Releases"),
        Maps::Attack("T1211"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get nodes -o wide"),
            by_hand(
                "upgrade, control planes first and one minor version at a time, to the last patch of a version that is still kept; until then close what the finding names: the gitRepo volume, the empty profile, the feature gate",
            ),
            kubectl("kubectl version"),
        ],
        restarts: "each node in its turn: kubelet and static pods, pods when the node is drained",
        undo: &[by_hand(
            "kubeadm keeps the old manifests in /etc/kubernetes/tmp; going back a minor version is not supported",
        )],
    },
    examples: &[
        (
            "{object: {version: v1.33.4}, version: v1.33.4, manifests: []}",
            "PASS",
        ),
        (
            "{object: {version: v1.33.1}, version: v1.33.1, manifests: [{file: a.yaml, pod: {metadata: {name: api}, spec: {containers: [{name: c, command: [kube-apiserver, '--feature-gates=DynamicResourceAllocation=true', '--enable-admission-plugins=NodeRestriction']}]}}}]}",
            "FAIL high: CVE-2025-4563: a node may make mirror pods with resource claims that are not its own (API server v1.33.1, DynamicResourceAllocation is on); medium: CVE-2025-5187: a node may delete itself and come back without its taints and labels (API server v1.33.1)",
        ),
        (
            "{object: {version: v1.33.1}, version: v1.33.1, manifests: [{file: a.yaml, pod: {metadata: {name: api}, spec: {containers: [{name: c, command: [kube-apiserver, '--feature-gates=kube:AllBeta=1', '--enable-admission-plugins=NodeRestriction']}]}}}]}",
            "FAIL high: CVE-2025-4563: a node may make mirror pods with resource claims that are not its own (API server v1.33.1, DynamicResourceAllocation is on); medium: CVE-2025-5187: a node may delete itself and come back without its taints and labels (API server v1.33.1)",
        ),
        (
            "{object: {version: v1.32.5}, version: v1.32.5, manifests: [{file: a.yaml, pod: {metadata: {name: api}, spec: {containers: [{name: c, command: [kube-apiserver, '--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement']}]}}}]}",
            "PASS: v1.32.5 has CVE-2025-4563, which DynamicResourceAllocation opens, and it is off; v1.32.5 has CVE-2025-5187, which OwnerReferencesPermissionEnforcement closes",
        ),
        (
            "{object: {version: v1.27.1}, version: v1.33.4, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {volumes: [{name: v, gitRepo: {repository: x}}], containers: [{name: c, securityContext: {seccompProfile: {type: Localhost}}}]}}}, {file: b.yaml, unread: denied}]}",
            "FAIL medium: no fixes are made any more for Kubernetes 1.27 (kubelet v1.27.1); high: CVE-2023-2431: default/a asks for an empty seccomp profile and runs without one (kubelet v1.27.1); high: CVE-2024-10220: the gitRepo volume of default/a runs hooks of the repository as root (kubelet v1.27.1); gap: the login may not read it",
        ),
        (
            "{object: {version: v1.29.9-eks-1}, version: v1.33.4, manifests: []}",
            "FAIL low: no fixes are made any more for Kubernetes 1.29 (kubelet v1.29.9-eks-1), unless the vendor pays for longer",
        ),
        (
            "{object: {version: unknown}, manifests: []}",
            "UNKNOWN: the answer cannot be trusted: unknown as the version of a kubelet",
        ),
        (
            "{object: {gap: forbidden}, manifests: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Since when a minor version gets no fixes (kubernetes.io: Patch Releases), seconds since the epoch, from the oldest
/// that is told on.
const ENDS: [(u32, i64); 8] = [
    // 2024-10-28, 2025-02-28, 2025-06-28, 2025-11-11
    (28, 1_730_073_600),
    (29, 1_740_700_800),
    (30, 1_751_068_800),
    (31, 1_762_819_200),
    // 2026-02-28, 2026-06-28, 2026-10-27, 2027-02-28
    (32, 1_772_236_800),
    (33, 1_782_604_800),
    (34, 1_793_059_200),
    (35, 1_803_772_800),
];

/// First minor and first patch of each minor that is mended; older minors than those are not, later ones are.
struct Hole {
    from: u32,
    mended: &'static [(u32, u32)],
}

/// CVE-2025-4563 (kubernetes/kubernetes#132151), of the API server.
const CLAIMS: Hole = Hole {
    from: 32,
    mended: &[(32, 6), (33, 2)],
};
/// CVE-2025-5187 (kubernetes/kubernetes#133471), of the API server.
const OWNER: Hole = Hole {
    from: 0,
    mended: &[(31, 12), (32, 8), (33, 4)],
};
/// CVE-2023-2431 (kubernetes/kubernetes#118690), of the kubelet.
const EMPTY_PROFILE: Hole = Hole {
    from: 0,
    mended: &[(24, 14), (25, 10), (26, 5), (27, 2)],
};
/// CVE-2024-10220 (kubernetes/kubernetes#128885), of the kubelet.
const REPOSITORY: Hole = Hole {
    from: 0,
    mended: &[(28, 12), (29, 7), (30, 3)],
};
/// CVE-2025-1767 (kubernetes/kubernetes#130786), of the kubelet: what has the volume at all has it.
const LOCAL_REPOSITORY: Hole = Hole {
    from: 0,
    mended: &[(36, 0)],
};

impl Hole {
    fn is_in(&self, (minor, patch): (u32, u32)) -> bool {
        let known = self.mended.iter().find(|(own, _)| *own == minor);
        let oldest = self.mended.iter().map(|(own, _)| *own).min();
        minor >= self.from
            && match known {
                Some((_, mended)) => patch < *mended,
                None => oldest.is_some_and(|oldest| minor < oldest),
            }
    }
}

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let object = node.api.object.get()?;
    let mut tally = Tally::new();
    tally.good(object.at);
    let raw = &object.value.kubelet_version;
    let kubelet = version::patch(raw.as_str()).ok_or_else(|| Gap::Garbled {
        what: Text::from(format!("{raw} as the version of a kubelet")),
    })?;
    ended(raw, kubelet.0, (object.at, view), &mut tally);
    let declared = declared(node)?;
    tally.good(declared.at);
    tally.gaps(declared.gaps.iter().cloned());
    for pod in &declared.pods {
        of_pod((pod.pod, pod.at), (raw, kubelet), &mut tally);
    }
    let servers = declared.pods.iter().filter_map(|pod| {
        Some(Server {
            node,
            pod: pod.pod,
            words: server_words(pod.pod)?,
            at: pod.at,
        })
    });
    let servers: Vec<Server<'_>> = servers.collect();
    if !servers.is_empty() || has_server(node) {
        of_servers(&servers, view, &mut tally);
    }
    tally.verdict()
}

fn ended(raw: &Text, minor: u32, (at, view): (Locator, &View<'_>), tally: &mut Tally) {
    let oldest = ENDS.first().map_or(0, |(minor, _)| *minor);
    let known = ENDS.iter().find(|(own, _)| *own == minor);
    let over = known.is_some_and(|(_, end)| view.now.as_second() > *end) || minor < oldest;
    if !over {
        return;
    }
    let vendor = ["-eks-", "-gke."]
        .iter()
        .any(|mark| raw.as_str().contains(mark));
    let (severity, end) = if vendor {
        (Severity::Low, ", unless the vendor pays for longer")
    } else {
        (Severity::Medium, "")
    };
    tally.offence(offence(
        Subject::setting("kubelet version"),
        severity,
        format!("no fixes are made any more for Kubernetes 1.{minor} (kubelet {raw}){end}"),
        [at],
    ));
}

/// What a static pod has that its kubelet does wrong.
fn of_pod((pod, at): (&Pod, Locator), (raw, kubelet): (&Text, (u32, u32)), tally: &mut Tally) {
    let name = format!("{}/{}", pod.namespace, pod.name);
    if EMPTY_PROFILE.is_in(kubelet) && asks_for_nothing(pod) {
        let message = format!(
            "CVE-2023-2431: {name} asks for an empty seccomp profile and runs without one (kubelet {raw})"
        );
        say("CVE-2023-2431", message, at, tally);
    }
    let volumes = pod.spec().get("volumes").and_then(Branch::as_array);
    let mut volumes = volumes.into_iter().flat_map(Items::iter);
    let git = volumes.any(|volume| volume.get("gitRepo").is_some_and(|found| !found.is_null()));
    if git && LOCAL_REPOSITORY.is_in(kubelet) {
        let (hole, what) = if REPOSITORY.is_in(kubelet) {
            ("CVE-2024-10220", "runs hooks of the repository as root")
        } else {
            (
                "CVE-2025-1767",
                "reads repositories of other pods on the node",
            )
        };
        let message = format!("{hole}: the gitRepo volume of {name} {what} (kubelet {raw})");
        say(hole, message, at, tally);
    }
}

fn say(hole: &str, message: String, at: Locator, tally: &mut Tally) {
    tally.offence(offence(
        Subject::setting(hole),
        Severity::High,
        message,
        [at],
    ));
}

/// A profile of type Localhost without a name.
fn asks_for_nothing(pod: &Pod) -> bool {
    let empty = |context: Option<Branch<'_>>| {
        let profile = context.and_then(|context| context.get("seccompProfile"));
        profile.is_some_and(|profile| {
            let text = |name: &str| profile.get(name).and_then(Branch::as_str);
            text("type") == Some("Localhost") && text("localhostProfile").unwrap_or("").is_empty()
        })
    };
    empty(pod.spec().get("securityContext"))
        || pod
            .containers()
            .any(|(_, container)| empty(container.get("securityContext")))
}

/// What the API server of this node lets nodes do.
fn of_servers(servers: &[Server<'_>], view: &View<'_>, tally: &mut Tally) {
    let Some(seen) = tally.take(&view.snapshot.cluster.version) else {
        return;
    };
    let raw = &seen.value;
    let Some(own) = version::patch(raw.as_str()) else {
        return tally.gap(Gap::Garbled {
            what: Text::from(format!("{raw} as the version of the API server")),
        });
    };
    tally.good(seen.at);
    if servers.is_empty() && (CLAIMS.is_in(own) || OWNER.is_in(own)) {
        tally.gap(Gap::NeedsHuman {
            question: Text::from(format!(
                "the API server {raw} has holes that DynamicResourceAllocation opens and OwnerReferencesPermissionEnforcement closes: is the one off and the other on? it is no static pod"
            )),
        });
    }
    for server in servers {
        holes(server, (raw, own, seen.at), tally);
    }
}

fn holes(server: &Server<'_>, (raw, own, at): (&Text, (u32, u32), Locator), tally: &mut Tally) {
    if CLAIMS.is_in(own) {
        let gates = flags::list(&server.words, "feature-gates");
        // It was beta and off then: what turns on all that is beta turns it on.
        let on = gates.map(|gates| {
            let own = flags::gate(&gates, "DynamicResourceAllocation");
            own.or_else(|| flags::gate(&gates, "AllBeta")) == Some(true)
        });
        match on {
            Err(gap) => tally.gap(gap),
            Ok(false) => tally.note(format!(
                "{raw} has CVE-2025-4563, which DynamicResourceAllocation opens, and it is off"
            )),
            Ok(true) => tally.offence(offence(
                Subject::setting("CVE-2025-4563"),
                Severity::High,
                format!(
                    "CVE-2025-4563: a node may make mirror pods with resource claims that are not its own (API server {raw}, DynamicResourceAllocation is on)"
                ),
                [at, server.at],
            )),
        }
    }
    if OWNER.is_in(own) {
        match server.admits_by("OwnerReferencesPermissionEnforcement") {
            Err(gap) => tally.gap(gap),
            Ok(true) => tally.note(format!(
                "{raw} has CVE-2025-5187, which OwnerReferencesPermissionEnforcement closes"
            )),
            Ok(false) => tally.offence(offence(
                Subject::setting("CVE-2025-5187"),
                Severity::Medium,
                format!(
                    "CVE-2025-5187: a node may delete itself and come back without its taints and labels (API server {raw})"
                ),
                [at, server.at],
            )),
        }
    }
}
