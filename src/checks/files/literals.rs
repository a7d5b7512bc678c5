use super::scope::each_file;
use crate::checks::access::readers;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::{Manifest, Pod};
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Severity, Subject, Verdict};

/// What takes the place of a secret before anything is stored.
const MASKED: &str = "<masked";

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-013"),
    title: "No secret stands in a manifest",
    why: "A password in a manifest is in every backup of the node, in the mirror pod that every reader of pods sees, and in the process list.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[Need::Accounts],
    maps: &[Maps::Cis("5.4.1"), Maps::Attack("T1552.001")],
    fix: Remediation {
        steps: &[
            by_hand(
                "put the secret into a file of root:root 0600, mount that file read-only, and name it in the flag or read it in the program",
            ),
            by_hand("then change the secret itself: the old one is in copies of the manifest"),
            on_node("grep -rl SECRET /etc/kubernetes /var/backups"),
        ],
        restarts: "the pod is made anew by the kubelet when the manifest changes",
        undo: &[by_hand(
            "put the old manifest back: keep a copy outside of the folder before you edit",
        )],
    },
    examples: &[
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, command: [app, --token-file=/etc/t], env: [{name: LEVEL, value: info}]}]}}}]}",
            "PASS",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, env: [{name: DB_PASSWORD, value: '<masked 00112233>'}]}]}}}]}",
            "FAIL medium: in plain text: DB_PASSWORD",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mode: '0644', pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, args: ['--token=<masked 00112233>']}]}}}, {gap: denied}]}",
            "FAIL high: in plain text: --token; everyone can read the manifest; gap: the login may not read it",
        ),
        ("{dir: {}, manifests: [{file: a.yaml, broken: no}]}", "PASS"),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {}, manifests: [{file: a.yaml, unread: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_file(node, |manifest, at, tally| {
        let Some(parsed) = tally.take(&manifest.pod) else {
            return;
        };
        tally.good(parsed.at);
        if let Some(pod) = parsed.value.pod() {
            one(node, (manifest, pod, at), tally);
        }
    })
}

fn one(node: &NodeFacts, (manifest, pod, at): (&Manifest, &Pod, Locator), tally: &mut Tally) {
    let mut reach = None;
    for (_, container) in pod.containers() {
        let found = secrets(container);
        if found.is_empty() {
            continue;
        }
        let reach = reach.get_or_insert_with(|| readers(&manifest.walk, &node.host.accounts));
        let name = container.get("name").and_then(Branch::as_str);
        let name = Text::new(name.unwrap_or_default());
        let mut message = format!("in plain text: {}", found.join(", "));
        let mut severity = Severity::Medium;
        if let Some(way) = reach.ways.first() {
            severity = Severity::High;
            message.push_str(&format!("; {} can read the manifest", way.people()));
        }
        let subject = Subject::container(&pod.namespace, &pod.name, &name);
        tally.offence(offence(subject, severity, message, [at]));
        tally.gaps(reach.gaps.iter().cloned());
    }
}

/// Names of what was masked in a container: variables, flags, headers; never a value.
fn secrets(container: Branch<'_>) -> Vec<String> {
    let items = |key: &str| {
        let list = container.get(key).and_then(Branch::as_array);
        list.into_iter().flat_map(Items::iter)
    };
    let mut out: Vec<String> = Vec::new();
    for variable in items("env") {
        let value = variable.get("value").and_then(Branch::as_str);
        if value.is_some_and(|value| value.contains(MASKED)) {
            let name = variable.get("name").and_then(Branch::as_str);
            out.push(Text::new(name.unwrap_or("a variable")).to_string());
        }
    }
    let mut before = "";
    for word in items("command")
        .chain(items("args"))
        .filter_map(Branch::as_str)
    {
        if let Some((head, _)) = word.split_once(MASKED) {
            let flag = head.split('=').next().unwrap_or_default();
            let flag = if flag.is_empty() { before } else { flag };
            out.push(Text::new(flag).to_string());
        }
        before = word;
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let headers = container
            .get(probe)
            .and_then(|probe| probe.get("httpGet")?.get("httpHeaders")?.as_array());
        for header in headers.into_iter().flat_map(Items::iter) {
            let value = header.get("value").and_then(Branch::as_str);
            if value.is_some_and(|value| value.contains(MASKED)) {
                out.push(format!("a header of its {probe}"));
            }
        }
    }
    out
}
