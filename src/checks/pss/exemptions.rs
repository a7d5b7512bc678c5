use super::admission::{Admission, each_server, of_server};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

/// More exempt namespaces are a policy that is not one.
const MANY: usize = 3;

pub static CHECK: Check = Check {
    id: CheckId("SP-PSS-007"),
    title: "Few are exempt from Pod Security admission",
    why: "Whoever gets hold of an exempt user, or may create pods in an exempt namespace, makes privileged pods that no level stops.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[Need::ApiServerFiles],
    maps: &[Maps::Cis("5.2.1"), Maps::Pss("baseline")],
    fix: Remediation {
        steps: &[
            on_node("grep -rFe admission-control-config-file /etc/kubernetes/manifests"),
            by_hand(
                "in the PodSecurityConfiguration that it names, take out of exemptions who does not create pods that need it; use a privileged level on the one namespace instead",
            ),
        ],
        restarts: "the API server reads the file at its start only: move its manifest out of the folder and back, 30 to 60 s away, one node at a time",
        undo: &[by_hand("put the old entries back")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver]}]}}}], admission: none}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, --admission-control-config-file=/etc/k/a.yaml]}]}}}], admission: {kind: PodSecurityConfiguration, exemptions: {namespaces: [kube-system]}}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, --admission-control-config-file=/etc/k/a.yaml]}]}}}, {file: b.yaml, unread: denied}], admission: {kind: PodSecurityConfiguration, exemptions: {usernames: ['system:node:w-1', eve], namespaces: [a, b, c, d]}}}",
            "FAIL medium: exempt from Pod Security are the users system:node:w-1, eve and 4 namespaces: a, b, c, d; gap: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, --admission-control-config-file=/etc/k/a.yaml]}]}}}], admission: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [], admission: none}",
            "N/A: no API server is declared here as a static pod",
        ),
        (
            "{manifests: {gap: denied}, admission: none}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let files = node.host.api_server_files.get();
    let files = files.ok().map(|files| files.at);
    each_server(node, |around, words, tally| match of_server(words, node) {
        Ok(found) => exempt(&found, tally, files.unwrap_or(around.at)),
        Err(gap) => tally.gap(gap),
    })
}

fn exempt(found: &Admission, tally: &mut Tally, at: Locator) {
    let mut who = Vec::new();
    if !found.usernames.is_empty() {
        let word = if found.usernames.len() == 1 {
            "user"
        } else {
            "users"
        };
        who.push(format!("the {word} {}", found.usernames.join(", ")));
    }
    if found.namespaces.len() > MANY {
        let (count, names) = (found.namespaces.len(), found.namespaces.join(", "));
        who.push(format!("{count} namespaces: {names}"));
    }
    if !who.is_empty() {
        let message = format!("exempt from Pod Security are {}", who.join(" and "));
        let subject = Subject::setting("PodSecurityConfiguration.exemptions");
        tally.offence(offence(subject, Severity::Medium, message, [at]));
    }
}
