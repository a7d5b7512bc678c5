use super::policies::{on_pod_network, selecting};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, few, kubectl, offence, on_node,
};
use crate::checks::merge::pairs::unread;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-006"),
    title: "Static pods are kept from the cloud's metadata service",
    why: "On a cloud 169.254.169.254 hands out the node's own credentials to any pod that may ask.",
    severity: Severity::Medium,
    since: "0.1.0",
    needs: &[Need::NetworkPolicies, Need::MirrorPods],
    helps: &[Need::NodeObject],
    maps: &[Maps::Attack("T1552.005"), Maps::Source("Kubescape C-0052")],
    fix: Remediation {
        steps: &[
            on_node("curl -s -m 2 -o /dev/null -w '%{http_code}\\n' http://169.254.169.254/"),
            by_hand(
                "000 there means that nothing answers and nothing is to be done. Else add an egress policy for the pod that does not reach 169.254.169.254 (ipBlock 0.0.0.0/0 except 169.254.169.254/32), and for host network pods ask the cloud for session tokens and a hop limit of 1 (IMDSv2)",
            ),
            kubectl("kubectl get networkpolicy -n {ns} -o yaml"),
        ],
        restarts: "nothing",
        undo: &[by_hand(
            "delete the NetworkPolicy that was added; set the hop limit back",
        )],
    },
    examples: &[
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: [{namespace: shop, name: out, egress: {rules: 1}}]}",
            "PASS",
        ),
        ("{mirrors: [], network_policies: []}", "PASS"),
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: []}",
            "FAIL medium: no network policy keeps it from 169.254.169.254",
        ),
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: [{namespace: shop, name: out, egress: {rules: 1, metadata: true}}]}",
            "FAIL medium: network policy out lets it reach 169.254.169.254",
        ),
        (
            "{object: {}, mirrors: [{pod: {metadata: {namespace: kube-system, name: etcd-cp-1}, spec: {hostNetwork: true}}}], network_policies: []}",
            "PASS: no cloud provider is set on the node, whose network its static pods share",
        ),
        (
            "{object: {provider_id: 'aws:///eu-1/i-1'}, mirrors: [{pod: {metadata: {namespace: kube-system, name: etcd-cp-1}, spec: {hostNetwork: true}}}], network_policies: [], unread: rbac}",
            "FAIL info: 1 static pod on the host network reaches 169.254.169.254 as the node itself does; gap: the API server forbids list pods",
        ),
        (
            "{mirrors: [{pod: shop/a-cp-1}], network_policies: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let cluster = &view.snapshot.cluster;
    let policies = cluster.objects.network_policies.get()?;
    let list = node.api.mirrors.get()?;
    let mut tally = Tally::new();
    tally.all_good(&[policies.at, list.at]);
    unread(node, &mut tally);
    let (inside, outside) = on_pod_network(list);
    for (at, mirror) in inside {
        let mut held: Vec<_> = selecting(cluster, &mirror.pod)?;
        held.retain(|(_, policy)| policy.egress.is_some());
        let open: Vec<String> = held
            .iter()
            .filter(|(_, policy)| policy.egress.as_ref().is_some_and(|egress| egress.metadata))
            .map(|(_, policy)| policy.name.to_string())
            .collect();
        let message = if held.is_empty() {
            "no network policy keeps it from 169.254.169.254".to_owned()
        } else if open.is_empty() {
            tally.good(at);
            continue;
        } else {
            format!(
                "network policy {} lets it reach 169.254.169.254",
                few(&open)
            )
        };
        tally.offence(offence(
            Subject::pod(&mirror.pod.namespace, &mirror.pod.name),
            Severity::Medium,
            message,
            [at, policies.at]
                .into_iter()
                .chain(held.iter().map(|(at, _)| *at)),
        ));
    }
    if outside > 0 {
        by_node(node, (outside, list.at), &mut tally);
    }
    tally.verdict()
}

/// Pods on the host network reach what the node reaches; where no cloud has made the node, that is nothing.
fn by_node(node: &NodeFacts, (outside, at): (usize, Locator), tally: &mut Tally) {
    let object = node.api.object.get().ok();
    if let Some(object) = object
        && object.value.provider_id.is_empty()
    {
        tally.good(object.at);
        tally.note("no cloud provider is set on the node, whose network its static pods share");
        return;
    }
    let pods = if outside == 1 {
        "1 static pod on the host network reaches".to_owned()
    } else {
        format!("{outside} static pods on the host network reach")
    };
    tally.offence(offence(
        Subject::new(SubjectKind::Node, Text::new(node.name.as_str())),
        Severity::Info,
        format!("{pods} 169.254.169.254 as the node itself does"),
        [at].into_iter().chain(object.map(|object| object.at)),
    ));
}
