use crate::checks::api_servers::{self, Server};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, not_applicable, offence,
};
use crate::checks::{flags, role};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-007"),
    title: "Kubelets are held to their own node",
    why: "Without the Node authorizer and NodeRestriction one stolen kubelet identity reads the secrets and changes the pods and labels of every node.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[
        Need::NodeObject,
        Need::MirrorPods,
        Need::ApiServerFiles,
        Need::Processes,
    ],
    maps: &[
        Maps::Cis("1.2.7"),
        Maps::Cis("1.2.14"),
        Maps::Attack("T1078"),
    ],
    fix: Remediation {
        steps: &[
            by_hand(
                "on each control plane, one at a time, copy the manifest of kube-apiserver out of the folder as a backup; set --authorization-mode=Node,RBAC (or put type: Node first in the file of --authorization-config) and --enable-admission-plugins=NodeRestriction beside what is there",
            ),
            kubectl("kubectl get --raw /readyz"),
            kubectl(
                "kubectl auth can-i list secrets -A --as system:node:NAME --as-group system:nodes",
            ),
        ],
        restarts: "the API server of that node, 10 to 60 s as soon as the file is saved",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, '--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction']}]}}}]",
            "PASS",
        ),
        (
            "{authorization: {authorizers: [{type: Node, name: node}, {type: RBAC, name: rbac}]}, manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, --authorization-config=/a, '--enable-admission-plugins=NodeRestriction']}]}}}]}",
            "PASS",
        ),
        (
            "{authorization: {authorizers: [{type: RBAC, name: rbac}]}, manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, --authorization-config=/a, '--enable-admission-plugins=NodeRestriction']}]}}}]}",
            "FAIL critical: the API server kube-system/api of cp-1 has no Node authorizer: RBAC alone decides what kubelets may do",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, '--authorization-mode=RBAC,AlwaysAllow']}]}}}]",
            "FAIL critical: the API server kube-system/api of cp-1 lets everybody do everything (AlwaysAllow); critical: the API server kube-system/api of cp-1 runs without NodeRestriction: a kubelet may change other nodes and their pods",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, '--enable-admission-plugins=NodeRestriction']}]}}}]",
            "FAIL critical: the API server kube-system/api of cp-1 has no --authorization-mode: it lets everybody do everything",
        ),
        (
            "{object: {version: v1.33.1-eks-1}, manifests: [], mirrors: [], processes: []}",
            "N/A: no API server runs here: Amazon EKS runs the control plane on machines of its own",
        ),
        (
            "{object: {version: v1.33.1-eks-1}, manifests: [], mirrors: [], processes: [{comm: k3s-server}]}",
            "MANUAL: are the Node authorizer and NodeRestriction on? no API server is seen as a static pod",
        ),
        (
            "{object: {labels: {node-role.kubernetes.io/control-plane: ''}}, manifests: []}",
            "MANUAL: are the Node authorizer and NodeRestriction on? no API server is seen as a static pod",
        ),
        (
            "{authorization: {gap: denied}, manifests: [{file: a.yaml, pod: {metadata: {name: api, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, --authorization-config=/a, '--enable-admission-plugins=NodeRestriction']}]}}}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: {gap: denied}, object: {labels: {node-role.kubernetes.io/control-plane: ''}}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{object: {}, manifests: [], mirrors: [], processes: []}",
            "N/A: no API server runs here",
        ),
        (
            "{object: {}, manifests: [], mirrors: [], processes: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

const PLUGIN: &str = "NodeRestriction";

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mut tally = Tally::new();
    let servers = api_servers::of_node(node, &mut tally, one);
    if !matches!(servers, Ok((1.., _))) {
        let role = role::of(node)?;
        // One inside another program is an API server all the same, and its flags are not seen.
        if role.control_plane.is_none() && role::by_process(node).is_none() {
            return no_server(node, role.evidence);
        }
        tally.gaps(servers?.1);
        tally.gap(Gap::NeedsHuman {
            question: Text::new(
                "are the Node authorizer and NodeRestriction on? no API server is seen as a static pod",
            ),
        });
    }
    tally.verdict()
}

/// Neither as a static pod nor, which the processes tell, inside another program.
fn no_server(node: &NodeFacts, mut evidence: Vec<Locator>) -> Result<Verdict, Gap> {
    evidence.push(node.host.processes.get()?.at);
    let mut why = "no API server runs here".to_owned();
    if let Some((words, at)) = role::by_provider(node) {
        why = format!("{why}: {words}");
        evidence.push(at);
    }
    Ok(not_applicable(evidence, why))
}

fn one(server: &Server<'_>, tally: &mut Tally) {
    match authorizers(server) {
        Err(gap) => tally.gap(gap),
        Ok((list, evidence)) => {
            let has = |name: &str| list.iter().any(|own| own == name);
            let wrong = if list.is_empty() {
                Some("has no --authorization-mode: it lets everybody do everything")
            } else if has("AlwaysAllow") {
                Some("lets everybody do everything (AlwaysAllow)")
            } else if has("Node") {
                None
            } else {
                Some("has no Node authorizer: RBAC alone decides what kubelets may do")
            };
            tally.all_good(&evidence);
            if let Some(wrong) = wrong {
                tally.offence(offence(
                    Subject::setting(&format!("authorization-mode of {}", server.node.name)),
                    Severity::Critical,
                    format!("{} {wrong}", server.name()),
                    evidence,
                ));
            }
        }
    }
    let outcome = server.admits_by(PLUGIN).map(|on| {
        let message = format!(
            "{} runs without {PLUGIN}: a kubelet may change other nodes and their pods",
            server.name()
        );
        let subject = Subject::setting(&format!("{PLUGIN} of {}", server.node.name));
        (!on).then(|| offence(subject, Severity::Critical, message, [server.at]))
    });
    tally.part(server.at, outcome);
}

/// The authorizers in their order, out of the file where a flag names one; none where neither is given.
fn authorizers(server: &Server<'_>) -> Result<(Vec<String>, Vec<Locator>), Gap> {
    const FILE: &str = "authorization-config";
    flags::list(&server.words, FILE)?;
    let Some(path) = flags::last_of(&server.words, FILE).filter(|path| !path.is_empty()) else {
        let modes = flags::list(&server.words, "authorization-mode")?;
        return Ok((modes, vec![server.at]));
    };
    let files = server.node.host.api_server_files.get()?;
    let read = files.value.authorization.get()?;
    let content = read.value.as_ref().map(|file| &file.content);
    let list = content.and_then(|content| content.get("authorizers")?.as_array());
    let types = list
        .into_iter()
        .flat_map(Items::iter)
        .filter_map(|item| item.get("type").and_then(Branch::as_str));
    let types: Vec<String> = types.map(str::to_owned).collect();
    if types.is_empty() {
        return Err(Gap::Garbled {
            what: Text::from(format!("{path} names no authorizers")),
        });
    }
    Ok((types, vec![server.at, read.at]))
}
