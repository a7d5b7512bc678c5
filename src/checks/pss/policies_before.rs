use super::admission::each_server;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::{flags, version};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Verdict};

/// The minor without PodSecurityPolicy.
const GONE: u32 = 25;

pub static CHECK: Check = Check {
    id: CheckId("SP-PSS-008"),
    title: "No control is left over from PodSecurityPolicy",
    why: "Flags and policies of a control that is gone look like one that holds, and where it is not gone it hides mirror pods that it does not admit.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[Need::NodeObject],
    maps: &[Maps::Source("kubernetes/kops#9941")],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe PodSecurityPolicy /etc/kubernetes/manifests"),
            by_hand(
                "give the namespaces Pod Security levels, then take PodSecurityPolicy out of --enable-admission-plugins; copy the file out of the folder as a backup first",
            ),
            kubectl("kubectl get namespaces -L pod-security.kubernetes.io/enforce"),
        ],
        restarts: "the API server, 10 to 60 s away; one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        (
            "{object: {version: v1.37.2}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, --enable-admission-plugins=NodeRestriction]}]}}}]}",
            "PASS",
        ),
        (
            "{object: {version: v1.25.0}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, '--enable-admission-plugins=NodeRestriction,PodSecurityPolicy']}]}}}]}",
            "FAIL medium: the API server of default/a is told to use PodSecurityPolicy, which 1.25 does not have",
        ),
        (
            "{object: {version: v1.25.0}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, --enable-admission-plugins=PodSecurityPolicy, --enable-admission-plugins=NodeRestriction]}]}}}]}",
            "FAIL medium: the API server of default/a is told to use PodSecurityPolicy, which 1.25 does not have",
        ),
        (
            "{object: {version: v1.24.9}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, --enable-admission-plugins=PodSecurityPolicy]}]}}}]}",
            "MANUAL: may the group system:nodes use a PodSecurityPolicy that admits the mirror pods? kubectl get psp",
        ),
        (
            "{object: {gap: forbidden}, manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, --enable-admission-plugins=PodSecurityPolicy]}]}}}]}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "manifests: []",
            "N/A: no API server is declared here as a static pod",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    each_server(node, |around, words, tally| {
        match flags::admits_by(words, "PodSecurityPolicy") {
            Ok(true) => {}
            Ok(false) => return,
            Err(gap) => return tally.gap(gap),
        }
        match version::minor(node, view) {
            Some(minor) if minor >= GONE => {
                let message = format!(
                    "the API server of {} is told to use PodSecurityPolicy, which 1.{minor} does not have",
                    around.name()
                );
                tally.offence(offence(around.subject(), Severity::Medium, message, [around.at]));
            }
            Some(_) => tally.gap(Gap::NeedsHuman {
                question: Text::new(
                    "may the group system:nodes use a PodSecurityPolicy that admits the mirror pods? kubectl get psp",
                ),
            }),
            None => tally.gap(node.api.object.get().err().unwrap_or(Gap::NotAsked)),
        }
    })
}
